// SPDX-License-Identifier: MIT
//
// One connection and a real server: states, authentication, sending and receiving as an app sees them.
#include "support/logrecorder.h"
#include "support/testserver.h"

#include <Everwire/FunctionTokenProvider>
#include <Everwire/StaticTokenProvider>
#include <Everwire/WebSocketProvider>

#include <QJsonArray>
#include <QJsonDocument>
#include <QLoggingCategory>
#include <QProperty>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QTest>

#include <thread>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

QJsonObject message(const char *type, int n = 0)
{
    return {{s("type"), s(type)}, {s("n"), n}};
}

QList<int> numbers(const QList<QByteArray> &messages)
{
    QList<int> list;
    for (const QByteArray &one : messages)
        list.append(QJsonDocument::fromJson(one).object().value(s("n")).toInt(-1));
    return list;
}

} // namespace

class tst_Connection : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void s1_openGoesThroughAuthenticatingToConnected();
    void s1_withoutAuthenticationItConnectsAtOnce();
    void s2_s4_r5_aLostConnectionWaitsAndComesBack();
    void s3_anErrorSaysWhatToDoAndOpenLeavesIt();
    void s6_noBindingSeesAMixedState();
    void s7_everyTransitionIsSeenInOrder();
    void s7_aHandlerThatClosesDoesNotChangeTheOrderForOthers();
    void o1_openTwiceMakesOneSocket();
    void o2_closeWhileConnectingOpensNothing();
    void o2_closeWhileTheTokenIsFetched();
    void o2_nothingIsHeardAfterClose();
    void o3_closeSendsClientDisconnect();
    void o4_withoutAUrlTheErrorNamesTheRemedy();
    void r3_givingUpIsSaid();
    void r6_finalCloseCodesAreNotRetried_data();
    void r6_finalCloseCodesAreNotRetried();
    void r8_aLostConnectionIs1006();
    void a1_theTokenIsTheFirstMessageOfEveryAttempt();
    void a2_aSilentServerIsClosedWith4002();
    void a3_aRefusedTokenIsNotSentTwice_data();
    void a3_aRefusedTokenIsNotSentTwice();
    void a3_aFreshTokenIsTried();
    void a4_withoutATokenTheErrorSaysSo();
    void a4_aFailingProviderIsAskedAgain();
    void a5_theSessionIsThereWhileConnected();
    void a7_theTokenShowsUpNowhere();
    void a8_aTokenIsNotSentInThePlain();
    void badTokensAreNotSent();
    void q1_q4_whatIsQueuedGoesOutInOrderAfterAuthentication();
    void q2_sendingWhileDisconnectedIsRefused();
    void q3_q6_limits();
    void q5_jsonNeedsAType();
    void q8_closeSaysWhatItDiscards();
    void q8_whatWasAcceptedWhileConnectedGoesOutBeforeTheClose();
    void q9_q10_pairsFromAThreadStayTogether();
    void m1_m2_m3_messagesReachTheirSubscribers();
    void m4_subscriptionsSurviveReconnectsAndClose();
    void m5_lifecycleEventsByTheGuidesNames();
    void m5_aServerCannotPoseAsALifecycleEvent();
    void m7_messagesIsAModelOfBothDirections();
    void h2_aBlockedUiLosesNothing();
    void c1_c2_precedence();
    void c3_badConfigurationIsRefusedByName();
    void c5_openWithAnotherConfigurationWarns();
    void c5_reconnectAppliesAndKeepsTheQueue();
    void c5_theUrlIsTheAttempts();
    void c4_debugSaysNoPayload();
    void templatesAreFilledFromOptions();
    void propertiesCanBeBoundButNotWritten();

private:
    Connection *open(const ConnectionConfig &config = {});
    void dropAndComeBack();
    [[nodiscard]] ConnectionConfig quick() const;

    std::unique_ptr<TestServer> server;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
};

ConnectionConfig tst_Connection::quick() const
{
    return ConnectionConfig()
        .setUrl(server->url())
        .setInitialReconnectDelay(10ms)
        .setMaxReconnectDelay(50ms)
        .setCloseTimeout(500ms);
}

void tst_Connection::init()
{
    server = std::make_unique<TestServer>();
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(s("good.jwt.token"));
    connection = provider->connection(s("simulation"));
    QVERIFY(provider->configure(s("simulation"), quick()));
}

void tst_Connection::cleanup()
{
    provider.reset();
    QTRY_COMPARE(server->openConnections(), 0);
    server.reset();
}

Connection *tst_Connection::open(const ConnectionConfig &config)
{
    if (config == ConnectionConfig())
        connection->open();
    else
        connection->open(config);
    [&] { QTRY_VERIFY(connection->isConnected()); }();
    return connection;
}

// A reconnect can be over between two looks at the state: count connections instead.
void tst_Connection::dropAndComeBack()
{
    QSignalSpy back(connection, &Connection::connected);
    server->drop();
    QTRY_COMPARE(back.size(), 1);
}

void tst_Connection::s1_openGoesThroughAuthenticatingToConnected()
{
    QSignalSpy states(connection, &Connection::stateChanged);
    connection->open();
    QCOMPARE(connection->state(), Connection::Connecting); // at once
    QTRY_COMPARE(connection->state(), Connection::Connected);
    QCOMPARE(states.size(), 3);
    QCOMPARE(states[0][0].value<Connection::State>(), Connection::Connecting);
    QCOMPARE(states[1][0].value<Connection::State>(), Connection::Authenticating);
    QCOMPARE(states[2][0].value<Connection::State>(), Connection::Connected);
}

