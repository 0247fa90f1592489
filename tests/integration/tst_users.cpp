// SPDX-License-Identifier: MIT
//
// One user and the next: tokens shared by connections, signing in and out, and what is forgotten.
#include <Everwire/ConnectionHandle>
#include <Everwire/FunctionTokenProvider>
#include <Everwire/NotificationFeed>
#include <Everwire/SimulationSession>
#include <Everwire/WebSocketProvider>

#include "support/testserver.h"

#include <QJsonDocument>
#include <QLoggingCategory>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QTest>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

class SlowTokens final : public TokenProvider
{
    Q_OBJECT

public:
    int fetched = 0;
    QList<TokenRequest> open;

protected:
    void fetch(const TokenRequest &request) override
    {
        ++fetched;
        open.append(request);
    }
};

QString tokenOf(int user)
{
    return u"user-%1"_s.arg(user);
}

} // namespace

class TestUsers : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void a1_fiftyConnectionsShareOneRequest();
    void a1_soDoTheyWhereTheAnswerIsThereAtOnce();
    void a1_aTokenForEveryAttempt();
    void a1_aTokenThatIsSetBehindOpenCounts();
    void o2_closeAbandonsIt();
    void o2_whatAGoneProviderSaysIsNotTheNextOnes();
    void signOutClosesAndForgets();
    void signOutEndsATokenRequest();
    void signInReopensWhatHandlesHold();
    void signInWithAProviderOfItsOwn();
    void whatIsShownOfAUserGoes();
    void o5_deletedInForgotten();
    void aUserSwitchUnderLoad();

private:
    Connection *open(const QString &type);

    std::unique_ptr<TestServer> server;
    std::unique_ptr<WebSocketProvider> provider;
};

void TestUsers::init()
{
    server = std::make_unique<TestServer>();
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(tokenOf(1));
}

void TestUsers::cleanup()
{
    provider.reset();
    server.reset();
}

Connection *TestUsers::open(const QString &type)
{
    Connection *connection = provider->connection(type);
    [&] { QVERIFY(provider->configure(type, ConnectionConfig().setUrl(server->url()).setLinger(0ms))); }();
    connection->open();
    return connection;
}

void TestUsers::a1_fiftyConnectionsShareOneRequest()
{
    SlowTokens tokens;
    provider->setTokenProvider(&tokens);
    QList<Connection *> connections;
    for (int i = 0; i < 50; ++i)
        connections.append(open(u"type-%1"_s.arg(i)));
    QTRY_COMPARE(tokens.fetched, 1);
    tokens.open.first().resolve(tokenOf(7));
    for (Connection *connection : connections)
        QTRY_VERIFY(connection->isConnected());
    QCOMPARE(tokens.fetched, 1);
    QCOMPARE(server->tokens(), QList<QByteArray>(50, "user-7"));
}

void TestUsers::a1_soDoTheyWhereTheAnswerIsThereAtOnce()
{
    int asked = 0;
    FunctionTokenProvider tokens([&asked]() -> QString { return tokenOf(++asked); });
    provider->setTokenProvider(&tokens);
    QList<Connection *> connections;
    for (int i = 0; i < 50; ++i)
        connections.append(open(u"type-%1"_s.arg(i)));
    for (Connection *connection : connections)
        QTRY_VERIFY(connection->isConnected());
    QCOMPARE(asked, 1);
}

void TestUsers::a1_aTokenForEveryAttempt()
{
    SlowTokens tokens;
    provider->setTokenProvider(&tokens);
    Connection *connection = open(u"a"_s);
    QTRY_COMPARE(tokens.fetched, 1);
    tokens.open.first().resolve(tokenOf(2));
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(tokens.fetched, 1);
    server->drop();
    QTRY_COMPARE(tokens.fetched, 2); // for every attempt
}

void TestUsers::a1_aTokenThatIsSetBehindOpenCounts()
{
    Connection *connection = open(u"a"_s);
    provider->setToken(tokenOf(5));
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(server->tokens(), QList<QByteArray>{"user-5"});
}

