// SPDX-License-Identifier: MIT
//
// What QWebSocket does wrong (docs/qwebsocket.md), shown on a bare QWebSocket where that can be shown, and what
// the library makes of it.
#include "support/rawserver.h"
#include "support/testserver.h"

#include "transport/qwebsockettransport.h"

#include <Everwire/WebSocketProvider>

#include <QJsonDocument>
#include <QSignalSpy>
#include <QSslConfiguration>
#include <QTest>
#include <QThread>
#include <QWebSocket>
#include <QWebSocketHandshakeOptions>

#include <atomic>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

// How often a bare QWebSocket has reported an error.
std::shared_ptr<int> countErrors(QWebSocket &socket)
{
    auto count = std::make_shared<int>(0);
#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)
    QObject::connect(&socket, &QWebSocket::errorOccurred, [count] { ++*count; });
#else
    QObject::connect(&socket, qOverload<QAbstractSocket::SocketError>(&QWebSocket::error),
                     [count] { ++*count; });
#endif
    return count;
}

// The raw server's certificate is good while this lives.
class Trust
{
public:
    Trust() : m_before(QSslConfiguration::defaultConfiguration())
    {
        QSslConfiguration trusting = m_before;
        trusting.addCaCertificate(RawServer::certificate());
        QSslConfiguration::setDefaultConfiguration(trusting);
    }
    ~Trust() { QSslConfiguration::setDefaultConfiguration(m_before); }
    Q_DISABLE_COPY_MOVE(Trust)

private:
    QSslConfiguration m_before;
};

// Collects what a transport reports.
struct Listener final : TransportListener
{
    void transportOpened() override { ++opened; }
    void transportTextReceived(PaddedView utf8) override { texts.append(utf8.toByteArray()); }
    void transportBinaryReceived(QByteArray bytes) override { binaries.append(bytes); }
    void transportAlive() override { ++alive; }
    void transportWritten() override { ++written; }
    void transportEnded(const TransportEnd &end) override { ends.append(end); }

    int opened = 0;
    int alive = 0;
    int written = 0;
    QList<QByteArray> texts;
    QList<QByteArray> binaries;
    QList<TransportEnd> ends;
};

} // namespace

class tst_Traps : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void r8_aLossIsReportedAs1000ByQWebSocket_data();
    void r8_aLossIsReportedAs1000ByQWebSocket();
    void r9_aMuteServerIsLeftConnectingByQWebSocket();
    void r8_aLossOverTlsIs1006_data();
    void r8_aLossOverTlsIs1006();
    void a8_anUnknownCertificateIsRefused();
    void q7_overTlsBytesAreSeenThatQWebSocketHides();
    void aSecondOpenStartsClean();
    void aRefusedUpgradeEndsTheAttempt_data();
    void aRefusedUpgradeEndsTheAttempt();
    void aRefusedConnectionEndsOnce();
    void anUnknownHostIsNamed();
    void closeWhileConnectingIsSilent();
    void o3_aMutePeerIsAborted();
    void unknownCloseCodesAreWorthARetry();
    void closeCodesArriveAsSent_data();
    void closeCodesArriveAsSent();
    void r6_ourOwnVerdictIsRetried_data();
    void r6_ourOwnVerdictIsRetried();
    void m8_anIncomingMessageAboveTheLimitIs1009();
    void q6_textIsCutAtCodePoints();
    void q6_framesAreAtMostMaxFrameSize();
    void q7_aPeerThatStopsReading();
    void headersOfTheHandshakeAreRefused();
    void headersAndSubprotocolsAreSent();
    void h1_pingsOfTheServerAreLife();
    void h1_aPeerThatAnswersNoPingIsFound();
    void h1_theAnswerToOurPingIsHidden();
    void aStaleSocketIsNotHeard();

private:
    void start(ConnectionConfig config = {});

    std::unique_ptr<RawServer> raw;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
};

void tst_Traps::init()
{
    raw = std::make_unique<RawServer>();
    provider = std::make_unique<WebSocketProvider>();
    connection = provider->connection(s("raw"));
}

