// SPDX-License-Identifier: MIT
//
// What an app does from inside signals, bindings and event loops of its own, and between what it has heard and what
// has happened: the order, the pairs and the last word stay right.
#include "support/testserver.h"

#include <Everwire/ConnectionHandle>
#include <Everwire/WebSocketProvider>

#include <QEventLoop>
#include <QJsonDocument>
#include <QProperty>
#include <QSignalSpy>
#include <QTest>
#include <QTimer>

#include <thread>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

} // namespace

class tst_Reentrancy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void o2_closeTakesBackTheOpenBehindACloseBefore();
    void o1_openTwiceBehindACloseIsTheSecond();
    void o4_aBadOpenBehindACloseIsAnError();
    void c5_configureReachesTheOpenBehindAClose();
    void s7_aBindingThatReopensKeepsTheOrder();
    void q2_aBindingThatClosesShutsTheQueue();
    void s7_anEventLoopInAHandlerHearsTheRest();
    void m1_aFloodInsideAHandlerIsNotTheLast();
    void o2_closeSilencesTheRestOfAFailure();
    void m5_disconnectedIsSaidOncePerConnected_data();
    void m5_disconnectedIsSaidOncePerConnected();
    void o7_theHandleGoesInItsOwnSignal();
    void o7_retryingIsNotTheAppsOpen();
    void a7_aServerThatQuotesTheToken();
    void m8_overloadedSendsNothingTwice();

private:
    void open();
    // Blocks this thread until the condition holds: the app hears nothing meanwhile.
    template<typename Condition>
    static void waitBlind(Condition condition);

    std::unique_ptr<TestServer> server;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
    QStringList heard; // in order, as "state connected", "disconnected" …
};

void tst_Reentrancy::init()
{
    server = std::make_unique<TestServer>();
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(s("good"));
    connection = provider->connection(s("x"));
    QVERIFY(provider->configure(
        s("x"), ConnectionConfig().setUrl(server->url()).setInitialReconnectDelay(10ms).setLinger(20ms)));
    heard.clear();
    connection->subscribe(s("stateChange"), this,
                          [this](const QString &state) { heard.append(s("state ") + state); });
    connect(connection, &Connection::connected, this, [this] { heard.append(s("connected")); });
    connect(connection, &Connection::disconnected, this, [this] { heard.append(s("disconnected")); });
    connect(connection, &Connection::errorOccurred, this, [this] { heard.append(s("error")); });
    connect(connection, &Connection::connectionError, this, [this] { heard.append(s("connectionError")); });
    connect(connection, &Connection::reconnecting, this, [this] { heard.append(s("reconnecting")); });
}

void tst_Reentrancy::cleanup()
{
    provider.reset();
    server.reset();
}

void tst_Reentrancy::open()
{
    connection->open();
    QTRY_VERIFY(connection->isConnected());
    heard.clear();
}

template<typename Condition>
void tst_Reentrancy::waitBlind(Condition condition)
{
    const QDeadlineTimer deadline(30000);
    while (!condition() && !deadline.hasExpired())
        std::this_thread::yield();
    QVERIFY(!deadline.hasExpired());
}

void tst_Reentrancy::o2_closeTakesBackTheOpenBehindACloseBefore()
{
    open();
    connect(connection, &Connection::stateChanged, this, [this](Connection::State state) {
        if (state == Connection::Disconnected)
            connection->close();
    });
    connection->close();
    connection->open(); // while Disconnecting: it would open again
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    // Another connection's life is longer than what could still come.
    Connection *other = provider->connection(s("other"));
    other->open(ConnectionConfig().setUrl(server->url()));
    QTRY_VERIFY(other->isConnected());
    QCOMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(server->connectionsSoFar(), 2);
}

void tst_Reentrancy::o1_openTwiceBehindACloseIsTheSecond()
{
    TestServer second;
    open();
    connect(connection, &Connection::stateChanged, this, [&](Connection::State state) {
        if (state == Connection::Disconnected)
            connection->open(ConnectionConfig().setUrl(second.url()));
    });
    connection->close();
    connection->open();
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(connection->url(), second.url());
    QCOMPARE(second.connectionsSoFar(), 1);
    QCOMPARE(server->connectionsSoFar(), 1);
    provider.reset(); // before the second server
}

void tst_Reentrancy::o4_aBadOpenBehindACloseIsAnError()
{
    open();
    connection->close();
    connection->open(ConnectionConfig().setUrl(s("http://no.websocket/")));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::InvalidConfiguration);
}

void tst_Reentrancy::c5_configureReachesTheOpenBehindAClose()
{
    TestServer second;
    open();
    connection->close();
    connection->open();
    QVERIFY(provider->configure(s("x"), ConnectionConfig().setUrl(second.url())));
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(connection->url(), second.url());
    provider.reset();
}

