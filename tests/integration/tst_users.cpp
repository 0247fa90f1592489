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
#include <QMutex>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QTest>

#include <atomic>
#include <thread>

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

// The bar: no message of the old user on the new one's session, sent or shown, in 1,000 switches.
void TestUsers::aUserSwitchUnderLoad()
{
    constexpr int Switches = 1000;
    // Each refused message is a warning, and there are many.
    QLoggingCategory::setFilterRules(u"everwire.connection.warning=false"_s);
    const auto restored = qScopeGuard([] { QLoggingCategory::setFilterRules({}); });
    ConnectionHandle handle(u"held"_s, provider.get());
    QVERIFY(provider->configure(
        u"held"_s, ConnectionConfig().setUrl(server->url()).setLinger(0ms).setMaxQueuedMessages(100000)));
    Connection *connection = handle.connection();
    std::atomic<int> user{1};
    std::atomic<bool> goesOn{true};
    std::atomic<int> accepted{0}; // of this user's
    qint64 acceptedOfAll = 0;
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

    // Sends whose content depends on the user must see one user: the switch and the send exclude each other, as in an
    // app that stops its microphone before the switch.
    QMutex whoIsIt;
    std::thread sender([&] {
        while (goesOn) {
            const QMutexLocker lock(&whoIsIt);
            if (accepted < 50 && connection->sendJson({{u"type"_s, u"from"_s}, {u"user"_s, int(user)}}))
                ++accepted;
            else
                std::this_thread::yield();
        }
    });
    for (int i = 2; i <= Switches + 1; ++i) {
        while (i % 2 == 0 && !connection->isConnected()) // else it is switched while it connects
            QVERIFY(connected.wait());
        const QByteArray token = tokenOf(user).toLatin1();
        for (int n = 0; n < 5; ++n)
            server->sendText(R"({"type":"for","token":")" + token + "\"}");
        for (const int before = shown; i % 4 == 0 && shown == before;) // else they are on their way, or wait
            QVERIFY(received.wait());
        connection->sendJson({{u"type"_s, u"from"_s}, {u"user"_s, int(user)}});
        const QMutexLocker lock(&whoIsIt);
        user = i;
        acceptedOfAll += accepted.exchange(0);
        provider->signIn(tokenOf(i));
        for (int row = 0; row < connection->messages()->rowCount(); ++row)
            QFAIL("something of the old user is still shown");
    }
    goesOn = false;
    sender.join();
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(connection->sendJson({{u"type"_s, u"last"_s}}));
    QTRY_VERIFY(server->messages().contains(R"({"type":"last"})"));

    QHash<int, QByteArray> users; // by the server's connection
    int sent = 0;
    for (const TestServer::Received &one : server->received()) {
        const QJsonObject message = QJsonDocument::fromJson(one.bytes).object();
        if (message.contains("token"_L1)) {
            QVERIFY(!users.contains(one.connection));
            users.insert(one.connection, message.value("token"_L1).toString().toLatin1());
        } else if (message.contains("user"_L1)) {
            ++sent;
            QCOMPARE(users.value(one.connection), tokenOf(message.value("user"_L1).toInt()).toLatin1());
        }
    }
    QCOMPARE(wronglyShown, 0);
    QVERIFY(sent > 0 && acceptedOfAll > 0 && shown > 0);
    qInfo("%d switches: %d messages sent, %d accepted beside the UI thread, %d shown, on %d sessions",
          Switches, sent, int(acceptedOfAll), shown, int(users.size()));
}

QTEST_GUILESS_MAIN(TestUsers)
#include "tst_users.moc"