void tst_Traps::cleanup()
{
    provider.reset();
    raw.reset();
}

void tst_Traps::start(ConnectionConfig config)
{
    connection->open(ConnectionConfig()
                         .setUrl(raw->url())
                         .setAuthentication(ConnectionConfig::Authentication::None)
                         .setAutoReconnect(false)
                         .mergedWith(config));
}

void tst_Traps::r8_aLossIsReportedAs1000ByQWebSocket_data()
{
    QTest::addColumn<bool>("reset");
    QTest::newRow("RST") << true;
    QTest::newRow("FIN") << false;
}

void tst_Traps::r8_aLossIsReportedAs1000ByQWebSocket()
{
    QFETCH(const bool, reset);
    const auto end = [&] { reset ? raw->reset() : raw->finish(); };
    QWebSocket bare;
    QSignalSpy gone(&bare, &QWebSocket::disconnected);
    bare.open(raw->url());
    QTRY_COMPARE(bare.state(), QAbstractSocket::ConnectedState);
    end();
    QTRY_COMPARE(gone.size(), 1);
    QCOMPARE(int(bare.closeCode()), 1000); // the trap

    start();
    QTRY_VERIFY(connection->isConnected());
    end();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->closeCode(), 1006);
    QCOMPARE(connection->errorCode(), ConnectionError::ConnectionLost);
}

void tst_Traps::r9_aMuteServerIsLeftConnectingByQWebSocket()
{
    raw->setAnswer({});
    QWebSocket bare;
    bare.open(raw->url());
    QTRY_COMPARE(raw->connections(), 1);
    start(ConnectionConfig().setConnectTimeout(50ms));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::ConnectTimeout);
    QVERIFY(connection->error().contains(s("connectTimeout")));
    QTRY_VERIFY(!raw->isConnected());                         // and nothing of it is left
    QCOMPARE(bare.state(), QAbstractSocket::ConnectingState); // the trap: it would wait for good
}

void tst_Traps::r8_aLossOverTlsIs1006_data()
{
    r8_aLossIsReportedAs1000ByQWebSocket_data();
}

void tst_Traps::r8_aLossOverTlsIs1006()
{
    QFETCH(const bool, reset);
    const Trust trust;
    RawServer tls(RawServer::Security::Tls);
    QSignalSpy errors(connection, &Connection::errorOccurred);
    start(ConnectionConfig().setUrl(tls.url()));
    QTRY_VERIFY(connection->isConnected());
    reset ? tls.reset() : tls.finish();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->closeCode(), 1006);
    QCOMPARE(connection->errorCode(), ConnectionError::ConnectionLost);
    QCOMPARE(errors.size(), 1);
}

void tst_Traps::a8_anUnknownCertificateIsRefused()
{
    RawServer tls(RawServer::Security::Tls);
    QSignalSpy errors(connection, &Connection::errorOccurred);
    start(ConnectionConfig().setUrl(tls.url()));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::TlsFailed);
    QVERIFY2(connection->error().contains(s("certificate")), qPrintable(connection->error()));
    QCOMPARE(connection->closeCode(), 0);
    QCOMPARE(errors.size(), 1); // over TLS QWebSocket reports the error first and then the end
    QVERIFY(tls.request().isEmpty());
}

void tst_Traps::q7_overTlsBytesAreSeenThatQWebSocketHides()
{
    const Trust trust;
    RawServer tls(RawServer::Security::Tls);
    tls.setReads(false);
    constexpr qint64 size = 32 << 20; // more than the system takes for a peer that does not read
    QWebSocket bare;
    bare.open(tls.url());
    QTRY_COMPARE(bare.state(), QAbstractSocket::ConnectedState);
    bare.sendBinaryMessage(QByteArray(size, 'x'));
    QTRY_COMPARE(bare.bytesToWrite(), qint64(0)); // the trap

    QWebSocketTransport transport;
    Listener listener;
    transport.setListener(&listener);
    TransportTarget target;
    target.url = tls.url();
    target.maxFrameSize = target.maxIncomingSize = 1 << 20;
    transport.open(target);
    QTRY_COMPARE(listener.opened, 1);
    transport.sendBinary(QByteArray(size, 'x'));
    QTRY_VERIFY(listener.written > 0);
    QVERIFY(transport.bytesToWrite() > size / 4);
}

