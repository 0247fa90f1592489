// SPDX-License-Identifier: MIT
//
// openAsync() and request(), the preparation before a socket, and what the provider tells of every connection.
#include <Everwire/ConnectionException>
#include <Everwire/NetworkMonitor>
#include <Everwire/Preparation>
#include <Everwire/StaticTokenProvider>
#include <Everwire/WebSocketProvider>

#include "support/logrecorder.h"
#include "support/testserver.h"

#include <QEventLoop>
#include <QJsonDocument>
#include <QLoggingCategory>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QTest>
#include <QTimer>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

template<typename T>
std::optional<ConnectionError> errorOf(QFuture<T> future)
{
    try {
        future.waitForFinished(); // finished already: only rethrows
    } catch (const ConnectionException &failure) {
        return failure.error();
    }
    return std::nullopt;
}

class Rooms final : public Preparation
{
    Q_OBJECT

public:
    QList<PreparationRequest> requests;

protected:
    void prepare(const PreparationRequest &request) override { requests.append(request); }
};

// {"type":…,"request_id":…} → its id
QString idOf(const QByteArray &message, const QString &field = u"request_id"_s)
{
    return QJsonDocument::fromJson(message).object().value(field).toString();
}

} // namespace

class TestFutures : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void openAsyncGivesTheSession();
    void openAsyncWhileConnected();
    void openAsyncFailsWhereItIsFinal();
    void openAsyncWaitsThroughReconnecting();
    void openAsyncEndsWithClose();
    void openAsyncEndsWithTheConnection();
    void openAsyncWhileDisconnecting();
    void openAsyncFailsAgain();

    void requestGivesTheReply();
    void requestsAreToldApart();
    void requestKeepsAnIdOfItsOwn();
    void requestWithOtherFields();
    void requestTimesOut();
    void requestIsQueued();
    void requestThatIsNotAccepted();
    void requestIsAnsweredByAnError();
    void requestEndsWithTheConnection_data();
    void requestEndsWithTheConnection();
    void aReplyMayBeEscaped();
    void aReplyGoesToSubscribersToo();
    void o5_deletedInAReply();
    void o5_deletedInAFailureWhileOthersWait();

    void aPreparationFillsTheUrl();
    void aPreparationThatIsGone();
    void aPreparationOfWhichThePartIsMissing();
    void a8_nothingIsPreparedForAnInsecureUrl();
    void r7_theProviderHearsOfTheNetwork();
    void c5_configureReachesTheAttemptOfTheNetwork();
    void everyErrorIsToldByTheProvider();
    void c4_a7_nothingPrivateIsPrinted();

private:
    void open();

    std::unique_ptr<TestServer> server;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
};

void TestFutures::init()
{
    server = std::make_unique<TestServer>();
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(u"good"_s);
    connection = provider->connection(u"simulation"_s);
    QVERIFY(provider->configure(
        u"simulation"_s,
        ConnectionConfig().setUrl(server->url()).setInitialReconnectDelay(10ms).setMaxReconnectAttempts(3)));
}

void TestFutures::cleanup()
{
    provider.reset();
    server.reset();
}

void TestFutures::open()
{
    connection->open();
    QTRY_VERIFY(connection->isConnected());
}

void TestFutures::openAsyncGivesTheSession()
{
    QString user;
    connection->openAsync().then(this, [&](const SessionInfo &session) {
        QVERIFY(connection->isConnected());
        user = session.userId();
    });
    QTRY_VERIFY(!user.isEmpty());
    QCOMPARE(user, connection->sessionInfo().userId());
}

void TestFutures::openAsyncWhileConnected()
{
    open();
    const QFuture<SessionInfo> future = connection->openAsync();
    QVERIFY(future.isFinished());
    QCOMPARE(future.result(), connection->sessionInfo());
    QCOMPARE(server->connectionsSoFar(), 1);
}

