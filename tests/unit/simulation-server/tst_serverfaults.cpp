// SPDX-License-Identifier: MIT
#include "serverfixture.h"
#include "testclient.h"

#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTcpSocket>
#include <QTest>
#include <QThread>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using Kind = Fault::Kind;

namespace {

Fault fault(Kind kind, std::chrono::milliseconds duration = 0ms)
{
    return {kind, duration, 1000, {}};
}

QJsonObject request(const QString &kind, int ms = 0)
{
    return {{u"type"_s, u"fault"_s}, {u"kind"_s, kind}, {u"ms"_s, ms}};
}

const QJsonObject ping{{u"type"_s, u"ping"_s}};

// A WebSocket client that is nothing but a TCP connection, to see what exactly the server sends.
class RawClient : public QTcpSocket
{
public:
    void openWebSocket(const QUrl &url)
    {
        connect(this, &QTcpSocket::connected, this, [this, url] {
            write("GET " + url.path().toLatin1() + "?" + url.query().toLatin1() +
                  " HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
        });
        connect(this, &QTcpSocket::readyRead, this, [this] { received += readAll(); });
        connectToHost(url.host(), quint16(url.port()));
    }

    void sendText(const QByteArray &text)
    {
        QByteArray frame("\x81");
        if (text.size() < 126)
            frame += char(0x80 | text.size());
        else
            frame += QByteArray("\xFE") + char(text.size() >> 8) + char(text.size() & 0xFF);
        write(frame + QByteArray(4, '\0') + text); // a mask of zeros leaves the text as it is
    }

    [[nodiscard]] bool isUpgraded() const { return received.contains("\r\n\r\n"); }

    // What came after the handshake.
    [[nodiscard]] QByteArray frames() const { return received.mid(received.indexOf("\r\n\r\n") + 4); }

    QByteArray received;
};

} // namespace

class TestServerFaults : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void dropSendsNoCloseFrame();
    void closeByMessage();
    void silenceByMessage();
    void silenceAnswersNoWebSocketPing();
    void peerThatLeavesDuringSilenceIsNoticed();
    void slowByMessage();
    void wrongFaultIsExplained();
    void faultsByUrl_data();
    void faultsByUrl();
    void silentAuthLeavesItToTheClient();
    void dropAfterByUrl();
    void unknownFaultInUrl();
    void faultsCanBeTurnedOff();
    void faultsOfTheFirstConnections();
    void apiReachesEveryConnection();
    void heartbeat();
    void peerWithoutPongIsClosed();
    void closeAndListenAgain();
    void runsInItsOwnThread();

private:
    void join(TestClient &client, const QString &urlFault = {});

    ServerOptions m_options;
    std::unique_ptr<SimulationServer> m_server;
};

void TestServerFaults::init()
{
    m_options = quickOptions();
    m_options.sendOpening = false;
    m_server = startServer(m_options);
    QVERIFY(m_server);
}

void TestServerFaults::join(TestClient &client, const QString &urlFault)
{
    client.start(m_server->streamUrl(u"f"_s, {}, {}, urlFault), m_server->token());
    QTRY_COMPARE(client.count(u"auth_success"_s), 1);
}

void TestServerFaults::dropSendsNoCloseFrame()
{
    for (const bool gently : {false, true}) {
        RawClient client;
        client.openWebSocket(m_server->streamUrl(u"f"_s));
        QTRY_VERIFY(client.isUpgraded());
        client.sendText("{\"type\":\"auth\",\"token\":\"" + m_server->token().toLatin1() + "\"}");
        QTRY_VERIFY(client.frames().contains("auth_success"));
        client.received = "\r\n\r\n";
        client.sendText(gently ? R"({"type":"fault","kind":"close","code":4000})"
                               : R"({"type":"fault","kind":"drop"})");
        QTRY_COMPARE(client.state(), QAbstractSocket::UnconnectedState);
        QCOMPARE(client.frames(), gently ? QByteArray("\x88\x02\x0F\xA0") : QByteArray()); // 0x0FA0 is 4000
    }
}

void TestServerFaults::closeByMessage()
{
    TestClient client;
    join(client);
    client.sendJson(
        {{u"type"_s, u"fault"_s}, {u"kind"_s, u"close"_s}, {u"code"_s, 4321}, {u"reason"_s, u"Because"_s}});
    QTRY_VERIFY(client.ended);
    QCOMPARE(int(client.closeCode()), 4321);
    QCOMPARE(client.closeReason(), u"Because"_s);
}

