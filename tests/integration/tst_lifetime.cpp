// SPDX-License-Identifier: MIT
//
// Rules O5 and O6: anything may be done inside any handler, and nothing outlives the application.
#include "support/logrecorder.h"
#include "support/testserver.h"

#include <Everwire/ConnectionHandle>
#include <Everwire/WebSocketProvider>

#include <QCoreApplication>
#include <QDir>
#include <QSignalSpy>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

int threads()
{
    return int(QDir(s("/proc/self/task")).entryList(QDir::Dirs | QDir::NoDotAndDotDot).size());
}

int openFiles()
{
    return int(
        QDir(s("/proc/self/fd")).entryList(QDir::NoDotAndDotDot | QDir::AllEntries | QDir::System).size());
}

// Where an app can do something, and what it may do there.
const char *const Hooks[] = {"stateChanged",      "connected",           "disconnected",    "errorOccurred",
                             "connectionError",   "reconnecting",        "messageReceived", "binaryMessage",
                             "parseError",        "messageRejected",     "discarded",       "subscription",
                             "stateSubscription", "authenticationError", "stateProperty",   "historyInsert",
                             "maxAttempts"};
const char *const Actions[] = {"delete",    "deleteProvider", "close",       "reopen",
                               "reconnect", "send",           "unsubscribe", "closeAll"};

} // namespace

class tst_Lifetime : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void o5_anythingInAnyHandler_data();
    void o5_anythingInAnyHandler();
    void o6_nothingOutlivesTheProvider();
    void o6_theInstanceGoesWithTheApplication();
    void o6_destroyedInEveryState();
    void o6_nothingOpensWhatIsDestroyed();
    void o6_whatADeletedConnectionLosesIsLogged();
    void o6_destroyedInATlsHandshake_data();
    void o6_destroyedInATlsHandshake();
    void o5_deletedInAModelsSignal_data();
    void o5_deletedInAModelsSignal();
    void o5_theProviderGoesWhereAConnectionDoes();
    void o5_anEventLoopWhereAConnectionGoes();
    void o5_aDeletedConnectionIsMadeAnew();
    void o2_manyQuickOpensAndCloses();
};

void tst_Lifetime::o5_anythingInAnyHandler_data()
{
    QTest::addColumn<QString>("hook");
    QTest::addColumn<QString>("action");
    for (const char *hook : Hooks) {
        for (const char *action : Actions)
            QTest::addRow("%s in %s", action, hook) << s(hook) << s(action);
    }
}