void tst_Connection::s1_withoutAuthenticationItConnectsAtOnce()
{
    server->setAuth(TestServer::Auth::None);
    QSignalSpy states(connection, &Connection::stateChanged);
    open(ConnectionConfig().setAuthentication(ConnectionConfig::Authentication::None));
    QCOMPARE(states.size(), 2);
    QVERIFY(connection->sendJson(message("hello")));
    QTRY_COMPARE(server->received().size(), 1);
    QVERIFY(server->tokens().isEmpty());
}

void tst_Connection::s2_s4_r5_aLostConnectionWaitsAndComesBack()
{
    open();
    QSignalSpy states(connection, &Connection::stateChanged);
    QSignalSpy waits(connection, &Connection::reconnecting);
    QString errorWhileWaiting;
    int attemptWhileWaiting = 0;
    connect(connection, &Connection::reconnecting, this, [&] {
        errorWhileWaiting = connection->error();
        attemptWhileWaiting = connection->reconnectAttempt();
    });
    server->drop();
    QTRY_COMPARE(states.size(), 4);
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(states[0][0].value<Connection::State>(), Connection::Reconnecting);
    QCOMPARE(states[1][0].value<Connection::State>(), Connection::Connecting);
    QCOMPARE(waits.size(), 1);
    QCOMPARE(waits[0][0].toInt(), 1);
    QVERIFY(waits[0][1].toInt() >= 8 && waits[0][1].toInt() <= 12);
    QVERIFY(!errorWhileWaiting.isEmpty());
    QCOMPARE(attemptWhileWaiting, 1);
    QVERIFY(connection->error().isEmpty());
    QCOMPARE(connection->reconnectAttempt(), 0);
}

void tst_Connection::s3_anErrorSaysWhatToDoAndOpenLeavesIt()
{
    server->setAuth(TestServer::Auth::RefuseForm1);
    connection->open(ConnectionConfig().setAutoReconnect(false));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QVERIFY(connection->error().contains(s("Invalid token")));
    QCOMPARE(connection->errorCode(), ConnectionError::AuthenticationFailed);
    QCOMPARE(connection->closeCode(), 4001);
    server->setAuth(TestServer::Auth::Accept);
    provider->setToken(s("another"));
    connection->open();
    QCOMPARE(connection->state(), Connection::Connecting);
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(connection->errorCode(), ConnectionError::NoError);
    QCOMPARE(connection->closeCode(), 0);
}

void tst_Connection::s6_noBindingSeesAMixedState()
{
    int mixed = 0;
    int seen = 0;
    QProperty<bool> consistent([&] {
        const bool isConnected = connection->bindableIsConnected().value();
        const bool stateSays = connection->bindableState().value() == Connection::Connected;
        const bool hasSession = !connection->bindableSessionInfo().value().sessionId().isEmpty();
        ++seen;
        mixed += isConnected != stateSays || hasSession != stateSays ? 1 : 0;
        return isConnected == stateSays && hasSession == stateSays;
    });
    const auto handler = consistent.onValueChanged([] {});
    for (int i = 0; i < 3; ++i) {
        open();
        dropAndComeBack();
        connection->close();
        QTRY_COMPARE(connection->state(), Connection::Disconnected);
    }
    QVERIFY(seen >= 3 * 4);
    QCOMPARE(mixed, 0);
}

void tst_Connection::s7_everyTransitionIsSeenInOrder()
{
    // The app hears nothing while its loop does not run; then it hears all of it.
    server->setAuth(TestServer::Auth::None);
    QSignalSpy states(connection, &Connection::stateChanged);
    connection->open(ConnectionConfig()
                         .setAuthentication(ConnectionConfig::Authentication::None)
                         .setInitialReconnectDelay(1ms));
    QVERIFY(connection->sendJson(message("marker"))); // arrives once it is connected
    const QDeadlineTimer deadline(30000);
    while (server->messages().isEmpty() && !deadline.hasExpired())
        std::this_thread::yield();
    QVERIFY(!deadline.hasExpired());
    server->drop();
    while (server->connectionsSoFar() < 2 && !deadline.hasExpired())
        std::this_thread::yield();
    QVERIFY(!deadline.hasExpired());
    QCOMPARE(states.size(), 1); // open()'s own
    QTRY_VERIFY(states.size() >= 5);
    QList<Connection::State> heard;
    for (const QVariantList &arguments : std::as_const(states))
        heard.append(arguments.first().value<Connection::State>());
    const QList<Connection::State> expected{Connection::Connecting, Connection::Connected,
                                            Connection::Reconnecting, Connection::Connecting,
                                            Connection::Connected};
    QCOMPARE(heard, expected);
}

void tst_Connection::s7_aHandlerThatClosesDoesNotChangeTheOrderForOthers()
{
    QList<Connection::State> heard;
    connect(connection, &Connection::stateChanged, this, [this](Connection::State state) {
        if (state == Connection::Connected)
            connection->close();
    });
    connect(connection, &Connection::stateChanged, this,
            [&heard](Connection::State state) { heard.append(state); });
    connection->open();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    const QList<Connection::State> expected{Connection::Connecting, Connection::Authenticating,
                                            Connection::Connected, Connection::Disconnecting,
                                            Connection::Disconnected};
    QCOMPARE(heard, expected);
}