void TestFutures::openAsyncFailsWhereItIsFinal()
{
    const QFuture<SessionInfo> unset = provider->connection(u"nowhere"_s)->openAsync();
    QVERIFY(unset.isFinished());
    QCOMPARE(errorOf(unset).value_or(ConnectionError()).code(), ConnectionError::NotConfigured);

    server->setAuth(TestServer::Auth::RefuseForm1);
    ConnectionError error;
    connection->openAsync()
        .then(this, [](const SessionInfo &) { QFAIL("it must not open"); })
        .onFailed(this, [&](const ConnectionException &failure) { error = failure.error(); });
    QTRY_COMPARE(error.code(), ConnectionError::AuthenticationFailed);
    QVERIFY(error.isFinal());
}

void TestFutures::openAsyncWaitsThroughReconnecting()
{
    server->setAuth(TestServer::Auth::Silent);
    const QFuture<SessionInfo> future =
        connection->openAsync(ConnectionConfig().setAuthTimeout(20ms).setMaxReconnectAttempts(-1));
    QTRY_VERIFY(connection->reconnectAttempt() >= 2);
    QVERIFY(!future.isFinished());
    server->setAuth(TestServer::Auth::Accept);
    QTRY_VERIFY(future.isFinished());
    QVERIFY(!errorOf(future));
}

void TestFutures::openAsyncEndsWithClose()
{
    const QFuture<SessionInfo> future = connection->openAsync();
    connection->close();
    QVERIFY(future.isFinished());
    QVERIFY(errorOf(future)->message().contains("closed"_L1));
}

void TestFutures::openAsyncEndsWithTheConnection()
{
    const QFuture<SessionInfo> future = connection->openAsync();
    delete connection;
    QVERIFY(future.isFinished());
    QVERIFY(errorOf(future)->message().contains("gone"_L1));
}

void TestFutures::openAsyncWhileDisconnecting()
{
    open();
    connection->close();
    const QFuture<SessionInfo> future = connection->openAsync();
    QCOMPARE(connection->state(), Connection::Disconnecting);
    QTRY_VERIFY(future.isFinished());
    QVERIFY(!errorOf(future));
    QVERIFY(connection->isConnected());
}

void TestFutures::openAsyncFailsAgain()
{
    Connection *nowhere = provider->connection(u"nowhere"_s);
    nowhere->open();
    QCOMPARE(nowhere->state(), Connection::Error);
    QVERIFY(errorOf(nowhere->openAsync())); // Error → Error is no transition
}

void TestFutures::requestGivesTheReply()
{
    open();
    QJsonObject reply;
    connection->request({{u"type"_s, u"get"_s}}, 5s).then(this, [&](const QJsonObject &object) {
        reply = object;
    });
    QTRY_COMPARE(server->messages().size(), 1);
    const QString id = idOf(server->messages().first());
    QVERIFY(!id.isEmpty());
    server->sendText(R"({"type":"got","request_id":")" + id.toLatin1() + R"(","n":5})");
    QTRY_COMPARE(reply.value("n"_L1).toInt(), 5);
}

void TestFutures::requestsAreToldApart()
{
    open();
    QList<QFuture<QJsonObject>> futures;
    for (int i = 0; i < 100; ++i)
        futures.append(connection->request({{u"type"_s, u"get"_s}, {u"n"_s, i}}, 5s));
    QTRY_COMPARE(server->messages().size(), 100);
    const QList<QByteArray> messages = server->messages();
    for (auto it = messages.rbegin(); it != messages.rend(); ++it) {
        QJsonObject reply = QJsonDocument::fromJson(*it).object();
        reply.insert("type"_L1, u"got"_s);
        server->sendText(QJsonDocument(reply).toJson());
    }
    for (int i = 0; i < 100; ++i) {
        QTRY_VERIFY(futures[i].isFinished());
        QCOMPARE(futures[i].result().value("n"_L1).toInt(), i);
    }
}