void tst_Lifetime::o5_anythingInAnyHandler()
{
    QFETCH(const QString, hook);
    QFETCH(const QString, action);
    TestServer server;
    QPointer<WebSocketProvider> provider = new WebSocketProvider;
    provider->setToken(s("good"));
    QPointer<Connection> connection = provider->connection(s("x"));
    QVERIFY(provider->configure(s("x"), ConnectionConfig()
                                            .setUrl(server.url())
                                            .setInitialReconnectDelay(1ms)
                                            .setMaxReconnectDelay(1ms)
                                            .setMaxReconnectAttempts(2)
                                            .setMaxQueuedMessages(2)
                                            .setCloseTimeout(100ms)));
    bool done = false;
    Subscription subscription;
    const auto act = [&] {
        if (done || !connection)
            return;
        done = true;
        if (action == s("delete"))
            delete connection.data();
        else if (action == s("deleteProvider"))
            delete provider.data();
        else if (action == s("close"))
            connection->close();
        else if (action == s("reopen")) {
            connection->close();
            connection->open();
        } else if (action == s("reconnect"))
            connection->reconnect();
        else if (action == s("send"))
            connection->sendJson({{s("type"), s("from handler")}});
        else if (action == s("unsubscribe"))
            subscription.unsubscribe();
        else
            provider->closeAll();
    };

    Connection *c = connection;
    const QHash<QString, std::function<void()>> hooks{
        {s("stateChanged"), [&] { connect(c, &Connection::stateChanged, this, act); }},
        {s("connected"), [&] { connect(c, &Connection::connected, this, act); }},
        {s("disconnected"), [&] { connect(c, &Connection::disconnected, this, act); }},
        {s("errorOccurred"), [&] { connect(c, &Connection::errorOccurred, this, act); }},
        {s("connectionError"), [&] { connect(c, &Connection::connectionError, this, act); }},
        {s("reconnecting"), [&] { connect(c, &Connection::reconnecting, this, act); }},
        {s("messageReceived"), [&] { connect(c, &Connection::messageReceived, this, act); }},
        {s("binaryMessage"), [&] { connect(c, &Connection::binaryMessageReceived, this, act); }},
        {s("parseError"), [&] { connect(c, &Connection::parseError, this, act); }},
        {s("messageRejected"), [&] { connect(c, &Connection::messageRejected, this, act); }},
        {s("discarded"), [&] { connect(c, &Connection::messagesDiscarded, this, act); }},
        {s("subscription"), [&] { subscription = c->subscribe(s("hello"), this, act); }},
        {s("stateSubscription"), [&] { subscription = c->subscribe(s("stateChange"), this, act); }},
        {s("authenticationError"), [&] { connect(c, &Connection::authenticationError, this, act); }},
        {s("stateProperty"), [&] { connect(c, &Connection::isConnectedChanged, this, act); }},
        {s("historyInsert"), [&] { connect(c->messages(), &QAbstractItemModel::rowsInserted, this, act); }},
        {s("maxAttempts"), [&] { connect(c, &Connection::maxReconnectAttemptsReached, this, act); }},
    };
    hooks.value(hook)();

    // One life with everything in it; it goes as far as the action lets it.
    const auto step = [&](auto &&what) {
        if (connection)
            what();
    };
    step([&] { connection->open(); });
    for (int i = 0; i < 3; ++i)
        step([&] { connection->sendJson({{s("type"), s("early")}}); });
    const auto settled = [&] {
        return !connection || connection->isConnected() || connection->state() == Connection::Disconnected ||
               connection->state() == Connection::Error;
    };
    QTRY_VERIFY(settled());
    for (const char *text : {R"({"type":"hello"})", "broken"})
        server.sendText(text);
    server.sendBinary("bytes");
    if (connection && connection->isConnected()) {
        QSignalSpy last(connection, &Connection::binaryMessageReceived);
        QTRY_VERIFY(!last.isEmpty() || !connection || !connection->isConnected() || done);
    }
    server.setAuth(TestServer::Auth::RefuseForm1);
    server.drop();
    const auto over = [&] {
        return !connection || connection->state() == Connection::Disconnected ||
               connection->state() == Connection::Error || (connection->isConnected() && done);
    };
    QTRY_VERIFY(over());
    step([&] {
        connection->open(ConnectionConfig()
                             .setUrl(s("ws://127.0.0.1:1/"))
                             .setMaxReconnectAttempts(1)
                             .setAuthentication(ConnectionConfig::Authentication::None));
    });
    step([&] { connection->sendJson({{s("type"), s("queued")}}); });
    QTRY_VERIFY(settled());
    step([&] { connection->close(); });
    step([&] { connection->open(); });
    QTRY_VERIFY(settled());
    step([&] { connection->close(); });
    QTRY_VERIFY(!connection || connection->state() == Connection::Disconnected);
    QVERIFY2(done, "the hook was never reached, so nothing was tested");
    delete provider.data();
}

void tst_Lifetime::o6_nothingOutlivesTheProvider()
{
    TestServer server;
    const auto round = [&server] {
        WebSocketProvider provider;
        provider.setToken(s("good"));
        for (const char *type : {"a", "b", "c"}) {
            QVERIFY(provider.configure(s(type), ConnectionConfig().setUrl(server.url())));
            provider.connection(s(type))->open();
        }
        for (const char *type : {"a", "b", "c"})
            QTRY_VERIFY(provider.connection(s(type))->isConnected());
        QVERIFY(provider.connection(s("a"))->sendJson({{s("type"), s("last words")}}));
    };
    round(); // what Qt makes once and keeps
    QTRY_COMPARE(server.openConnections(), 0);
    const int threadsBefore = threads();
    const int filesBefore = openFiles();
    server.clear();
    for (int i = 0; i < 10; ++i)
        round();
    QTRY_VERIFY(threads() <= threadsBefore); // the system takes a moment to bury one
    QTRY_COMPARE(server.openConnections(), 0);
    QTRY_COMPARE(openFiles(), filesBefore);
    // What was accepted while connected was sent, and the server was told.
    QTRY_COMPARE(server.messages().size(), 10);
    QCOMPARE(server.lastCloseCode(), 1000);
}

void tst_Lifetime::o6_theInstanceGoesWithTheApplication()
{
    WebSocketProvider *instance = WebSocketProvider::instance();
    QVERIFY(instance);
    QCOMPARE(WebSocketProvider::instance(), instance);
    // That it goes with the application is seen by main(), below.
}