void tst_Connection::o1_openTwiceMakesOneSocket()
{
    connection->open();
    connection->open();
    QTRY_VERIFY(connection->isConnected());
    QSignalSpy states(connection, &Connection::stateChanged);
    connection->open();
    provider->connection(s("simulation"))->open();
    QVERIFY(connection->sendJson(message("marker")));
    QTRY_COMPARE(server->messages().size(), 1);
    QCOMPARE(server->connectionsSoFar(), 1);
    QCOMPARE(states.size(), 0);
}

void tst_Connection::o2_closeWhileConnectingOpensNothing()
{
    QSignalSpy states(connection, &Connection::stateChanged);
    connection->open();
    connection->close();
    QCOMPARE(connection->state(), Connection::Disconnecting);
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(states.size(), 3);
    // Whatever the closed attempt had begun is over before a second connection has come and gone.
    open();
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QTRY_COMPARE(server->openConnections(), 0);
    QCOMPARE(server->connectionsSoFar(), 1);
}

void tst_Connection::o2_closeWhileTheTokenIsFetched()
{
    QPromise<QString> promise;
    promise.start();
    FunctionTokenProvider tokens([&promise] { return promise.future(); });
    connection->setTokenProvider(&tokens);
    connection->open();
    QSignalSpy states(connection, &Connection::stateChanged);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    promise.addResult(s("too late"));
    promise.finish();
    connection->setTokenProvider(nullptr);
    open(); // and nothing but this one has been opened
    QCOMPARE(server->connectionsSoFar(), 1);
    QCOMPARE(server->tokens(), QList<QByteArray>{"good.jwt.token"});
}

void tst_Connection::o2_nothingIsHeardAfterClose()
{
    open();
    server->sendMany(200,
                     [](int i) { return QByteArray(R"({"type":"n","n":)") + QByteArray::number(i) + '}'; });
    int heard = 0;
    connection->subscribe(s("n"), this, [&] {
        if (++heard == 10)
            connection->close();
    });
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(heard, 10);
}

void tst_Connection::o3_closeSendsClientDisconnect()
{
    open();
    QSignalSpy ended(connection, &Connection::disconnected);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QTRY_COMPARE(server->lastCloseCode(), 1000);
    QCOMPARE(server->lastCloseReason(), s("Client disconnect"));
    QCOMPARE(ended.size(), 1);
    QCOMPARE(ended[0][0].toInt(), 1000);
    QCOMPARE(connection->closeCode(), 1000);
}

void tst_Connection::o4_withoutAUrlTheErrorNamesTheRemedy()
{
    Connection *other = provider->connection(s("my-type"));
    QSignalSpy states(other, &Connection::stateChanged);
    QSignalSpy errors(other, &Connection::errorOccurred);
    other->open();
    QCOMPARE(other->state(), Connection::Error);
    QCOMPARE(other->errorCode(), ConnectionError::NotConfigured);
    for (const char *part : {"my-type", "MY_TYPE_WS_URL", "configure("})
        QVERIFY2(other->error().contains(s(part)), qPrintable(other->error()));
    QCOMPARE(states.size(), 1);
    QCOMPARE(errors.size(), 1);
    QVERIFY(errors[0][0].value<ConnectionError>().isFinal());
    other->close();
    QTRY_COMPARE(other->state(), Connection::Disconnected);
    QVERIFY(provider->connection(QString()) == nullptr);
}

void tst_Connection::r3_givingUpIsSaid()
{
    const QUrl gone = server->url();
    QSignalSpy waits(connection, &Connection::reconnecting);
    QSignalSpy gaveUp(connection, &Connection::maxReconnectAttemptsReached);
    server->setAuth(TestServer::Auth::Silent);
    connection->open(ConnectionConfig().setMaxReconnectAttempts(3).setAuthTimeout(20ms));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(waits.size(), 3);
    QCOMPARE(gaveUp.size(), 1);
    QCOMPARE(gaveUp[0][0].toInt(), 3);
    QCOMPARE(connection->errorCode(), ConnectionError::AuthenticationTimeout);
    QVERIFY(connection->error().contains(s("3 attempts")));
    QCOMPARE(provider->configuration(s("simulation")).maxReconnectAttempts(), 10);
    QCOMPARE(provider->configuration(s("notifications")).maxReconnectAttempts(), 5);
    QCOMPARE(provider->configuration(s("whatever")).maxReconnectAttempts(), 10);
}

void tst_Connection::r6_finalCloseCodesAreNotRetried_data()
{
    QTest::addColumn<int>("code");
    QTest::addColumn<bool>("retried");
    for (const int code : {1000, 1001, 1011, 4000, 4500})
        QTest::addRow("%d", code) << code << true;
    for (const int code : {1002, 1003, 1007, 1008, 1009, 1010, 4999})
        QTest::addRow("%d", code) << code << false;
}

void tst_Connection::r6_finalCloseCodesAreNotRetried()
{
    QFETCH(const int, code);
    QFETCH(const bool, retried);
    open(ConnectionConfig().setTerminalCloseCodes({4999}));
    QSignalSpy states(connection, &Connection::stateChanged);
    QSignalSpy ended(connection, &Connection::disconnected);
    server->close(code, s("because"));
    QTRY_VERIFY(!states.isEmpty());
    QCOMPARE(states[0][0].value<Connection::State>(), retried ? Connection::Reconnecting : Connection::Error);
    QCOMPARE(ended.size(), 1);
    QCOMPARE(ended[0][0].toInt(), code);
    QCOMPARE(ended[0][1].toString(), s("because"));
    if (retried)
        QTRY_VERIFY(connection->isConnected());
    else
        QVERIFY(connection->error().contains(s("because")));
}

