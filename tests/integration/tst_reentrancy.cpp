// SPDX-License-Identifier: MIT
//
// What an app does from inside signals, bindings and event loops of its own, and between what it has heard and what
// has happened: the order, the pairs and the last word stay right.
#include "support/logrecorder.h"
#include "support/testserver.h"

#include <Everwire/ConnectionHandle>
#include <Everwire/ConnectionsModel>
#include <Everwire/Preparation>
#include <Everwire/TokenProvider>
#include <Everwire/WebSocketProvider>

#include <QCoreApplication>
#include <QEventLoop>
#include <QJsonDocument>
#include <QProperty>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QTest>
#include <QThread>
#include <QTimer>

#include <atomic>
#include <stdexcept>
#include <thread>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

// As an app might, it goes on behind an exception that a slot or an event handler has thrown.
class ForgivingApplication final : public QCoreApplication
{
public:
    using QCoreApplication::QCoreApplication;

    bool notify(QObject *receiver, QEvent *event) override
    {
        try {
            return QCoreApplication::notify(receiver, event);
        } catch (const std::runtime_error &) {
            ++caught;
            return true;
        }
    }
    static inline int caught = 0;
};

class ThrowingTokens final : public TokenProvider
{
    Q_OBJECT

public:
    int asked = 0;

protected:
    void fetch(const TokenRequest &request) override
    {
        if (++asked == 1)
            throw std::runtime_error("the keychain is locked");
        request.resolve(QStringLiteral("good"));
    }
};

class ThrowingPreparation final : public Preparation
{
    Q_OBJECT

public:
    int asked = 0;

protected:
    void prepare(const PreparationRequest &request) override
    {
        if (++asked == 1)
            throw std::runtime_error("the office is closed");
        request.resolve({});
    }
};

// What the app calls itself may throw, too.
template<typename Function>
void forgive(Function &&function)
{
    try {
        function();
    } catch (const std::runtime_error &) {
        ++ForgivingApplication::caught;
    }
}

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
    void s7_messagesWaitForTheSignalsBeforeThem_data();
    void s7_messagesWaitForTheSignalsBeforeThem();
    void s7_aLoopOfEventsInAHandlerSeesTheNextState();
    void s7_aHandlerThatThrowsIsNotTheLast();
    void q2_messagesBehindACloseAndAnOpen_data();
    void q2_messagesBehindACloseAndAnOpen();
    void q2_theOpenBehindACloseIsTakenBack();
    void q2_limitsBehindACloseAreTheNextOnes();
    void q2_signingInDuringAGoodbye();
    void c5_theAdviceOfTheWarningWorks_data();
    void c5_theAdviceOfTheWarningWorks();
    void c5_openIsTakenBack_data();
    void c5_openIsTakenBack();
    void c5_aBadReconnectChangesNothing();
    void m1_aFloodInsideAHandlerIsNotTheLast();
    void o2_closeSilencesTheRestOfAFailure();
    void m5_disconnectedIsSaidOncePerConnected_data();
    void m5_disconnectedIsSaidOncePerConnected();
    void o7_theHandleGoesInItsOwnSignal();
    void o7_retryingIsNotTheAppsOpen();
    void a7_aServerThatQuotesTheToken();
    void m8_overloadedSendsNothingTwice();
    void m6_slotsThatThrow_data();
    void m6_slotsThatThrow();
    void m6_aSignOutThatIsThrownAtForgetsAll();
    void m6_aProviderThatThrows();
    void m6_theEndOfWhatThrows();

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

void tst_Reentrancy::s7_messagesWaitForTheSignalsBeforeThem_data()
{
    QTest::addColumn<QString>("where");
    QTest::addColumn<QString>("how");
    for (const char *where : {"stateChanged", "stateChange", "isConnectedChanged", "connected", "binding"}) {
        for (const char *how : {"processEvents", "processEvents twice", "QEventLoop"})
            QTest::addRow("%s, %s", where, how) << s(where) << s(how);
    }
}

