// SPDX-License-Identifier: MIT
//
// What is on the wire, as a server of raw bytes sees it: nothing of the app's before auth_success, no token in the plain
// to another machine, and none where a redirect leads.
//
// EVERWIRE_SECURITY_SESSIONS says how many sessions are played, EVERWIRE_SECURITY_SEED what happens in them.
#include <Everwire/HttpPreparation>
#include <Everwire/HttpTokenProvider>
#include <Everwire/WebSocketProvider>

#include "support/httpserver.h"
#include "support/rawserver.h"
#include "support/transports.h"

#include <QDeadlineTimer>
#include <QJsonDocument>
#include <QNetworkProxy>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QTest>
#include <QTimer>

#include <random>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

const QByteArray Mark = "APP-DATA";
const QByteArray Barrier = "barrier";
constexpr auto Secret = "SECRET-token"_L1;
constexpr auto Patience = 25ms; // where what is waited for need not come

const QByteArray Success = R"({"type":"auth_success","session_id":"s"})";

bool isToken(const RawServer::Frame &frame)
{
    const QJsonObject message = QJsonDocument::fromJson(frame.payload).object();
    return message.value("type"_L1) == "auth"_L1 && message.value("token"_L1).toString().startsWith(Secret);
}

// Whether it comes true within *most*. Looks after each event, where QTest::qWaitFor() sleeps 10 ms.
template<typename Condition>
bool comesTrue(Condition &&condition, std::chrono::milliseconds most)
{
    const QDeadlineTimer deadline(most);
    QTimer waking;
    waking.start(most);
    while (!condition()) {
        if (deadline.hasExpired())
            return false;
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    }
    return true;
}

// An HTTP proxy that nobody may come to: it is where the token would be seen.
class Trap
{
public:
    Trap() : m_before(QNetworkProxy::applicationProxy())
    {
        m_server.setAnswer("HTTP/1.1 200 Connection established\r\n\r\n");
        QNetworkProxy::setApplicationProxy(
            {QNetworkProxy::HttpProxy, u"127.0.0.1"_s, quint16(m_server.url().port())});
    }
    ~Trap() { QNetworkProxy::setApplicationProxy(m_before); }
    Q_DISABLE_COPY_MOVE(Trap)

    [[nodiscard]] int connections() const { return m_server.connections(); }

private:
    RawServer m_server;
    QNetworkProxy m_before;
};

} // namespace

class TestWire : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();

    void a1_nothingBeforeSuccess_data();
    void a1_nothingBeforeSuccess();
    void a8_noByteToAnotherMachine_data();
    void a8_noByteToAnotherMachine();
    void a8_theTrapWorks();
    void a8_whicheverWayItIsConfigured();
    void a8_aProxyElsewhereIsNotThisMachine();
    void a8_namesBelowLocalhostAreTheDnss();
    void a8_redirectsOfTheUpgradeTakeNoToken_data();
    void a8_redirectsOfTheUpgradeTakeNoToken();
    void a8_redirectsOfHttpTakeNoToken_data();
    void a8_redirectsOfHttpTakeNoToken();

private:
    int below(int limit) { return int(m_random() % unsigned(limit)); }
    void playSession();
    void appDoes();
    void serverDoes();
    void judge(const QByteArray &stream, bool isAnswered);
    void settle() { QCoreApplication::processEvents(); }

    std::mt19937 m_random;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
    std::unique_ptr<RawServer> server;
    ConnectionConfig config;
    QSet<int> m_answered; // connections of the server
    int m_tokens = 0;
    int m_authenticated = 0;
    int m_streams = 0;
    int m_ofTheApp = 0;
};

void TestWire::initTestCase()
{
    const uint seed = qEnvironmentVariable("EVERWIRE_SECURITY_SEED", u"20260101"_s).toUInt();
    qInfo("seed %u", seed);
    m_random.seed(seed);
}

void TestWire::init()
{
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(QString(Secret));
    connection = provider->connection(u"simulation"_s);
    server = std::make_unique<RawServer>();
}

void TestWire::cleanup()
{
    provider.reset();
    server.reset();
}

void TestWire::a1_nothingBeforeSuccess_data()
{
    QTest::addColumn<ConnectionConfig::Transport>("transport");
    QTest::newRow("Frame") << ConnectionConfig::Transport::Automatic;
    QTest::newRow("QWebSocket") << ConnectionConfig::Transport::QWebSocket;
}