void tst_Connection::r8_aLostConnectionIs1006()
{
    open(ConnectionConfig().setAutoReconnect(false));
    server->drop();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->closeCode(), 1006);
    QCOMPARE(connection->errorCode(), ConnectionError::ConnectionLost);
}

void tst_Connection::a1_theTokenIsTheFirstMessageOfEveryAttempt()
{
    int asked = 0;
    FunctionTokenProvider tokens([&asked]() -> QString { return s("token-%1").arg(++asked); });
    connection->setTokenProvider(&tokens);
    connection->open();
    QVERIFY(connection->sendJson(message("early", 1)));
    QTRY_VERIFY(connection->isConnected());
    QTRY_COMPARE(server->received().size(), 2);
    QCOMPARE(server->received().first().bytes, QByteArray(R"({"token":"token-1","type":"auth"})"));
    server->drop();
    QTRY_COMPARE(server->tokens().size(), 2);
    QCOMPARE(server->tokens().last(), QByteArray("token-2"));
    QTRY_VERIFY(connection->isConnected());
}

void tst_Connection::a2_aSilentServerIsClosedWith4002()
{
    server->setAuth(TestServer::Auth::Silent);
    QSignalSpy timeouts(connection, &Connection::authenticationTimeout);
    QSignalSpy waits(connection, &Connection::reconnecting);
    connection->open(
        ConnectionConfig().setAuthTimeout(30ms).setInitialReconnectDelay(1h).setMaxReconnectDelay(1h));
    QTRY_COMPARE(timeouts.size(), 1);
    QCOMPARE(waits.size(), 1);
    QCOMPARE(connection->closeCode(), 4002);
    QTRY_COMPARE(server->lastCloseCode(), 4002);
}

void tst_Connection::a3_aRefusedTokenIsNotSentTwice_data()
{
    QTest::addColumn<TestServer::Auth>("form");
    QTest::addColumn<QString>("words");
    QTest::newRow("auth_error") << TestServer::Auth::RefuseForm1 << s("Invalid token");
    QTest::newRow("error with payload") << TestServer::Auth::RefuseForm2 << s("token expired");
}

void tst_Connection::a3_aRefusedTokenIsNotSentTwice()
{
    QFETCH(const TestServer::Auth, form);
    QFETCH(const QString, words);
    server->setAuth(form);
    QSignalSpy refused(connection, &Connection::authenticationError);
    QSignalSpy discarded(connection, &Connection::messagesDiscarded);
    connection->open();
    QVERIFY(connection->sendJson(message("queued")));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::AuthenticationFailed);
    QVERIFY(refused[0][0].toString().contains(words));
    QCOMPARE(discarded.size(), 1);
    QCOMPARE(discarded[0][0].toInt(), 1);
    connection->open();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(server->tokens().size(), 1);
}

void tst_Connection::a3_aFreshTokenIsTried()
{
    QStringList tokens{s("bad"), s("better")};
    FunctionTokenProvider source([&tokens]() -> QString { return tokens.takeFirst(); });
    connection->setTokenProvider(&source);
    QSignalSpy refused(connection, &Connection::authenticationError);
    connection->open();
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(refused.size(), 1);
    QCOMPARE(server->tokens(), (QList<QByteArray>{"bad", "better"}));
}

void tst_Connection::a4_withoutATokenTheErrorSaysSo()
{
    provider->setTokenProvider(nullptr);
    connection->open();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::NoToken);
    provider->setToken(QString());
    connection->open();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::NoToken);
    QCOMPARE(server->connectionsSoFar(), 0);
}

void tst_Connection::a4_aFailingProviderIsAskedAgain()
{
    struct Flaky : TokenProvider
    {
        int asked = 0;
        void fetch(const TokenRequest &request) override
        {
            if (++asked == 1)
                request.reject(QStringLiteral("keychain locked"));
            else if (asked > 2) // the second is never answered
                request.resolve(QStringLiteral("fine"));
        }
    } tokens;
    connection->setTokenProvider(&tokens);
    QSignalSpy errors(connection, &Connection::errorOccurred);
    connection->open(ConnectionConfig().setTokenTimeout(1s));
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(errors.size(), 2);
    QCOMPARE(errors[0][0].value<ConnectionError>().code(), ConnectionError::TokenFailed);
    QVERIFY(errors[0][0].value<ConnectionError>().message().contains(s("keychain locked")));
    QCOMPARE(errors[1][0].value<ConnectionError>().code(), ConnectionError::TokenTimeout);
    QCOMPARE(tokens.asked, 3);
}

void tst_Connection::a5_theSessionIsThereWhileConnected()
{
    QSignalSpy connected(connection, &Connection::connected);
    open();
    QCOMPARE(connection->sessionInfo(), SessionInfo(s("sess_1"), s("user_1"), s("2026-01-28T10:00:00Z")));
    QCOMPARE(connected.size(), 1);
    QCOMPARE(connected[0][0].value<SessionInfo>().userId(), s("user_1"));
    connection->close();
    QCOMPARE(connection->sessionInfo(), SessionInfo());
}