void tst_Reentrancy::s7_aBindingThatReopensKeepsTheOrder()
{
    open();
    bool reopened = false;
    const auto notifier = connection->bindableState().addNotifier([&] {
        if (connection->state() == Connection::Error && !std::exchange(reopened, true))
            connection->open();
    });
    server->close(1008, s("policy"));
    QTRY_VERIFY(reopened && connection->isConnected());
    QCOMPARE(heard, (QStringList{s("state error"), s("disconnected"), s("error"), s("state connecting"),
                                 s("state authenticating"), s("state connected"), s("connected")}));
}

void tst_Reentrancy::q2_aBindingThatClosesShutsTheQueue()
{
    const auto notifier = connection->bindableState().addNotifier([this] {
        if (connection->state() == Connection::Connecting)
            connection->close();
    });
    connection->open();
    QCOMPARE(connection->state(), Connection::Disconnecting);
    QVERIFY(!connection->send("too late"));
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(heard, (QStringList{s("state connecting"), s("state disconnecting"), s("state disconnected")}));
}

void tst_Reentrancy::s7_anEventLoopInAHandlerHearsTheRest()
{
    server->setAuth(TestServer::Auth::None);
    connection->open(ConnectionConfig().setAuthentication(ConnectionConfig::Authentication::None));
    QTRY_VERIFY(connection->isConnected());
    heard.clear();
    bool answered = false;
    connect(connection, &Connection::errorOccurred, this, [&] { // a dialog, say
        QEventLoop dialog;
        connect(connection, &Connection::messageReceived, &dialog, &QEventLoop::quit);
        QTimer::singleShot(20000, &dialog, &QEventLoop::quit);
        connect(connection, &Connection::connected, &dialog,
                [this] { server->sendText(R"({"type":"hello"})"); });
        dialog.exec();
        answered = true;
        heard.append(s("dialog closed"));
    });
    // All of it has been reported, and nothing more will be, when the app comes to listen.
    server->drop();
    waitBlind([this] { return server->connectionsSoFar() == 2; });
    QVERIFY(connection->send("marker"));
    waitBlind([this] { return !server->messages().isEmpty(); });
    QTRY_VERIFY_WITH_TIMEOUT(answered, 30000);
    QCOMPARE(heard.last(), s("dialog closed"));
    heard.removeLast();
    QCOMPARE(heard, (QStringList{s("state reconnecting"), s("disconnected"), s("error"), s("reconnecting"),
                                 s("state connecting"), s("state connected"), s("connected")}));
}

// What comes in hundreds is handed over in batches, which one handler's event loop must leave as they were.
void tst_Reentrancy::m1_aFloodInsideAHandlerIsNotTheLast()
{
    open();
    constexpr int many = 500;
    int count = 0;
    bool isShown = false;
    QEventLoop dialog;
    connection->subscribe(s("ask"), this, [&] {
        isShown = true;
        for (int i = 0; i < many; ++i)
            server->sendText(R"({"type":"answer"})");
        dialog.exec();
    });
    connection->subscribe(s("answer"), this, [&] {
        if (++count == many)
            dialog.quit();
    });
    QTimer::singleShot(20000, &dialog, &QEventLoop::quit);
    for (int round = 1; round <= 20; ++round) {
        isShown = false;
        count = 0;
        server->sendText(R"({"type":"ask"})");
        QTRY_VERIFY(isShown);
        QTRY_COMPARE(count, many);
        server->sendText(R"({"type":"answer"})");
        QTRY_COMPARE(count, many + 1);
    }
}

void tst_Reentrancy::o2_closeSilencesTheRestOfAFailure()
{
    connect(connection, &Connection::errorOccurred, this, [this] {
        connection->close();
        heard.append(s("closed"));
    });
    connection->open(ConnectionConfig().setUrl(s("ws://127.0.0.1:1/")));
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(heard, (QStringList{s("state connecting"), s("state reconnecting"), s("error"), s("closed"),
                                 s("state disconnecting"), s("state disconnected")}));
}

void tst_Reentrancy::m5_disconnectedIsSaidOncePerConnected_data()
{
    QTest::addColumn<QString>("how");
    for (const char *how : {"a loss that the app has not heard of", "closed before Connected was heard of",
                            "closed twice", "reconnect", "the end"})
        QTest::newRow(how) << s(how);
}

void tst_Reentrancy::m5_disconnectedIsSaidOncePerConnected()
{
    QFETCH(const QString, how);
    if (how == s("closed before Connected was heard of")) {
        server->setAuth(TestServer::Auth::None);
        connection->open(ConnectionConfig().setAuthentication(ConnectionConfig::Authentication::None));
        QVERIFY(connection->send("marker"));
        waitBlind([this] { return !server->messages().isEmpty(); });
        connection->close();
        QTRY_COMPARE(connection->state(), Connection::Disconnected);
        QCOMPARE(heard.count(s("connected")), 0);
        QCOMPARE(heard.count(s("disconnected")), 0);
        return;
    }
    open();
    if (how == s("a loss that the app has not heard of")) {
        const int before = server->connectionsSoFar();
        server->drop();
        waitBlind([&] { return server->openConnections() == 0; });
        QCOMPARE(server->connectionsSoFar(), before);
        connection->close();
    } else if (how == s("closed twice")) {
        connection->close();
        waitBlind([this] { return server->openConnections() == 0; });
        connection->close();
    } else if (how == s("reconnect")) {
        connection->reconnect();
        QTRY_COMPARE(heard.count(s("connected")), 1);
        QCOMPARE(heard.count(s("disconnected")), 1);
        heard.clear();
        connection->close();
    } else {
        connection->close();
    }
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(heard.count(s("disconnected")), 1);
}

