// SPDX-License-Identifier: MIT
#pragma once

#include "core/peertext.h"
#include "core/reconnectpolicy.h"
#include "engine/inbox.h"
#include "engine/phases.h"

#include <QDateTime>

namespace Everwire {

// One connection's state machine: everything that waits or can fail. Runs on the wire thread, or wherever a
// test calls it; knows no thread, no socket class and no clock of its own.
class EVERWIRE_EXPORT Engine final : private TransportListener
{
public:
    // The world around it, in the order in which data flows.
    struct Surroundings
    {
        QString name; // the connection's type, for the log
        TransportFactory transports;
        std::function<std::unique_ptr<Protocol>()> protocols;
        Scheduler *scheduler = nullptr;
        std::function<double()> random;                                        // uniform in [0, 1)
        std::function<qint64()> wallClock = QDateTime::currentMSecsSinceEpoch; // ms since 1970
        std::shared_ptr<MessagePool> messagePool = std::make_shared<MessagePool>();
        std::shared_ptr<Inbox> inbox;
        std::shared_ptr<Outbox> outbox;
    };

    explicit Engine(Surroundings surroundings);
    ~Engine();
    Q_DISABLE_COPY_MOVE(Engine)

    [[nodiscard]] ConnectionState state() const { return m_state; }

    // Looks at what the outbox holds. Called after the outbox woke.
    void processOutbox();
    // Whether every connection of this engine has ended and none will be opened.
    [[nodiscard]] bool isAtRest() const;
    // Ends all remaining connections at once (rule O6). Returns the number of accepted messages
    // that will not arrive, or may not have arrived.
    [[nodiscard]] int shutdown();
    // Looks at what the outbox holds, and calls back once, when the engine comes to rest. That may
    // be at once.
    void whenAtRest(std::function<void()> atRest);

private:
    // Commands.
    void handle(Command::Open &command);
    void handle(Command::Close &command);
    void handle(Command::Leave &command);
    void handle(Command::Reconnect &command);
    void handle(Command::AnswerToken &command);
    void handle(Command::ResumeReading &command);
    void handle(Command::AnswerPreparation &command);
    void handle(Command::NetworkBack &command);
    void handle(Command::SetDebug &command);
    void handle(Command::Configure &command);

    // The transport.
    void transportOpened() override;
    void transportTextReceived(PaddedView utf8) override;
    void transportBinaryReceived(QByteArray bytes) override;
    void transportAlive() override;
    void transportWritten() override;
    void transportEnded(const TransportEnd &end) override;

    enum class Farewell { Close, Abort }; // whether the peer is told

    // An attempt, step by step.
    void startAfresh(Command::Open command);
    void startAttempt();
    [[nodiscard]] Transition beginAttempt();
    void fetchToken(bool fresh, const Transition &begun);
    void fetchFreshToken();
    void takeToken(const QString &token);
    void proceed(const QString &token);
    void prepare(const QString &token);
    void openTransport(const QString &token);
    void authenticate();
    void establish(const SessionInfo &session);
    void refused(const QString &reason, int closeCode, Farewell farewell, bool isFinal = false);
    void refusedByClosing(const QString &reason, int closeCode);
    [[nodiscard]] bool isRefusal(const ConnectionError &error) const;
    void startClosing();
    void continueClosing();
    void finishClosing();
    [[nodiscard]] bool forgetUser();
    void tellOfRest();

    // A live connection's next token (enginerenewal.cpp).
    void learnServerTime(const SessionInfo &session);
    void scheduleRenewal();
    void armRenewal();
    void checkRenewal();
    void renewToken();
    void takeRenewal(const TokenResult &result);
    void retryRenewal();
    void offerToken(const QString &token);
    void renewed(const SessionInfo &session);
    void renewalRefused();
    void switchWhenIdle(const QString &token);
    void trySwitch(std::chrono::milliseconds latest);
    [[nodiscard]] bool isBusy(const Phase::Established &open) const;
    // By value, because the argument may be part of the state that the call resets.
    void reconnectWith(QString token);
    void finishSwitch(const QString &token);

