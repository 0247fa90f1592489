// SPDX-License-Identifier: MIT
//
// The client ends connections itself, at random moments and in every way there is, against a server that reads slowly, streams
// and floods with pings: of every message that was accepted it is known whether it arrived. The ledger is the server's:
// it knows nothing of what the engine has counted. EVERWIRE_ENDINGS and EVERWIRE_SEED make it longer, and the same again.
#include "support/fromenvironment.h"
#include "support/rawserver.h"
#include "support/slowrelay.h"
#include "support/transports.h"

#include <Everwire/FunctionTokenProvider>
#include <Everwire/WebSocketProvider>

#include <QCryptographicHash>
#include <QLoggingCategory>
#include <QPointer>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QSslServer>
#include <QTest>
#include <QTimer>

#include <algorithm>

using namespace Everwire;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

namespace {

// What a server does on a connection.
struct Manners
{
    bool answersClose = true;
    bool streams = false;
    bool floods = false; // with pings
};

// One connection, as the server sees it.
class Session : public QObject
{
public:
    Session(QTcpSocket *socket, Manners manners, std::vector<int> *arrived, QObject *parent)
        : QObject(parent), m_socket(socket), m_manners(manners), m_arrived(arrived)
    {
        socket->setParent(this);
        connect(socket, &QTcpSocket::readyRead, this, &Session::read);
        connect(&m_stream, &QTimer::timeout, this, &Session::stream);
    }
    [[nodiscard]] bool isOver() const { return m_socket->state() == QAbstractSocket::UnconnectedState; }

private:
    void read()
    {
        m_rest += m_socket->readAll();
        if (!m_isOpen)
            answer();
        while (m_isOpen && takeFrame()) {
        }
    }
    void answer()
    {
        const qsizetype end = m_rest.indexOf("\r\n\r\n");
        if (end < 0)
            return;
        const QByteArray head = m_rest.left(end + 2);
        m_rest.remove(0, end + 4);
        const qsizetype at = head.toLower().indexOf("sec-websocket-key:") + 18;
        const QByteArray key = head.mid(at, head.indexOf('\r', at) - at).trimmed();
        const QByteArray accept =
            QCryptographicHash::hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", QCryptographicHash::Sha1);
        m_socket->write(RawServer::upgrade().replace("{accept}", accept.toBase64()));
        m_isOpen = true;
        if (m_manners.streams || m_manners.floods)
            m_stream.start(1);
    }
    void stream()
    {
        if (m_socket->bytesToWrite() > 256 * 1024)
            return;
        QByteArray burst;
        for (int i = 0; m_manners.streams && i < 20; ++i)
            burst += RawServer::frame(1, R"({"type":"n","pad":")" + QByteArray(200, '.') + "\"}");
        for (int i = 0; m_manners.floods && i < 200; ++i)
            burst += RawServer::frame(9, QByteArray(100, 'p'));
        m_socket->write(burst);
    }
    // The client's frames are at most 64 KiB here (RFC 6455 §5.2).
    bool takeFrame()
    {
        const auto byte = [this](qsizetype i) { return static_cast<unsigned char>(m_rest.at(i)); };
        if (m_rest.size() - m_at < 6)
            return compact();
        qsizetype size = byte(m_at + 1) & 0x7f;
        qsizetype head = 2;
        if (size == 126) {
            size = byte(m_at + 2) << 8 | byte(m_at + 3);
            head = 4;
        }
        if (m_rest.size() - m_at < head + 4 + size)
            return compact();
        QByteArray payload = m_rest.mid(m_at + head + 4, size);
        for (qsizetype i = 0; i < size; ++i)
            payload[i] = char(payload.at(i) ^ m_rest.at(m_at + head + i % 4));
        const int opcode = byte(m_at) & 0x0f;
        m_at += head + 4 + size;
        if (payload.startsWith(R"({"token")"))
            m_socket->write(RawServer::frame(1, R"({"type":"auth_success","session_id":"s"})"));
        else if (opcode == 1 || opcode == 2)
            m_arrived->push_back(payload.left(payload.indexOf(';')).toInt());
        if (opcode != 8)
            return true;
        m_stream.stop();
        if (m_manners.answersClose) {
            m_socket->write(RawServer::closeFrame(1000));
            m_socket->disconnectFromHost();
        }
        return true;
    }
    bool compact()
    {
        m_rest.remove(0, std::exchange(m_at, 0));
        return false;
    }

