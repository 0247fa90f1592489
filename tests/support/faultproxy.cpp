// SPDX-License-Identifier: MIT
#include "support/faultproxy.h"

#include <QElapsedTimer>
#include <QNetworkProxy>
#include <QRandomGenerator>
#include <QTcpSocket>
#include <QTimer>

#include <algorithm>
#include <deque>

#include <sys/socket.h>

using std::chrono::milliseconds;

namespace {

// What a lane takes from one end that the other has not been given yet: the rest is left to TCP's backpressure.
constexpr qsizetype Room = 64 * 1024;
// The seed is always the same: what fails once fails again.
constexpr quint32 Seed = 1;

void reset(QTcpSocket *socket)
{
    const linger atOnce{1, 0};
    setsockopt(int(socket->socketDescriptor()), SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
    socket->abort();
}

} // namespace

// One way of one connection.
class FaultProxy::Lane
{
public:
    Lane(Pair *pair, Way way, QTcpSocket *from, QTcpSocket *to);

    void take();
    void add(const QByteArray &bytes);
    void planAfter(qint64 bytes, Fault fault) { m_plan = Plan{m_way, m_passed + bytes, fault}; }
    void forgetPlan() { m_plan.reset(); }
    void hasEnded();
    void stop();

private:
    struct Piece
    {
        qint64 due = 0; // ms of m_clock
        QByteArray bytes;
    };

    void pass();
    [[nodiscard]] qsizetype sizeOfNext() const;
    void passOn(qsizetype size);

    Pair *m_pair;
    const Way m_way;
    QTcpSocket *m_from;
    QTcpSocket *m_to;
    QElapsedTimer m_clock;
    QTimer m_next;
    QRandomGenerator m_random{Seed};
    std::deque<Piece> m_pieces;
    qsizetype m_waiting = 0; // bytes in the pieces
    qint64 m_free = 0;       // ms of m_clock: when the bandwidth lets the next byte go
    qint64 m_passed = 0;
    std::optional<Plan> m_plan;
    bool m_ended = false; // the end it comes from
};

// One connection of a client, and ours to the server for it.
class FaultProxy::Pair : public QObject
{
public:
    Pair(FaultProxy *proxy, QTcpSocket *client);
    void connectToServer();
    void strike(Fault fault);
    [[nodiscard]] Lane &lane(Way way) { return way == ToServer ? m_toServer : m_toClient; }
    [[nodiscard]] FaultProxy &proxy() { return *m_proxy; }
    [[nodiscard]] bool isSilent() const { return m_isSilent; }

private:
    void follow(QTcpSocket *socket, Lane &lane);