// All of it has been reported when the app comes to listen: states, and behind them messages. A handler processes events.
void tst_Reentrancy::s7_messagesWaitForTheSignalsBeforeThem()
{
    QFETCH(const QString, where);
    QFETCH(const QString, how);
    server->setAuth(TestServer::Auth::None);
    QVERIFY(provider->configure(
        s("x"),
        ConnectionConfig().setUrl(server->url()).setAuthentication(ConnectionConfig::Authentication::None)));
    bool isIn = false;
    const auto process = [&] {
        if (!connection->isConnected() || std::exchange(isIn, true))
            return;
        if (how == s("QEventLoop")) {
            QEventLoop dialog;
            connect(connection, &Connection::messageReceived, &dialog, &QEventLoop::quit);
            QTimer::singleShot(20000, &dialog, &QEventLoop::quit);
            dialog.exec(); // in which nothing starves
            QVERIFY(heard.contains(s("message")));
        } else {
            QCoreApplication::processEvents();
            if (how == s("processEvents twice"))
                QCoreApplication::processEvents(QEventLoop::AllEvents, 20);
            QVERIFY(!heard.contains(s("message")));
        }
    };
    QObject early; // before those that listen otherwise
    Connection *const other = std::exchange(connection, provider->connection(s("y")));
    QVERIFY(provider->configure(s("y"), other->configuration()));
    const bool isLoop = how == s("QEventLoop");
    QPropertyNotifier notifier;
    const auto listen = [&] {
        connect(connection, &Connection::stateChanged, &early, [this](Connection::State state) {
            heard.append(s("state %1").arg(state == Connection::Connected ? s("connected") : s("other")));
        });
        connect(connection, &Connection::connected, &early, [this] { heard.append(s("connected")); });
        connect(connection, &Connection::messageReceived, &early, [this] { heard.append(s("message")); });
    };
    // In an event loop of its own the first of a signal's handlers keeps the others from hearing it: they are before it.
    if (isLoop)
        listen();
    if (where == s("stateChanged"))
        connect(connection, &Connection::stateChanged, &early, process);
    else if (where == s("stateChange"))
        connection->subscribe(s("stateChange"), &early, process);
    else if (where == s("isConnectedChanged"))
        connect(connection, &Connection::isConnectedChanged, &early, process);
    else if (where == s("connected"))
        connect(connection, &Connection::connected, &early, process);
    else
        notifier = connection->bindableState().addNotifier(process);
    if (!isLoop)
        listen();
    // Another thread hears of them without this one.
    QThread thread;
    auto witness = std::make_unique<QObject>();
    witness->moveToThread(&thread);
    std::atomic<int> received{0};
    connection->subscribe(s("hello"), witness.get(), [&] { ++received; });
    thread.start();
    const auto stop = qScopeGuard([&] {
        thread.quit();
        thread.wait();
    });
    connection->open();
    QVERIFY(connection->send("marker"));
    waitBlind([this] { return !server->messages().isEmpty(); });
    server->sendText(R"({"type":"hello"})");
    server->sendText(R"({"type":"hello"})");
    waitBlind([&] { return received.load() == 2; });
    QTRY_COMPARE(heard.count(s("message")), 2);
    QVERIFY(isIn);
    heard.removeAll(s("state other"));
    QCOMPARE(heard, (QStringList{s("state connected"), s("connected"), s("message"), s("message")}));
}

// States go on, so that a handler may wait for one; only messages do not.
void tst_Reentrancy::s7_aLoopOfEventsInAHandlerSeesTheNextState()
{
    bool waited = false;
    connect(connection, &Connection::stateChanged, this, [&](Connection::State state) {
        if (state != Connection::Connecting)
            return;
        QTRY_VERIFY(connection->isConnected());
        waited = true;
    });
    connection->open();
    QVERIFY(waited);
    QCOMPARE(heard, (QStringList{s("state connecting"), s("state authenticating"), s("state connected"),
                                 s("connected")}));
}

void tst_Reentrancy::s7_aHandlerThatThrowsIsNotTheLast()
{
    QObject thrower;
    connect(connection, &Connection::stateChanged, &thrower, [] { throw 1; });
    bool hasThrown = false;
    try {
        connection->open();
    } catch (int) {
        hasThrown = true;
    }
    QVERIFY(hasThrown);
    thrower.disconnect();
    connection->disconnect(&thrower);
    QTRY_VERIFY(heard.contains(s("connected")));
    QCOMPARE(heard.last(), s("connected"));
}