void TestServerFaults::silenceByMessage()
{
    TestClient client;
    join(client);
    QElapsedTimer clock;
    clock.start();
    client.sendJson(request(u"silence"_s, 200));
    client.sendJson(ping);
    client.sendJson(ping);
    QTRY_COMPARE(client.count(u"pong"_s), 2); // late, but nothing is lost
    QVERIFY2(clock.elapsed() >= 190, qPrintable(QString::number(clock.elapsed())));
}

void TestServerFaults::silenceAnswersNoWebSocketPing()
{
    TestClient client;
    join(client);
    QSignalSpy pongs(&client, &QWebSocket::pong);
    client.ping("before");
    QTRY_COMPARE(pongs.size(), 1);
    QElapsedTimer clock;
    clock.start();
    m_server->applyFault(fault(Kind::Silence, 200ms));
    client.ping("during");
    QTRY_COMPARE(pongs.size(), 2);
    QVERIFY2(clock.elapsed() >= 190, qPrintable(QString::number(clock.elapsed())));
}

void TestServerFaults::peerThatLeavesDuringSilenceIsNoticed()
{
    {
        TestClient client;
        join(client);
        m_server->applyFault(fault(Kind::Silence));
        client.abort();
        QCOMPARE(m_server->connectionCount(), 1);
    }
    QTRY_COMPARE(m_server->connectionCount(), 0);
}

void TestServerFaults::slowByMessage()
{
    TestClient client;
    join(client);
    client.sendJson(request(u"slow"_s, 100));
    QElapsedTimer clock;
    clock.start();
    client.sendJson(ping);
    client.sendTextMessage(u"{\"type\":\"echo\"}"_s);
    QTRY_COMPARE(client.count(u"echo"_s), 1);
    QCOMPARE(client.count(u"pong"_s), 1);
    QVERIFY2(clock.elapsed() >= 95, qPrintable(QString::number(clock.elapsed())));
    client.sendJson(request(u"slow"_s, 0));
    client.sendJson(ping);
    QTRY_COMPARE(client.count(u"pong"_s), 2);
}

void TestServerFaults::wrongFaultIsExplained()
{
    TestClient client;
    join(client);
    client.sendJson(request(u"explode"_s));
    QTRY_COMPARE(client.errorText(), u"unknown fault kind; use drop, close, silence or slow"_s);
}

void TestServerFaults::faultsByUrl_data()
{
    QTest::addColumn<QString>("urlFault");
    QTest::addColumn<QStringList>("types");
    QTest::addColumn<int>("closeCode"); // 0: there is no Close frame
    QTest::newRow("reject") << u"reject-auth"_s << QStringList{u"auth_error"_s} << 4001;
    QTest::newRow("drop") << u"drop-auth"_s << QStringList() << 0;
    QTest::newRow("close") << u"close-4444"_s << QStringList{u"auth_success"_s} << 4444;
    QTest::newRow("close finally") << u"close-1008"_s << QStringList{u"auth_success"_s} << 1008;
}

void TestServerFaults::faultsByUrl()
{
    QFETCH(QString, urlFault);
    QFETCH(QStringList, types);
    QFETCH(int, closeCode);
    TestClient client;
#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)
    QSignalSpy errors(&client, &QWebSocket::errorOccurred);
#else
    QSignalSpy errors(&client, QOverload<QAbstractSocket::SocketError>::of(&QWebSocket::error));
#endif
    client.start(m_server->streamUrl(u"f"_s, {}, {}, urlFault), m_server->token());
    QTRY_VERIFY(client.ended);
    QStringList received;
    for (const QJsonObject &message : client.messages)
        received.append(message.value(u"type"_s).toString());
    QCOMPARE(received, types);
    if (closeCode != 0)
        QCOMPARE(int(client.closeCode()), closeCode);
    else
        QCOMPARE(errors.size(), 1); // Qt reports 1000 for a lost connection; only this tells
}

void TestServerFaults::silentAuthLeavesItToTheClient()
{
    m_options.authTimeout = 20ms;
    m_server = startServer(m_options);
    TestClient silenced;
    silenced.start(m_server->streamUrl(u"f"_s, {}, {}, u"silence-auth"_s), m_server->token());
    QTRY_COMPARE(silenced.state(), QAbstractSocket::ConnectedState);
    TestClient other; // its time runs out while the first one's would, too
    other.open(m_server->url());
    QTRY_VERIFY(other.ended);
    QCOMPARE(int(other.closeCode()), 4002);
    QVERIFY(!silenced.ended);
    QVERIFY(silenced.messages.isEmpty());
}

