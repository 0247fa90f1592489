// SPDX-License-Identifier: MIT
//
// openAsync() and request(), the preparation before a socket, and what the provider tells of every connection.
#include <Everwire/ConnectionException>
#include <Everwire/NetworkMonitor>
#include <Everwire/Preparation>
#include <Everwire/StaticTokenProvider>
#include <Everwire/WebSocketProvider>

#include "support/logrecorder.h"
#include "support/rawserver.h"
#include "support/testserver.h"

#include <QEventLoop>
#include <QJsonArray>
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
    void q11_whatHasFailedIsNotSentLater_data();
    void q11_whatHasFailedIsNotSentLater();
    void q11_theSecondTryIsTheOnlyOne();
    void q11_aLossFailsWhatWasSentAndKeepsTheRest();
    void q11_theTransportGivesBackWhatHasFailed_data();
    void q11_theTransportGivesBackWhatHasFailed();
    void q11_aDroppedRequestFailsAtOnce();
    void q11_aCancelledRequestLeavesNothing();
    void q11_aConnectionThatGivesUpFailsItsRequests_data();
    void q11_aConnectionThatGivesUpFailsItsRequests();
    void q12_theIdIsTheApps_data();
    void q12_theIdIsTheApps();
    void q12_idsThatAreNone_data();
    void q12_idsThatAreNone();
    void q12_idsOfTwoKindsAreTwo();
    void q13_aReplyNeedsNoType();
    void q13_errorsOfTheServer_data();
    void q13_errorsOfTheServer();
    void q14_timeouts_data();
    void q14_timeouts();
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
    void openInVain();
    void comeBack();

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

// Nobody listens there, and the connection goes on trying, but not soon.
void TestFutures::openInVain()
{
    QVERIFY(provider->configure(u"simulation"_s, ConnectionConfig()
                                                     .setUrl(u"ws://127.0.0.1:1/"_s)
                                                     .setInitialReconnectDelay(1h)
                                                     .setMaxReconnectDelay(1h)));
    connection->open();
    QTRY_COMPARE(connection->state(), Connection::Reconnecting);
}