    FaultProxy *m_proxy;
    QTcpSocket *m_client; // both are children
    QTcpSocket *m_server;
    Lane m_toServer;
    Lane m_toClient;
    bool m_isSilent = false;
};

// ---- One way ----

FaultProxy::Lane::Lane(Pair *pair, Way way, QTcpSocket *from, QTcpSocket *to)
    : m_pair(pair), m_way(way), m_from(from), m_to(to)
{
    m_clock.start();
    m_next.setSingleShot(true);
    m_next.setTimerType(Qt::PreciseTimer);
    m_next.callOnTimeout(pair, [this] { pass(); });
}

void FaultProxy::Lane::take()
{
    if (m_pair->isSilent()) {
        m_from->readAll();
        return;
    }
    if (m_to->state() == QAbstractSocket::ConnectedState && m_waiting < Room)
        add(m_from->read(Room - m_waiting));
}

void FaultProxy::Lane::add(const QByteArray &bytes)
{
    if (bytes.isEmpty())
        return;
    const FaultProxy &proxy = m_pair->proxy();
    const int jitter = int(proxy.m_jitter.count());
    qint64 due =
        m_clock.elapsed() + proxy.m_latency.count() + (jitter > 0 ? m_random.bounded(jitter + 1) : 0);
    if (!m_pieces.empty())
        due = std::max(due, m_pieces.back().due);
    m_pieces.push_back({due, bytes});
    m_waiting += bytes.size();
    if (!m_next.isActive())
        pass();
}

qsizetype FaultProxy::Lane::sizeOfNext() const
{
    const FaultProxy &proxy = m_pair->proxy();
    qsizetype size = m_pieces.front().bytes.size();
    if (proxy.m_sliceSize > 0)
        size = std::min(size, proxy.m_sliceSize);
    if (proxy.m_bandwidth > 0) // what may go within 2 ms
        size = std::min(size, std::max(qsizetype(proxy.m_bandwidth / 500), qsizetype(1)));
    if (m_plan)
        size = std::min(size, qsizetype(m_plan->after - m_passed));
    return size;
}

void FaultProxy::Lane::pass()
{
    while (!m_pieces.empty()) {
        const qint64 wait = std::max(m_pieces.front().due, m_free) - m_clock.elapsed();
        if (wait > 0) {
            m_next.start(int(wait));
            return;
        }
        passOn(sizeOfNext());
        if (m_plan && m_passed >= m_plan->after) {
            const Fault fault = m_plan->fault;
            m_plan.reset();
            m_pair->strike(fault);
            return;
        }
        if (m_pair->proxy().m_sliceSize > 0) {
            m_next.start(0);
            return;
        }
    }
    if (m_ended)
        m_to->disconnectFromHost();
    else
        take();
}

void FaultProxy::Lane::passOn(qsizetype size)
{
    FaultProxy &proxy = m_pair->proxy();
    Piece &piece = m_pieces.front();
    const QByteArray bytes = piece.bytes.first(size);
    piece.bytes.remove(0, size);
    if (piece.bytes.isEmpty())
        m_pieces.pop_front();
    m_waiting -= size;
    m_passed += size;
    if (proxy.m_bandwidth > 0)
        m_free = std::max(m_free, m_clock.elapsed()) + std::max(size * 1000 / proxy.m_bandwidth, qint64(1));
    proxy.m_passed[m_way] += size;
    // Last: a socket that finds its line broken ends both, and that comes back to this lane (hasEnded()).
    m_to->write(bytes);
    m_to->flush();
    Q_EMIT proxy.hasPassed(m_way, size);
}

void FaultProxy::Lane::hasEnded()
{
    if (m_pair->isSilent())
        return;
    add(m_from->readAll());
    m_ended = true;
    if (!m_next.isActive())
        pass();
}

void FaultProxy::Lane::stop()
{
    m_next.stop();
    m_pieces.clear();
    m_waiting = 0;
    m_plan.reset();
}

// ---- One connection ----

FaultProxy::Pair::Pair(FaultProxy *proxy, QTcpSocket *client)
    : m_proxy(proxy)
    , m_client(client)
    , m_server(new QTcpSocket(this))
    , m_toServer(this, ToServer, m_client, m_server)
    , m_toClient(this, ToClient, m_server, m_client)
{
    m_client->setParent(this);
    m_server->setProxy(QNetworkProxy::NoProxy);
    follow(m_client, m_toServer);
    follow(m_server, m_toClient);
    connect(m_server, &QTcpSocket::connected, this, [this] {
        m_server->setSocketOption(QAbstractSocket::LowDelayOption, 1);
        m_toServer.take();
    });
}

void FaultProxy::Pair::follow(QTcpSocket *socket, Lane &lane)
{
    socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    socket->setReadBufferSize(Room);
    connect(socket, &QTcpSocket::readyRead, this, [&lane] { lane.take(); });
    connect(socket, &QTcpSocket::disconnected, this, [&lane] { lane.hasEnded(); });
}

void FaultProxy::Pair::connectToServer()
{
    m_server->connectToHost(m_proxy->m_server.host(), quint16(m_proxy->m_server.port()));
}

void FaultProxy::Pair::strike(Fault fault)
{
    m_toServer.stop();
    m_toClient.stop();
    m_isSilent = true;
    for (QTcpSocket *socket : {m_client, m_server}) {
        if (fault == Fault::Reset && socket->state() != QAbstractSocket::UnconnectedState)
            reset(socket);
        else if (fault == Fault::Finish)
            socket->disconnectFromHost();
    }
}

// ---- All of them ----

FaultProxy::FaultProxy(const QUrl &server) : m_server(server)
{
    listen();
}

FaultProxy::~FaultProxy() = default;

QUrl FaultProxy::url() const
{
    QUrl url = m_server;
    url.setHost(QHostAddress(QHostAddress::LocalHost).toString());
    url.setPort(m_port);
    return url;
}

void FaultProxy::listen()
{
    m_listener = std::make_unique<QTcpServer>();
    m_listener->setProxy(QNetworkProxy::NoProxy);
    if (!m_listener->listen(QHostAddress::LocalHost, m_port))
        qFatal("the fault proxy cannot listen: %s", qPrintable(m_listener->errorString()));
    m_port = m_listener->serverPort();
    connect(m_listener.get(), &QTcpServer::newConnection, this, [this] { accept(); });
}

void FaultProxy::accept()
{
    while (QTcpSocket *client = m_listener->nextPendingConnection()) {
        ++m_connections;
        Pair &pair = *m_pairs.emplace_back(std::make_unique<Pair>(this, client));
        if (m_plan && m_plan->after == 0) {
            pair.strike(m_plan->fault);
            continue;
        }
        if (m_plan)
            pair.lane(m_plan->way).planAfter(m_plan->after, m_plan->fault);
        pair.connectToServer();
    }
}

void FaultProxy::setLatency(milliseconds latency, milliseconds jitter)
{
    m_latency = latency;
    m_jitter = jitter;
}

void FaultProxy::setBandwidth(qint64 bytesPerSecond)
{
    m_bandwidth = bytesPerSecond;
}

void FaultProxy::setSliceSize(qsizetype bytes)
{
    m_sliceSize = bytes;
}

void FaultProxy::strike(Fault fault)
{
    for (const auto &pair : m_pairs)
        pair->strike(fault);
}

void FaultProxy::strikeAfter(Way way, qint64 bytes, Fault fault)
{
    m_plan = Plan{way, bytes, fault};
    for (const auto &pair : m_pairs) {
        if (bytes > 0)
            pair->lane(way).planAfter(bytes, fault);
        else
            pair->strike(fault);
    }
}

void FaultProxy::inject(Way way, const QByteArray &bytes)
{
    for (const auto &pair : m_pairs)
        pair->lane(way).add(bytes);
}

void FaultProxy::refuse()
{
    m_listener.reset();
}

// The system drops the SYN of whoever comes when the queue of those to be accepted is full (listen(2)).
void FaultProxy::neverAnswer()
{
    m_listener = std::make_unique<QTcpServer>();
    m_listener->setProxy(QNetworkProxy::NoProxy);
    m_listener->setListenBacklogSize(0);
    if (!m_listener->listen(QHostAddress::LocalHost, m_port))
        qFatal("the fault proxy cannot listen: %s", qPrintable(m_listener->errorString()));
    m_listener->pauseAccepting();
    for (int i = 0; i < 2; ++i) {
        const auto &filler = m_fillers.emplace_back(std::make_unique<QTcpSocket>());
        filler->setProxy(QNetworkProxy::NoProxy);
        filler->connectToHost(QHostAddress(QHostAddress::LocalHost), m_port);
    }
}

void FaultProxy::heal()
{
    m_fillers.clear();
    m_listener.reset(); // first: the port is the same
    listen();
    m_plan.reset();
    for (const auto &pair : m_pairs) {
        pair->lane(ToServer).forgetPlan();
        pair->lane(ToClient).forgetPlan();
    }
    m_latency = m_jitter = {};
    m_bandwidth = 0;
    m_sliceSize = 0;
}