void TestServerFaults::dropAfterByUrl()
{
    TestClient client;
    QElapsedTimer clock;
    clock.start();
    join(client, u"drop-after-100"_s);
    client.sendJson(ping);
    QTRY_COMPARE(client.count(u"pong"_s), 1);
    QTRY_VERIFY(client.ended);
    QVERIFY2(clock.elapsed() >= 95, qPrintable(QString::number(clock.elapsed())));
}

void TestServerFaults::unknownFaultInUrl()
{
    TestClient client;
    join(client, u"melt"_s);
    QTRY_VERIFY2(client.errorText().contains(u"drop-after-<ms>"_s), qPrintable(client.errorText()));
    QVERIFY(!client.ended);
}

void TestServerFaults::faultsCanBeTurnedOff()
{
    m_options.faultsEnabled = false;
    m_server = startServer(m_options);
    TestClient client;
    join(client, u"reject-auth"_s);
    client.sendJson(request(u"drop"_s));
    client.sendJson(ping);
    QTRY_COMPARE(client.count(u"pong"_s), 1);
    QVERIFY2(client.errorText().contains(u"unknown message type"_s), qPrintable(client.errorText()));

    m_server->applyFault(fault(Kind::Drop));
    QTRY_VERIFY(client.ended);
}

void TestServerFaults::faultsOfTheFirstConnections()
{
    m_server->setConnectionFault(fault(Kind::RejectAuth), 2);
    for (int i = 0; i < 2; ++i) {
        TestClient refused;
        refused.start(m_server->url(), m_server->token());
        QTRY_VERIFY(refused.ended);
        QCOMPARE(refused.count(u"auth_error"_s), 1);
    }
    TestClient accepted;
    join(accepted);
}

void TestServerFaults::apiReachesEveryConnection()
{
    TestClient first;
    join(first);
    TestClient second;
    join(second);
    TestClient third; // not authenticated
    third.open(m_server->url());
    QTRY_COMPARE(m_server->connectionCount(), 3);
    m_server->applyFault({Kind::Close, 0ms, 4005, u"All of you"_s});
    for (TestClient *client : {&first, &second, &third}) {
        QTRY_VERIFY(client->ended);
        QCOMPARE(int(client->closeCode()), 4005);
    }
    QTRY_COMPARE(m_server->connectionCount(), 0);
}

void TestServerFaults::heartbeat()
{
    m_options.pingInterval = 20ms;
    m_options.pongTimeout = 300ms;
    m_server = startServer(m_options);
    TestClient client;
    join(client);
    QElapsedTimer clock;
    clock.start();
    QTRY_VERIFY(clock.hasExpired(900)); // three times the time it would live without its pongs
    client.sendJson(ping);
    QTRY_COMPARE(client.count(u"pong"_s), 1);
}

void TestServerFaults::peerWithoutPongIsClosed()
{
    m_options.pingInterval = 20ms;
    m_options.pongTimeout = 60ms;
    m_server = startServer(m_options);
    RawClient client;
    client.openWebSocket(m_server->url());
    QTRY_COMPARE(client.state(), QAbstractSocket::ConnectedState);
    QTRY_COMPARE(client.state(), QAbstractSocket::UnconnectedState);
    QVERIFY(client.frames().startsWith(QByteArray("\x89\x00", 2))); // a ping
    QVERIFY(client.frames().contains("No pong"));
    QTRY_COMPARE(m_server->connectionCount(), 0);
}

void TestServerFaults::closeAndListenAgain()
{
    TestClient client;
    join(client);
    m_server->close();
    QTRY_VERIFY(client.ended);
    QCOMPARE(int(client.closeCode()), 1001);
    QVERIFY2(m_server->listen(), qPrintable(m_server->errorString()));
    TestClient again;
    join(again);
    QCOMPARE(m_server->sessionCount(), 1);
}

void TestServerFaults::runsInItsOwnThread()
{
    QThread thread;
    auto *server = new SimulationServer(m_options);
    server->moveToThread(&thread);
    connect(&thread, &QThread::finished, server, &QObject::deleteLater);
    thread.start();
    bool listening = false;
    QMetaObject::invokeMethod(
        server, [&] { listening = server->listen(); }, Qt::BlockingQueuedConnection);
    QVERIFY(listening);
    TestClient client;
    client.start(server->streamUrl(u"t"_s), server->token());
    QTRY_COMPARE(client.count(u"auth_success"_s), 1);
    client.completeTurn();
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    thread.quit();
    QVERIFY(thread.wait(5000));
    QTRY_VERIFY(client.ended);
}

QTEST_GUILESS_MAIN(TestServerFaults)
#include "tst_serverfaults.moc"