// Connected to the server, which has got everything that was to be sent when this returns.
void TestFutures::comeBack()
{
    QVERIFY(provider->configure(u"simulation"_s, ConnectionConfig().setUrl(server->url())));
    connection->reconnect();
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(connection->sendJson({{u"type"_s, u"marker"_s}}));
    QTRY_VERIFY(server->messages().contains(R"({"type":"marker"})"));
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

void TestFutures::q11_whatHasFailedIsNotSentLater_data()
{
    QTest::addColumn<QString>("how");
    QTest::addColumn<int>("code"); // -1: it is cancelled
    QTest::newRow("timeout") << u"timeout"_s << int(ConnectionError::RequestTimeout);
    QTest::newRow("cancelled") << u"cancel"_s << -1;
    QTest::newRow("closed") << u"close"_s << int(ConnectionError::RequestFailed);
    QTest::newRow("signed out") << u"out"_s << int(ConnectionError::RequestFailed);
    QTest::newRow("signed in") << u"in"_s << int(ConnectionError::RequestFailed);
    QTest::newRow("gave up") << u"error"_s << int(ConnectionError::ConnectionRefused);
    QTest::newRow("timeout in Error") << u"late"_s << int(ConnectionError::RequestTimeout);
}

void TestFutures::q11_whatHasFailedIsNotSentLater()
{
    QFETCH(const QString, how);
    QFETCH(const int, code);
    openInVain();
    const auto giveUp = [&] {
        QVERIFY(provider->configure(
            u"simulation"_s, ConnectionConfig().setUrl(u"ws://127.0.0.1:1/"_s).setMaxReconnectAttempts(0)));
        connection->reconnect();
        QTRY_COMPARE(connection->state(), Connection::Error);
    };
    if (how == "late"_L1)
        giveUp();
    const bool expires = how == "timeout"_L1 || how == "late"_L1;
    QFuture<QJsonObject> future = connection->request({{u"type"_s, u"order"_s}}, expires ? 20ms : 1h);
    QCOMPARE(connection->queuedMessages(), 1);
    QVERIFY(!future.isFinished());
    if (how == "cancel"_L1)
        future.cancel();
    else if (how == "close"_L1)
        connection->close();
    else if (how == "out"_L1)
        provider->signOut();
    else if (how == "in"_L1)
        provider->signIn(u"other"_s);
    else if (how == "error"_L1)
        giveUp();
    QTRY_VERIFY(future.isFinished());
    QCOMPARE(connection->queuedMessages(), 0);
    QCOMPARE(connection->bytesToWrite(), 0);
    if (code < 0)
        QVERIFY(future.isCanceled());
    else
        QCOMPARE(int(errorOf(future)->code()), code);
    provider->setToken(u"good"_s);
    comeBack();
    QCOMPARE(server->messages(), QList<QByteArray>{R"({"type":"marker"})"});
}

// Offline: an order fails, the user orders once more, and then the line is back.
void TestFutures::q11_theSecondTryIsTheOnlyOne()
{
    openInVain();
    const auto order = [&](int n, std::chrono::milliseconds timeout) {
        return connection->request({{u"type"_s, u"order"_s}, {u"request_id"_s, u"order-1"_s}, {u"try"_s, n}},
                                   timeout);
    };
    const QFuture<QJsonObject> first = order(1, 20ms);
    QTRY_VERIFY(first.isFinished());
    QCOMPARE(errorOf(first)->code(), ConnectionError::RequestTimeout);
    QCOMPARE(errorOf(first)->message(), u"The request could not be sent within 20 ms, and will not be"_s);
    const QFuture<QJsonObject> second = order(2, 1h);
    comeBack();
    QCOMPARE(server->messages().size(), 2);
    QCOMPARE(QJsonDocument::fromJson(server->messages().first()).object().value("try"_L1).toInt(), 2);
    server->sendText(R"({"type":"done","request_id":"order-1"})");
    QTRY_VERIFY(second.isFinished());
    QVERIFY(!errorOf(second));
}

void TestFutures::q11_aLossFailsWhatWasSentAndKeepsTheRest()
{
    open();
    const QFuture<QJsonObject> sent = connection->request({{u"type"_s, u"sent"_s}}, 1h);
    QTRY_COMPARE(server->messages().size(), 1);
    server->setAuth(TestServer::Auth::Silent);
    server->drop();
    QTRY_VERIFY(sent.isFinished());
    QCOMPARE(errorOf(sent)->code(), ConnectionError::ConnectionLost);
    QVERIFY(!errorOf(sent)->isFinal());
    const QFuture<QJsonObject> waits = connection->request({{u"type"_s, u"waits"_s}}, 1h);
    server->drop(); // and the attempts of meanwhile
    server->setAuth(TestServer::Auth::Accept);
    connection->reconnect();
    QTRY_COMPARE(server->messages().size(), 2);
    QVERIFY(!waits.isFinished());
    server->sendText(R"({"type":"got","request_id":")" + idOf(server->messages().last()).toLatin1() + "\"}");
    QTRY_VERIFY(waits.isFinished());
    QVERIFY(!errorOf(waits));
}

void TestFutures::q11_theTransportGivesBackWhatHasFailed_data()
{
    QTest::addColumn<QString>("how");
    for (const char *how : {"stays", "timeout", "cancelled"})
        QTest::newRow(how) << QString::fromLatin1(how);
}