void tst_Traps::aSecondOpenStartsClean()
{
    QWebSocket bare;
    for (int round = 1; round <= 2; ++round) {
        bare.open(raw->url());
        QTRY_COMPARE(bare.state(), QAbstractSocket::ConnectedState);
        if (round == 1)
            raw->write(RawServer::closeFrame(4000));
        else
            raw->reset();
        QTRY_COMPARE(bare.state(), QAbstractSocket::UnconnectedState);
        QCOMPARE(int(bare.closeCode()), 4000); // in the second round that is the trap
    }

    for (const bool clean : {true, false}) {
        start();
        QTRY_VERIFY(connection->isConnected());
        QCOMPARE(connection->closeCode(), 0);
        clean ? raw->write(RawServer::closeFrame(4000)) : raw->reset();
        QTRY_COMPARE(connection->state(), Connection::Error);
        QCOMPARE(connection->closeCode(), clean ? 4000 : 1006);
    }
}

void tst_Traps::aRefusedUpgradeEndsTheAttempt_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("404") << QByteArray("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    QTest::newRow("302") << QByteArray("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n");
    QTest::newRow("wrong accept") << RawServer::upgrade().replace("{accept}", "bm9uc2Vuc2U=");
    QTest::newRow("not HTTP") << QByteArray("SSH-2.0-OpenSSH_9.2\r\n\r\n");
}

void tst_Traps::aRefusedUpgradeEndsTheAttempt()
{
    QFETCH(const QByteArray, answer);
    raw->setAnswer(answer);
    QSignalSpy errors(connection, &Connection::errorOccurred);
    start(ConnectionConfig().setConnectTimeout(20s));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::HandshakeFailed);
    QCOMPARE(connection->closeCode(), 0);
    QTRY_VERIFY(!raw->isConnected());
    QCOMPARE(errors.size(), 1);
}

void tst_Traps::aRefusedConnectionEndsOnce()
{
    const QUrl nobody = RawServer().url(); // its server is gone with this line
    QSignalSpy errors(connection, &Connection::errorOccurred);
    QSignalSpy failed(connection, &Connection::connectionError);
    start(ConnectionConfig().setUrl(nobody));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::ConnectionRefused);
    QVERIFY(connection->error().contains(nobody.authority()));
    // A second attempt's only error follows on the first's only one.
    connection->open();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(errors.size(), 2);
    QCOMPARE(failed.size(), 2);
}

void tst_Traps::anUnknownHostIsNamed()
{
    // Whichever comes first, the resolver's answer or the timeout, names the host.
    start(ConnectionConfig().setUrl(s("ws://no-such-host.invalid/path?key=secret")).setConnectTimeout(1s));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QVERIFY(connection->error().contains(s("no-such-host.invalid")));
    QVERIFY(!connection->error().contains(s("secret")));
}

void tst_Traps::closeWhileConnectingIsSilent()
{
    raw->setAnswer({});
    {
        RawServer other;
        QWebSocket bare;
        const auto spurious = countErrors(bare);
        bare.open(other.url());
        bare.close();
        QTRY_VERIFY(*spurious > 0); // the trap
    }
    QSignalSpy errors(connection, &Connection::errorOccurred);
    start();
    QTRY_COMPARE(raw->connections(), 1);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QTRY_VERIFY(!raw->isConnected());
    QCOMPARE(errors.size(), 0);
}

