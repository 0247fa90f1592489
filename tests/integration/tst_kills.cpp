// SPDX-License-Identifier: MIT
//
// A server that is killed at random moments, over real sockets: every message that send() accepted arrives or is reported
// as discarded, once and in order, unless the server itself throws away what it was sent; and what the client receives comes
// once and in order. The ledger is the server's: it knows nothing of what the engine has counted.
// EVERWIRE_KILLS, EVERWIRE_RECEIVED and EVERWIRE_SEED make it longer, and the same again.
#include "support/fromenvironment.h"
#include "support/rawserver.h"

#include <Everwire/WebSocketProvider>

#include <QJsonDocument>
#include <QLoggingCategory>
#include <QPointer>
#include <QRandomGenerator>
#include <QTest>
#include <QTimer>

#include <algorithm>
#include <optional>

#include <sys/socket.h>

using namespace Everwire;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

namespace {

// Each message says its number: "17;…" as text or binary, or {"n":17,…}.
int numberOf(const QByteArray &message)
{
    if (message.startsWith('{'))
        return QJsonDocument::fromJson(message).object().value(u"n").toInt(-1);
    return message.left(message.indexOf(';')).toInt();
}

// One connection as the server knows it.
class Session : public QObject
{
    Q_OBJECT

public:
    enum class End { None, Clean, Reset };

    Session(QTcpSocket *socket, QObject *parent) : QObject(parent), m_socket(socket)
    {
        socket->setParent(this);
        connect(socket, &QTcpSocket::readyRead, this, &Session::read);
        connect(socket, &QTcpSocket::disconnected, this, &Session::read);
    }