void TestUsers::o2_closeAbandonsIt()
{
    SlowTokens tokens;
    provider->setTokenProvider(&tokens);
    Connection *connection = open(u"a"_s);
    QTRY_COMPARE(tokens.fetched, 1);
    connection->close();
    tokens.open.first().resolve(tokenOf(2));
    connection->open();
    QCOMPARE(tokens.fetched, 1); // it is Disconnecting yet
    QTRY_COMPARE(tokens.fetched, 2);
    tokens.open.last().resolve(tokenOf(3));
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(server->tokens(), QList<QByteArray>{"user-3"});
}

// It tells those who wait that it goes, but later, when nobody may be waiting any more.
void TestUsers::o2_whatAGoneProviderSaysIsNotTheNextOnes()
{
    auto tokens = std::make_unique<SlowTokens>();
    provider->setTokenProvider(tokens.get());
    Connection *connection = open(u"a"_s);
    QTRY_COMPARE(tokens->fetched, 1);
    QSignalSpy reconnecting(connection, &Connection::reconnecting);
    tokens.reset();
    connection->close();
    provider->setToken(tokenOf(2));
    connection->open();
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(server->tokens(), QList<QByteArray>{"user-2"});
    QCOMPARE(reconnecting.size(), 0);
}

void TestUsers::signOutClosesAndForgets()
{
    Connection *connection = open(u"a"_s);
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(connection->sendJson({{u"type"_s, u"mine"_s}}));
    server->sendText(R"({"type":"for-user-1"})");
    QTRY_COMPARE(connection->messages()->rowCount(), 2);
    QSignalSpy forgotten(connection, &Connection::forgotten);
    provider->signOut();
    QCOMPARE(forgotten.size(), 1);
    QCOMPARE(connection->messages()->rowCount(), 0);
    QCOMPARE(connection->sessionInfo(), SessionInfo());
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    connection->open();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::NoToken);
    provider->signOut();
    QCOMPARE(connection->error(), QString());
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(connection->errorCode(), ConnectionError::NoError);
}

void TestUsers::signOutEndsATokenRequest()
{
    SlowTokens tokens;
    provider->setTokenProvider(&tokens);
    Connection *connection = open(u"a"_s);
    QTRY_COMPARE(tokens.fetched, 1);
    provider->signOut();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    connection->open();
    QTRY_COMPARE(tokens.open.size(), 2);
    tokens.open[0].resolve(tokenOf(1)); // too late
    tokens.open[1].resolve(tokenOf(2));
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(server->tokens(), QList<QByteArray>{"user-2"});
}

void TestUsers::signInReopensWhatHandlesHold()
{
    Connection *held = provider->connection(u"held"_s);
    QVERIFY(provider->configure(u"held"_s, ConnectionConfig().setUrl(server->url())));
    ConnectionHandle handle(u"held"_s, provider.get());
    handle.open();
    Connection *byTheApp = open(u"app"_s);
    QTRY_VERIFY(held->isConnected() && byTheApp->isConnected());
    provider->signIn(tokenOf(2));
    QTRY_VERIFY(held->isConnected());
    QTRY_COMPARE(byTheApp->state(), Connection::Disconnected);
    QCOMPARE(server->tokens().last(), "user-2");
    QCOMPARE(server->tokens().size(), 3);
}

void TestUsers::signInWithAProviderOfItsOwn()
{
    int user = 1;
    FunctionTokenProvider tokens([&user]() -> QString { return tokenOf(user); });
    provider->setTokenProvider(&tokens);
    ConnectionHandle handle(u"held"_s, provider.get());
    QVERIFY(provider->configure(u"held"_s, ConnectionConfig().setUrl(server->url())));
    handle.open();
    QTRY_VERIFY(handle.connection()->isConnected());
    user = 2;
    provider->signIn();
    QTRY_COMPARE(server->tokens(), (QList<QByteArray>{"user-1", "user-2"}));
    QCOMPARE(provider->tokenProvider(), &tokens);
}

