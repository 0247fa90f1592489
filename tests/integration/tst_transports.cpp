// SPDX-License-Identifier: MIT
//
// What an app sees of our own transport: the options that choose and shape it, compression, pausing, redirects and
// Retry-After. The transport itself is tried in tests/contract, tests/conformance and tests/interop.
#include "support/rawserver.h"
#include "support/testserver.h"

#include <Everwire/WebSocketProvider>

#include <QSignalSpy>
#include <QTest>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

QByteArray deflatingUpgrade()
{
    return RawServer::upgrade().replace("\r\n\r\n",
                                        "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
}

constexpr int CompressedBit = 0x40;

} // namespace

class tst_Transports : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void c6_compressionIsOfferedUnlessOff();
    void c6_theTokenIsNeverCompressed();
    void qwebsocketCanBeChosen();
    void m8_readingPausesWhileTheAppIsBehind();
    void r5_aServerMaySayWhenToRetry();
    void aRedirectIsFollowedWhereThatIsWanted();
    void a8_aRedirectToAnotherHostIsNot();
    void a8_credentialsStayAtTheirOrigin_data();
    void a8_credentialsStayAtTheirOrigin();

private:
    [[nodiscard]] ConnectionConfig open() const
    {
        return ConnectionConfig()
            .setUrl(raw->url())
            .setAuthentication(ConnectionConfig::Authentication::None)
            .setAutoReconnect(false);
    }

    std::unique_ptr<RawServer> raw;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
};

void tst_Transports::init()
{
    raw = std::make_unique<RawServer>();
    provider = std::make_unique<WebSocketProvider>();
    connection = provider->connection(s("x"));
}

void tst_Transports::cleanup()
{
    provider.reset();
    raw.reset();
}

void tst_Transports::c6_compressionIsOfferedUnlessOff()
{
    connection->open(open());
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(
        raw->request().contains("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"));
    connection->close();
    QTRY_VERIFY(!raw->isConnected());
    connection->open(open().setCompression(ConnectionConfig::Compression::Off));
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(!raw->request().contains("Extensions"));
}

void tst_Transports::c6_theTokenIsNeverCompressed()
{
    raw->setAnswer(deflatingUpgrade());
    provider->setToken(QString(300, QLatin1Char('t')));
    connection->open(open()
                         .setAuthentication(ConnectionConfig::Authentication::FirstMessage)
                         .setCompressionThreshold(100));
    QTRY_COMPARE(raw->frames().size(), 1);
    QVERIFY((raw->frames().constFirst().first & CompressedBit) == 0);
    QVERIFY(raw->frames().constFirst().payload.contains(QByteArray(300, 't')));
    raw->write(RawServer::frame(0x1, R"({"type":"auth_success"})"));
    QTRY_VERIFY(connection->isConnected());

    QVERIFY(connection->send(QString(99, QLatin1Char('a')))); // below the threshold
    QVERIFY(connection->send(QString(300, QLatin1Char('t'))));
    QVERIFY(connection->send(QByteArray(300, 't'))); // sound is dense already
    QTRY_COMPARE(raw->frames().size(), 4);
    QVERIFY((raw->frames().at(1).first & CompressedBit) == 0);
    QVERIFY((raw->frames().at(2).first & CompressedBit) != 0);
    // Nothing of the token is in the context: the same letters are spelled out once more.
    QVERIFY(raw->frames().at(2).payload.size() > 4 && raw->frames().at(2).payload.size() < 30);
    QVERIFY((raw->frames().at(3).first & CompressedBit) == 0);
}

void tst_Transports::qwebsocketCanBeChosen()
{
    connection->open(open().setTransport(ConnectionConfig::Transport::QWebSocket));
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(!raw->request().contains("Extensions"));
    QVERIFY(raw->request().contains("Sec-WebSocket-Version"));
}

void tst_Transports::m8_readingPausesWhileTheAppIsBehind()
{
    TestServer server(TestServer::Auth::None);
    QSignalSpy left(connection, &Connection::stateChanged);
    connection->open(open().setUrl(server.url()).setMaxPendingBytes(1 << 20).setHistoryLimit(0));
    QTRY_VERIFY(connection->isConnected());
    left.clear();
    int received = 0;
    bool inOrder = true;
    connect(connection, &Connection::messageReceived, this, [&](const Message &message) {
        inOrder = inOrder && message.json().value(s("n")).toInt() == received;
        ++received;
    });
    // 64 MiB, while the app may be 1 MiB behind: the first wait for the event loop, and the rest for room.
    constexpr int total = 1000;
    server.sendMany(total, [](int i) {
        return R"({"type":"n","n":)" + QByteArray::number(i) + R"(,"pad":")" + QByteArray(64 * 1024, 'x') +
               "\"}";
    });
    QTRY_COMPARE_WITH_TIMEOUT(received, total, 60000);
    QVERIFY(inOrder);
    QCOMPARE(left.size(), 0);
}