    QTcpSocket *m_socket;
    Manners m_manners;
    std::vector<int> *m_arrived;
    QTimer m_stream;
    QByteArray m_rest;
    qsizetype m_at = 0;
    bool m_isOpen = false;
};

class Server : public QObject
{
public:
    explicit Server(bool tls)
    {
        if (tls) {
            auto server = std::make_unique<QSslServer>();
            server->setSslConfiguration(RawServer::tls());
            m_server = std::move(server);
        } else {
            m_server = std::make_unique<QTcpServer>();
        }
        connect(m_server.get(), &QTcpServer::pendingConnectionAvailable, this, [this] {
            m_sessions.push_back(new Session(m_server->nextPendingConnection(), manners, &m_arrived, this));
        });
        m_server->listen(QHostAddress::LocalHost);
    }
    [[nodiscard]] quint16 port() const { return m_server->serverPort(); }
    [[nodiscard]] const std::vector<int> &arrived() const { return m_arrived; }
    void forgetSessions()
    {
        for (Session *session : std::exchange(m_sessions, {}))
            session->deleteLater();
    }
    [[nodiscard]] bool areAllOver() const
    {
        return std::all_of(m_sessions.begin(), m_sessions.end(),
                           [](const Session *session) { return session->isOver(); });
    }

    Manners manners; // of the next connections

private:
    std::unique_ptr<QTcpServer> m_server;
    std::vector<Session *> m_sessions;
    std::vector<int> m_arrived; // the messages' numbers, in their order
};

// The app: sends numbered messages, and notes what it was told.
class App : public QObject
{
public:
    App(const ConnectionConfig &config, QRandomGenerator &random) : m_config(config), m_random(random)
    {
        makeProvider();
    }

    void open() { m_connection->open(); }
    void send(int count)
    {
        for (int i = 0; i < count; ++i) {
            const int length = int(m_random.bounded(m_random.bounded(16) == 0 ? 20'000 : 300));
            const QByteArray body = QByteArray::number(m_next) + ';' + QByteArray(length, 'x');
            const bool isAccepted = m_random.bounded(2) == 0 ? m_connection->send(QString::fromLatin1(body))
                                                             : m_connection->send(body);
            if (isAccepted)
                m_accepted.push_back(m_next);
            ++m_next;
        }
    }
    // One of the ways in which the client ends a connection, each of which goes on with another.
    void end()
    {
        switch (m_random.bounded(8)) {
        case 0:
        case 1:
        case 2: m_connection->reconnect(); break;
        case 3:
        case 4:
            m_connection->close();
            m_connection->open();
            break;
        case 5: // the user signs out, and in again
            m_provider->signOut();
            m_connection->open();
            break;
        case 6: // the application ends, and is started again
            makeProvider();
            m_connection->open();
            break;
        default: // the app goes away, and comes back
            m_connection->reconnect();
            m_connection->close();
            m_connection->open();
        }
    }
    void close() { m_connection->close(); }
    [[nodiscard]] bool isClosed() const { return m_connection->state() == Connection::Disconnected; }
    [[nodiscard]] bool isConnected() const { return m_connection->isConnected(); }
    [[nodiscard]] const std::vector<int> &accepted() const { return m_accepted; }
    [[nodiscard]] int told() const { return m_told; }

private:
    void makeProvider()
    {
        m_provider.reset(); // which tells of what it loses
        m_provider = std::make_unique<WebSocketProvider>();
        m_provider->configure(u"x"_s, m_config);
        m_connection = m_provider->connection(u"x"_s);
        connect(m_connection, &Connection::messagesDiscarded, this, [this](int count) { m_told += count; });
    }

    ConnectionConfig m_config;
    QRandomGenerator &m_random;
    std::unique_ptr<WebSocketProvider> m_provider;
    QPointer<Connection> m_connection;
    std::vector<int> m_accepted;
    int m_next = 0;
    int m_told = 0;
};

} // namespace

class TestOwnEndings : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // Qt Test shows no more than 2000 warnings, and nothing behind them.
    void initTestCase() { QLoggingCategory::setFilterRules(u"everwire.*.warning=false"_s); }
    void c5_reconnectLosesNothing_data() { transports(); }
    void c5_reconnectLosesNothing();
    void o6_whatWasAcceptedLeavesBeforeTheEnd_data() { transports(); }
    void o6_whatWasAcceptedLeavesBeforeTheEnd();
    void o6_whatCannotLeaveIsTold();
    void a1_aRenewalLosesNothing_data() { transports(); }
    void a1_aRenewalLosesNothing();
    void o3_closeTellsWhatHasNotArrived_data() { transports(); }
    void o3_closeTellsWhatHasNotArrived();
    void q8_nothingOfAUserLeavesBehindSignOut_data() { transports(); }
    void q8_nothingOfAUserLeavesBehindSignOut();
    void q7_whatTheSystemHoldsIsBoundedAndCounted_data() { transports(); }
    void q7_whatTheSystemHoldsIsBoundedAndCounted();
    void q15_acceptedIsArrivedOrReported_data() { transports(); }
    void q15_acceptedIsArrivedOrReported();

private:
    static void transports();
};