    // The end of an attempt or a connection (engineendings.cpp).
    // wait: at least so long before the next attempt.
    void fail(const ConnectionError &error, Farewell farewell, const QString &reason = {},
              std::chrono::milliseconds wait = {});
    [[nodiscard]] Link leaveLink();
    void endLink(Link link, Farewell farewell, int code, const QString &reason);
    Parting &addParting(Link link);
    void beginParting(Parting &parting, int code, const QString &reason,
                      TransportListener *incoming = nullptr);
    void partingIsOver(Parting &parting);
    void abandonGoodbyes(const Parting *but = nullptr);
    [[nodiscard]] int cut(Parting &parting);
    void abortLink(Link link);
    void buryLater();
    void requeue(std::vector<Outgoing> unsent);
    // Text from the peer, or from app code that quotes it, made safe to show (rule A7).
    [[nodiscard]] QString shown(const QString &text, qsizetype limit = PeerText::Longest);
    [[nodiscard]] QStringList secrets();
    void reportDiscarded(int count, const QString &reason);
    void discardQueue(const QString &reason);

    // Messages.
    void pump();
    void setReadingPaused(bool paused);
    struct TakenLot
    {
        size_t count = 0; // messages
        qint64 bytes = 0;
    };
    [[nodiscard]] TakenLot takeSome(Link &link);
    void sendTaken(const Transport *transport);
    void settle(Link &link);
    void lookAtSystem();
    [[nodiscard]] bool mustWait() const;
    void ignoreEarly(const QString &what);
    template<typename Received>
    void deliver(qint64 cost, Received &&received);
    void overflow();

    void enter(Phase::Any phase, ConnectionState to, Transition transition = {});
    void report(Inbox::Event event);
    [[nodiscard]] Link *link();
    [[nodiscard]] Link *linkOf(const Transport *transport);
    [[nodiscard]] Link takeLink();
    void rememberRefused(const QString &token);
    [[nodiscard]] bool wasRefused(const QString &token) const;
    [[nodiscard]] bool hasExpired(const QString &token) const;
    [[nodiscard]] bool isGoodByOurClock(const QString &token) const;
    [[nodiscard]] QString problemOf(const QString &token) const;
    [[nodiscard]] QString currentToken();

    Surroundings m_around;
    ConnectionConfig m_config;
    QUrl m_url;
    bool m_prepares = false;
    std::optional<Command::Configure> m_nextConfig; // applies from the next attempt (rule C5)
    ConnectionState m_state = ConnectionState::Disconnected;
    Phase::Any m_phase;
    quint32 m_generation = 0;
    int m_attempt = 0; // reconnection attempts since the connection was last stable (rule R4)
    // Number of the last request to the app, for a token or a preparation.
    quint64 m_lastRequest = 0;
    // A network hint started the attempt, so it does not count (rule R7).
    bool m_attemptIsFree = false;
    int m_freeAttempts = 0;         // how many of m_attempt were started by a network hint
    bool m_needsFreshToken = false; // the token provider must not answer from its cache
    bool m_tokenIsFresh = false;    // the attempt's token was requested as a fresh one
    int m_refusedByClosing = 0;     // tokens refused by a close code since one was accepted
    qint64 m_serverAhead = 0;       // ms: the server's clock minus ours, 0 if unknown
    // The server's time is known, or some token was valid by our clock.
    bool m_isClockTrusted = false;
    QString m_user;                    // the user of the token and of the queued messages (rule A3)
    QList<QByteArray> m_refusedTokens; // hashes, so that none is ever sent again (rule A3)
    int m_overflowed = 0;              // received messages dropped since the last report (rule M8)
    bool m_pumping = false;
    Scheduler::Timer m_pumpAgain;
    Scheduler::Timer m_systemLook;
    std::vector<Outgoing> m_taken; // kept for its room
    bool m_debug = false;
    std::vector<std::unique_ptr<Parting>> m_partings; // connections that the engine is closing
    // Ended objects that may still be on the stack.
    std::vector<std::unique_ptr<Transport>> m_endedTransports;
    std::vector<std::unique_ptr<Parting>> m_endedPartings;
    Scheduler::Timer m_burial;
    // When every goodbye ends (the scheduler's time), because nobody can open the connection again.
    std::optional<std::chrono::milliseconds> m_endsBy;
    std::function<void()> m_atRest;
    std::optional<int> m_lost; // messages lost since Leave or shutdown()
};

} // namespace Everwire
