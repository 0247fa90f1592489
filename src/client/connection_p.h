// SPDX-License-Identifier: MIT
#pragma once

#include "auth/preparation.h"
#include "client/connection.h"
#include "client/pending.h"
#include "client/router.h"
#include "client/signalqueue.h"
#include "core/exceptions.h"
#include "engine/inbox.h"
#include "engine/outbox.h"
#include "engine/scheduler.h"

#include <QElapsedTimer>
#include <QPointer>
#include <QProperty>
#include <QSet>
#include <QTimer>

#include <atomic>
#include <vector>

namespace Everwire {

class EngineHost;

// The app's half of a connection: mirrors what the engine reports and hands on what the app says. It changes
// the state by itself in two places only, where a call must show at once: open() and close().
//
// connectionprivate.cpp is what the app says, connectionreports.cpp what the engine reports, connectionanswers.cpp what the
// engine asks, connectionfutures.cpp who waits for what.
class ConnectionPrivate
{
public:
    ConnectionPrivate(Connection *connection, const QString &type, WebSocketProvider *provider);
    ~ConnectionPrivate();
    Q_DISABLE_COPY_MOVE(ConnectionPrivate)

    // ---- what the app says ----
    void open(const ConnectionConfig *config);
    void openWithMap(const QVariantMap &map);
    [[nodiscard]] QFuture<SessionInfo> openAsync(const ConnectionConfig *config);
    [[nodiscard]] QFuture<SessionInfo> opened();
    [[nodiscard]] QFuture<QJsonObject> request(QJsonObject message, std::chrono::milliseconds timeout);
    // For JavaScript.
    [[nodiscard]] QFuture<QJsonObject> request(const QJsonObject &message, double timeoutMs);
    void forget();
    void networkBack();
    void close(Command::Close::Why why = Command::Close::Why::Asked);
    void reconnect(const ConnectionConfig *config);
    void reconnectWithMap(const QVariantMap &map);
    bool sendText(const QString &text); // any thread
    // Any thread. isLent: its bytes may go after the call, and are few enough for the outbox to copy them.
    // isCancelled: only for a request's message (its ticket is not 0).
    bool push(Outgoing message, const QString &type, bool isLent = false,
              const RequestTickets::IsCancelled *isCancelled = nullptr);
    bool reject(const QString &reason); // any thread; returns false
    void configured();                  // configure() has changed something
    void applyDebug();
    void sayGoodbye(); // the provider goes
    void tellWhatWasLost();

    // ---- handles (rule O7) ----
    void openForHandle(ConnectionHandle *handle);
    void releaseHandle(ConnectionHandle *handle);
    void openForHandles();

    // ---- what the engine reports ----
    void wakened();
    void drain();
    // Somebody has connected to messageReceived, on any thread.
    void messagesAreHeard() { m_isHeardBySignal.store(true, std::memory_order_relaxed); }

    [[nodiscard]] ConnectionState state() const { return static_cast<ConnectionState>(m_state.value()); }
    [[nodiscard]] ConnectionConfig effectiveConfig() const
    {
        return configWith(m_reopenConfig.value_or(m_openConfig));
    }
    // Tokens and credentials, which are masked wherever the server's text is shown (rule A7).
    [[nodiscard]] const QStringList &secrets() const { return m_secrets; }
    // Where to connect to, empty where a preparation has to run first; none, with the error to show, where that cannot
    // be.
    [[nodiscard]] std::optional<QUrl> resolve(const ConnectionConfig &config, ConnectionError *error) const;