void tst_Lifetime::o6_destroyedInEveryState()
{
    TestServer server;
    TestServer mute(TestServer::Auth::Silent);
    const auto destroyIn = [](Connection::State state, const ConnectionConfig &config, auto &&further) {
        WebSocketProvider provider;
        provider.setToken(s("good"));
        Connection *connection = provider.connection(s("x"));
        connection->open(config);
        further(*connection);
        QTRY_COMPARE(connection->state(), state);
    };
    const auto nothing = [](Connection &) {};
    const ConnectionConfig good = ConnectionConfig().setUrl(server.url());
    destroyIn(Connection::Connecting, ConnectionConfig().setUrl(s("ws://127.0.0.1:1/")), nothing);
    destroyIn(Connection::Authenticating, ConnectionConfig().setUrl(mute.url()), nothing);
    destroyIn(Connection::Connected, good, nothing);
    destroyIn(Connection::Reconnecting, ConnectionConfig().setUrl(s("ws://127.0.0.1:1/")), nothing);
    destroyIn(Connection::Error, ConnectionConfig().setUrl(s("ws://127.0.0.1:1/")).setAutoReconnect(false),
              nothing);
    destroyIn(Connection::Disconnecting, good, [](Connection &c) {
        QTRY_VERIFY(c.isConnected());
        c.close();
    });
    QTRY_COMPARE(server.openConnections(), 0);
    QTRY_COMPARE(mute.openConnections(), 0);
}

// It would stay open with nobody to close it, and the end of the provider would wait for it.
void tst_Lifetime::o6_nothingOpensWhatIsDestroyed()
{
    TestServer server;
    auto provider = std::make_unique<WebSocketProvider>();
    provider->setToken(s("good"));
    Connection *connection = provider->connection(s("x"));
    int opened = 0;
    connect(provider->connections(), &QAbstractItemModel::rowsRemoved, connection, [&opened, connection] {
        connection->open();
        connection->reconnect();
        QVERIFY(!connection->send(s("nowhere")));
        ++opened;
    });
    connection->open(ConnectionConfig().setUrl(server.url()));
    QTRY_VERIFY(connection->isConnected());
    delete connection;
    QCOMPARE(opened, 1);
    provider.reset();
    QTRY_COMPARE(server.openConnections(), 0);
    QCOMPARE(server.lastCloseCode(), 1000);
}

void tst_Lifetime::o6_whatADeletedConnectionLosesIsLogged()
{
    WebSocketProvider provider;
    for (int i = 0; i < 20; ++i) { // whichever thread comes first
        const LogRecorder log;
        Connection *connection = provider.connection(s("x"));
        connection->open(ConnectionConfig()
                             .setUrl(s("ws://127.0.0.1:1/"))
                             .setAuthentication(ConnectionConfig::Authentication::None));
        QVERIFY(connection->send(s("never sent")));
        delete connection;
        QTRY_COMPARE(log.lines().filter(s("1 messages did not arrive")).size(), 1);
    }
}

void tst_Lifetime::o6_destroyedInATlsHandshake_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("silence") << QByteArray();
    // A record of 122 bytes (RFC 8446 §5.1) with a ServerHello of 118 (§4.1.3), of which the first few come.
    QTest::newRow("half a ServerHello") << QByteArray::fromHex("160303007a0200007603030123456789abcdef");
}

void tst_Lifetime::o6_destroyedInATlsHandshake()
{
    QFETCH(const QByteArray, answer);
    QTcpServer server;
    QVERIFY(server.listen(QHostAddress::LocalHost));
    for (const auto transport :
         {ConnectionConfig::Transport::Automatic, ConnectionConfig::Transport::QWebSocket}) {
        auto provider = std::make_unique<WebSocketProvider>();
        provider->setToken(s("good"));
        Connection *connection = provider->connection(s("x"));
        QSignalSpy states(connection, &Connection::stateChanged);
        connection->open(ConnectionConfig()
                             .setUrl(s("wss://127.0.0.1:%1/").arg(server.serverPort()))
                             .setTransport(transport));
        QTRY_VERIFY(server.hasPendingConnections());
        const std::unique_ptr<QTcpSocket> socket(server.nextPendingConnection());
        QTRY_VERIFY(socket->bytesAvailable() > 0); // the ClientHello
        socket->write(answer);
        QTRY_COMPARE(socket->bytesToWrite(), 0);
        QCOMPARE(connection->state(), Connection::Connecting);
        const int before = threads();
        provider.reset();
        QTRY_COMPARE(threads(), before - 1);
        QTRY_COMPARE(socket->state(), QAbstractSocket::UnconnectedState);
        QCOMPARE(states.size(), 1);
    }
}

void tst_Lifetime::o5_deletedInAModelsSignal_data()
{
    QTest::addColumn<QString>("signal");
    QTest::addColumn<bool>("isProvider"); // that goes
    for (const char *signal : {"connection is new", "connection goes", "history is reset", "token"}) {
        QTest::addRow("the connection: %s", signal) << s(signal) << false;
        QTest::addRow("the provider: %s", signal) << s(signal) << true;
    }
}