void TestFutures::requestKeepsAnIdOfItsOwn()
{
    open();
    const QFuture<QJsonObject> first =
        connection->request({{u"type"_s, u"get"_s}, {u"request_id"_s, u"mine"_s}}, 5s);
    QTRY_COMPARE(server->messages().size(), 1);
    QCOMPARE(idOf(server->messages().first()), u"mine"_s);
    const QFuture<QJsonObject> second =
        connection->request({{u"type"_s, u"get"_s}, {u"request_id"_s, u"mine"_s}}, 5s);
    QCOMPARE(errorOf(second).value_or(ConnectionError()).code(), ConnectionError::RequestFailed);
    server->sendText(R"({"type":"got","request_id":"mine"})");
    QTRY_VERIFY(first.isFinished());
    QVERIFY(!errorOf(first));
    QCOMPARE(server->messages().size(), 1);
}

void TestFutures::requestWithOtherFields()
{
    connection->open(ConnectionConfig().setRequestIdField(u"id"_s).setReplyIdField(u"in_reply_to"_s));
    QTRY_VERIFY(connection->isConnected());
    const QFuture<QJsonObject> future = connection->request({{u"type"_s, u"get"_s}}, 5s);
    QTRY_COMPARE(server->messages().size(), 1);
    const QByteArray id = idOf(server->messages().first(), u"id"_s).toLatin1();
    server->sendText(R"({"type":"got","id":")" + id + "\"}"); // an echo, no reply
    server->sendText(R"({"type":"got","in_reply_to":")" + id + "\"}");
    QTRY_VERIFY(future.isFinished());
    QVERIFY(future.result().contains("in_reply_to"_L1));
}

void TestFutures::requestTimesOut()
{
    open();
    const QFuture<QJsonObject> future = connection->request({{u"type"_s, u"get"_s}}, 20ms);
    QTRY_VERIFY(future.isFinished());
    QCOMPARE(errorOf(future).value_or(ConnectionError()).code(), ConnectionError::RequestTimeout);
    QCOMPARE(errorOf(future)->message(), u"There was no reply within 20 ms"_s);
    // A reply that comes late harms nobody.
    server->sendText(R"({"type":"got","request_id":")" + idOf(server->messages().first()).toLatin1() + "\"}");
    QTRY_COMPARE(connection->messages()->rowCount(), 2);
}

void TestFutures::requestIsQueued()
{
    connection->open();
    const QFuture<QJsonObject> future = connection->request({{u"type"_s, u"get"_s}}, 5s);
    QTRY_COMPARE(server->messages().size(), 1);
    server->sendText(R"({"type":"got","request_id":")" + idOf(server->messages().first()).toLatin1() + "\"}");
    QTRY_VERIFY(future.isFinished());
    QVERIFY(!errorOf(future));
}

void TestFutures::requestThatIsNotAccepted()
{
    const QFuture<QJsonObject> closed = connection->request({{u"type"_s, u"get"_s}}, 5s);
    QVERIFY(closed.isFinished());
    QVERIFY2(errorOf(closed)->message().startsWith("The request was not accepted: "_L1),
             qPrintable(errorOf(closed)->message()));
    open();
    QVERIFY(errorOf(connection->request({{u"no"_s, u"type"_s}}, 5s))->message().contains("\"type\""_L1));
    QVERIFY(server->messages().isEmpty());
}

void TestFutures::requestIsAnsweredByAnError()
{
    open();
    const QFuture<QJsonObject> future = connection->request({{u"type"_s, u"get"_s}}, 5s);
    QTRY_COMPARE(server->messages().size(), 1);
    server->sendText(R"({"type":"error","payload":{"error":"no such thing"},"request_id":")" +
                     idOf(server->messages().first()).toLatin1() + "\"}");
    QTRY_VERIFY(future.isFinished());
    QCOMPARE(errorOf(future)->code(), ConnectionError::RequestFailed);
    QCOMPARE(errorOf(future)->message(), u"The server replied: no such thing"_s);
    QVERIFY(connection->isConnected());
}

void TestFutures::requestEndsWithTheConnection_data()
{
    QTest::addColumn<QString>("how");
    QTest::addColumn<int>("code");
    QTest::newRow("lost") << u"lost"_s << int(ConnectionError::ConnectionLost);
    QTest::newRow("closed by the server") << u"server"_s << int(ConnectionError::ClosedByServer);
    QTest::newRow("closed by the app") << u"app"_s << int(ConnectionError::RequestFailed);
    QTest::newRow("reconnected") << u"reconnect"_s << int(ConnectionError::RequestFailed);
    QTest::newRow("signed out") << u"out"_s << int(ConnectionError::RequestFailed);
    QTest::newRow("deleted") << u"delete"_s << int(ConnectionError::ConnectionLost);
}

