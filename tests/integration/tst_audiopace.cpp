// SPDX-License-Identifier: MIT
//
// Audio beside a flood, and a flood that nobody reads: what waits is bounded, in order, and none of it is lost.
// Times are told (qInfo) and never asserted.
#include "support/rawserver.h"

#include <Everwire/WebSocketProvider>

#include <QEventLoop>
#include <QFile>
#include <QLoggingCategory>
#include <QMutex>
#include <QSignalSpy>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>
#include <QThread>
#include <QTimer>
#include <QWebSocket>
#include <QWebSocketServer>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

using Clock = std::chrono::steady_clock;

namespace {

constexpr qint64 MiB = 1 << 20;
constexpr int FrameBytes = 3200; // 100 ms of 16-bit PCM at 16 kHz
constexpr int Frames = 100;
constexpr auto FrameInterval = 20ms;

// The most that Linux lets a socket's buffer grow to: the last number of tcp_wmem or tcp_rmem.
qint64 systemBuffer(const QString &name)
{
    QFile file(u"/proc/sys/net/ipv4/"_s + name);
    const QByteArray text = file.open(QIODevice::ReadOnly) ? file.readAll().simplified() : QByteArray();
    return std::max<qint64>(text.mid(text.lastIndexOf(' ') + 1).toLongLong(), 4 * MiB);
}

qint64 residentBytes()
{
    QFile status(u"/proc/self/status"_s);
    if (!status.open(QIODevice::ReadOnly))
        return 0;
    const QByteArray text = status.readAll();
    return text.mid(text.indexOf("VmRSS:") + 6, 32).simplified().split(' ').value(0).toLongLong() * 1024;
}

QByteArray audioFrame(int number)
{
    return QByteArray::number(number).leftJustified(FrameBytes, ' ');
}

// Reads as fast as it can, and keeps of each message what the test has to know. On a thread of its own.
class Listener
{
public:
    struct Frame
    {
        int number = 0;
        qint64 textBefore = 0; // bytes of text that came before it
        Clock::time_point at;
    };

    Listener();
    ~Listener();
    [[nodiscard]] QUrl url() const { return m_url; }
    [[nodiscard]] qint64 textBytes() const;
    [[nodiscard]] int texts() const;
    [[nodiscard]] int textsOutOfOrder() const;
    [[nodiscard]] std::vector<Frame> frames() const;

private:
    void upgrade();
    void accept();
    void hearText(const QString &text);
    void hearFrame(const QByteArray &bytes);

    QThread m_thread;
    std::unique_ptr<QObject> m_context = std::make_unique<QObject>();
    std::unique_ptr<QTcpServer> m_tcp;
    std::unique_ptr<QWebSocketServer> m_server;
    QUrl m_url;

    mutable QMutex m_mutex; // guards all below
    std::vector<Frame> m_frames;
    qint64 m_textBytes = 0;
    int m_texts = 0;
    int m_textsOutOfOrder = 0;
};

Listener::Listener()
{
    m_context->moveToThread(&m_thread);
    m_thread.start();
    QMetaObject::invokeMethod(
        m_context.get(),
        [this] {
            m_server = std::make_unique<QWebSocketServer>(u"listener"_s, QWebSocketServer::NonSecureMode);
            m_tcp = std::make_unique<QTcpServer>();
            QObject::connect(m_tcp.get(), &QTcpServer::newConnection, m_context.get(), [this] { upgrade(); });
            QObject::connect(m_server.get(), &QWebSocketServer::newConnection, m_context.get(),
                             [this] { accept(); });
            if (!m_tcp->listen(QHostAddress::LocalHost))
                qFatal("cannot listen: %s", qPrintable(m_tcp->errorString()));
            m_url = QUrl(u"ws://127.0.0.1:%1/"_s.arg(m_tcp->serverPort()));
        },
        Qt::BlockingQueuedConnection);
}

Listener::~Listener()
{
    QMetaObject::invokeMethod(
        m_context.get(),
        [this] {
            std::unique_ptr<QTcpServer> tcp;
            std::unique_ptr<QWebSocketServer> server;
            const QMutexLocker lock(&m_mutex);
            tcp = std::move(m_tcp);
            server = std::move(m_server);
        },
        Qt::BlockingQueuedConnection);
    m_thread.quit();
    m_thread.wait();
    const QMutexLocker seenByThreadSanitizer(&m_mutex); // as Qt's own hand-over, in its library, is not
}

// With a small buffer: what it has not read waits at the client, where it counts.
void Listener::upgrade()
{
    QTcpSocket *socket = m_tcp->nextPendingConnection();
    socket->setSocketOption(QAbstractSocket::ReceiveBufferSizeSocketOption, 64 * 1024);
    m_server->handleConnection(socket);
}

void Listener::accept()
{
    QWebSocket *socket = m_server->nextPendingConnection();
    socket->setParent(m_server.get()); // Qt's documentation says that it is
    QObject::connect(socket, &QWebSocket::textMessageReceived, m_context.get(),
                     [this](const QString &text) { hearText(text); });
    QObject::connect(socket, &QWebSocket::binaryMessageReceived, m_context.get(),
                     [this](const QByteArray &bytes) { hearFrame(bytes); });
}

// {"n":17,…
void Listener::hearText(const QString &text)
{
    const QMutexLocker lock(&m_mutex);
    const int number = text.mid(5, text.indexOf(u',') - 5).toInt();
    if (number != m_texts++)
        ++m_textsOutOfOrder;
    m_textBytes += text.size(); // ASCII
}

void Listener::hearFrame(const QByteArray &bytes)
{
    const QMutexLocker lock(&m_mutex);
    const int number = bytes.size() == FrameBytes ? bytes.trimmed().toInt() : -1;
    m_frames.push_back({number, m_textBytes, Clock::now()});
}

qint64 Listener::textBytes() const
{
    const QMutexLocker lock(&m_mutex);
    return m_textBytes;
}

int Listener::texts() const
{
    const QMutexLocker lock(&m_mutex);
    return m_texts;
}

int Listener::textsOutOfOrder() const
{
    const QMutexLocker lock(&m_mutex);
    return m_textsOutOfOrder;
}

std::vector<Listener::Frame> Listener::frames() const
{
    const QMutexLocker lock(&m_mutex);
    return m_frames;
}

// An audio thread: a frame every 20 ms, come what may.
class Microphone
{
public:
    struct Sent
    {
        int number = 0;
        qint64 textHeard = 0; // what the listener had heard when the frame was accepted
    };