void TestUsers::whatIsShownOfAUserGoes()
{
    for (const QString &type : {u"notifications"_s, u"simulation"_s})
        QVERIFY(provider->configure(type, ConnectionConfig().setUrl(server->url())));
    NotificationFeed feed(provider.get());
    SimulationSession session(provider.get());
    session.start();
    QTRY_VERIFY(feed.connection()->isConnected() && session.connection()->isConnected());
    server->sendText(R"({"type":"notification","id":"1","title":"for user 1"})");
    server->sendText(R"({"type":"ai_response","content":"for user 1"})");
    QTRY_COMPARE(feed.notifications()->count(), 1);
    QTRY_COMPARE(session.turns()->rowCount(), 1);
    provider->signIn(tokenOf(2));
    QCOMPARE(feed.notifications()->count(), 0);
    QCOMPARE(feed.unreadCount(), 0);
    QCOMPARE(session.turns()->rowCount(), 0);
    QCOMPARE(session.sessionId(), QString());
    QTRY_VERIFY(feed.connection()->isConnected()); // the feed holds a handle
    QTRY_COMPARE(session.connection()->state(), Connection::Disconnected);
    QCOMPARE(server->tokens().last(), "user-2");
}

void TestUsers::o5_deletedInForgotten()
{
    for (const QString &type : {u"a"_s, u"b"_s}) {
        Connection *connection = open(type);
        connect(connection, &Connection::forgotten, connection, [connection] { delete connection; });
    }
    provider->signOut();
    QVERIFY(provider->connections()->list().isEmpty());
    connect(open(u"c"_s), &Connection::forgotten, this, [this] { provider.reset(); });
    provider->signIn(tokenOf(2));
    QVERIFY(!provider);
}

namespace {

// What a thread has sent while users came and went.
struct Sent
{
    QString id;
    int user = 0; // who was signed in before and after the call; 0: that changed meanwhile
    bool wasAccepted = false;
};

// Sends beside the UI thread, without any agreement with it.
class Sender
{
public:
    Sender(Connection *connection, const std::atomic<int> &epoch, int number)
        : m_connection(connection), m_epoch(epoch), m_number(number), m_thread([this] { run(); })
    {
    }
    ~Sender() { (void)stop(); }
    Q_DISABLE_COPY_MOVE(Sender)

    [[nodiscard]] const std::vector<Sent> &stop()
    {
        m_goesOn = false;
        if (m_thread.joinable())
            m_thread.join();
        return m_sent;
    }

private:
    void run()
    {
        int acceptedIn = 0; // of this epoch
        for (int n = 0, last = 0; m_goesOn;) {
            const int before = m_epoch;
            if (std::exchange(last, before) != before)
                acceptedIn = 0;
            if (acceptedIn >= 10) {
                std::this_thread::yield();
                continue;
            }
            Sent sent{u"%1-%2"_s.arg(m_number).arg(++n), 0, false};
            sent.wasAccepted = send(sent.id, n % 2 == 0);
            if (before == m_epoch && before % 2 == 0)
                sent.user = before / 2;
            if (!sent.wasAccepted) {
                std::this_thread::yield();
                continue;
            }
            ++acceptedIn;
            m_sent.push_back(sent);
        }
    }
    // Both ways, which record it for the history by different paths.
    [[nodiscard]] bool send(const QString &id, bool asText)
    {
        if (asText)
            return m_connection->send(uR"({"type":"from","sent":"%1"})"_s.arg(id));
        return m_connection->sendJson({{u"type"_s, u"from"_s}, {u"sent"_s, id}});
    }

    Connection *const m_connection;
    const std::atomic<int> &m_epoch;
    const int m_number;
    std::vector<Sent> m_sent;
    std::atomic<bool> m_goesOn{true};
    std::thread m_thread;
};

} // namespace