void TestWire::a1_nothingBeforeSuccess()
{
    QFETCH(ConnectionConfig::Transport, transport);
    const int sessions = qEnvironmentVariable("EVERWIRE_SECURITY_SESSIONS", u"400"_s).toInt() / 2;
    config = ConnectionConfig()
                 .setUrl(server->url())
                 .setTransport(transport)
                 .setInitialReconnectDelay(0ms)
                 .setCloseTimeout(1ms)
                 .setMaxReconnectAttempts(-1)
                 .setCompressionThreshold(0);
    m_authenticated = m_streams = m_ofTheApp = 0;
    for (int i = 0; i < sessions && !QTest::currentTestFailed(); ++i)
        playSession();
    qInfo("%d sessions, %d connections, %d of them authenticated, %d frames of the app", sessions, m_streams,
          m_authenticated, m_ofTheApp);
    // It was a test of something.
    QVERIFY(m_streams >= sessions && m_authenticated * 10 > sessions && m_ofTheApp > m_authenticated);
}

// A session is what happens between an open() and the end of its last connection.
void TestWire::playSession()
{
    server = std::make_unique<RawServer>();
    m_answered.clear();
    config.setUrl(server->url());
    connection->open(config);
    const int steps = 3 + below(12);
    for (int i = 0; i < steps; ++i) {
        below(2) == 0 ? appDoes() : serverDoes();
        settle();
        if (connection->state() == Connection::Error) {
            provider->setToken(QString(Secret) + QString::number(++m_tokens)); // the old one was refused
            connection->open(config);
        }
    }
    connection->close();
    // All that it was sent has been read.
    const auto isOver = [this] {
        return connection->state() == Connection::Disconnected && !server->isConnected();
    };
    QVERIFY(comesTrue(isOver, 5s));
    for (qsizetype i = 0; i < server->earlier().size(); ++i)
        judge(server->earlier().at(i), m_answered.contains(int(i) + 1));
    judge(server->rest(), m_answered.contains(server->connections()));
}

void TestWire::appDoes()
{
    const QByteArray data = Mark + QByteArray(below(300), 'x');
    const QJsonObject message{{u"type"_s, u"m"_s}, {u"text"_s, QString::fromLatin1(data)}};
    switch (below(10)) {
    case 0: connection->send(QString::fromLatin1(data)); break;
    case 1: connection->send(data); break;
    case 2: connection->sendJson(message); break;
    case 3: connection->sendJson(message, data); break;
    case 4: connection->request(message, 1s); break;
    case 5: connection->reconnect(); break;
    case 6:
        provider->configure(u"simulation"_s, ConnectionConfig().setMaxQueuedMessages(50 + below(100)));
        break;
    case 7:
        connection->close();
        connection->open(config);
        connection->sendJson(message);
        break;
    case 8: provider->setToken(QString(Secret) + QString::number(++m_tokens)); break;
    default: {
        const auto isThere = [this] {
            return server->connections() > 0 || connection->state() == Connection::Error;
        };
        QVERIFY(comesTrue(isThere, 5s));
    }
    }
}

void TestWire::serverDoes()
{
    // Nobody answers before the token has come.
    const auto hasTokenOrFailed = [this] {
        return (server->isConnected() && !server->frames().isEmpty()) ||
               connection->state() == Connection::Error;
    };
    const bool hasToken = comesTrue(hasTokenOrFailed, Patience);
    if (!hasToken || connection->state() == Connection::Error)
        return;
    switch (below(16)) {
    case 0: return server->write(RawServer::frame(0x1, R"({"type":"early"})"));
    case 1: return server->write(RawServer::frame(0x1, "no JSON"));
    case 2: return server->write(RawServer::frame(0x2, "binary"));
    case 3: return server->write(RawServer::frame(0x9, "ping"));
    case 4: return server->write(RawServer::closeFrame(1001));
    case 5: return server->reset();
    case 6: return server->write(RawServer::frame(0x1, R"({"type":"auth_error","error":"no"})"));
    default: break;
    }
    if (m_answered.contains(server->connections()))
        return;
    m_answered.insert(server->connections());
    // What came before this ping's pong was written without an answer.
    server->write(RawServer::frame(0x9, Barrier) + RawServer::frame(0x1, Success));
    // It may be on its way out; what the app says next is the more interesting where it is not.
    (void)comesTrue([this] { return connection->isConnected(); }, Patience);
}

void TestWire::judge(const QByteArray &stream, bool isAnswered)
{
    ++m_streams;
    bool mayCome = false;
    int tokens = 0;
    const auto frames = RawServer::framesIn(stream);
    for (const RawServer::Frame &frame : frames) {
        QVERIFY(frame.isMasked);
        if (frame.opcode() == 0xa && frame.payload == Barrier)
            mayCome = isAnswered;
        if (frame.opcode() >= 8)
            continue;
        if (isToken(frame)) {
            QCOMPARE(frame.first, 0x81); // whole and not compressed
            QCOMPARE(++tokens, 1);
        } else {
            QVERIFY2(mayCome, "a frame of the app's came before auth_success");
            ++m_ofTheApp;
        }
    }
    m_authenticated += mayCome ? 1 : 0;
    // Below the frames as well: masked with the zero mask, or in no frame.
    QVERIFY(!stream.contains(Mark));
}