void tst_Traps::o3_aMutePeerIsAborted()
{
    raw->setReads(false);
    QWebSocket bare;
    bare.open(raw->url());
    QTRY_COMPARE(bare.state(), QAbstractSocket::ConnectedState);
    bare.sendBinaryMessage(QByteArray(32 << 20, 'x'));
    bare.close();
    start(ConnectionConfig().setCloseTimeout(50ms).setMaxQueuedBytes(64 << 20));
    QTRY_VERIFY(connection->isConnected());
    // More than the system takes for a peer that does not read: the Close frame stays behind it.
    QSignalSpy discarded(connection, &Connection::messagesDiscarded);
    for (int i = 0; i < 64; ++i)
        QVERIFY(connection->send(QByteArray(512 * 1024, 'x')));
    connection->close();
    QCOMPARE(connection->state(), Connection::Disconnecting);
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(discarded.size(), 1);
    QVERIFY(discarded[0][0].toInt() > 0 && discarded[0][0].toInt() <= 64);
    QCOMPARE(connection->bytesToWrite(), qint64(0));
    QCOMPARE(bare.state(), QAbstractSocket::ClosingState); // the trap: it would wait for good
}

void tst_Traps::unknownCloseCodesAreWorthARetry()
{
    start(ConnectionConfig().setAutoReconnect(true).setInitialReconnectDelay(1ms));
    QTRY_VERIFY(connection->isConnected());
    QSignalSpy waits(connection, &Connection::reconnecting);
    raw->write(RawServer::closeFrame(1012)); // service restart: QWebSocket makes 1002 of it
    QTRY_COMPARE(waits.size(), 1);
    QTRY_VERIFY(connection->isConnected());
}

void tst_Traps::closeCodesArriveAsSent_data()
{
    QTest::addColumn<int>("code");
    for (const int code : {1000, 1001, 1008, 1011, 3000, 4000, 4999})
        QTest::addRow("%d", code) << code;
}

void tst_Traps::closeCodesArriveAsSent()
{
    QFETCH(const int, code);
    start();
    QTRY_VERIFY(connection->isConnected());
    raw->write(RawServer::closeFrame(code));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->closeCode(), code);
    QCOMPARE(connection->errorCode(), ConnectionError::ClosedByServer);
}

void tst_Traps::r6_ourOwnVerdictIsRetried_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    QTest::newRow("reserved opcode") << RawServer::frame(0x3, "x") << 1002;
    QTest::newRow("invalid UTF-8") << RawServer::frame(0x1, "\xff\xfe") << 1007;
    QTest::newRow("continuation of nothing") << RawServer::frame(0x0, "x") << 1002;
    QTest::newRow("fragmented ping") << RawServer::frame(0x9, "x", false) << 1002;
    QTest::newRow("a reason cut inside a character") << RawServer::closeFrame(1000, "gr\xc3") << 1007;
    QTest::newRow("a balancer's HTTP") << QByteArray("HTTP/1.1 400 Bad Request\r\n\r\n") << 1002;
}

void tst_Traps::r6_ourOwnVerdictIsRetried()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const int, code);
    using Kind = ConnectionConfig::Transport;
    for (const Kind transport : {Kind::Automatic, Kind::QWebSocket}) {
        connection->close();
        QTRY_COMPARE(connection->state(), Connection::Disconnected);
        QSignalSpy ended(connection, &Connection::disconnected);
        QSignalSpy failed(connection, &Connection::errorOccurred);
        start(ConnectionConfig()
                  .setAutoReconnect(true)
                  .setInitialReconnectDelay(1ms)
                  .setCloseTimeout(20ms)
                  .setTransport(transport));
        QTRY_VERIFY(connection->isConnected());
        raw->write(bytes);
        QTRY_COMPARE(ended.size(), 1);
        QCOMPARE(ended.first().first().toInt(), code);
        QCOMPARE(failed.first().first().value<ConnectionError>().code(), ConnectionError::ProtocolViolation);
        QTRY_VERIFY(connection->isConnected()); // again
    }
}

void tst_Traps::m8_anIncomingMessageAboveTheLimitIs1009()
{
    start(ConnectionConfig().setMaxPendingBytes(100000));
    QTRY_VERIFY(connection->isConnected());
    QSignalSpy received(connection, &Connection::binaryMessageReceived);
    raw->write(RawServer::frame(0x2, QByteArray(90000, 'x')));
    QTRY_COMPARE(received.size(), 1);
    raw->write(RawServer::frame(0x2, QByteArray(100001, 'x')));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->closeCode(), 1009);
    QCOMPARE(received.size(), 1);
}