    Connection *const q;
    const QString m_type;
    QPointer<WebSocketProvider> m_provider;
    QPointer<TokenProvider> m_tokenProvider;
    QPointer<Preparation> m_preparation;
    MessageModel *const m_messages;
    const std::shared_ptr<MessagePool> m_messagePool;
    Router m_router;
    const std::shared_ptr<Inbox> m_inbox = std::make_shared<Inbox>(m_messagePool);
    const std::shared_ptr<Outbox> m_outbox = std::make_shared<Outbox>();
    const std::shared_ptr<InterestBoard> m_interest = std::make_shared<InterestBoard>();
    EngineHost *m_engine = nullptr;
    Scheduler &m_scheduler;
    std::chrono::milliseconds m_drainBudget{4}; // of the present attempt's configuration, with the next two
    QString m_requestIdField;
    QString m_replyIdField;
    bool m_debug = false;

    // Shown to the app; all that one transition changes changes in one property update group (rule S6).
    QProperty<QUrl> m_url;
    QProperty<Connection::State> m_state{Connection::Disconnected};
    QProperty<bool> m_isConnected{false};
    QProperty<QString> m_error;
    QProperty<ConnectionError::Code> m_errorCode{ConnectionError::NoError};
    QProperty<int> m_closeCode{0};
    QProperty<SessionInfo> m_sessionInfo;
    QProperty<int> m_reconnectAttempt{0};
    QProperty<int> m_nextRetryIn{0};
    QProperty<int> m_queuedMessages{0};
    QProperty<qint64> m_bytesToWrite{0};

private:
    using Signal = SignalQueue::Signal;
    using Heard = SignalQueue::Heard;

    [[nodiscard]] Router::Source messagesForOtherThreads();
    void hearNothingMore();
    void openNow(const ConnectionConfig *config);
    void openBehindGoodbye(const ConnectionConfig &config);
    void takeBackOpen();
    void reopen();
    [[nodiscard]] std::optional<ConnectionConfig> readMap(const QVariantMap &map, const char *call);
    void warnOf(const QStringList &warnings);
    void apply(const Transition &transition);
    void show(const Transition &transition, bool opens, AllSteps &steps);
    void announce(const Transition &transition);
    void announceFailure(const Transition &transition, bool wasConnected);
    void showError(const ConnectionError &error);
    void say(Heard heard, Signal signal, const QString &event, const QVariant &value);
    void failAtOnce(const ConnectionError &error);
    void start(const QUrl &url, Command::Any command);
    [[nodiscard]] bool takeIn();
    [[nodiscard]] bool isHeldBack();
    void handleBacklog(const QElapsedTimer &budget);
    void resumeReading();
    void comeAgain(int paceMs, bool isSteady);
    void continueIn(int ms);
    void continueDraining();
    void prefetch() const;
    void record(std::vector<Inbox::Record> records);
    [[nodiscard]] size_t backlog() const { return m_backlog.size() - m_handled; }
    [[nodiscard]] bool isStale(const Inbox::Entry &entry) const;
    void seeWhoHears();
    [[nodiscard]] bool isForNobody(const Inbox::Entry &entry) const;
    void handle(const Inbox::Entry &entry);
    void handle(const Message &message);
    void handOver(const Message &message);
    void handle(const Transition &transition) { apply(transition); }
    void handle(const Notice::TokenNeeded &notice);
    void handle(const Notice::TokenAbandoned &notice);
    void handle(const Notice::PreparationNeeded &notice);
    void handle(const Notice::SessionRenewed &notice);
    void handle(const Notice::ParseError &notice);
    void handle(const Notice::Discarded &notice);
    void lineUp(const Notice::Discarded &notice);
    void handle(const Notice::Rejected &notice);
    void handle(const Notice::Overloaded &notice);
    void answerToken(quint64 request, const TokenResult &result);
    void askTokenAhead();
    void askToken(TokenProvider *provider, bool fresh);
    void abandonToken();
    [[nodiscard]] QFuture<SessionInfo> sessionNow() const;
    void settle(const Transition &transition);
    bool sendRequest(const QJsonObject &message, const PendingRequests::Added &request);
    void failRequests(const ConnectionError &error);
    void failRequests(const PendingRequests::Tickets &tickets, const ConnectionError &error);
    void tellDoomed();
    void lineUpCounters(const Outbox::Counters &counters);
    void tellError(const ConnectionError &error);
    [[nodiscard]] bool prepares() const { return m_preparation && !m_prepared; }
    void showCounters(const Outbox::Counters &counters);
    void startCountdown(std::chrono::milliseconds delay);
    void tickCountdown();
    void applyLimits(const ConnectionConfig &config);
    [[nodiscard]] TokenProvider *currentTokenProvider() const;