void tst_Transports::r5_aServerMaySayWhenToRetry()
{
    raw->setAnswer("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n");
    QSignalSpy waits(connection, &Connection::reconnecting);
    connection->open(open().setAutoReconnect(true).setInitialReconnectDelay(1ms));
    QTRY_COMPARE(waits.size(), 1);
    QVERIFY(waits[0][1].toInt() >= 7000);
    QCOMPARE(connection->errorCode(), ConnectionError::HandshakeFailed);
    QVERIFY2(connection->error().contains(s("503 Busy")), qPrintable(connection->error()));
}

void tst_Transports::aRedirectIsFollowedWhereThatIsWanted()
{
    RawServer other;
    const QByteArray location =
        QByteArray("http://127.0.0.1:") + QByteArray::number(other.url().port()) + "/new";
    raw->setAnswer("HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: " + location +
                   "\r\n\r\n");
    connection->open(open());
    QTRY_COMPARE(connection->state(), Connection::Error);
    QVERIFY2(connection->error().contains(s("followRedirects")), qPrintable(connection->error()));
    QCOMPARE(other.connections(), 0);

    connection->open(open().setFollowRedirects(true));
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(other.request().startsWith("GET /new HTTP/1.1\r\n"));

    // In a circle: five are followed, and then it is enough.
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    raw->setAnswer("HTTP/1.1 308 Permanent Redirect\r\nContent-Length: 0\r\nLocation: /again\r\n\r\n");
    const int before = raw->connections();
    connection->open(open().setFollowRedirects(true));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(raw->connections() - before, 6);
}

void tst_Transports::a8_aRedirectToAnotherHostIsNot()
{
    RawServer other;
    for (const QByteArray &host :
         {QByteArray("localhost"), QByteArray("127.0.0.2"), QByteArray("evil.invalid")}) {
        raw->setAnswer("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ws://" + host + ':' +
                       QByteArray::number(other.url().port()) + "/\r\n\r\n");
        connection->open(open().setFollowRedirects(true));
        QTRY_COMPARE(connection->state(), Connection::Error);
        QVERIFY2(connection->error().contains(s("same host")), qPrintable(connection->error()));
        connection->close();
        QTRY_COMPARE(connection->state(), Connection::Disconnected);
    }
    QCOMPARE(other.connections(), 0);
}

void tst_Transports::a8_credentialsStayAtTheirOrigin_data()
{
    QTest::addColumn<bool>("token");
    QTest::addColumn<QByteArray>("location"); // %1: the port; %2: another one
    QTest::addColumn<bool>("isFollowed");
    for (const bool token : {true, false}) {
        const auto row = [token](const char *location, bool isFollowed) {
            QTest::addRow("%s, %s", token ? "token" : "header", location)
                << token << QByteArray(location) << isFollowed;
        };
        row("/elsewhere", true);
        row("ws://127.0.0.1:%1/x", true);
        row("http://127.0.0.1:%1/x", true);
        row("//127.0.0.1:%1/x", true);
        row("ws://user:secret@127.0.0.1:%1/x", true);
        row("ws://127.0.0.1:%2/x", false);
        row("//127.0.0.1:%2/x", false);
        row("http://127.0.0.1:%2/x", false);
        row("wss://127.0.0.1:%1/x", false);
        row("wss://127.0.0.1:%2/x", false);
        row("ws://127.0.0.1/x", false);
    }
}

void tst_Transports::a8_credentialsStayAtTheirOrigin()
{
    QFETCH(const bool, token);
    QFETCH(QByteArray, location);
    QFETCH(const bool, isFollowed);
    RawServer other;
    location.replace("%1", QByteArray::number(raw->url().port()));
    location.replace("%2", QByteArray::number(other.url().port()));
    raw->setAnswer("HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: " + location +
                   "\r\n\r\n");
    ConnectionConfig config = open().setFollowRedirects(true);
    if (token) {
        provider->setToken(s("SECRET-TOKEN"));
        config.setAuthentication(ConnectionConfig::Authentication::FirstMessage);
    } else {
        config.setHeaders({{s("Authorization"), s("Bearer SECRET-TOKEN")}});
    }
    connection->open(config);
    QTRY_COMPARE(connection->state(), Connection::Error); // it redirects without an end, or once
    QCOMPARE(raw->connections(), isFollowed ? 6 : 1);
    QCOMPARE(other.connections(), 0);
    QVERIFY2(connection->error().contains(s("it redirects to")), qPrintable(connection->error()));
    QVERIFY2(connection->error().contains(s("the same scheme, host and port")),
             qPrintable(connection->error()));
    QVERIFY(!connection->error().contains(s("secret"), Qt::CaseInsensitive));
}

QTEST_GUILESS_MAIN(tst_Transports)
#include "tst_transports.moc"