// The bar: no message of one user on another's session, sent or shown, in 1,000 switches while six threads send.
void TestUsers::aUserSwitchUnderLoad()
{
    constexpr int Switches = 1000;
    constexpr int Senders = 6;
    // Each refused message is a warning, and there are many.
    QLoggingCategory::setFilterRules(u"everwire.connection.warning=false"_s);
    const auto restored = qScopeGuard([] { QLoggingCategory::setFilterRules({}); });
    ConnectionHandle handle(u"held"_s, provider.get());
    QVERIFY(provider->configure(
        u"held"_s, ConnectionConfig().setUrl(server->url()).setLinger(0ms).setMaxQueuedMessages(100000)));
    Connection *connection = handle.connection();
    int user = 1;
    int wronglyShown = 0;
    int shown = 0;
    connection->subscribe(u"for"_s, this, [&](const QJsonObject &message) {
        ++shown;
        if (message.value("token"_L1).toString() != tokenOf(user))
            ++wronglyShown;
    });
    // Unlike QTRY_VERIFY, which looks every 50 ms, these know at once.
    QSignalSpy connected(connection, &Connection::connected);
    QSignalSpy received(connection, &Connection::messageReceived);
    handle.open();

    std::atomic<int> epoch{2 * user}; // odd: the user is being switched
    std::vector<std::unique_ptr<Sender>> senders;
    for (int i = 0; i < Senders; ++i)
        senders.push_back(std::make_unique<Sender>(connection, epoch, i));
    QHash<QString, int> inHistoryOf;
    const auto lookAtTheHistory = [&](int whose) {
        for (int row = 0; row < connection->messages()->rowCount(); ++row) {
            const Message message = connection->messages()->at(row);
            const QString id = message.json().value("sent"_L1).toString();
            if (message.direction() == Message::Incoming)
                QCOMPARE(message.json().value("token"_L1).toString(), tokenOf(whose));
            else
                QCOMPARE(inHistoryOf.value(id, whose), whose);
            if (!id.isEmpty())
                inHistoryOf.insert(id, whose);
        }
    };
    for (int i = 2; i <= Switches + 1; ++i) {
        while (i % 2 == 0 && !connection->isConnected()) // else it is switched while it connects
            QVERIFY(connected.wait());
        const QByteArray token = tokenOf(user).toLatin1();
        for (int n = 0; n < 5; ++n)
            server->sendText(R"({"type":"for","token":")" + token + "\"}");
        for (const int before = shown; i % 4 == 0 && shown == before;) // else they are on their way, or wait
            QVERIFY(received.wait());
        lookAtTheHistory(user);
        epoch = 2 * user + 1;
        user = i;
        provider->signIn(tokenOf(i));
        epoch = 2 * user;
        lookAtTheHistory(user);
    }
    QTRY_VERIFY(connection->isConnected());
    QHash<QString, int> acceptedOf;
    int accepted = 0;
    for (const auto &sender : senders) {
        for (const Sent &sent : sender->stop()) {
            ++accepted;
            if (sent.user > 0)
                acceptedOf.insert(sent.id, sent.user);
        }
    }
    QVERIFY(connection->sendJson({{u"type"_s, u"last"_s}}));
    QTRY_VERIFY(server->messages().contains(R"({"type":"last"})"));
    lookAtTheHistory(user);

    QHash<int, QString> users; // by the server's connection
    QHash<QString, QString> arrivedAs;
    for (const TestServer::Received &one : server->received()) {
        const QJsonObject message = QJsonDocument::fromJson(one.bytes).object();
        if (message.contains("token"_L1)) {
            QVERIFY(!users.contains(one.connection));
            users.insert(one.connection, message.value("token"_L1).toString());
        } else if (message.contains("sent"_L1)) {
            const QString id = message.value("sent"_L1).toString();
            QVERIFY(!arrivedAs.contains(id)); // once
            arrivedAs.insert(id, users.value(one.connection));
        }
    }
    for (auto it = arrivedAs.cbegin(); it != arrivedAs.cend(); ++it) {
        if (acceptedOf.contains(it.key()))
            QCOMPARE(it.value(), tokenOf(acceptedOf.value(it.key())));
        if (inHistoryOf.contains(it.key()))
            QCOMPARE(it.value(), tokenOf(inHistoryOf.value(it.key())));
    }
    for (auto it = inHistoryOf.cbegin(); it != inHistoryOf.cend(); ++it) {
        if (acceptedOf.contains(it.key()))
            QCOMPARE(it.value(), acceptedOf.value(it.key()));
    }
    QCOMPARE(wronglyShown, 0);
    QVERIFY(!arrivedAs.isEmpty() && !acceptedOf.isEmpty() && !inHistoryOf.isEmpty() && shown > 0);
    qInfo("%d switches: %d messages accepted, %d of them arrived on %d sessions, %d seen in the history, "
          "%d messages of the server shown",
          Switches, accepted, int(arrivedAs.size()), int(users.size()), int(inHistoryOf.size()), shown);
}

QTEST_GUILESS_MAIN(TestUsers)
#include "tst_users.moc"