    // Sets the property and lines up its change signal.
    template<typename T>
    void set(QProperty<T> &property, const T &value, void (Connection::*changed)());
    [[nodiscard]] ConnectionConfig configWith(const ConnectionConfig &openConfig) const;

    QStringList m_warnings;                // the configuration's warnings that were logged last
    ConnectionConfig m_openConfig;         // open(config)'s, which stays for later open()s
    std::optional<QVariantMap> m_prepared; // options that this open()'s preparation has found
    PendingOpens m_pendingOpens;
    PendingRequests m_pendingRequests{m_outbox, [this] { showCounters(m_outbox->counters()); }};
    std::vector<Inbox::Entry> m_backlog;
    size_t m_handled = 0;   // entries at the front of m_backlog that are handled already
    qint64 m_uncounted = 0; // bytes of handled entries that the inbox still counts as pending
    SignalQueue m_signals;
    std::optional<ConnectionConfig> m_reopenConfig; // open() was called while Disconnecting
    QTimer m_continueDraining;
    QElapsedTimer m_sinceContinued;
    bool m_hasGivenWay = false; // to what was due before
    QElapsedTimer m_sinceTakenIn;
    bool m_hasOnlyTakenIn = false; // and handled nothing yet
    Scheduler::Timer m_countdownTick;
    std::chrono::milliseconds m_retryAt{}; // the scheduler's time
    Scheduler::Timer m_linger;
    QSet<ConnectionHandle *> m_handles;
    QPointer<TokenProvider> m_askedProvider;
    quint64 m_ask = 0; // the number of the question that is under way; 0: none
    quint64 m_lastAsk = 0;
    QObject m_tokenContext;                  // stands for the one request under way
    std::optional<quint64> m_tokenRequest;   // the engine's, which waits for the answer
    std::optional<TokenResult> m_tokenAhead; // the answer, which came before the engine has asked
    QStringList m_secrets;                   // the last two tokens, and credentials in headers
    QObject m_preparationContext;
    std::optional<quint64> m_preparationRequest; // the engine's, under way
    QString m_refusal;                           // the last of reject(), on the provider's thread
    bool m_saidConnected = false;
    bool m_isGone = false; // after sayGoodbye(), when nothing is opened any more
    bool m_openedByHandle = false;
    // Whether m_continueDraining, and no event, brings the next drain(): Quiet, what cannot wait does, too.
    enum class Pace { None, Steady, Quiet };
    Pace m_pace = Pace::None;
    int m_paceMs = 0; // how much later it is
    // Somebody was connected to messageReceived since the last drain began.
    std::atomic<bool> m_isHeardBySignal{true};
    bool m_hasArrivals = false; // since everything was taken in, and they will wake nobody again
    struct
    {
        QElapsedTimer since;
        size_t count = 0; // messages that were drained
        size_t heard = 0; // of which somebody has heard
        size_t sent = 0;  // messages that the app's thread has sent
    } m_lately;
};

template<typename T>
void ConnectionPrivate::set(QProperty<T> &property, const T &value, void (Connection::*changed)())
{
    if (property.value() == value)
        return;
    property = value;
    m_signals.push(changed);
}

// Why sendJson() cannot send this message (rule Q5), in a sentence. Empty if it can.
[[nodiscard]] QString jsonProblem(const QJsonObject &message, const QString &type);
[[nodiscard]] Outgoing toOutgoing(const QJsonObject &message, const QString &type);

} // namespace Everwire