void tst_Connection::a7_theTokenShowsUpNowhere()
{
    const QString secret = s("verysecret.eyJhbGciOi.JIUzI1");
    const LogRecorder recorder;
    QLoggingCategory::setFilterRules(s("everwire.*=true"));
    const auto quiet = qScopeGuard([] { QLoggingCategory::setFilterRules(QString()); });
    provider->setDebug(true);
    provider->setToken(secret);
    QSignalSpy received(connection, &Connection::messageReceived);
    QStringList said; // by all signals that have words
    connect(connection, &Connection::errorOccurred, this,
            [&](const ConnectionError &error) { said.append(error.message()); });
    const auto listen = [&said](const QString &words) { said.append(words); };
    connect(connection, &Connection::connectionError, this, listen);
    connect(connection, &Connection::authenticationError, this, listen);
    connect(connection, &Connection::messageRejected, this, listen);
    connect(connection, &Connection::disconnected, this, [&](int, const QString &why) { said.append(why); });
    connect(connection, &Connection::messagesDiscarded, this,
            [&](int, const QString &why) { said.append(why); });
    open();
    QVERIFY(connection->sendJson(message("x")));
    QTRY_COMPARE(server->messages().size(), 1);
    server->setAuth(TestServer::Auth::RefuseForm1);
    server->drop();
    QTRY_COMPARE(connection->state(), Connection::Error);
    qDebug() << provider.get() << provider->property("token") << connection->url()
             << connection->configuration() << connection->sessionInfo() << connection->messages()->at(0);

    const QStringList logged = recorder.lines();
    QVERIFY(!logged.isEmpty());
    QVERIFY(said.size() >= 4);
    for (const QString &line : logged + said)
        QVERIFY2(!line.contains(secret), qPrintable(line));
    for (int row = 0; row < connection->messages()->count(); ++row)
        QVERIFY(!connection->messages()->at(row).bytes().contains(secret.toUtf8()));
    QVERIFY(connection->messages()->count() > 0);
}

void tst_Connection::a8_aTokenIsNotSentInThePlain()
{
    connection->open(ConnectionConfig().setUrl(s("ws://example.invalid/")));
    QCOMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::InsecureTransport);
    QVERIFY(connection->error().contains(s("allowInsecureAuth")));
    // Allowed by word, and without a token there is nothing to protect.
    connection->open(ConnectionConfig().setUrl(s("ws://192.0.2.1/")).setAllowInsecureAuth(true));
    QCOMPARE(connection->state(), Connection::Connecting);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    connection->open(ConnectionConfig()
                         .setUrl(s("ws://192.0.2.1/")) // nobody's (RFC 5737), and closed before it is asked
                         .setAuthentication(ConnectionConfig::Authentication::None));
    QCOMPARE(connection->state(), Connection::Connecting);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

void tst_Connection::badTokensAreNotSent()
{
    provider->setToken(s("abc\n"));
    connection->open();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::InvalidToken);
    QVERIFY(connection->error().contains(s("U+000a")));
    QVERIFY(!connection->error().contains(s("abc")));
    QCOMPARE(server->connectionsSoFar(), 0);
}

void tst_Connection::q1_q4_whatIsQueuedGoesOutInOrderAfterAuthentication()
{
    connection->open();
    for (int i = 0; i < 50; ++i)
        QVERIFY(i % 3 ? connection->sendJson(message("n", i)) : connection->send(QByteArray::number(i)));
    QCOMPARE(connection->queuedMessages(), 50);
    QVERIFY(connection->bytesToWrite() > 0);
    QTRY_COMPARE(server->received().size(), 51);
    QVERIFY(server->received().first().bytes.contains("auth"));
    for (int i = 0; i < 50; ++i) {
        const TestServer::Received got = server->received().at(i + 1);
        QCOMPARE(got.isBinary, i % 3 == 0);
        QCOMPARE(got.bytes, got.isBinary ? QByteArray::number(i)
                                         : QJsonDocument(message("n", i)).toJson(QJsonDocument::Compact));
    }
    QTRY_COMPARE(connection->queuedMessages(), 0);
    QTRY_COMPARE(connection->bytesToWrite(), qint64(0));
}

void tst_Connection::q2_sendingWhileDisconnectedIsRefused()
{
    QSignalSpy rejected(connection, &Connection::messageRejected);
    QVERIFY(!connection->sendJson(message("x")));
    QVERIFY(!connection->send("text"));
    QCOMPARE(rejected.size(), 2);
    QVERIFY(rejected[0][0].toString().contains(s("open()")));
    // In Error it is queued, and sent when open() succeeds.
    provider->setToken(QString());
    connection->open();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QVERIFY(connection->sendJson(message("waits", 7)));
    provider->setToken(s("now"));
    connection->open();
    QTRY_COMPARE(server->messages().size(), 1);
    connection->close();
    QVERIFY(!connection->sendJson(message("x")));
}

void tst_Connection::q3_q6_limits()
{
    server->setAuth(TestServer::Auth::Silent);
    QSignalSpy rejected(connection, &Connection::messageRejected);
    QSignalSpy discarded(connection, &Connection::messagesDiscarded);
    connection->open(
        ConnectionConfig().setMaxQueuedMessages(3).setMaxQueuedBytes(1000).setMaxMessageSize(600));
    QVERIFY(!connection->send(QByteArray(601, 'x'))); // Q6
    QVERIFY(rejected.last()[0].toString().contains(s("600")));
    QVERIFY(connection->send(QByteArray(600, 'x')));
    QVERIFY(!connection->send(QByteArray(401, 'x'))); // bytes
    QVERIFY(connection->send(QByteArray(2, 'x')));
    QVERIFY(connection->send(QByteArray(2, 'x')));
    QVERIFY(!connection->send(QByteArray(2, 'x'))); // count
    QCOMPARE(rejected.size(), 3);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(discarded.size(), 1);
    QCOMPARE(discarded[0][0].toInt(), 3);

    connection->open(ConnectionConfig()
                         .setMaxQueuedMessages(3)
                         .setQueueOverflow(ConnectionConfig::QueueOverflow::DropOldest)
                         .setBinarySupported(false));
    for (int i = 0; i < 5; ++i)
        QVERIFY(connection->sendJson(message("n", i)));
    QVERIFY(!connection->send(QByteArray("binary")));
    QVERIFY(rejected.last()[0].toString().contains(s("binarySupported")));
    QTRY_COMPARE(discarded.size(), 3);
    QCOMPARE(connection->queuedMessages(), 3);
}