void tst_Reentrancy::q2_messagesBehindACloseAndAnOpen_data()
{
    QTest::addColumn<QString>("how");
    for (const char *how :
         {"open", "openAsync", "reconnect", "handle", "in the signal", "close, open, close, open"})
        QTest::newRow(how) << s(how);
}

// open() was called: what is sent from then on is queued, whatever the goodbye does.
void tst_Reentrancy::q2_messagesBehindACloseAndAnOpen()
{
    QFETCH(const QString, how);
    open();
    QSignalSpy rejected(connection, &Connection::messageRejected);
    QSignalSpy discarded(connection, &Connection::messagesDiscarded);
    QVERIFY(connection->send(s("before")));
    ConnectionHandle handle(s("x"), provider.get());
    const auto openAgain = [&] {
        if (how == s("openAsync"))
            (void)connection->openAsync();
        else if (how == s("reconnect"))
            connection->reconnect();
        else if (how == s("handle"))
            handle.open();
        else
            connection->open();
    };
    QFuture<QJsonObject> reply;
    const auto send = [&] {
        QVERIFY(connection->sendJson({{s("type"), s("json")}}));
        QVERIFY(connection->send(QByteArray("binary")));
        QVERIFY(connection->sendJson({{s("type"), s("pair")}}, "frame"));
        reply = connection->request({{s("type"), s("ask")}, {s("request_id"), 1}}, 1h);
        std::thread([this] { QVERIFY(connection->send(s("thread"))); }).join();
        QVERIFY(connection->queuedMessages() >= 5); // the one before may wait as well
    };
    if (how == s("in the signal")) {
        QObject once;
        connect(connection, &Connection::stateChanged, &once, [&](Connection::State state) {
            if (state == Connection::Disconnecting) {
                connection->open();
                send();
            }
        });
        connection->close();
    } else {
        connection->close();
        QVERIFY(!connection->send(s("nobody has asked for it")));
        rejected.clear();
        openAgain();
        if (how == s("close, open, close, open")) {
            connection->close();
            connection->open();
        }
        send();
    }
    QCOMPARE(connection->state(), Connection::Disconnecting);
    QTRY_VERIFY(connection->isConnected());
    QTRY_COMPARE(server->messages().size(), 7);
    QCOMPARE(server->messages(),
             (QList<QByteArray>{"before", R"({"type":"json"})", "binary", R"({"type":"pair"})", "frame",
                                R"({"request_id":1,"type":"ask"})", "thread"}));
    for (const TestServer::Received &one : server->received()) {
        if (one.bytes == "before")
            QCOMPARE(one.connection, 1);
        else if (!one.bytes.contains("auth"))
            QCOMPARE(one.connection, 2);
    }
    server->sendText(R"({"type":"reply","request_id":1})");
    QTRY_VERIFY(reply.isFinished() && !reply.isCanceled());
    QCOMPARE(rejected.size(), 0);
    QCOMPARE(discarded.size(), 0);
}

void tst_Reentrancy::q2_theOpenBehindACloseIsTakenBack()
{
    open();
    QSignalSpy discarded(connection, &Connection::messagesDiscarded);
    connection->close();
    connection->open();
    QVERIFY(connection->send(s("1")));
    QVERIFY(connection->sendJson({{s("type"), s("pair")}}, "frame"));
    const QFuture<QJsonObject> request = connection->request({{s("type"), s("ask")}}, 1h);
    connection->close();
    QVERIFY(request.isFinished() && request.isCanceled()); // its message is not counted: it has told itself
    QCOMPARE(discarded.size(), 1);
    QCOMPARE(discarded.first().first().toInt(), 3);
    QCOMPARE(connection->queuedMessages(), 0);
    QVERIFY(!connection->send(s("2")));
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QVERIFY(!connection->send(s("3")));
    // In the signal of the goodbye's end it is not too late, either.
    open();
    connect(connection, &Connection::stateChanged, this, [&](Connection::State state) {
        if (state == Connection::Disconnected)
            connection->close();
    });
    connection->close();
    connection->open();
    QVERIFY(connection->send(s("4")));
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(discarded.size(), 2);
    QVERIFY(!connection->send(s("5")));
    QCOMPARE(server->messages(), QList<QByteArray>());
}