    // The handshake's answer; mostly at once.
    void answer()
    {
        const auto after = [this](const char *name) {
            const qsizetype at = m_head.toLower().indexOf(name) + qsizetype(qstrlen(name));
            return m_head.mid(at, m_head.indexOf('\r', at) - at).trimmed();
        };
        const QByteArray accept =
            QCryptographicHash::hash(after("sec-websocket-key:") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
                                     QCryptographicHash::Sha1)
                .toBase64();
        write(RawServer::upgrade().replace("{accept}", accept));
        m_isOpen = true;
        Q_EMIT opened();
    }
    void write(const QByteArray &bytes)
    {
        m_socket->write(bytes);
        m_socket->flush();
    }
    void setReads(bool reads)
    {
        m_reads = reads;
        m_socket->setReadBufferSize(reads ? 0 : 1);
        if (reads)
            read();
    }
    void reset()
    {
        m_end = End::Reset;
        const linger atOnce{1, 0};
        setsockopt(int(m_socket->socketDescriptor()), SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
        m_socket->abort();
    }
    // Says no more, and hears the client out.
    void finish(const char *how = "FIN")
    {
        m_how = how;
        m_end = End::Clean;
        while (m_socket->bytesToWrite() > 0 && m_socket->waitForBytesWritten(10'000)) {
        }
        ::shutdown(int(m_socket->socketDescriptor()), SHUT_WR);
        setReads(true);
    }

    [[nodiscard]] End end() const { return m_end; }
    [[nodiscard]] bool isOpen() const
    {
        return m_isOpen && m_end == End::None && m_socket->state() == QAbstractSocket::ConnectedState;
    }
    [[nodiscard]] const char *how() const { return m_how; }
    [[nodiscard]] bool isOver() const { return m_socket->state() == QAbstractSocket::UnconnectedState; }
    [[nodiscard]] qint64 bytesToWrite() const { return m_socket->bytesToWrite(); }
    [[nodiscard]] const std::vector<int> &received() const { return m_received; }

Q_SIGNALS:
    void asked(); // for a handshake
    void opened();

private:
    void read()
    {
        if (!m_reads)
            return;
        if (m_socket->isOpen())
            m_rest += m_socket->readAll();
        if (!m_isOpen) {
            const bool had = !m_head.isEmpty();
            if (const qsizetype end = m_rest.indexOf("\r\n\r\n"); end >= 0 && !had) {
                m_head = m_rest.left(end + 4);
                m_rest.remove(0, end + 4);
                Q_EMIT asked();
            }
            return;
        }
        while (takeFrame()) {
        }
    }
    // A masked frame of at most 64 KiB (RFC 6455 §5.2).
    bool takeFrame()
    {
        const auto byte = [this](qsizetype i) { return static_cast<unsigned char>(m_rest.at(i)); };
        if (m_rest.size() < 6)
            return false;
        qsizetype size = byte(1) & 0x7f;
        qsizetype head = 2;
        if (size == 126) {
            size = byte(2) << 8 | byte(3);
            head = 4;
        }
        if (m_rest.size() < head + 4 + size)
            return false;
        QByteArray payload = m_rest.mid(head + 4, size);
        for (qsizetype i = 0; i < size; ++i)
            payload[i] = char(payload.at(i) ^ m_rest.at(head + i % 4));
        const int opcode = byte(0) & 0x0f;
        m_rest.remove(0, head + 4 + size);
        // A pair has arrived when both of its messages have (rule Q9).
        if (opcode == 1 && payload.startsWith('{')) {
            m_header = numberOf(payload);
        } else if (opcode == 1 || opcode == 2) {
            if (m_header)
                m_received.push_back(*std::exchange(m_header, {}));
            m_received.push_back(numberOf(payload));
        }
        if (opcode == 8 && m_end == End::None) { // the client closes
            m_end = End::Clean;
            m_how = "the client's Close";
            write(RawServer::closeFrame(1000));
            m_socket->disconnectFromHost();
            return false;
        }
        return true;
    }

    QTcpSocket *m_socket;
    QByteArray m_head;
    QByteArray m_rest;
    std::vector<int> m_received;
    std::optional<int> m_header; // of a pair
    End m_end = End::None;
    const char *m_how = "by nobody";
    bool m_isOpen = false;
    bool m_reads = true;
};

class KillServer : public QObject
{
    Q_OBJECT

public:
    KillServer()
    {
        connect(&m_server, &QTcpServer::newConnection, this, [this] {
            auto *session = new Session(m_server.nextPendingConnection(), this);
            m_sessions.push_back(session);
            connect(session, &Session::asked, this, [this, session] { onAsked(session); });
            connect(session, &Session::opened, this, [this, session] { onOpened(session); });
        });
        m_server.listen(QHostAddress::LocalHost);
        // Small, so that a peer that does not read is felt soon.
        const int size = 8 * 1024;
        setsockopt(int(m_server.socketDescriptor()), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    [[nodiscard]] QUrl url() const { return QUrl(u"ws://127.0.0.1:%1/"_s.arg(m_server.serverPort())); }
    [[nodiscard]] const std::vector<Session *> &sessions() const { return m_sessions; }
    [[nodiscard]] Session *current() const { return m_sessions.empty() ? nullptr : m_sessions.back(); }

    std::function<void(Session *)> onAsked; // for a handshake
    std::function<void(Session *)> onOpened = [](Session *) {};

private:
    QTcpServer m_server;
    std::vector<Session *> m_sessions;
};

ConnectionConfig config(const QUrl &url)
{
    return ConnectionConfig()
        .setUrl(url)
        .setAuthentication(ConnectionConfig::Authentication::None)
        .setInitialReconnectDelay(1ms)
        .setMaxReconnectDelay(3ms)
        .setMaxReconnectAttempts(-1)
        .setHeartbeat(ConnectionConfig::Heartbeat::Off)
        .setCompression(ConnectionConfig::Compression::Off)
        .setHistoryLimit(0);
}

} // namespace

class TestKills : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // Qt Test shows no more than 2000 warnings, and nothing behind them.
    void initTestCase() { QLoggingCategory::setFilterRules(u"everwire.*.warning=false"_s); }
    void q1_q4_q16_everyAcceptedMessageArrivesOrIsReportedOnce_data();
    void q1_q4_q16_everyAcceptedMessageArrivesOrIsReportedOnce();
    void m1_whatArrivesComesOnceAndInOrder();
};

void TestKills::q1_q4_q16_everyAcceptedMessageArrivesOrIsReportedOnce_data()
{
    QTest::addColumn<bool>("resets");
    QTest::newRow("a server that hears the client out") << false;
    QTest::newRow("a server that resets connections, too") << true;
}

void TestKills::q1_q4_q16_everyAcceptedMessageArrivesOrIsReportedOnce()
{
    QFETCH(const bool, resets);
    const int kills = countFromEnvironment("EVERWIRE_KILLS", 100);
    QRandomGenerator random(seedFromEnvironment());
    KillServer server;
    auto provider = std::make_unique<WebSocketProvider>();
    QVERIFY(provider->configure(u"x"_s, config(server.url()).setCloseTimeout(20ms)));
    Connection *connection = provider->connection(u"x"_s);

    int killed = 0;
    int refused = 0;
    int discarded = 0;
    int closed = 0;
    int next = 0;
    std::vector<int> accepted;
    connect(connection, &Connection::messagesDiscarded, this, [&](int n) { discarded += n; });

    // The app: a few messages a turn of the event loop, now and then many large ones; and at times it goes away.
    QTimer app;
    const auto send = [&] {
        const int number = next;
        const int kind = int(random.bounded(10));
        const QByteArray body = QByteArray::number(number + (kind == 0 ? 1 : 0)) + ';' +
                                QByteArray(int(random.bounded(random.bounded(20) == 0 ? 20'000 : 200)), 'x');
        bool taken = false;
        if (kind == 0)
            taken = connection->sendJson({{u"type"_s, u"pair"_s}, {u"n"_s, number}}, body);
        else if (kind < 4)
            taken = connection->send(body);
        else
            taken = connection->send(QString::fromLatin1(body));
        const int parts = kind == 0 ? 2 : 1;
        next += parts;
        for (int i = 0; i < parts; ++i) {
            if (taken)
                accepted.push_back(number + i);
            else
                ++refused;
        }
    };
    connect(&app, &QTimer::timeout, this, [&] {
        for (int i = int(random.bounded(random.bounded(10) == 0 ? 60 : 4)); i > 0; --i)
            send();
        if (random.bounded(60) == 0) {
            ++closed;
            connection->close();
            connection->open();
        } else if (random.bounded(60) == 0) {
            connection->reconnect();
        }
    });

    // The network.
    bool isAtPeace = false;
    server.onAsked = [&](Session *session) {
        if (!isAtPeace && random.bounded(12) == 0) {
            ++killed;
            session->reset();
        } else {
            session->answer();
        }
    };
    server.onOpened = [&](Session *session) {
        if (isAtPeace)
            return;
        if (random.bounded(4) == 0)
            session->setReads(false);
        QTimer::singleShot(int(random.bounded(random.bounded(10) == 0 ? 25 : 4)), Qt::PreciseTimer, session,
                           [&, session] {
                               if (!session->isOpen() || isAtPeace)
                                   return;
                               ++killed;
                               const int how = int(random.bounded(resets ? 4 : 3));
                               if (how == 0)
                                   session->write(RawServer::closeFrame(1001));
                               if (how == 1)
                                   session->write(RawServer::frame(1, "[1,2", false).left(3)); // cut
                               if (how == 3)
                                   session->reset();
                               else
                                   session->finish(how == 0 ? "Close, FIN" : how == 1 ? "cut, FIN" : "FIN");
                           });
    };
    connection->open();
    app.start(1);
    QTRY_VERIFY_WITH_TIMEOUT(killed >= kills, 600'000);
    app.stop();
    isAtPeace = true;
    const auto isQuiet = [&] {
        if (Session *session = server.current())
            session->setReads(true);
        return connection->isConnected() && connection->queuedMessages() == 0 &&
               connection->bytesToWrite() == 0;
    };
    if (Session *session = server.current(); session && session->isOpen())
        session->finish(); // it may have been told to read nothing
    QTRY_VERIFY_WITH_TIMEOUT(isQuiet(), 20'000);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    server.onAsked = [](Session *) {}; // so that some are discarded for certain
    connection->open();
    send();
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    const auto allOver = [&] {
        return std::all_of(server.sessions().begin(), server.sessions().end(),
                           [](const Session *session) { return session->isOver(); });
    };
    QTRY_VERIFY(allOver());
    provider.reset();

    // Arrived or discarded: every one, once, in the order of the calls.
    std::vector<int> arrived;
    std::vector<int> afterReset; // of these, the last ones before something may have been thrown away
    for (const Session *session : server.sessions()) {
        if (!arrived.empty() && !session->received().empty() && session->received().front() <= arrived.back())
            qInfo("%d arrived on a connection (%s) behind %d", session->received().front(), session->how(),
                  arrived.back());
        arrived.insert(arrived.end(), session->received().begin(), session->received().end());
        if (session->end() == Session::End::Reset)
            afterReset.push_back(arrived.empty() ? -1 : arrived.back());
    }
    int inversions = 0;
    int foreign = 0;
    for (size_t i = 0; i < arrived.size(); ++i) {
        inversions += i > 0 && arrived[i] <= arrived[i - 1] ? 1 : 0;
        foreign += std::binary_search(accepted.begin(), accepted.end(), arrived[i]) ? 0 : 1;
    }
    // Each gap in what arrived was reported, but for those behind a reset, of which a part may have been.
    int missing = 0;
    int mayBeThrownAway = 0;
    int before = -1;
    auto expected = arrived.begin();
    for (const int number : accepted) {
        if (expected != arrived.end() && *expected == number) {
            before = number;
            ++expected;
            continue;
        }
        ++missing;
        if (std::find(afterReset.begin(), afterReset.end(), before) != afterReset.end())
            ++mayBeThrownAway;
    }
    qInfo("%d kills, %zu sockets, %d times closed by the app; %zu messages accepted, %zu arrived, %d "
          "missing, %d "
          "discarded, %d behind a reset; %d out of order or twice; %d refused",
          killed, server.sessions().size(), closed, accepted.size(), arrived.size(), missing, discarded,
          mayBeThrownAway, inversions, refused);
    QCOMPARE(inversions, 0);
    QCOMPARE(foreign, 0);
    QVERIFY(missing - mayBeThrownAway <= discarded && discarded <= missing);
    QVERIFY(resets || missing == discarded);
    QVERIFY(arrived.size() > size_t(kills) && discarded > 0);
}

void TestKills::m1_whatArrivesComesOnceAndInOrder()
{
    const int wanted = countFromEnvironment("EVERWIRE_RECEIVED", 50'000);
    QRandomGenerator random(seedFromEnvironment());
    KillServer server;
    WebSocketProvider provider;
    QVERIFY(provider.configure(u"x"_s, config(server.url()).setCloseTimeout(20ms)));
    Connection *connection = provider.connection(u"x"_s);

    int sent = 0;
    int faults = 0;
    int resets = 0;
    int heard = 0;
    int last = -1;
    int inversions = 0; // or twice
    int missing = 0;
    int gaps = 0;
    int parseErrors = 0;
    connect(connection, &Connection::parseError, this, [&] { ++parseErrors; });
    connection->subscribe(u"n"_s, this, [&](const Message &message) {
        const int number = numberOf(message.bytes());
        inversions += number <= last ? 1 : 0;
        gaps += number > last + 1 ? 1 : 0;
        missing += std::max(0, number - last - 1);
        last = std::max(last, number);
        if (++heard % 20'000 == 0)
            QTest::qSleep(30); // a handler that takes its time
    });
    QTimer network;
    server.onAsked = [](Session *session) { session->answer(); };
    connect(&network, &QTimer::timeout, this, [&] {
        Session *const session = server.current();
        if (!session || !session->isOpen() || session->bytesToWrite() > 1'000'000)
            return;
        QByteArray burst;
        for (int i = int(random.bounded(400)); i > 0; --i)
            burst += RawServer::frame(1, R"({"type":"n","n":)" + QByteArray::number(sent++) + '}');
        if (random.bounded(10) == 0)
            burst += RawServer::frame(1, "{nonsense");
        session->write(burst);
        const int fate = int(random.bounded(24));
        faults += fate < 5 ? 1 : 0;
        if (fate == 0) {
            ++resets;
            session->reset();
        } else if (fate == 1) {
            session->finish();
        } else if (fate == 2) {
            session->write(RawServer::closeFrame(1012, "restart"));
            session->finish();
        } else if (fate == 3) { // cut in the middle of a message
            session->write(RawServer::frame(1, R"({"type":"n","n":-1,"cut":true})").left(12));
            session->finish();
        } else if (fate == 4 && random.bounded(4) == 0) {
            ++resets; // what is under way to the app is not heard behind close() (rule O2)
            connection->close();
            connection->open();
        }
    });
    connection->open();
    network.start(0);
    QTRY_VERIFY_WITH_TIMEOUT(heard >= wanted, 600'000);
    network.stop();
    qInfo(
        "%d messages heard, %d faults; %d inversions or duplicates; %d not heard in %d gaps behind %d resets "
        "and close()s; %d parse errors",
        heard, faults, inversions, missing, gaps, resets, parseErrors);
    QCOMPARE(inversions, 0);
    QVERIFY(gaps <= resets);
    QVERIFY(parseErrors > 0);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

QTEST_GUILESS_MAIN(TestKills)
#include "tst_kills.moc"