void tst_Traps::q6_textIsCutAtCodePoints()
{
    // A bare QWebSocket cuts at any byte, and another at the other end then gives up with 1007.
    TestServer server(TestServer::Auth::None);
    const QByteArray text = "{\"type\":\"text\",\"words\":\"" + QByteArray("aäöü€😀").repeated(9000) + "\"}";
    QWebSocket bare;
    QSignalSpy gone(&bare, &QWebSocket::disconnected);
    bare.open(server.url());
    QTRY_COMPARE(bare.state(), QAbstractSocket::ConnectedState);
    bare.setOutgoingFrameSize(32768);
    bare.sendTextMessage(QString::fromUtf8(text));
    QTRY_COMPARE(gone.size(), 1);
    QCOMPARE(int(bare.closeCode()), 1007); // the trap

    start(ConnectionConfig().setUrl(server.url()));
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(connection->send(QString::fromUtf8(text)));
    QTRY_COMPARE(server.messages().size(), 1);
    QCOMPARE(QJsonDocument::fromJson(server.messages().first()), QJsonDocument::fromJson(text));
    QVERIFY(connection->isConnected());
}

void tst_Traps::q6_framesAreAtMostMaxFrameSize()
{
    start(ConnectionConfig().setMaxFrameSize(1000));
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(connection->send(QByteArray(2500, 'x')));
    QVERIFY(connection->send(QString(2500, QLatin1Char('y'))));
    // Three frames each: a header of 8 bytes (two of them the length), and their share.
    QTRY_COMPARE(raw->rest().size(), 2 * (2500 + 3 * 8));
    for (qsizetype at = 0; at < raw->rest().size();) {
        const auto byte = [&](qsizetype i) { return static_cast<unsigned char>(raw->rest().at(at + i)); };
        QCOMPARE(byte(1), static_cast<unsigned char>(0x80 | 126)); // masked, a length of two bytes
        const int size = byte(2) * 256 + byte(3);
        QVERIFY(size <= 1000);
        at += 8 + size;
    }
}

void tst_Traps::q7_aPeerThatStopsReading()
{
    raw->setReads(false);
    constexpr qint64 bound = 8 << 20;
    start(ConnectionConfig()
              .setMaxQueuedBytes(bound)
              .setMaxQueuedMessages(1 << 30)
              .setHistoryLimit(0)
              .setCloseTimeout(10ms));
    QTRY_VERIFY(connection->isConnected());
    QSignalSpy rejected(connection, &Connection::messageRejected);
    int accepted = 0;
    while (rejected.isEmpty() && accepted < 4096) {
        accepted += connection->send(QByteArray(256 * 1024, 'x')) ? 1 : 0;
        QVERIFY(connection->bytesToWrite() <= bound);
        QCoreApplication::processEvents();
    }
    QCOMPARE(rejected.size(), 1);
    QVERIFY(rejected[0][0].toString().contains(s("maxQueuedBytes")));
    QVERIFY(connection->bytesToWrite() > bound / 2);
    // When the peer reads again, everything goes out.
    raw->setReads(true);
    QTRY_COMPARE_WITH_TIMEOUT(connection->bytesToWrite(), qint64(0), 30000);
    QTRY_VERIFY_WITH_TIMEOUT(raw->rest().size() >= accepted * qint64(256 * 1024), 30000);
}

void tst_Traps::headersOfTheHandshakeAreRefused()
{
    for (const char *name : {"Sec-WebSocket-Extensions", "sec-websocket-key", "Host", "Upgrade"}) {
        start(ConnectionConfig().setHeaders({{s(name), s("x")}}));
        QCOMPARE(connection->state(), Connection::Error);
        QCOMPARE(connection->errorCode(), ConnectionError::InvalidConfiguration);
        QVERIFY(connection->error().contains(s(name)));
    }
    start(ConnectionConfig().setHeaders({{s("X-Ok"), s("a\r\nX-Injected: b")}}));
    QCOMPARE(connection->errorCode(), ConnectionError::InvalidConfiguration);
    QCOMPARE(raw->connections(), 0);
}