void tst_Reentrancy::q2_limitsBehindACloseAreTheNextOnes()
{
    open();
    connection->close();
    connection->open(
        ConnectionConfig().setMaxQueuedMessages(2).setBinarySupported(false).setRequestIdField(s("id")));
    QVERIFY(!connection->send(QByteArray("binary")));
    QVERIFY(!connection->request({{s("type"), s("ask")}, {s("id"), 7}}, 1h).isFinished());
    QVERIFY(connection->send(s("2")));
    QVERIFY(!connection->send(s("3")));
    QVERIFY(provider->configure(s("x"), ConnectionConfig().setUrl(server->url()).setMaxMessageSize(40)));
    connection->open(ConnectionConfig().setMaxQueuedMessages(3));
    QVERIFY(!connection->send(QString(41, QLatin1Char('x'))));
    QVERIFY(connection->send(s("3")));
    QVERIFY(!connection->send(s("4")));
    QTRY_COMPARE(server->messages(), (QList<QByteArray>{R"({"id":7,"type":"ask"})", "2", "3"}));
}

void tst_Reentrancy::q2_signingInDuringAGoodbye()
{
    ConnectionHandle handle(s("x"), provider.get());
    handle.open();
    QTRY_VERIFY(connection->isConnected());
    connection->close();
    connection->open();
    QVERIFY(connection->send(s("the first user's")));
    QSignalSpy discarded(connection, &Connection::messagesDiscarded);
    provider->signIn(s("second"));
    QCOMPARE(discarded.size(), 1);
    QCOMPARE(connection->state(), Connection::Disconnecting);
    QVERIFY(connection->send(s("the second user's")));
    QTRY_COMPARE(server->messages(), QList<QByteArray>{"the second user's"});
    QCOMPARE(server->tokens(), (QList<QByteArray>{"good", "second"}));
}

void tst_Reentrancy::c5_theAdviceOfTheWarningWorks_data()
{
    QTest::addColumn<QString>("advice");
    QTest::newRow("reconnect() with it") << s("reconnect");
    QTest::newRow("close() first") << s("close");
}

void tst_Reentrancy::c5_theAdviceOfTheWarningWorks()
{
    QFETCH(const QString, advice);
    TestServer second;
    const ConnectionConfig one = ConnectionConfig().setUrl(server->url());
    const ConnectionConfig two = ConnectionConfig().setUrl(second.url());
    connection->open(one);
    QTRY_VERIFY(connection->isConnected());
    {
        const LogRecorder log;
        connection->open(two);
        QCOMPARE(log.lines().size(), 1);
        QVERIFY2(
            log.lines().first().endsWith(s("call reconnect() with that configuration, or close() first")),
            qPrintable(log.lines().first()));
        QCOMPARE(connection->url(), server->url());
    }
    if (advice == s("reconnect")) {
        connection->reconnect(two);
        QVERIFY(connection->send(s("nothing is lost")));
    } else {
        connection->close();
        connection->open(two);
    }
    QTRY_COMPARE(second.openConnections(), 1);
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(connection->url(), second.url());
    QCOMPARE(connection->configuration().url(), second.url().toString());
    if (advice == s("reconnect"))
        QTRY_COMPARE(server->messages().size() + second.messages().size(), 1);
    // It counts for every later attempt.
    second.drop();
    QTRY_COMPARE(second.connectionsSoFar(), 2);
    provider.reset(); // before the second server
}

void tst_Reentrancy::c5_openIsTakenBack_data()
{
    QTest::addColumn<QString>("how");
    for (const char *how : {"reconnect", "reconnect with a map", "close and open", "reconnect in Error"})
        QTest::newRow(how) << s(how);
}