void tst_Lifetime::o5_deletedInAModelsSignal()
{
    QFETCH(const QString, signal);
    QFETCH(const bool, isProvider);
    TestServer server;
    QPointer<WebSocketProvider> provider = new WebSocketProvider;
    QPointer<Connection> connection;
    bool done = false;
    const auto end = [&] {
        if (std::exchange(done, true))
            return;
        if (isProvider)
            delete std::exchange(provider, nullptr).data();
        else if (connection)
            delete connection.data();
        else
            delete provider->connection(s("x"));
    };
    const QObject context; // goes before what end() uses
    if (signal == s("connection is new"))
        connect(provider->connections(), &QAbstractItemModel::rowsInserted, &context, end);
    connection = provider->connection(s("x"));
    if (signal == s("connection goes")) {
        connect(provider->connections(), &QAbstractItemModel::rowsRemoved, &context, [&] {
            connection.clear(); // it is going already
            if (isProvider)
                end();
            done = true;
        });
        delete connection.data();
    } else if (signal == s("history is reset")) {
        QVERIFY(provider->configure(s("x"), ConnectionConfig().setUrl(server.url())));
        connection->open();
        QVERIFY(connection->send("text"));
        QTRY_COMPARE(connection->messages()->rowCount(), 1);
        connect(connection->messages(), &QAbstractItemModel::modelReset, &context, end);
        connection->forget();
    } else if (signal == s("token")) {
        connect(provider, &WebSocketProvider::tokenProviderChanged, &context, end);
        provider->setToken(s("good"));
    }
    QVERIFY(done);
    delete provider;
}

void tst_Lifetime::o5_theProviderGoesWhereAConnectionDoes()
{
    QPointer<WebSocketProvider> provider = new WebSocketProvider;
    QPointer<Connection> connection = provider->connection(s("x"));
    connect(connection, &QObject::destroyed, this, [&] { delete std::exchange(provider, nullptr).data(); });
    delete connection.data();
    QVERIFY(!provider);
}

// What was on its way to the connection meets nothing.
void tst_Lifetime::o5_anEventLoopWhereAConnectionGoes()
{
    TestServer server;
    WebSocketProvider provider;
    provider.setToken(s("good"));
    Connection *connection = provider.connection(s("x"));
    QStringList heard;
    connect(connection, &Connection::stateChanged, this, [&] { heard.append(s("state")); });
    connect(connection, &QObject::destroyed, this, [] { QCoreApplication::processEvents(); });
    connection->open(ConnectionConfig().setUrl(server.url()));
    heard.clear();
    delete connection;
    QVERIFY(heard.isEmpty());
}

void tst_Lifetime::o5_aDeletedConnectionIsMadeAnew()
{
    TestServer server;
    WebSocketProvider provider;
    provider.setToken(s("good"));
    QVERIFY(provider.configure(s("x"), ConnectionConfig().setUrl(server.url())));
    Connection *first = provider.connection(s("x"));
    ConnectionHandle handle(s("x"), &provider);
    handle.open();
    QTRY_VERIFY(first->isConnected());
    delete first;
    QCOMPARE(provider.connections()->count(), 0);
    QVERIFY(!handle.connection());
    provider.connection(s("x"))->open();
    QTRY_VERIFY(provider.connection(s("x"))->isConnected());
    QTRY_COMPARE(server.openConnections(), 1);
}

void tst_Lifetime::o2_manyQuickOpensAndCloses()
{
    TestServer server;
    WebSocketProvider provider;
    provider.setToken(s("good"));
    QVERIFY(provider.configure(s("x"), ConnectionConfig().setUrl(server.url())));
    Connection *connection = provider.connection(s("x"));
    for (int i = 0; i < 200; ++i) {
        connection->open();
        connection->close();
        if (i % 3 == 0)
            QCoreApplication::processEvents();
    }
    connection->open();
    QTRY_VERIFY(connection->isConnected());
    QTRY_COMPARE(server.openConnections(), 1);
}

int main(int argc, char **argv)
{
    QPointer<WebSocketProvider> instance;
    int failed = 0;
    {
        const QCoreApplication application(argc, argv);
        tst_Lifetime test;
        failed = QTest::qExec(&test, argc, argv);
        instance = WebSocketProvider::instance();
    }
    // o6: it went with the application, and there is none without one.
    if (instance || WebSocketProvider::instance()) {
        fprintf(stderr, "FAIL!  : WebSocketProvider::instance() outlives the application\n");
        ++failed;
    }
    return failed;
}

#include "tst_lifetime.moc"