// The peer does not read, so that the request's message waits in the transport, or before it, when the line breaks.
void TestFutures::q11_theTransportGivesBackWhatHasFailed()
{
    QFETCH(const QString, how);
    RawServer deaf;
    deaf.setReads(false);
    const ConnectionConfig config = ConnectionConfig()
                                        .setAuthentication(ConnectionConfig::Authentication::None)
                                        .setMaxMessageSize(1 << 20)
                                        .setMaxQueuedMessages(1000)
                                        .setMaxQueuedBytes(qint64(256) << 20)
                                        .setInitialReconnectDelay(1h)
                                        .setMaxReconnectDelay(1h);
    QVERIFY(provider->configure(u"simulation"_s, ConnectionConfig(config).setUrl(deaf.url())));
    open();
    const QString filler(200'000, u'x');
    for (int quiet = 0; quiet<20; quiet = connection->bytesToWrite()> 0 ? quiet + 1 : 0) {
        if (connection->bytesToWrite() == 0)
            QVERIFY(connection->send(filler));
        QTest::qWait(1);
    }
    // So long behind it, the first is in the transport; the last is in the queue.
    QFuture<QJsonObject> inside =
        connection->request({{u"type"_s, u"inside"_s}}, how == "timeout"_L1 ? 20ms : 1h);
    for (int i = 0; i < 20; ++i)
        QVERIFY(connection->send(filler));
    QFuture<QJsonObject> behind =
        connection->request({{u"type"_s, u"behind"_s}}, how == "timeout"_L1 ? 20ms : 1h);
    if (how == "cancelled"_L1) {
        inside.cancel();
        behind.cancel();
    }
    if (how != "stays"_L1)
        QTRY_VERIFY(inside.isFinished() && behind.isFinished());
    deaf.reset();
    QTRY_COMPARE(connection->state(), Connection::Reconnecting);
    server->setAuth(TestServer::Auth::None);
    QVERIFY(provider->configure(u"simulation"_s, ConnectionConfig(config).setUrl(server->url())));
    connection->reconnect();
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(connection->sendJson({{u"type"_s, u"marker"_s}}));
    QTRY_VERIFY(server->messages().contains(R"({"type":"marker"})"));
    QStringList types;
    for (const QByteArray &message : server->messages()) {
        if (message.startsWith('{'))
            types.append(QJsonDocument::fromJson(message).object().value("type"_L1).toString());
    }
    if (how != "stays"_L1) {
        QCOMPARE(types, QStringList{u"marker"_s});
        return;
    }
    QCOMPARE(types, (QStringList{u"inside"_s, u"behind"_s, u"marker"_s}));
    QVERIFY(!inside.isFinished() && !behind.isFinished());
    for (const QByteArray &message : server->messages()) {
        if (message.startsWith('{') && !idOf(message).isEmpty())
            server->sendText(R"({"type":"got","request_id":")" + idOf(message).toLatin1() + "\"}");
    }
    QTRY_VERIFY(inside.isFinished() && behind.isFinished());
    QVERIFY(!errorOf(inside) && !errorOf(behind));
    provider.reset(); // before the server that it once knew
}

void TestFutures::q11_aDroppedRequestFailsAtOnce()
{
    QVERIFY(provider->configure(u"simulation"_s,
                                ConnectionConfig()
                                    .setUrl(u"ws://127.0.0.1:1/"_s)
                                    .setInitialReconnectDelay(1h)
                                    .setMaxReconnectDelay(1h)
                                    .setMaxQueuedMessages(2)
                                    .setQueueOverflow(ConnectionConfig::QueueOverflow::DropOldest)));
    connection->open();
    const QFuture<QJsonObject> dropped = connection->request({{u"type"_s, u"order"_s}}, 1h);
    const QFuture<QJsonObject> stays = connection->request({{u"type"_s, u"order"_s}}, 1h);
    QSignalSpy discarded(connection, &Connection::messagesDiscarded);
    QVERIFY(connection->send(u"newer"_s));
    QTRY_VERIFY(dropped.isFinished());
    QCOMPARE(errorOf(dropped)->code(), ConnectionError::RequestFailed);
    QVERIFY2(errorOf(dropped)->message().contains("DropOldest"_L1), qPrintable(errorOf(dropped)->message()));
    QCOMPARE(discarded.size(), 1);
    QVERIFY(!stays.isFinished());
}

void TestFutures::q11_aCancelledRequestLeavesNothing()
{
    open();
    const QJsonObject message{{u"type"_s, u"get"_s}, {u"request_id"_s, u"mine"_s}};
    QFuture<QJsonObject> future = connection->request(message, 1h);
    QTRY_COMPARE(server->messages().size(), 1);
    bool isCancelled = false;
    future.then([](const QJsonObject &) { QFAIL("it was cancelled"); }).onCanceled([&] {
        isCancelled = true;
    });
    future.cancel();
    QTRY_VERIFY(isCancelled);
    QVERIFY(future.isFinished());
    int heard = 0;
    connection->subscribe(u"got"_s, this, [&] { ++heard; });
    server->sendText(R"({"type":"got","request_id":"mine"})"); // nobody waits for it
    QTRY_COMPARE(heard, 1);
    const QFuture<QJsonObject> again = connection->request(message, 1h);
    QTRY_COMPARE(server->messages().size(), 2);
    server->sendText(R"({"type":"got","request_id":"mine"})");
    QTRY_VERIFY(again.isFinished());
    QVERIFY(!errorOf(again));
}