void tst_Reentrancy::o7_theHandleGoesInItsOwnSignal()
{
    auto handle = std::make_unique<ConnectionHandle>(s("x"), provider.get());
    connect(connection, &Connection::stateChanged, this, [&handle] { handle.reset(); });
    handle->open();
    QVERIFY(!handle);
    QTRY_COMPARE(connection->state(), Connection::Disconnected); // behind linger
}

void tst_Reentrancy::o7_retryingIsNotTheAppsOpen()
{
    {
        ConnectionHandle handle(s("x"), provider.get());
        handle.open();
        QTRY_VERIFY(connection->isConnected());
        server->close(1008, s("policy"));
        QTRY_COMPARE(connection->state(), Connection::Error);
        connection->reconnect(); // a Retry button
        QTRY_VERIFY(connection->isConnected());
    }
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

void tst_Reentrancy::a7_aServerThatQuotesTheToken()
{
    // Long enough for the Close frame, which holds 123 bytes of reason, to cut it.
    const QString token = s("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTgwMDAwMDAwMH0.") +
                          QString::fromLatin1(QByteArray(64, '\x5a').toBase64());
    provider->setToken(token);
    QStringList said;
    connect(connection, &Connection::errorOccurred, this,
            [&](const ConnectionError &error) { said.append(error.message()); });
    connect(connection, &Connection::disconnected, this, [&](int, const QString &why) { said.append(why); });
    const QStringList quotations{token.left(100), token, token.mid(30, 40), token.left(8)};
    for (const QString &quoted : quotations) {
        said.clear();
        open();
        server->close(4000, (s("bad token ") + quoted).left(123));
        QTRY_COMPARE(said.size(), 2);
        for (const QString &words : std::as_const(said)) {
            QVERIFY2(words.endsWith(s("bad token [token]")), qPrintable(words));
            for (qsizetype from = 0; from + 8 <= token.size(); ++from)
                QVERIFY2(!words.contains(token.mid(from, 8)), qPrintable(words));
        }
        connection->close();
        QTRY_COMPARE(connection->state(), Connection::Disconnected);
    }
    // A whole one between other words.
    said.clear();
    open();
    server->close(4001, s("token ") + token.left(80) + s(" expired"));
    QTRY_COMPARE(said.size(), 2);
    for (const QString &words : std::as_const(said))
        QVERIFY2(words.contains(s("token [token] expired")), qPrintable(words));
}

void tst_Reentrancy::m8_overloadedSendsNothingTwice()
{
    constexpr int total = 300;
    connection->open(ConnectionConfig()
                         .setUrl(server->url())
                         .setTransport(ConnectionConfig::Transport::QWebSocket) // which cannot pause
                         .setMaxPendingBytes(20000)
                         .setMaxQueuedMessages(2 * total)
                         .setInitialReconnectDelay(1ms));
    QTRY_VERIFY(connection->isConnected());
    QSignalSpy errors(connection, &Connection::errorOccurred);
    QSignalSpy connected(connection, &Connection::connected);
    // Both sides talk at once while the app does not listen.
    for (int i = 0; i < total; ++i) {
        QVERIFY(connection->sendJson(
            {{s("type"), s("n")}, {s("n"), i}, {s("filler"), QString(4000, QLatin1Char('x'))}}));
        if (i == total / 2)
            server->sendMany(200, [](int) {
                return QByteArray(R"({"type":"flood","filler":")") + QByteArray(400, 'y') + "\"}";
            });
    }
    waitBlind([this] { return server->openConnections() == 0; });
    QTRY_VERIFY(!connected.isEmpty());
    QCOMPARE(errors.first().first().value<ConnectionError>().code(), ConnectionError::Overloaded);
    QTRY_COMPARE(connection->bytesToWrite(), qint64(0));
    QVERIFY(connection->sendJson({{s("type"), s("last")}}));
    QTRY_VERIFY(!server->messages().isEmpty() && server->messages().last() == R"({"type":"last"})");
    int last = -1;
    for (const QByteArray &message : server->messages()) {
        const int n = QJsonDocument::fromJson(message).object().value(s("n")).toInt(-1);
        if (n < 0)
            continue;
        QVERIFY2(n > last, "twice, or out of order");
        last = n;
    }
}

QTEST_GUILESS_MAIN(tst_Reentrancy)
#include "tst_reentrancy.moc"