void TestFutures::requestEndsWithTheConnection()
{
    QFETCH(QString, how);
    QFETCH(int, code);
    open();
    const QFuture<QJsonObject> future = connection->request({{u"type"_s, u"get"_s}}, 50s);
    QTRY_COMPARE(server->messages().size(), 1);
    if (how == "lost"_L1)
        server->drop();
    else if (how == "server"_L1)
        server->close(1001);
    else if (how == "app"_L1)
        connection->close();
    else if (how == "reconnect"_L1)
        connection->reconnect();
    else if (how == "out"_L1)
        provider->signOut();
    else
        delete connection;
    QTRY_VERIFY(future.isFinished());
    QCOMPARE(int(errorOf(future)->code()), code);
}

// JSON may write any character by its number.
void TestFutures::aReplyMayBeEscaped()
{
    open();
    const QFuture<QJsonObject> future =
        connection->request({{u"type"_s, u"get"_s}, {u"request_id"_s, u"mine"_s}}, 5s);
    QTRY_COMPARE(server->messages().size(), 1);
    server->sendText(R"({"type":"got","n":1})");
    server->sendText(R"({"type":"got","\u0072equest_id":"min\u0065"})");
    QTRY_VERIFY(future.isFinished());
    QVERIFY(!errorOf(future));
}

void TestFutures::aReplyGoesToSubscribersToo()
{
    open();
    QStringList order;
    connection->subscribe(u"got"_s, this, [&] { order.append(u"subscriber"_s); });
    connection->request({{u"type"_s, u"get"_s}}, 5s).then([&](const QJsonObject &) {
        order.append(u"future"_s);
    });
    QTRY_COMPARE(server->messages().size(), 1);
    server->sendText(R"({"type":"got","request_id":")" + idOf(server->messages().first()).toLatin1() + "\"}");
    QTRY_COMPARE(order, (QStringList{u"subscriber"_s, u"future"_s}));
}

void TestFutures::o5_deletedInAReply()
{
    open();
    bool done = false;
    connection->request({{u"type"_s, u"get"_s}}, 5s).then([&](const QJsonObject &) {
        delete connection;
        done = true;
    });
    const QFuture<QJsonObject> other = connection->request({{u"type"_s, u"get"_s}}, 5s);
    QTRY_COMPARE(server->messages().size(), 2);
    server->sendText(R"({"type":"got","request_id":")" + idOf(server->messages().first()).toLatin1() + "\"}");
    QTRY_VERIFY(done);
    QVERIFY(errorOf(other));
}

// Requests fail together; behind the first the connection goes, and time passes for the second.
void TestFutures::o5_deletedInAFailureWhileOthersWait()
{
    open();
    int failed = 0;
    for (int i = 0; i < 2; ++i) {
        connection->request({{u"type"_s, u"ask"_s}}, 1ms)
            .then(this, [this, &failed](const QFuture<QJsonObject> &) {
                if (++failed > 1)
                    return;
                delete connection;
                QEventLoop loop;
                QTimer::singleShot(5ms, &loop, &QEventLoop::quit);
                loop.exec();
            });
    }
    connection->close();
    QTRY_COMPARE(failed, 2);
}