void TestFutures::q11_aConnectionThatGivesUpFailsItsRequests_data()
{
    QTest::addColumn<QString>("how");
    QTest::addColumn<int>("code");
    QTest::newRow("attempts run out") << u"attempts"_s << int(ConnectionError::ConnectionRefused);
    QTest::newRow("no token") << u"token"_s << int(ConnectionError::NoToken);
    QTest::newRow("the token is refused") << u"refused"_s << int(ConnectionError::AuthenticationFailed);
    QTest::newRow("a preparation refuses") << u"preparation"_s << int(ConnectionError::PreparationFailed);
    QTest::newRow("a final close code") << u"1008"_s << int(ConnectionError::ClosedByServer);
    QTest::newRow("a bad open() in Error") << u"open"_s << int(ConnectionError::InvalidConfiguration);
    QTest::newRow("a bad open() behind a goodbye")
        << u"goodbye"_s << int(ConnectionError::InvalidConfiguration);
}

void TestFutures::q11_aConnectionThatGivesUpFailsItsRequests()
{
    QFETCH(const QString, how);
    QFETCH(const int, code);
    Rooms rooms;
    const ConnectionConfig bad = ConnectionConfig().setUrl(u"http://no.websocket/"_s);
    if (how == "attempts"_L1) {
        openInVain();
        QVERIFY(provider->configure(
            u"simulation"_s, ConnectionConfig().setUrl(u"ws://127.0.0.1:1/"_s).setMaxReconnectAttempts(0)));
    } else if (how == "token"_L1) {
        provider->setToken({});
        connection->open();
    } else if (how == "refused"_L1) {
        server->setAuth(TestServer::Auth::RefuseForm2);
        connection->open();
    } else if (how == "preparation"_L1) {
        connection->setPreparation(&rooms);
        connection->open(ConnectionConfig().setUrl(server->url().toString() + u"rooms/{room}"_s));
        QTRY_COMPARE(rooms.requests.size(), 1);
    } else if (how == "open"_L1) {
        connection->open(bad);
        QCOMPARE(connection->state(), Connection::Error);
    } else {
        open();
    }
    if (how == "goodbye"_L1) {
        connection->close();
        connection->open(bad);
    }
    const QFuture<QJsonObject> future = connection->request({{u"type"_s, u"order"_s}}, 1h);
    QVERIFY(!future.isFinished());
    if (how == "attempts"_L1)
        connection->reconnect();
    else if (how == "preparation"_L1)
        rooms.requests.first().refuse(u"no room"_s);
    else if (how == "1008"_L1)
        server->close(1008);
    else if (how == "open"_L1)
        connection->open(bad);
    QTRY_VERIFY(future.isFinished());
    QCOMPARE(int(errorOf(future)->code()), code);
    QTRY_COMPARE(connection->state(), Connection::Error);
    if (how == "refused"_L1)
        return; // it may have failed before another token was asked for
    QCOMPARE(errorOf(future)->message(), connection->error());
    QVERIFY(errorOf(future)->isFinal());
}

void TestFutures::q12_theIdIsTheApps_data()
{
    QTest::addColumn<QByteArray>("id");    // as the app gives it
    QTest::addColumn<QByteArray>("reply"); // as the server does
    QTest::newRow("5") << QByteArray("5") << QByteArray("5");
    QTest::newRow("5.0") << QByteArray("5") << QByteArray("5.0");
    QTest::newRow("5e0") << QByteArray("5") << QByteArray("5e0");
    QTest::newRow("0") << QByteArray("0") << QByteArray("0");
    QTest::newRow("-0") << QByteArray("0") << QByteArray("-0");
    QTest::newRow("negative") << QByteArray("-3") << QByteArray("-3");
    QTest::newRow("fraction") << QByteArray("2.5") << QByteArray("2.50");
    QTest::newRow("time") << QByteArray("1700000000000") << QByteArray("1700000000000");
    QTest::newRow("63 bits") << QByteArray("9223372036854775807") << QByteArray("9223372036854775807");
    QTest::newRow("huge") << QByteArray("1e300") << QByteArray("1e300");
    QTest::newRow("text") << QByteArray("\"mine\"") << QByteArray("\"mine\"");
    QTest::newRow("digits") << QByteArray("\"5\"") << QByteArray("\"5\"");
}