void TestOwnEndings::transports()
{
    QTest::addColumn<bool>("isQWebSocket");
    QTest::addColumn<bool>("tls");
    QTest::newRow("TCP") << false << false;
    QTest::newRow("TLS") << false << true;
    QTest::newRow("QWebSocket") << true << false;
    QTest::newRow("QWebSocket over TLS") << true << true;
}

namespace {

// A server behind a slow relay, and an app that is connected to it, over the row's transport.
struct Scene
{
    explicit Scene(ConnectionConfig config = {}, bool hasTls = false, bool isQWebSocket = false)
        : server(hasTls), relay(server.port()), provider(std::make_unique<WebSocketProvider>())
    {
        config.setUrl(u"%1://localhost:%2/"_s.arg(hasTls ? u"wss"_s : u"ws"_s).arg(relay.port()))
            .setInitialReconnectDelay(1ms)
            .setMaxQueuedMessages(1'000'000)
            .setMaxQueuedBytes(256 << 20)
            .setHistoryLimit(0);
        if (isQWebSocket)
            config.setTransport(ConnectionConfig::Transport::QWebSocket);
        provider->configure(u"x"_s, config);
        connection = provider->connection(u"x"_s);
        QObject::connect(connection, &Connection::messagesDiscarded, &context,
                         [this](int count) { told += count; });
    }
    // Messages of so many bytes, numbered on from the last one.
    void send(int count, int size = 1000)
    {
        for (int i = 0; i < count; ++i) {
            const QByteArray number = QByteArray::number(accepted++) + ';';
            QVERIFY(connection->send(number + QByteArray(size - number.size(), 'x')));
        }
    }
    void open()
    {
        connection->open();
        QTRY_VERIFY(connection->isConnected());
    }
    // The server has read to the end of every connection.
    void hearOut()
    {
        relay.setRate(SlowRelay::Unlimited);
        QTRY_VERIFY_WITH_TIMEOUT(relay.open() == 0 && server.areAllOver(), 30'000);
        const std::vector<int> &arrived = server.arrived();
        QVERIFY(std::adjacent_find(arrived.begin(), arrived.end(), std::greater_equal<>()) == arrived.end());
        QCOMPARE(qint64(arrived.size()) + told, accepted);
    }

    TrustInRawServer trust;
    Server server;
    SlowRelay relay;
    QObject context;
    std::unique_ptr<WebSocketProvider> provider;
    QPointer<Connection> connection;
    int accepted = 0;
    int told = 0;
};

ConnectionConfig withoutToken()
{
    return ConnectionConfig().setAuthentication(ConnectionConfig::Authentication::None);
}

} // namespace

// Closing a socket with unread input would reset the connection, and what the system still held would be lost.
void TestOwnEndings::c5_reconnectLosesNothing()
{
    QFETCH(const bool, isQWebSocket);
    QFETCH(const bool, tls);
    Scene scene(withoutToken(), tls, isQWebSocket);
    scene.server.manners.streams = true;
    scene.open();
    scene.relay.setRate(1000); // bytes a millisecond
    scene.send(1000);
    QTRY_VERIFY(scene.connection->queuedMessages() == 0 && scene.connection->bytesToWrite() == 0);
    scene.connection->reconnect();
    scene.send(1);
    QTRY_COMPARE(int(scene.server.arrived().size()), 1001);
    scene.connection->close();
    scene.hearOut();
    QCOMPARE(scene.told, 0);
}

void TestOwnEndings::o6_whatWasAcceptedLeavesBeforeTheEnd()
{
    QFETCH(const bool, isQWebSocket);
    QFETCH(const bool, tls);
    Scene scene(withoutToken(), tls, isQWebSocket);
    scene.server.manners.streams = true;
    scene.open();
    scene.relay.setRate(1000);
    scene.send(500);
    scene.provider.reset();
    scene.relay.setRate(SlowRelay::Unlimited);
    scene.hearOut();
    QCOMPARE(scene.told, 0);
}

void TestOwnEndings::o6_whatCannotLeaveIsTold()
{
    Scene scene(withoutToken().setCloseTimeout(50ms));
    scene.open();
    scene.relay.setRate(0);
    scene.send(1000);
    scene.provider.reset();
    QVERIFY(scene.told > 0); // by then
    scene.hearOut();
}

void TestOwnEndings::a1_aRenewalLosesNothing()
{
    QFETCH(const bool, isQWebSocket);
    QFETCH(const bool, tls);
    Scene scene(ConnectionConfig(), tls, isQWebSocket);
    scene.server.manners.streams = true;
    int tokens = 0;
    FunctionTokenProvider provider([&]() -> QString {
        ++tokens;
        const auto part = [](const QByteArray &json) {
            return QString::fromLatin1(
                json.toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals));
        };
        const qint64 end = QDateTime::currentSecsSinceEpoch() + (tokens == 1 ? 2 : 3600);
        return u"%1.%2.signature"_s.arg(part(R"({"alg":"none"})"),
                                        part(R"({"exp":)" + QByteArray::number(end) + '}'));
    });
    scene.provider->setTokenProvider(&provider);
    scene.open();
    QSignalSpy connected(scene.connection, &Connection::connected);
    int received = 0;
    QObject::connect(scene.connection, &Connection::messageReceived, &scene.context, [&] { ++received; });
    QTimer app;
    QObject::connect(&app, &QTimer::timeout, &scene.context, [&] { scene.send(5); });
    scene.relay.setRate(8000);
    app.start(1);
    QTRY_COMPARE(connected.size(), 1);
    QTRY_VERIFY(scene.accepted > 2000);
    app.stop();
    scene.connection->close();
    QTRY_COMPARE(scene.connection->state(), Connection::Disconnected);
    scene.hearOut();
    QCOMPARE(scene.told, 0);
    QVERIFY(received > 0);
}