    Microphone(Connection *connection, const Listener &listener, std::function<void()> done)
        : m_thread([this, connection, &listener, done = std::move(done)] {
            const auto begin = Clock::now();
            for (int number = 0; number < Frames; ++number) {
                std::this_thread::sleep_until(begin + number * FrameInterval);
                if (connection->send(audioFrame(number)))
                    m_accepted.push_back({number, listener.textBytes()});
            }
            done();
        })
    {
    }
    ~Microphone()
    {
        if (m_thread.joinable())
            m_thread.join();
    }
    // Waits for its end.
    [[nodiscard]] const std::vector<Sent> &accepted()
    {
        if (m_thread.joinable())
            m_thread.join();
        return m_accepted;
    }

private:
    std::vector<Sent> m_accepted;
    std::thread m_thread;
};

// Sends as much as is accepted, whenever there is room, and lets the event loop have its turn in between.
class Flood
{
public:
    explicit Flood(Connection *connection) : m_connection(connection)
    {
        QObject::connect(&m_turn, &QTimer::timeout, connection, [this] { takeTurn(); });
        QObject::connect(connection, &Connection::bytesToWriteChanged, &m_turn, [this] { start(); });
        start();
    }
    void end() { m_isOver = true; }
    [[nodiscard]] int accepted() const { return m_accepted; }
    [[nodiscard]] int refused() const { return m_refused; }

private:
    void start()
    {
        if (!m_isOver)
            m_turn.start(0);
    }
    void takeTurn()
    {
        m_turn.stop();
        for (int i = 0; i < 256 && !m_isOver; ++i) {
            if (!m_connection->send(
                    u"{\"n\":%1,\"pad\":\"%2\",\"type\":\"x\"}"_s.arg(m_accepted).arg(m_padding))) {
                ++m_refused;
                return; // until there is room
            }
            ++m_accepted;
        }
        start();
    }

    Connection *m_connection;
    QTimer m_turn;
    const QString m_padding = QString(16 * 1024, u'x');
    int m_accepted = 0;
    int m_refused = 0;
    bool m_isOver = false;
};

} // namespace

class TestAudioPace : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void q3_q4_q10_audioBesideAFlood();
    void q3_q7_nobodyReads();
};

void TestAudioPace::initTestCase()
{
    QLoggingCategory::setFilterRules(u"everwire.connection.warning=false"_s); // a line for each refusal
}