void tst_Traps::headersAndSubprotocolsAreSent()
{
    start(ConnectionConfig().setHeaders({{s("X-Client"), s("everwire")}}).setProtocols({s("v2"), s("v1")}));
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(raw->request().contains("X-Client: everwire\r\n"));
    QVERIFY(raw->request().contains("Sec-WebSocket-Protocol: v2, v1\r\n"));
}

void tst_Traps::h1_pingsOfTheServerAreLife()
{
    QWebSocketTransport transport;
    Listener listener;
    transport.setListener(&listener);
    TransportTarget target;
    target.url = raw->url();
    target.maxFrameSize = target.maxIncomingSize = 1 << 20;
    transport.open(target);
    QTRY_COMPARE(listener.opened, 1);
    listener.alive = 0;
    raw->write(RawServer::frame(0x9, "hi")); // QWebSocket answers it and tells nobody
    QTRY_VERIFY(listener.alive > 0);
    listener.alive = 0;
    raw->write(RawServer::frame(0x1, "half a mess", false));
    QTRY_VERIFY(listener.alive > 0);
    QVERIFY(listener.texts.isEmpty());
}

void tst_Traps::h1_aPeerThatAnswersNoPingIsFound()
{
    QSignalSpy connected(connection, &Connection::connected);
    start(ConnectionConfig().setPingInterval(30ms).setPongTimeout(30ms)); // the raw server knows no pong
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connected.size(), 1);
    QCOMPARE(connection->errorCode(), ConnectionError::HeartbeatTimeout);
    QCOMPARE(connection->closeCode(), 1006);
}

void tst_Traps::h1_theAnswerToOurPingIsHidden()
{
    TestServer server(TestServer::Auth::None);
    start(ConnectionConfig()
              .setUrl(server.url())
              .setHeartbeat(ConnectionConfig::Heartbeat::Message)
              .setPingInterval(20ms));
    QThread thread;
    thread.start();
    QObject elsewhere;
    elsewhere.moveToThread(&thread);
    std::atomic<int> pongsElsewhere = 0;
    connection->subscribe(s("pong"), &elsewhere, [&] { ++pongsElsewhere; });
    int pongs = 0;
    connection->subscribe(s("pong"), this, [&] { ++pongs; });
    QSignalSpy received(connection, &Connection::messageReceived);
    QTRY_VERIFY(server.messages().contains(R"({"type":"ping"})"));
    server.sendText(R"({"type":"pong","session_id":"s","timestamp":"t"})");
    server.sendText(R"({"type":"ping"})"); // the server's own is for the app
    QTRY_COMPARE(received.size(), 1);
    QCOMPARE(received.first().first().value<Message>().type(), s("ping"));
    QCOMPARE(connection->messages()->count(), 1);
    QCOMPARE(pongs, 0);
    thread.quit();
    thread.wait();
    QCOMPARE(pongsElsewhere.load(), 0);
}

void tst_Traps::aStaleSocketIsNotHeard()
{
    auto *bare = new QWebSocket;
    int heard = 0;
    connect(bare, &QWebSocket::textMessageReceived, this, [bare, &heard] {
        ++heard;
        bare->deleteLater();
    });
    QSignalSpy deleted(bare, &QObject::destroyed);
    raw->setThen(RawServer::frame(0x1, "first") + RawServer::frame(0x1, "second"));
    bare->open(raw->url());
    QTRY_COMPARE(deleted.size(), 1);
    QCOMPARE(heard, 2); // the trap
    raw->setThen({});

    QSignalSpy received(connection, &Connection::messageReceived);
    start();
    QTRY_VERIFY(connection->isConnected());
    raw->setThen(RawServer::frame(0x1, R"({"type":"new"})"));
    raw->write(RawServer::frame(0x1, R"({"type":"old"})"));
    connection->close(); // the old message is under way
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    connection->open();
    QTRY_COMPARE(received.size(), 1);
    QCOMPARE(received[0][0].value<Message>().type(), s("new"));
}

QTEST_GUILESS_MAIN(tst_Traps)
#include "tst_traps.moc"