void tst_Connection::q5_jsonNeedsAType()
{
    open();
    QSignalSpy rejected(connection, &Connection::messageRejected);
    QVERIFY(!connection->sendJson({}));
    QVERIFY(!connection->sendJson({{s("type"), 5}}));
    QVERIFY(!connection->sendJson({{s("type"), QString()}}));
    QVERIFY(!connection->sendJson({{s("x"), 5}}, QByteArray("attachment")));
    QCOMPARE(rejected.size(), 4);
    QVERIFY(connection->sendJson(message("marker")));
    QTRY_COMPARE(server->messages().size(), 1);
}

void tst_Connection::q8_closeSaysWhatItDiscards()
{
    server->setAuth(TestServer::Auth::Silent);
    connection->open();
    for (int i = 0; i < 7; ++i)
        QVERIFY(connection->sendJson(message("n", i)));
    QSignalSpy discarded(connection, &Connection::messagesDiscarded);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(discarded.size(), 1);
    QCOMPARE(discarded[0][0].toInt(), 7);
    QTRY_COMPARE(connection->queuedMessages(), 0);
    // O6: so does the end of the provider.
    connection->open();
    QVERIFY(connection->sendJson(message("n")));
    int lost = 0;
    connect(connection, &Connection::messagesDiscarded, this, [&lost](int count) { lost += count; });
    provider.reset();
    QCOMPARE(lost, 1);
}

void tst_Connection::q8_whatWasAcceptedWhileConnectedGoesOutBeforeTheClose()
{
    open();
    for (int i = 0; i < 100; ++i)
        QVERIFY(connection->sendJson(message("n", i)));
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QTRY_COMPARE(server->messages().size(), 100);
    QTRY_COMPARE(server->lastCloseCode(), 1000);
}

void tst_Connection::q9_q10_pairsFromAThreadStayTogether()
{
    open(ConnectionConfig().setMaxQueuedMessages(100000));
    std::vector<std::thread> threads;
    std::atomic<int> accepted{0};
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 200; ++i) {
                const int n = t * 1000 + i;
                if (connection->sendJson(message("pair", n), QByteArray::number(n)))
                    ++accepted;
            }
        });
    }
    for (int i = 0; i < 200; ++i)
        QVERIFY(connection->sendJson(message("single", i)));
    for (auto &thread : threads)
        thread.join();
    QCOMPARE(accepted.load(), 600);
    QTRY_COMPARE(server->messages().size(), 1400);
    QList<int> last{-1, -1, -1};
    const QList<QByteArray> all = server->messages();
    for (int i = 0; i < all.size(); ++i) {
        const QJsonObject object = QJsonDocument::fromJson(all[i]).object();
        if (object.value(s("type")) != s("pair"))
            continue;
        const int n = object.value(s("n")).toInt();
        QCOMPARE(all.at(i + 1), QByteArray::number(n));
        QVERIFY(n % 1000 > last[n / 1000]);
        last[n / 1000] = n % 1000;
    }
}

void tst_Connection::m1_m2_m3_messagesReachTheirSubscribers()
{
    QList<QJsonObject> typed;
    QList<QVariant> any;
    QList<QByteArray> binaries;
    QStringList broken;
    connection->subscribe(s("ai_response"), this, [&](const QJsonObject &object) { typed.append(object); });
    connection->subscribe(s("*"), this, [&](const QVariant &payload) { any.append(payload); });
    connection->subscribe(s("binaryMessage"), this,
                          [&](const Message &message) { binaries.append(message.bytes()); });
    connect(connection, &Connection::parseError, this, [&](const QString &text) { broken.append(text); });
    QSignalSpy signal(connection, &Connection::messageReceived);
    open();
    for (const char *text : {R"({"type":"ai_response","content":"Grüße"})", "[1,2]", "\"text\"",
                             R"({"no":"type"})", R"({"type":7})", "not json", R"({"type":"other"})"})
        server->sendText(text);
    server->sendBinary("\x01\x02");
    QTRY_COMPARE(binaries.size(), 1);
    QCOMPARE(binaries.first(), QByteArray("\x01\x02"));
    QCOMPARE(typed.size(), 1);
    QCOMPARE(typed.first().value(s("content")).toString(), QString::fromUtf8("Grüße"));
    QCOMPARE(any.size(), 6);
    QCOMPARE(any[1].toJsonArray().size(), 2);
    QCOMPARE(any[2].toString(), s("text"));
    QCOMPARE(broken, QStringList{s("not json")});
    QCOMPARE(signal.size(), 6);
    QVERIFY(connection->isConnected());
}

void tst_Connection::m4_subscriptionsSurviveReconnectsAndClose()
{
    int heard = 0;
    auto context = std::make_unique<QObject>();
    Subscription subscription = connection->subscribe(s("x"), context.get(), [&heard] { ++heard; });
    open();
    server->sendText(R"({"type":"x"})");
    QTRY_COMPARE(heard, 1);
    dropAndComeBack();
    server->sendText(R"({"type":"x"})");
    QTRY_COMPARE(heard, 2);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    open();
    server->sendText(R"({"type":"x"})");
    QTRY_COMPARE(heard, 3);
    QVERIFY(subscription.isActive());
    context.reset();
    QVERIFY(!subscription.isActive());
    QSignalSpy signal(connection, &Connection::messageReceived);
    server->sendText(R"({"type":"x"})");
    QTRY_COMPARE(signal.size(), 1);
    QCOMPARE(heard, 3);
}