void TestAudioPace::q3_q4_q10_audioBesideAFlood()
{
    constexpr qint64 bound = MiB;
    Listener listener;
    WebSocketProvider provider;
    Connection *connection = provider.connection(u"audio"_s);
    connection->open(ConnectionConfig()
                         .setUrl(listener.url())
                         .setAuthentication(ConnectionConfig::Authentication::None)
                         .setMaxQueuedBytes(bound)
                         .setMaxQueuedMessages(1 << 30)
                         .setHistoryLimit(0));
    QTRY_VERIFY(connection->isConnected());

    QEventLoop loop;
    Microphone microphone(connection, listener,
                          [&loop] { QMetaObject::invokeMethod(&loop, "quit", Qt::QueuedConnection); });
    Flood flood(connection);
    loop.exec();
    flood.end();
    const std::vector<Microphone::Sent> &accepted = microphone.accepted();
    QTRY_COMPARE_WITH_TIMEOUT(listener.texts(), flood.accepted(), 60'000);
    QTRY_COMPARE_WITH_TIMEOUT(listener.frames().size(), accepted.size(), 60'000);
    QCOMPARE(listener.textsOutOfOrder(), 0);

    // When a frame is accepted, what will go out before it is in the queue, in the sockets' buffers, or being read.
    const qint64 most = bound + systemBuffer(u"tcp_wmem"_s) + MiB;
    const std::vector<Listener::Frame> frames = listener.frames();
    qint64 waitedBehind = 0;
    qint64 between = 0;
    Clock::duration gap{};
    for (size_t i = 0; i < frames.size(); ++i) {
        QCOMPARE(frames[i].number, accepted[i].number);
        waitedBehind = std::max(waitedBehind, frames[i].textBefore - accepted[i].textHeard);
        if (i > 0) {
            between = std::max(between, frames[i].textBefore - frames[i - 1].textBefore);
            gap = std::max(gap, frames[i].at - frames[i - 1].at);
        }
    }
    qInfo("%d of %d audio frames accepted beside %d texts (%lld MiB) and %d refusals of texts; at most %lld "
          "KiB "
          "waited before a frame, %lld KiB of text came between two frames; the largest gap was %lld ms",
          int(accepted.size()), Frames, flood.accepted(), static_cast<long long>(listener.textBytes() / MiB),
          flood.refused(), static_cast<long long>(waitedBehind / 1024),
          static_cast<long long>(between / 1024),
          static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(gap).count()));
    QVERIFY(!frames.empty());
    QVERIFY(flood.refused() > 0); // it was a flood
    QVERIFY2(waitedBehind <= most, qPrintable(u"%1 of %2 bytes"_s.arg(waitedBehind).arg(most)));
}

void TestAudioPace::q3_q7_nobodyReads()
{
    constexpr qint64 bound = 8 * MiB;
    constexpr int offered = 800; // of 256 KiB: 200 MiB
    const QByteArray message(256 * 1024, 'x');
    qint64 largest = 0;
    RawServer server;
    server.setReads(false);
    WebSocketProvider provider;
    Connection *connection = provider.connection(u"raw"_s);
    connection->open(ConnectionConfig()
                         .setUrl(server.url())
                         .setAuthentication(ConnectionConfig::Authentication::None)
                         .setMaxQueuedBytes(bound)
                         .setMaxQueuedMessages(1 << 30)
                         .setPingInterval(10min)
                         .setHistoryLimit(0)
                         .setCloseTimeout(10ms));
    QTRY_VERIFY(connection->isConnected());

    QSignalSpy rejected(connection, &Connection::messageRejected);
    const qint64 before = residentBytes();
    connect(connection, &Connection::bytesToWriteChanged, this,
            [&] { largest = std::max(largest, connection->bytesToWrite()); });
    std::atomic<int> accepted{0};
    QEventLoop loop;
    std::thread source([&] {
        for (int i = 0; i < offered; ++i) {
            QByteArray own = message;
            own.detach(); // each its own bytes, as an app's would be
            accepted += connection->send(own) ? 1 : 0;
        }
        QMetaObject::invokeMethod(&loop, "quit", Qt::QueuedConnection);
    });
    loop.exec();
    source.join();
    QTRY_COMPARE(rejected.size(), offered - accepted);
    QVERIFY(rejected.last().at(0).toString().contains(u"maxQueuedBytes"_s));
    const qint64 grown = residentBytes() - before;
    qInfo("%d of %d MiB accepted; at most %lld KiB waited, and resident memory grew by %lld KiB",
          accepted * 256 / 1024, offered * 256 / 1024, static_cast<long long>(largest / 1024),
          static_cast<long long>(grown / 1024));
    QVERIFY(largest <= bound);
    QVERIFY(largest > bound / 2);
    // The system's share was sent as far as we are concerned.
    const qint64 systemHolds = systemBuffer(u"tcp_wmem"_s) + systemBuffer(u"tcp_rmem"_s);
    QVERIFY(accepted * message.size() <= bound + systemHolds + MiB);
    // Sanitizers keep freed memory.
    if (!qEnvironmentVariableIsSet("ASAN_OPTIONS") && !qEnvironmentVariableIsSet("TSAN_OPTIONS"))
        QVERIFY2(grown < 4 * bound, qPrintable(u"grew by %1 KiB"_s.arg(grown / 1024)));
}

QTEST_GUILESS_MAIN(TestAudioPace)
#include "tst_audiopace.moc"