void TestFutures::aPreparationFillsTheUrl()
{
    Rooms rooms;
    connection->setPreparation(&rooms);
    connection->open(ConnectionConfig()
                         .setUrl(server->url().toString() + u"rooms/{room}"_s)
                         .setOptions({{u"floor"_s, 3}}));
    QTRY_COMPARE(rooms.requests.size(), 1);
    QCOMPARE(connection->state(), Connection::Connecting);
    QCOMPARE(rooms.requests[0].type(), u"simulation"_s);
    QCOMPARE(rooms.requests[0].token(), u"good"_s);
    QCOMPARE(rooms.requests[0].configuration().options().value(u"floor"_s), 3);
    QCOMPARE(server->connectionsSoFar(), 0);
    rooms.requests[0].resolve({{u"room"_s, u"a b"_s}});
    rooms.requests[0].refuse(u"too late"_s);
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(connection->url().path(QUrl::FullyEncoded), u"/rooms/a%20b"_s);
    QCOMPARE(connection->configuration().options().value(u"room"_s), u"a b"_s);
    QCOMPARE(connection->configuration().options().value(u"floor"_s), 3);
    server->drop();
    QTRY_COMPARE(server->connectionsSoFar(), 2);
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(rooms.requests.size(), 1); // the room is still ours
    connection->reconnect();
    QTRY_COMPARE(server->connectionsSoFar(), 3);
    QCOMPARE(rooms.requests.size(), 1);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    connection->open();
    QTRY_COMPARE(rooms.requests.size(), 2);
}

void TestFutures::aPreparationThatIsGone()
{
    auto rooms = std::make_unique<Rooms>();
    connection->setPreparation(rooms.get());
    connection->open(ConnectionConfig().setUrl(server->url().toString() + u"rooms/{room}"_s));
    rooms.reset();
    QTRY_COMPARE(connection->errorCode(), ConnectionError::PreparationFailed);
    QVERIFY(connection->error().contains("gone"_L1));
}

void TestFutures::aPreparationOfWhichThePartIsMissing()
{
    Rooms rooms;
    connection->setPreparation(&rooms);
    connection->open(ConnectionConfig().setUrl(server->url().toString() + u"rooms/{room}"_s));
    QTRY_COMPARE(rooms.requests.size(), 1);
    rooms.requests[0].resolve({{u"rom"_s, u"1"_s}});
    QTRY_COMPARE(connection->state(), Connection::Error);
    QVERIFY2(connection->error().contains("{room}"_L1), qPrintable(connection->error()));
}

void TestFutures::a8_nothingIsPreparedForAnInsecureUrl()
{
    Rooms rooms;
    connection->setPreparation(&rooms);
    connection->open(ConnectionConfig().setUrl(u"ws://example.com/rooms/{room}"_s));
    QCOMPARE(connection->errorCode(), ConnectionError::InsecureTransport);
    QVERIFY(rooms.requests.isEmpty());
}

void TestFutures::r7_theProviderHearsOfTheNetwork()
{
    struct Monitor final : NetworkMonitor
    {
        void watch() override { isWatching = true; }
        bool isWatching = false;
    } monitor;
    provider->setNetworkMonitor(&monitor);
    QCOMPARE(provider->networkMonitor(), &monitor);
    const QUrl url = server->url();
    server.reset();
    connection->open(
        ConnectionConfig().setInitialReconnectDelay(1h).setReconnectJitter(0).setMaxReconnectDelay(1h));
    QVERIFY(!monitor.isWatching); // nobody waits yet
    QTRY_COMPARE(connection->state(), Connection::Reconnecting);
    QVERIFY(monitor.isWatching);
    Q_EMIT monitor.networkBack();
    QTRY_COMPARE(connection->reconnectAttempt(), 2); // it has tried, and waits again
    QTRY_COMPARE(connection->state(), Connection::Reconnecting);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);

    connection->open(ConnectionConfig().setMaxReconnectAttempts(0));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QSignalSpy states(connection, &Connection::stateChanged);
    Q_EMIT monitor.networkBack();
    QTRY_COMPARE(states.size(), 2); // Connecting, and Error again
    // What is wrong with the configuration is not mended by a network.
    provider->connection(u"nowhere"_s)->open();
    Q_EMIT monitor.networkBack();
    QCOMPARE(provider->connection(u"nowhere"_s)->state(), Connection::Error);
}

