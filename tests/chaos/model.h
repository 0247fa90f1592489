// SPDX-License-Identifier: MIT
#pragma once

#include <QMap>
#include <QString>
#include <QStringList>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace Chaos {

// What docs/behaviour.md says of a connection, written from that page and from nothing in src/: the same steps lead to
// the same reports, or one of the two is wrong. Times are milliseconds, names are those of the page.
enum class State { Disconnected, Connecting, Authenticating, Connected, Reconnecting, Disconnecting, Error };
[[nodiscard]] QString nameOf(State state);

struct Settings
{
    bool authenticates = true;
    bool autoReconnect = true;
    int maxReconnectAttempts = 10;
    qint64 initialReconnectDelay = 1000;
    qint64 maxReconnectDelay = 30000;
    double jitter = 0; // with numbers of chance in sixteenths every delay is exact
    QList<int> terminalCloseCodes;
    int maxQueuedMessages = 100;
    qint64 maxQueuedBytes = 16 * 1024 * 1024;
    bool dropsOldest = false;
    qint64 maxMessageSize = 512 * 1024;
    bool binarySupported = true;
    enum Heartbeat { Ping, Message, Off } heartbeat = Ping;
    qint64 linger = 1000;
};

// A message of the app's: what it is called in the reports, and what it weighs.
struct Parcel
{
    QString name;
    qint64 bytes = 0;
    qint64 attached = -1; // bytes of a pair's binary half
    bool isBinary = false;
    [[nodiscard]] qint64 size() const { return bytes + std::max<qint64>(attached, 0); }
    [[nodiscard]] int count() const { return attached < 0 ? 1 : 2; }
};

// How a connection ended, or could not begin.
struct Failure
{
    QString code; // of ConnectionError
    int closeCode = 0;
    bool isFinal = false;
    bool isTheNetworks = false; // such as may be over when the network is back
    qint64 retryAfter = 0;
};

// What is heard, in its order, for each kind of it: a signal, a subscriber, the wire.
using Channels = QMap<QString, QStringList>;

struct Properties
{
    State state = State::Disconnected;
    QString errorCode = QStringLiteral("NoError");
    int closeCode = 0;
    bool hasSession = false;
    int reconnectAttempt = 0;
    int queuedMessages = 0;
    qint64 bytesToWrite = 0;
};

class Model
{
public:
    explicit Model(const Settings &settings) : m_configured(settings) {}

    // ---- the app; what a thread that lags has not heard of waits for runWire() ----
    void open();
    void close();
    void reconnect();
    void configure(const Settings &settings);
    bool push(const Parcel &parcel);
    void rejected();
    void takeHandle(int handle);
    void releaseHandle(int handle);
    void forget();
    void signIn();
    void networkBack();
    void subscribe(int number, const QString &event) { m_subscribers[number] = event; }
    void unsubscribe(int number) { m_subscribers.erase(number); }
    void onNextMessage(std::function<void()> action) { m_armed = std::move(action); }

    // ---- the network ----
    void opened();
    void authenticated();
    void refusedToken();
    void received(const QString &name, const QString &type);
    void receivedRubbish(const QString &name);
    void receivedBinary(const QString &name);
    void alive();
    void ended(const Failure &failure);
    void stopTaking() { m_takes = false; }
    void take(qint64 bytes);
    void takeAll();
    void token(const QString &token);
    void noToken();
    void tokenFailed();
    void invalidToken();

    // ---- the world ----
    void setChance(double chance) { m_chance = chance; }
    [[nodiscard]] std::optional<qint64> nextDue() const;
    void advanceTo(qint64 time); // not beyond nextDue()
    bool runWire();
    bool runApp();

    // ---- what must be seen ----
    Channels heard;
    [[nodiscard]] Properties shown() const;
    [[nodiscard]] bool wantsToken() const { return m_phase == Phase::Fetching; }
    [[nodiscard]] bool hasSocket() const { return m_socket > 0 && isLinked(); }
    [[nodiscard]] State wireState() const;
    [[nodiscard]] qint64 inSocket() const { return m_inSocket; }
    [[nodiscard]] int sockets() const { return m_sockets; }
    [[nodiscard]] int accepted() const { return m_accepted; }
    [[nodiscard]] int taken() const { return m_takenCount; }
    [[nodiscard]] int discarded() const { return m_discardedCount; }
    [[nodiscard]] int queued() const;
    [[nodiscard]] bool isAuthenticating() const { return m_phase == Phase::Authenticating; }
    [[nodiscard]] bool isOpening() const { return m_phase == Phase::Opening; }
    [[nodiscard]] bool isOpen() const { return m_phase == Phase::Open; }

private:
    enum class Phase { Idle, Failed, Fetching, Opening, Authenticating, Open, Waiting, Closing };
    enum class Due { Phase, Stable, Ping, Pong, Linger, Parting };
    struct Report
    {
        enum Kind { Step, Text, Rubbish, Binary, Discarded } kind = Step;
        int round = 0; // of close() calls
        State to = State::Disconnected;
        std::optional<Failure> failure;
        int closeCode = 0;
        int attempt = 0;
        qint64 delay = 0;
        int gaveUpAfter = -1;
        bool wasMade = false; // by the app's own call
        QString name;
        QString type;
        int count = 0;
    };
    struct OnWire
    {
        Parcel parcel;
        qint64 left = 0;     // bytes that the system has yet to take, of this
        bool isOurs = false; // no message of the app's
    };