void tst_Connection::m5_lifecycleEventsByTheGuidesNames()
{
    QStringList events;
    QHash<QString, QVariant> values;
    for (const char *name :
         {"stateChange", "connected", "disconnected", "error", "connectionError", "authenticationError",
          "authenticationTimeout", "reconnecting", "maxReconnectAttemptsReached"}) {
        connection->subscribe(s(name), this, [&, name](const QVariant &value) {
            events.append(s(name));
            values.insert(s(name), value);
        });
    }
    open();
    QCOMPARE(events, (QStringList{s("stateChange"), s("stateChange"), s("stateChange"), s("connected")}));
    QCOMPARE(values[s("stateChange")].toString(), s("connected"));
    QCOMPARE(values[s("connected")].toMap().value(s("sessionId")).toString(), s("sess_1"));
    QVERIFY(provider->configure(s("simulation"), quick().setMaxReconnectAttempts(1).setAuthTimeout(30ms)));
    server->setAuth(TestServer::Auth::Silent);
    server->drop();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(values[s("disconnected")].toMap().value(s("code")).toInt(), 1006);
    QCOMPARE(values[s("reconnecting")].toMap().value(s("attempt")).toInt(), 1);
    QCOMPARE(values[s("maxReconnectAttemptsReached")].toInt(), 1);
    QCOMPARE(events.count(s("authenticationTimeout")), 1);
    QVERIFY(values[s("connectionError")].toString().contains(s("authTimeout")));
    QVERIFY(provider->configure(s("simulation"), quick()));
    provider->setToken(s("bad"));
    server->setAuth(TestServer::Auth::Accept);
    connection->open();
    QTRY_VERIFY(events.contains(s("authenticationError")));
    QVERIFY(values[s("error")].toMap().contains(s("isFinal")));
}

void tst_Connection::m5_aServerCannotPoseAsALifecycleEvent()
{
    int posed = 0;
    int errors = 0;
    for (const char *name :
         {"connected", "disconnected", "stateChange", "maxReconnectAttemptsReached", "parseError"})
        connection->subscribe(s(name), this, [&posed] { ++posed; });
    connection->subscribe(s("error"), this, [&errors] { ++errors; });
    open();
    posed = 0;
    QSignalSpy signal(connection, &Connection::messageReceived);
    for (const char *name :
         {"connected", "disconnected", "stateChange", "maxReconnectAttemptsReached", "parseError", "error"})
        server->sendText(QByteArray(R"({"type":")") + name + "\"}");
    QTRY_COMPARE(signal.size(), 6);
    QCOMPARE(posed, 0);
    QCOMPARE(errors, 1);
}

void tst_Connection::m7_messagesIsAModelOfBothDirections()
{
    open(ConnectionConfig().setHistoryLimit(5));
    QVERIFY(connection->sendJson(message("ours")));
    server->sendText(R"({"type":"theirs","content":"hi"})");
    MessageModel *model = connection->messages();
    QTRY_COMPARE(model->count(), 2);
    QCOMPARE(model->at(0).direction(), Message::Outgoing);
    QCOMPARE(model->data(model->index(1), MessageModel::TypeRole).toString(), s("theirs"));
    QCOMPARE(model->data(model->index(1), MessageModel::ConnectionTypeRole).toString(), s("simulation"));
    QCOMPARE(
        model->data(model->index(1), MessageModel::PayloadRole).toJsonObject().value(s("content")).toString(),
        s("hi"));
    server->sendMany(20,
                     [](int i) { return QByteArray(R"({"type":"n","n":)") + QByteArray::number(i) + '}'; });
    QTRY_COMPARE(model->at(4).json().value(s("n")).toInt(), 19);
    QCOMPARE(model->count(), 5);
}

void tst_Connection::h2_aBlockedUiLosesNothing()
{
    open(ConnectionConfig().setPingInterval(50ms).setPongTimeout(5s));
    QList<int> heard;
    connection->subscribe(
        s("n"), this, [&heard](const QJsonObject &object) { heard.append(object.value(s("n")).toInt()); });
    constexpr int count = 5000;
    server->sendMany(count,
                     [](int i) { return QByteArray(R"({"type":"n","n":)") + QByteArray::number(i) + '}'; });
    // The UI thread does nothing for longer than a heartbeat takes.
    QDeadlineTimer blocked(400);
    while (!blocked.hasExpired())
        std::this_thread::yield();
    QTRY_COMPARE(heard.size(), count);
    for (int i = 0; i < count; ++i)
        QCOMPARE(heard.at(i), i);
    QVERIFY(connection->isConnected());
    QCOMPARE(server->connectionsSoFar(), 1);
}