void TestOwnEndings::o3_closeTellsWhatHasNotArrived()
{
    QFETCH(const bool, isQWebSocket);
    QFETCH(const bool, tls);
    Scene scene(withoutToken().setCloseTimeout(300ms), tls, isQWebSocket);
    scene.open();
    scene.relay.setRate(1000);
    scene.send(20'000, 100);
    scene.connection->close();
    QTRY_COMPARE(scene.connection->state(), Connection::Disconnected);
    scene.hearOut();
    QVERIFY(scene.told > 0 && !scene.server.arrived().empty());
}

void TestOwnEndings::q8_nothingOfAUserLeavesBehindSignOut()
{
    QFETCH(const bool, isQWebSocket);
    QFETCH(const bool, tls);
    Scene scene(withoutToken(), tls, isQWebSocket);
    scene.open();
    scene.relay.setRate(0);
    scene.send(20'000, 100);
    scene.provider->signOut();
    // The server may read from now on what its system had got before; nothing comes any more.
    scene.relay.setRate(SlowRelay::Unlimited);
    QTRY_COMPARE(scene.connection->state(), Connection::Disconnected);
    scene.hearOut();
    QVERIFY(scene.server.arrived().size() < 1000);
}

// 64 kbit/s.
void TestOwnEndings::q7_whatTheSystemHoldsIsBoundedAndCounted()
{
    QFETCH(const bool, isQWebSocket);
    QFETCH(const bool, tls);
    Scene scene(withoutToken(), tls, isQWebSocket);
    scene.open();
    scene.relay.setRate(8);
    scene.send(300);
    constexpr int elsewhere = 128 * 1024; // bytes: on the line, at the relay, and in the frames' heads
    QTRY_COMPARE(scene.connection->queuedMessages(), 0);
    QVERIFY2(scene.connection->bytesToWrite() > 300'000 - elsewhere,
             qPrintable(QString::number(scene.connection->bytesToWrite())));
    scene.relay.setRate(SlowRelay::Unlimited);
    QTRY_COMPARE(scene.connection->bytesToWrite(), qint64(0));
    QTRY_COMPARE(int(scene.server.arrived().size()), 300);
}

void TestOwnEndings::q15_acceptedIsArrivedOrReported()
{
    QFETCH(const bool, isQWebSocket);
    QFETCH(const bool, tls);
    const int wanted = countFromEnvironment("EVERWIRE_ENDINGS", 40);
    const quint32 seed = seedFromEnvironment();
    QRandomGenerator random(seed);
    const TrustInRawServer trust;
    Server server(tls);
    SlowRelay relay(server.port());
    App app(ConnectionConfig()
                .setUrl(u"%1://localhost:%2/"_s.arg(tls ? u"wss"_s : u"ws"_s).arg(relay.port()))
                .setAuthentication(ConnectionConfig::Authentication::None)
                .setTransport(isQWebSocket ? ConnectionConfig::Transport::QWebSocket
                                           : ConnectionConfig::Transport::Automatic)
                .setInitialReconnectDelay(1ms)
                .setMaxReconnectDelay(3ms)
                .setMaxReconnectAttempts(-1)
                .setHeartbeat(ConnectionConfig::Heartbeat::Off)
                .setCompression(ConnectionConfig::Compression::Off)
                .setMaxQueuedMessages(2000)
                .setCloseTimeout(200ms)
                .setHistoryLimit(0),
            random);

    int endings = 0;
    while (endings < wanted) {
        server.manners = {random.bounded(4) != 0, random.bounded(2) == 0, random.bounded(3) == 0};
        const int rates[] = {SlowRelay::Unlimited, 0, 20, 200, 2000};
        app.open();
        for (int count = 1 + int(random.bounded(6)); count > 0; --count, ++endings) {
            if (random.bounded(3) != 0) {
                relay.setRate(SlowRelay::Unlimited);
                QTRY_VERIFY(app.isConnected());
            }
            relay.setRate(rates[random.bounded(5)]);
            for (int turns = int(random.bounded(8)); turns > 0; --turns) {
                app.send(int(random.bounded(60)));
                QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents | QEventLoop::AllEvents, 1);
            }
            app.send(int(random.bounded(60)));
            app.end();
        }
        app.close();
        QTRY_VERIFY(app.isClosed());
        relay.setRate(SlowRelay::Unlimited);
        QTRY_VERIFY(relay.open() == 0 && server.areAllOver());
        server.forgetSessions();

        const std::vector<int> &arrived = server.arrived();
        const auto outOfOrder = std::adjacent_find(arrived.begin(), arrived.end(), std::greater_equal<>());
        if (outOfOrder != arrived.end())
            QFAIL(qPrintable(u"%1 arrived behind %2"_s.arg(*std::next(outOfOrder)).arg(*outOfOrder)));
        QVERIFY(std::includes(app.accepted().begin(), app.accepted().end(), arrived.begin(), arrived.end()));
        const auto missing = qint64(app.accepted().size()) - qint64(arrived.size());
        if (missing != app.told())
            QFAIL(qPrintable(
                u"%1 of %2 messages did not arrive, and %3 were reported, after %4 endings"_s.arg(missing)
                    .arg(app.accepted().size())
                    .arg(app.told())
                    .arg(endings)));
    }
    qInfo("%d endings; %zu messages accepted, %zu arrived, %d reported", endings, app.accepted().size(),
          server.arrived().size(), app.told());
    QVERIFY(server.arrived().size() > size_t(wanted) && app.told() > 0);
}

QTEST_GUILESS_MAIN(TestOwnEndings)
#include "tst_ownendings.moc"