void TestFutures::c5_configureReachesTheAttemptOfTheNetwork()
{
    NetworkMonitor monitor;
    provider->setNetworkMonitor(&monitor);
    const QUrl url = server->url();
    server.reset();
    const ConnectionConfig config = ConnectionConfig().setUrl(url);
    QVERIFY(provider->configure(u"simulation"_s, ConnectionConfig(config).setMaxReconnectAttempts(0)));
    connection->open();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QVERIFY(provider->configure(
        u"simulation"_s, ConnectionConfig(config).setMaxReconnectAttempts(5).setInitialReconnectDelay(30s)));
    QSignalSpy states(connection, &Connection::stateChanged);
    Q_EMIT monitor.networkBack();
    QTRY_COMPARE(states.size(), 2);
    QCOMPARE(connection->state(), Connection::Reconnecting); // and not Error, as before
}

void TestFutures::everyErrorIsToldByTheProvider()
{
    QStringList told;
    connect(provider.get(), &WebSocketProvider::errorOccurred, this,
            [&](Connection *which, const ConnectionError &error) {
                told.append(u"%1: %2"_s.arg(which->type()).arg(int(error.code())));
            });
    provider->connection(u"nowhere"_s)->open();
    open();
    server->drop();
    QTRY_COMPARE(told.size(), 2);
    QCOMPARE(told[0], u"nowhere: %1"_s.arg(int(ConnectionError::NotConfigured)));
    QCOMPARE(told[1], u"simulation: %1"_s.arg(int(ConnectionError::ConnectionLost)));
}

// Everything that is printed at full verbosity by everybody in this process, Qt included.
void TestFutures::c4_a7_nothingPrivateIsPrinted()
{
    QLoggingCategory::setFilterRules(u"*=true"_s);
    const auto restored = qScopeGuard([] { QLoggingCategory::setFilterRules({}); });
    const LogRecorder log;
    StaticTokenProvider tokens(u"SECRET-token"_s);
    provider->setTokenProvider(&tokens);
    provider->setDebug(true);
    for (const auto transport :
         {ConnectionConfig::Transport::Automatic, ConnectionConfig::Transport::QWebSocket}) {
        const auto config = ConnectionConfig()
                                .setUrl(server->url().toString() + u"?ticket=SECRET-query"_s)
                                .setTransport(transport)
                                .setDebug(true)
                                .setHeaders({{u"X-Key"_s, u"SECRET-header"_s}})
                                .setOptions({{u"key"_s, u"SECRET-option"_s}});
        server->clear();
        connection->messages()->clear();
        connection->open(config);
        QTRY_VERIFY(connection->isConnected());
        connection->request({{u"type"_s, u"get"_s}, {u"text"_s, u"SECRET-payload"_s}}, 5s);
        QVERIFY(connection->send("SECRET-text"));
        QVERIFY(connection->send(QByteArray("SECRET-bytes")));
        QVERIFY(!connection->sendJson({{u"text"_s, u"SECRET-refused"_s}}));
        QTRY_COMPARE(server->messages().size(), 3);
        server->sendText(R"({"type":"chat","text":"SECRET-incoming"})");
        server->sendText("SECRET-no-json");
        server->sendBinary("SECRET-binary");
        QTRY_COMPARE(connection->messages()->rowCount(), 5);
        qDebug() << connection->configuration() << connection->messages()->index(0).data();
        connection->open(ConnectionConfig().setUrl(u"ws://elsewhere?ticket=SECRET-other"_s)); // warns
        connection->close();
        QTRY_COMPARE(connection->state(), Connection::Disconnected);
        server->setAuth(TestServer::Auth::RefuseForm2);
        connection->open(config);
        QTRY_COMPARE(connection->state(), Connection::Error);
        QVERIFY(!connection->error().contains("SECRET"_L1));
        connection->open(QVariantMap{{u"token"_s, u"SECRET-unknown"_s}});
        connection->close();
        QTRY_COMPARE(connection->state(), Connection::Disconnected);
        server->setAuth(TestServer::Auth::Accept);
        tokens.setToken(u"SECRET-token-2"_s);
    }
    const QStringList lines = log.lines();
    QVERIFY(lines.size() > 20);
    for (const QString &line : lines)
        QVERIFY2(!line.contains("SECRET"_L1), qPrintable(line));
}

QTEST_GUILESS_MAIN(TestFutures)
#include "tst_futures.moc"