void TestFutures::q12_theIdIsTheApps()
{
    QFETCH(const QByteArray, id);
    QFETCH(const QByteArray, reply);
    connection->open(ConnectionConfig().setRequestIdField(u"id"_s).setReplyIdField(u"id"_s));
    QTRY_VERIFY(connection->isConnected());
    const QJsonObject message = QJsonDocument::fromJson(R"({"type":"get","id":)" + id + '}').object();
    const QFuture<QJsonObject> future = connection->request(message, 1h);
    QTRY_COMPARE(server->messages().size(), 1);
    QCOMPARE(QJsonDocument::fromJson(server->messages().first()).object(), message);
    QVERIFY(errorOf(connection->request(message, 1h))->message().contains("waits for its reply already"_L1));
    for (const char *other : {R"("55")", "55", "null", "true", R"([5])", R"({"5":5})"})
        server->sendText(R"({"type":"got","id":)" + QByteArray(other) + '}');
    server->sendText(R"({"type":"got","n":1,"id":)" + reply + '}');
    QTRY_VERIFY(future.isFinished());
    QVERIFY(!errorOf(future));
    QCOMPARE(future.result().value("n"_L1).toInt(), 1);
}

void TestFutures::q12_idsThatAreNone_data()
{
    QTest::addColumn<QJsonValue>("id");
    QTest::addColumn<bool>("isReplaced"); // by one of the library's; otherwise refused
    QTest::newRow("null") << QJsonValue(QJsonValue::Null) << true;
    QTest::newRow("empty") << QJsonValue(QString()) << true;
    QTest::newRow("true") << QJsonValue(true) << false;
    QTest::newRow("object") << QJsonValue(QJsonObject{{u"a"_s, 1}}) << false;
    QTest::newRow("array") << QJsonValue(QJsonArray{1}) << false;
    QTest::newRow("not a number") << QJsonValue(qQNaN()) << false;
    QTest::newRow("infinite") << QJsonValue(qInf()) << false;
}

void TestFutures::q12_idsThatAreNone()
{
    QFETCH(const QJsonValue, id);
    QFETCH(const bool, isReplaced);
    open();
    const QFuture<QJsonObject> future =
        connection->request({{u"type"_s, u"get"_s}, {u"request_id"_s, id}}, 1h);
    QCOMPARE(future.isFinished(), !isReplaced);
    if (isReplaced) {
        QTRY_COMPARE(server->messages().size(), 1);
        QVERIFY(!idOf(server->messages().first()).isEmpty());
        return;
    }
    QCOMPARE(errorOf(future)->message(),
             u"The request's request_id has to be a text or a number; leave it out to have one made"_s);
    QVERIFY(server->messages().isEmpty());
}

void TestFutures::q12_idsOfTwoKindsAreTwo()
{
    open();
    const QFuture<QJsonObject> number =
        connection->request({{u"type"_s, u"get"_s}, {u"request_id"_s, 5}}, 1h);
    const QFuture<QJsonObject> text =
        connection->request({{u"type"_s, u"get"_s}, {u"request_id"_s, u"5"_s}}, 1h);
    QTRY_COMPARE(server->messages().size(), 2);
    server->sendText(R"({"type":"got","request_id":"5","for":"text"})");
    QTRY_VERIFY(text.isFinished());
    QVERIFY(!number.isFinished());
    server->sendText(R"({"type":"got","request_id":5,"for":"number"})");
    QTRY_VERIFY(number.isFinished());
    QCOMPARE(text.result().value("for"_L1).toString(), u"text"_s);
    QCOMPARE(number.result().value("for"_L1).toString(), u"number"_s);
}

void TestFutures::q13_aReplyNeedsNoType()
{
    open();
    QStringList heard;
    connection->subscribe(u"message"_s, this, [&] { heard.append(u"message"_s); });
    const QFuture<QJsonObject> future =
        connection->request({{u"type"_s, u"get"_s}, {u"request_id"_s, 7}}, 1h);
    QTRY_COMPARE(server->messages().size(), 1);
    server->sendText(R"({"jsonrpc":"2.0","result":19,"request_id":7})");
    QTRY_VERIFY(future.isFinished());
    QVERIFY(!errorOf(future));
    QCOMPARE(future.result().value("result"_L1).toInt(), 19);
    QCOMPARE(heard, QStringList{u"message"_s}); // as before (rule M2)
}