void TestWire::a8_noByteToAnotherMachine_data()
{
    QTest::addColumn<QString>("host");
    for (const char *host :
         {"server.test", "192.0.2.7", "[2001:db8::1]", "0.0.0.0", "[::]", "127.0.0.1.test", "localhost.test",
          "localhost.", "notlocalhost", "api.localhost", "localhost@evil.test", "127.0.0.1:80@evil.test",
          "user:localhost@evil.test", "[::ffff:192.0.2.7]", "128.0.0.1", "xn--lcalhost-54a",
          "evil.test%2f@localhost.evil.test", "LOCALHOST.EVIL.TEST"})
        QTest::newRow(host) << QString::fromLatin1(host);
}

void TestWire::a8_noByteToAnotherMachine()
{
    QFETCH(QString, host);
    const Trap trap;
    for (const auto transport :
         {ConnectionConfig::Transport::Automatic, ConnectionConfig::Transport::QWebSocket}) {
        connection->open(ConnectionConfig().setUrl(u"ws://%1/"_s.arg(host)).setTransport(transport));
        QCOMPARE(connection->state(), Connection::Error); // at once
        QVERIFY2(connection->errorCode() == ConnectionError::InsecureTransport ||
                     connection->errorCode() == ConnectionError::InvalidConfiguration,
                 qPrintable(connection->error()));
    }
    // The same of what would ask for a token, or carry it.
    HttpTokenProvider tokens(QUrl(u"http://%1/token"_s.arg(host)));
    tokens.setHeaders({{u"Authorization"_s, QString(Secret)}});
    tokens.setRetries(0);
    std::optional<TokenResult> result;
    tokens.request(this, [&](const TokenResult &answer) { result = answer; });
    QTRY_VERIFY(result);
    QCOMPARE(result->kind, TokenResult::Failed);
    HttpPreparation preparation;
    preparation.setUrl(u"http://%1/sessions"_s.arg(host));
    connection->setPreparation(&preparation);
    connection->open(ConnectionConfig().setUrl(server->url().toString() + u"{session_id}"_s));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::PreparationFailed);
    connection->setPreparation(nullptr);
    QCOMPARE(trap.connections(), 0);
    QCOMPARE(server->connections(), 0);
}

// What the rows above are refused, this is allowed, and then somebody is there.
void TestWire::a8_theTrapWorks()
{
    const Trap trap;
    connection->open(ConnectionConfig().setUrl(u"ws://server.test/"_s).setAllowInsecureAuth(true));
    QTRY_VERIFY(trap.connections() > 0);
}

void TestWire::a8_whicheverWayItIsConfigured()
{
    const Trap trap;
    const QString bad = u"ws://server.test/"_s;
    const auto refused = [this] { return connection->errorCode() == ConnectionError::InsecureTransport; };
    QVERIFY(provider->configure(u"simulation"_s, ConnectionConfig().setUrl(bad)));
    connection->open();
    QVERIFY(refused());
    connection->open(QVariantMap{{u"url"_s, bad}});
    QVERIFY(refused());
    connection->open(
        ConnectionConfig().setUrl(u"ws://{host}/"_s).setOptions({{u"host"_s, u"server.test"_s}}));
    QVERIFY(refused());
    connection->forget();
    // Over a live connection: it goes on where it is, and nothing goes elsewhere.
    connection->open(ConnectionConfig().setUrl(server->url()));
    QTRY_VERIFY(!server->frames().isEmpty());
    server->write(RawServer::frame(0x1, Success));
    QTRY_VERIFY(connection->isConnected());
    connection->open(ConnectionConfig().setUrl(bad));
    QVERIFY(connection->isConnected());
    connection->forget();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    // By what a preparation finds.
    HttpServer http;
    http.answerJson(R"({"host":"server.test"})");
    HttpPreparation preparation;
    preparation.setUrl(http.url().toString());
    connection->setPreparation(&preparation);
    connection->open(ConnectionConfig().setUrl(u"ws://{host}/"_s));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QVERIFY2(connection->error().contains("unencrypted"_L1), qPrintable(connection->error()));
    QCOMPARE(trap.connections(), 0);
}

// "localhost" is what the proxy calls so.
void TestWire::a8_aProxyElsewhereIsNotThisMachine()
{
    for (const char *proxy : {"http://proxy.test:3128", "socks5://user:word@192.0.2.1:1080"}) {
        connection->open(ConnectionConfig().setUrl(server->url()).setProxy(QString::fromLatin1(proxy)));
        QCOMPARE(connection->state(), Connection::Error);
        QCOMPARE(connection->errorCode(), ConnectionError::InsecureTransport);
        QVERIFY2(connection->error().contains("the proxy"_L1), qPrintable(connection->error()));
        QVERIFY2(!connection->error().contains("word"_L1), qPrintable(connection->error()));
    }
    connection->open(ConnectionConfig().setUrl(server->url()).setProxy(u"none"_s));
    QTRY_VERIFY(!server->frames().isEmpty());
}