// By an empty configuration, so that configure() counts.
void tst_Reentrancy::c5_openIsTakenBack()
{
    QFETCH(const QString, how);
    TestServer second;
    connection->open(ConnectionConfig().setUrl(second.url()));
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(second.openConnections(), 1);
    if (how == s("reconnect")) {
        connection->reconnect(ConnectionConfig());
    } else if (how == s("reconnect with a map")) {
        connection->reconnect(QVariantMap());
    } else if (how == s("close and open")) {
        connection->close();
        QTRY_COMPARE(connection->state(), Connection::Disconnected);
        connection->open(ConnectionConfig());
    } else {
        second.close(1008);
        QTRY_COMPARE(connection->state(), Connection::Error);
        connection->reconnect(ConnectionConfig());
    }
    QTRY_COMPARE(server->openConnections(), 1);
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(connection->url(), server->url());
    QVERIFY(provider->configure(s("x"), ConnectionConfig().setUrl(second.url())));
    connection->reconnect(); // as C5 has it
    QTRY_COMPARE(second.openConnections(), 1);
    provider.reset();
}

void tst_Reentrancy::c5_aBadReconnectChangesNothing()
{
    open();
    const LogRecorder log;
    connection->reconnect(ConnectionConfig().setUrl(s("http://no.websocket/")));
    connection->reconnect(QVariantMap{{s("closeTimeout"), -1}});
    QCOMPARE(log.lines().size(), 2);
    QVERIFY2(log.lines().last().contains(s("reconnect() was given a configuration")),
             qPrintable(log.lines().last()));
    QVERIFY(connection->isConnected());
    QCOMPARE(connection->configuration().url(), server->url().toString());
    QVERIFY(heard.isEmpty());
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

void tst_Reentrancy::m6_slotsThatThrow_data()
{
    QTest::addColumn<QString>("which");
    for (const char *which :
         {"stateChanged", "isConnectedChanged", "connected", "disconnected", "errorOccurred", "reconnecting",
          "messageReceived", "binaryMessageReceived", "parseError", "queuedMessagesChanged", "a binding",
          "rowsInserted", "rowsAboutToBeInserted", "the provider's errorOccurred", "dataChanged"})
        QTest::newRow(which) << s(which);
}

// Each time that they are called. Everything else is heard as if they were not there.
void tst_Reentrancy::m6_slotsThatThrow()
{
    QFETCH(const QString, which);
    const auto thrower = [] { throw std::runtime_error("thrown on purpose"); };
    Connection *const c = connection;
    QPropertyNotifier observer;
    if (which == s("stateChanged"))
        connect(c, &Connection::stateChanged, this, thrower);
    else if (which == s("isConnectedChanged"))
        connect(c, &Connection::isConnectedChanged, this, thrower);
    else if (which == s("connected"))
        connect(c, &Connection::connected, this, thrower);
    else if (which == s("disconnected"))
        connect(c, &Connection::disconnected, this, thrower);
    else if (which == s("errorOccurred"))
        connect(c, &Connection::errorOccurred, this, thrower);
    else if (which == s("reconnecting"))
        connect(c, &Connection::reconnecting, this, thrower);
    else if (which == s("messageReceived"))
        connect(c, &Connection::messageReceived, this, thrower);
    else if (which == s("binaryMessageReceived"))
        connect(c, &Connection::binaryMessageReceived, this, thrower);
    else if (which == s("parseError"))
        connect(c, &Connection::parseError, this, thrower);
    else if (which == s("queuedMessagesChanged"))
        connect(c, &Connection::queuedMessagesChanged, this, thrower);
    else if (which == s("a binding"))
        observer = c->bindableState().addNotifier(thrower);
    else if (which == s("rowsInserted"))
        connect(c->messages(), &MessageModel::rowsInserted, this, thrower);
    else if (which == s("rowsAboutToBeInserted"))
        connect(c->messages(), &MessageModel::rowsAboutToBeInserted, this, thrower);
    else if (which == s("dataChanged"))
        connect(provider->connections(), &ConnectionsModel::dataChanged, this, thrower);
    else
        connect(provider.get(), &WebSocketProvider::errorOccurred, this, thrower);
    ForgivingApplication::caught = 0;
    int numbers = 0;
    int binaries = 0;
    int broken = 0;
    QStringList states;
    c->subscribe(s("n"), this, [&] { ++numbers; });
    c->subscribe(s("binaryMessage"), this, [&] { ++binaries; });
    c->subscribe(s("parseError"), this, [&] { ++broken; });
    c->subscribe(s("stateChange"), this, [&](const QString &state) { states.append(state); });

    forgive([&] { c->open(); });
    forgive([&] { c->sendJson({{s("type"), s("queued")}}); });
    QTRY_VERIFY(c->isConnected());
    QTRY_COMPARE(server->messages().size(), 1);
    for (int round = 1; round <= 2; ++round) {
        server->sendMany(50, [](int) { return QByteArray(R"({"type":"n"})"); });
        server->sendBinary("x");
        server->sendText("no JSON");
        QTRY_COMPARE(numbers, 50 * round);
        QTRY_COMPARE(binaries, round);
        QTRY_COMPARE(broken, round);
        QTRY_COMPARE(c->queuedMessages(), 0);
        if (round == 1) {
            server->drop();
            QTRY_VERIFY(states.contains(s("reconnecting")));
            QTRY_VERIFY(c->isConnected());
        }
    }
    QTRY_COMPARE(c->messages()->rowCount(), 103);
    forgive([&] { c->close(); });
    forgive([&] { c->open(); }); // behind the goodbye
    QTRY_VERIFY(c->state() == Connection::Connected && states.count(s("connected")) == 3);
    QVERIFY(ForgivingApplication::caught > 0);
    QCOMPARE(states, (QStringList{s("connecting"), s("authenticating"), s("connected"), s("reconnecting"),
                                  s("connecting"), s("authenticating"), s("connected"), s("disconnecting"),
                                  s("disconnected"), s("connecting"), s("authenticating"), s("connected")}));
    // Bindings are evaluated as before.
    QProperty<bool> isOnline([c] { return c->bindableState().value() == Connection::Connected; });
    QVERIFY(isOnline);
    forgive([&] { c->close(); });
    QVERIFY(!isOnline);
    QTRY_COMPARE(c->state(), Connection::Disconnected);
}

void tst_Reentrancy::m6_aSignOutThatIsThrownAtForgetsAll()
{
    open();
    Connection *const other = provider->connection(s("y"));
    other->open(ConnectionConfig().setUrl(server->url()));
    QTRY_VERIFY(other->isConnected());
    for (Connection *one : {connection, other}) {
        QVERIFY(one->sendJson({{s("type"), s("mine")}}));
        QTRY_COMPARE(one->messages()->rowCount(), 1);
        connect(one, &Connection::stateChanged, this, [] { throw std::runtime_error("thrown on purpose"); });
    }
    QSignalSpy forgotten(other, &Connection::forgotten);
    QVERIFY_EXCEPTION_THROWN(provider->signOut(), std::runtime_error);
    QTRY_COMPARE(forgotten.size(), 1);
    for (Connection *one : {connection, other}) {
        QCOMPARE(one->messages()->rowCount(), 0);
        QTRY_COMPARE(one->state(), Connection::Disconnected);
        QVERIFY(!one->sendJson({{s("type"), s("mine")}}));
    }
}

// The exception is a failure, which is tried again.
void tst_Reentrancy::m6_aProviderThatThrows()
{
    ThrowingTokens tokens;
    ThrowingPreparation preparation;
    connection->setTokenProvider(&tokens);
    connection->setPreparation(&preparation);
    QStringList errors;
    connect(connection, &Connection::errorOccurred, this,
            [&](const ConnectionError &error) { errors.append(error.message()); });
    connection->open();
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(!errors.filter(s("the keychain is locked")).isEmpty());
    QVERIFY(!errors.filter(s("the office is closed")).isEmpty());
    QVERIFY(tokens.asked >= 2 && preparation.asked == 2);
}

// A destructor lets no exception out, and the rest of the end happens.
void tst_Reentrancy::m6_theEndOfWhatThrows()
{
    open();
    Connection *const other = provider->connection(s("y"));
    const auto thrower = [] { throw std::runtime_error("thrown on purpose"); };
    connect(provider->connections(), &ConnectionsModel::rowsAboutToBeRemoved, this, thrower);
    connect(provider->connections(), &ConnectionsModel::countChanged, this, thrower);
    connect(connection, &Connection::messagesDiscarded, this, thrower);
    delete other;
    QCOMPARE(provider->connections()->list(), QList<Connection *>{connection});
    provider.reset();
    QTRY_COMPARE(server->openConnections(), 0);
}

int main(int argc, char **argv)
{
    ForgivingApplication application(argc, argv);
    tst_Reentrancy test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_reentrancy.moc"