void TestFutures::q13_errorsOfTheServer_data()
{
    QTest::addColumn<QByteArray>("reply");
    QTest::addColumn<QString>("message"); // of the exception; empty: it is no error
    QTest::addColumn<QJsonValue>("code");
    const QJsonValue none(QJsonValue::Undefined);
    const auto row = [](const char *name, const char *reply, const QString &message, const QJsonValue &code) {
        QTest::newRow(name) << QByteArray(reply) << message << code;
    };
    const QString words = u"The server replied: no such thing"_s;
    row("flat", R"("type":"error","code":"gone","message":"no such thing")", words, u"gone"_s);
    row("a number", R"("type":"error","code":404,"message":"no such thing")", words, 404);
    row("payload", R"("type":"error","payload":{"error":"no such thing","code":"gone"})", words, u"gone"_s);
    row("payload's message", R"("type":"error","payload":{"message":"no such thing","code":4})", words, 4);
    row("payload's object", R"("type":"error","payload":{"error":{"message":"no such thing","code":4}})",
        words, 4);
    row("error of a type", R"("type":"error","error":{"message":"no such thing","code":4})", words, 4);
    row("JSON-RPC", R"("jsonrpc":"2.0","error":{"code":-32601,"message":"no such thing","data":[1]})", words,
        -32601);
    row("a result", R"("type":"result","success":false,"error":{"code":"gone","message":"no such thing"})",
        words, u"gone"_s);
    row("a text", R"("error":"no such thing")", words, none);
    row("a code alone", R"("type":"error","code":4)", u"The server replied with the error 4"_s, 4);
    row("nothing", R"("type":"error")", u"The server replied with an error"_s, none);
    row("an empty object", R"("error":{})", u"The server replied with an error"_s, none);
    row("null", R"("result":1,"error":null)", {}, none);
    row("an empty text", R"("result":1,"error":"")", {}, none);
    row("code and message of its own", R"("type":"got","code":4,"message":"hello")", {}, none);
}

void TestFutures::q13_errorsOfTheServer()
{
    QFETCH(const QByteArray, reply);
    QFETCH(const QString, message);
    QFETCH(const QJsonValue, code);
    open();
    const QFuture<QJsonObject> future =
        connection->request({{u"type"_s, u"get"_s}, {u"request_id"_s, 1}}, 1h);
    QTRY_COMPARE(server->messages().size(), 1);
    const QByteArray text = R"({"request_id":1,)" + reply + '}';
    server->sendText(text);
    QTRY_VERIFY(future.isFinished());
    try {
        QFuture<QJsonObject>(future).waitForFinished();
        QVERIFY(message.isEmpty());
    } catch (const ConnectionException &failure) {
        QCOMPARE(failure.error().message(), message);
        QCOMPARE(failure.error().code(), ConnectionError::RequestFailed);
        QCOMPARE(failure.serverCode(), code);
        QCOMPARE(failure.serverMessage(),
                 message.contains("no such thing"_L1) ? u"no such thing"_s : QString());
        QCOMPARE(failure.serverObject(), QJsonDocument::fromJson(text).object());
        QCOMPARE(failure.error().serverCode(), code);
        QVERIFY(failure.error() != ConnectionError(ConnectionError::RequestFailed, message));
    }
}

void TestFutures::q14_timeouts_data()
{
    using std::chrono::milliseconds;
    QTest::addColumn<milliseconds>("timeout");
    QTest::addColumn<bool>("waits");
    QTest::newRow("31 bits") << milliseconds(2147483647) << true;
    QTest::newRow("more") << milliseconds(2147483648) << true;
    QTest::newRow("years") << milliseconds(std::chrono::hours(10'000'000)) << true;
    QTest::newRow("the most") << milliseconds::max() << true;
    QTest::newRow("none") << milliseconds(0) << false;
    QTest::newRow("negative") << milliseconds(-5) << false;
    QTest::newRow("the least") << milliseconds::min() << false;
}

void TestFutures::q14_timeouts()
{
    QFETCH(const std::chrono::milliseconds, timeout);
    QFETCH(const bool, waits);
    open();
    const LogRecorder log;
    const QFuture<QJsonObject> future =
        connection->request({{u"type"_s, u"get"_s}, {u"request_id"_s, 1}}, timeout);
    QCOMPARE(future.isFinished(), !waits);
    if (waits) {
        QTRY_COMPARE(server->messages().size(), 1);
        QVERIFY(!future.isFinished());
        server->sendText(R"({"request_id":1})");
        QTRY_VERIFY(future.isFinished());
        QVERIFY(!errorOf(future));
        QCOMPARE(log.lines(), QStringList()); // no timer complains
        return;
    }
    QCOMPARE(errorOf(future)->code(), ConnectionError::RequestTimeout);
    QCOMPARE(
        errorOf(future)->message(),
        u"A timeout of %1 ms leaves no time for a reply; the request was not sent"_s.arg(timeout.count()));
    QVERIFY(connection->sendJson({{u"type"_s, u"marker"_s}}));
    QTRY_COMPARE(server->messages(), QList<QByteArray>{R"({"type":"marker"})"});
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