    // What the wire had of a connection that we ended, until the server has had the time to read it.
    struct Parting
    {
        std::deque<OnWire> onWire;
        bool hasMessages = false;    // of the app's: they must not be overtaken (rule Q4)
        bool isOfFormerUser = false; // what does not leave here is discarded (rule A3)
    };

    // The wire's half.
    void part(int closeCode);
    void partingIsOver();
    void forgetGoodbye();
    void continueClosing();
    void sayClose();
    [[nodiscard]] bool mustWait() const { return m_parting && m_parting->hasMessages; }
    void afresh();
    void begin();
    void openSocket();
    void establish();
    void fail(const Failure &failure, int farewell = 0);
    void refuse(int closeCode, bool isFinal = false);
    [[nodiscard]] bool retries(const Failure &failure) const;
    void startClosing();
    void finishClosing();
    void leaveSocket(int farewell);
    void pump();
    void put(const Parcel &parcel);
    void write(qint64 bytes, const Parcel &parcel, bool isOurs);
    void keepUnsent();
    void discardQueue();
    void discarded(int count);
    void go(Phase phase, Report report);
    void tell(Report report);
    void schedule(Due due, qint64 delay);
    void fire(Due due);
    void sign();
    void ask();
    [[nodiscard]] bool isLinked() const;
    [[nodiscard]] qint64 delayFor(int attempt, qint64 asked) const;

    // The app's half.
    void openNow();
    void closeNow(bool forgets = false);
    [[nodiscard]] bool forgetUser();
    void show(const Report &report);
    void hear(const QString &channel, const QString &what);
    void deliver(const Report &report);
    void hearEvent(const QString &event, const QString &what);
    void hearSubscribers(const std::set<QString> &events);
    void post(std::function<void()> command) { m_commands.push_back(std::move(command)); }
    [[nodiscard]] bool hasRoom(const Parcel &parcel) const;
    [[nodiscard]] qint64 heldBytes() const;
    [[nodiscard]] bool isSentAtOnce() const { return m_draining && !m_reopens; }
    [[nodiscard]] std::deque<Parcel> &line() { return m_reopens ? m_nextQueue : m_queue; }
    void takeBackOpen();

    qint64 m_now = 0;
    double m_chance = 0.5;
    int m_round = 0;

    Settings m_configured; // by the last configure()
    Settings m_limits;     // of the queue
    bool m_accepts = false;
    bool m_draining = false;
    std::deque<Parcel> m_queue;
    std::deque<Parcel> m_nextQueue; // for the connection behind a goodbye (rule Q2)

    std::deque<std::function<void()>> m_commands;
    Phase m_phase = Phase::Idle;
    Settings m_settings; // of the present attempt
    std::optional<Settings> m_next;
    int m_wireRound = 0;
    int m_attempt = 0;
    bool m_wasHinted = false;     // a hint of the network has shortened the wait
    bool m_attemptIsFree = false; // and began the attempt
    int m_freeAttempts = 0;       // of m_attempt
    qint64 m_notBefore = 0;       // as the server asked
    bool m_gaveUpForTheNetwork = false;
    std::set<QString> m_refused;
    bool m_needsFresh = false; // the next token has to be a fresh one
    bool m_isFresh = false;    // the one that is asked for has to be
    int m_refusedByClosing = 0;
    QString m_token;
    std::map<Due, std::pair<qint64, quint64>> m_due; // and the order in which they were asked for
    quint64 m_order = 0;
    qint64 m_lastSign = 0;
    bool m_asked = false;

    int m_sockets = 0;
    int m_socket = 0;
    bool m_takes = true;
    std::deque<OnWire> m_onWire;
    qint64 m_inSocket = 0;
    qint64 m_backlog = 0;   // bytes that were left in it when the app's messages had been handed over
    bool m_hasSent = false; // messages of the app, on this socket
    std::optional<Parting> m_parting;
    bool m_saidClose = false; // of Phase::Closing, on the present socket

    std::deque<Report> m_reports;
    Properties m_shown;
    bool m_saidConnected = false;
    bool m_reopens = false;
    std::set<int> m_handles;
    bool m_openedByHandle = false;
    std::map<int, QString> m_subscribers;
    std::function<void()> m_armed;

    int m_accepted = 0;
    int m_takenCount = 0;
    int m_discardedCount = 0;
};

} // namespace Chaos