// An HTTP proxy of the application's is asked for them by Qt, and without one the DNS is.
void TestWire::a8_namesBelowLocalhostAreTheDnss()
{
    const Trap trap;
    connection->open(ConnectionConfig().setUrl(u"ws://api.localhost/"_s));
    QCOMPARE(connection->errorCode(), ConnectionError::InsecureTransport);
    connection->open(ConnectionConfig().setUrl(u"ws://api.localhost/"_s).setAllowInsecureAuth(true));
    QTRY_VERIFY(trap.connections() > 0);
}

void TestWire::a8_redirectsOfTheUpgradeTakeNoToken_data()
{
    QTest::addColumn<QByteArray>("location");
    for (const char *location :
         {"ws://127.0.0.2:%1/", "http://127.0.0.2:%1/", "//127.0.0.2:%1/", "ws://localhost:%1/",
          "ws://127.0.0.1@127.0.0.2:%1/", "\\\\127.0.0.2:%1/", "ws://server.test:%1/", "WS://[::1]:%1/",
          "ftp://127.0.0.1:%1/", "file:///etc/passwd", "javascript:0", "ws:127.0.0.2:%1"})
        QTest::newRow(location) << QByteArray(location);
}

void TestWire::a8_redirectsOfTheUpgradeTakeNoToken()
{
    QFETCH(QByteArray, location);
    RawServer other;
    RawServer neighbour(RawServer::Security::Plain, QHostAddress(u"127.0.0.2"_s));
    const Trap trap;
    const RawServer &meant = location.contains("127.0.0.2") ? neighbour : other;
    location.replace("%1", QByteArray::number(meant.url().port()));
    server->setAnswer("HTTP/1.1 307 Elsewhere\r\nContent-Length: 0\r\nLocation: " + location + "\r\n\r\n");
    for (const auto transport :
         {ConnectionConfig::Transport::Automatic, ConnectionConfig::Transport::QWebSocket}) {
        connection->open(ConnectionConfig()
                             .setUrl(server->url())
                             .setFollowRedirects(true)
                             .setTransport(transport)
                             .setAutoReconnect(false)
                             .setHeaders({{u"Authorization"_s, QString(Secret)}}));
        QTRY_COMPARE(connection->state(), Connection::Error);
    }
    QCOMPARE(other.connections() + neighbour.connections(), 0);
    QCOMPARE(trap.connections(), 0);
}

void TestWire::a8_redirectsOfHttpTakeNoToken_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("location");
    for (const int status : {301, 302, 303, 307, 308}) {
        for (const char *location : {"http://127.0.0.1:%1/x", "http://localhost:%1/x", "//127.0.0.1:%1/x",
                                     "http://server.test/x", "https://127.0.0.1:%1/x"})
            QTest::addRow("%d %s", status, location) << status << QString::fromLatin1(location);
    }
}

void TestWire::a8_redirectsOfHttpTakeNoToken()
{
    QFETCH(int, status);
    QFETCH(QString, location);
    HttpServer http;
    RawServer other;
    const Trap trap;
    const QByteArray to =
        location.contains("%1"_L1) ? location.arg(other.url().port()).toLatin1() : location.toLatin1();
    http.answer(status, {}, "Location: " + to + "\r\n");

    HttpTokenProvider tokens(http.url());
    tokens.setMethod(u"POST"_s);
    tokens.setHeaders({{u"Authorization"_s, QString(Secret)}});
    tokens.setBody({{u"refresh"_s, QString(Secret)}});
    tokens.setRetries(0);
    std::optional<TokenResult> result;
    tokens.request(this, [&](const TokenResult &answer) { result = answer; });
    QTRY_VERIFY(result);
    QCOMPARE(result->kind, TokenResult::Failed);

    HttpPreparation preparation;
    preparation.setUrl(http.url().toString());
    connection->setPreparation(&preparation);
    connection->open(ConnectionConfig().setUrl(server->url().toString() + u"{id}"_s).setAutoReconnect(false));
    QTRY_COMPARE(connection->state(), Connection::Error);
    connection->setPreparation(nullptr);
    QCOMPARE(http.requests().size(), 2);
    QCOMPARE(http.requests().at(1).headers.value("authorization"), "Bearer SECRET-token");
    QCOMPARE(other.connections(), 0);
    QCOMPARE(trap.connections(), 0);
    QCOMPARE(server->connections(), 0);
}

QTEST_GUILESS_MAIN(TestWire)
#include "tst_wire.moc"