void tst_Connection::c1_c2_precedence()
{
    qputenv("PRECEDENCE_WS_URL", "ws://127.0.0.1:1/environment");
    qputenv("NEXT_PUBLIC_PRECEDENCE_WS_URL", "ws://127.0.0.1:1/web");
    const QString type = s("precedence");
    QCOMPARE(provider->configuration(type).url(), s("ws://127.0.0.1:1/environment"));
    qunsetenv("PRECEDENCE_WS_URL");
    QCOMPARE(provider->configuration(type).url(), s("ws://127.0.0.1:1/web"));
    QVERIFY(
        provider->configure(type, QVariantMap{{s("url"), server->url()}, {s("maxReconnectAttempts"), 7}}));
    QCOMPARE(provider->configuration(type).url(), server->url().toString());
    Connection *custom = provider->connection(type);
    custom->open(QVariantMap{{s("maxReconnectAttempts"), 2},
                             {s("options"), QVariantMap{{s("scenario"), s("emergency")}}}});
    QCOMPARE(custom->configuration().maxReconnectAttempts(), 2);
    QCOMPARE(custom->configuration().options().value(s("scenario")).toString(), s("emergency"));
    QCOMPARE(custom->url(), server->url());
    QTRY_VERIFY(custom->isConnected());
    qunsetenv("NEXT_PUBLIC_PRECEDENCE_WS_URL");
}

void tst_Connection::c3_badConfigurationIsRefusedByName()
{
    QVERIFY(!provider->configure(s("simulation"), QVariantMap{{s("maxReconectAttempts"), 3}}));
    QVERIFY(!provider->configure(s("simulation"), ConnectionConfig().setInitialReconnectDelay(-1ms)));
    QCOMPARE(provider->configuration(s("simulation")), quick());
    connection->open(QVariantMap{{s("url"), s("http://example.com")}});
    QCOMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::InvalidConfiguration);
    QVERIFY(connection->error().contains(s("url")));
    QVERIFY(connection->error().contains(s("http")));
    open(); // the good configuration is still there
}

void tst_Connection::c5_openWithAnotherConfigurationWarns()
{
    open(ConnectionConfig().setMaxQueuedMessages(7));
    const LogRecorder recorder;
    connection->open(ConnectionConfig().setMaxQueuedMessages(7));
    QCOMPARE(recorder.lines().size(), 0);
    connection->open(ConnectionConfig().setMaxQueuedMessages(8));
    QCOMPARE(recorder.lines().size(), 1);
    QVERIFY(recorder.lines().first().contains(s("another configuration")));
    QVERIFY(recorder.lines().first().contains(s("reconnect()")));
    QCOMPARE(connection->configuration().maxQueuedMessages(), 7);
    QVERIFY(connection->sendJson(message("marker")));
    QTRY_COMPARE(server->messages().size(), 1);
    QCOMPARE(server->connectionsSoFar(), 1);
}

void tst_Connection::c5_reconnectAppliesAndKeepsTheQueue()
{
    open();
    TestServer other;
    QVERIFY(provider->configure(s("simulation"), quick().setUrl(other.url())));
    QCOMPARE(server->openConnections(), 1); // not yet
    QSignalSpy states(connection, &Connection::stateChanged);
    connection->reconnect();
    QVERIFY(connection->sendJson(message("kept", 1)));
    QTRY_COMPARE(states.size(), 3);
    QCOMPARE(states[0][0].value<Connection::State>(), Connection::Connecting);
    QCOMPARE(connection->url(), other.url());
    QVERIFY(connection->sendJson(message("after", 2)));
    QTRY_COMPARE(numbers(server->messages() + other.messages()), (QList<int>{1, 2}));
    QTRY_COMPARE(server->openConnections(), 0);
    QCOMPARE(other.openConnections(), 1);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

void tst_Connection::c5_theUrlIsTheAttempts()
{
    open();
    TestServer other;
    QVERIFY(provider->configure(s("simulation"), quick().setUrl(other.url())));
    QCOMPARE(connection->url(), server->url()); // it is there yet
    server->drop();
    QTRY_COMPARE(other.openConnections(), 1);
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(connection->url(), other.url());
}

void tst_Connection::c4_debugSaysNoPayload()
{
    const LogRecorder recorder;
    connection->setDebug(true);
    open(ConnectionConfig().setUrl(server->url().toString() + s("?key=querysecret")));
    QVERIFY(connection->sendJson({{s("type"), s("out")}, {s("text"), s("payloadsecret")}}));
    server->sendText(R"({"type":"in","text":"payloadsecret"})");
    server->sendText("payloadsecret is no JSON");
    QSignalSpy broken(connection, &Connection::parseError);
    QTRY_COMPARE(broken.size(), 1);
    dropAndComeBack();
    const QString all = recorder.lines().join(QLatin1Char('\n'));
    QVERIFY(all.contains(s("type in")));
    QVERIFY(all.contains(s("authenticating -> connected")));
    QVERIFY2(!all.contains(s("secret")), qPrintable(all));
}

void tst_Connection::templatesAreFilledFromOptions()
{
    connection->open(ConnectionConfig().setUrl(server->url().toString() + s("sessions/{session_id}/stream")));
    QCOMPARE(connection->errorCode(), ConnectionError::NotConfigured);
    QVERIFY(connection->error().contains(s("session_id")));
    open(ConnectionConfig()
             .setUrl(server->url().toString() + s("sessions/{session_id}/stream"))
             .setOptions({{s("session_id"), s("a/b c")}}));
    QCOMPARE(connection->url().toString(QUrl::FullyEncoded),
             server->url().toString() + s("sessions/a%2Fb%20c/stream"));
}

void tst_Connection::propertiesCanBeBoundButNotWritten()
{
    QProperty<QString> label(
        [this] { return connection->bindableIsConnected().value() ? s("online") : s("offline"); });
    QCOMPARE(label.value(), s("offline"));
    open();
    QCOMPARE(label.value(), s("online"));
    QVERIFY(connection->bindableState().isReadOnly());
    QVERIFY(connection->bindableError().isReadOnly());
}

QTEST_GUILESS_MAIN(tst_Connection)
#include "tst_connection.moc"
