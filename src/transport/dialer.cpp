// SPDX-License-Identifier: MIT
#include "transport/dialer.h"

#include <QFutureWatcher>
#include <QHash>
#include <QHostInfo>
#include <QMutex>
#include <QPromise>
#include <QThreadPool>
#include <QUrl>

#include <algorithm>
#include <utility>

#ifdef Q_OS_UNIX
#include <netdb.h>
#include <sys/socket.h>
#endif

namespace Everwire {

namespace {

// Which of several failures says most: a host that refused is there, one that cannot be reached may only be of the other
// family.
int tells(QAbstractSocket::SocketError error)
{
    switch (error) {
    case QAbstractSocket::ConnectionRefusedError: return 3;
    case QAbstractSocket::SocketTimeoutError: return 2;
    case QAbstractSocket::UnknownSocketError: return 0;
    default: return 1;
    }
}

struct Addresses
{
    QList<QHostAddress> found;
    QString problem;
};

#ifdef Q_OS_UNIX

Addresses lookUp(const QString &host)
{
    const QByteArray name = QUrl::toAce(host).isEmpty() ? host.toUtf8() : QUrl::toAce(host);
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo *list = nullptr;
    const int error = getaddrinfo(name.constData(), nullptr, &hints, &list);
    if (error != 0)
        return {{}, QString::fromLocal8Bit(gai_strerror(error))};
    Addresses addresses;
    for (const addrinfo *one = list; one; one = one->ai_next) {
        const QHostAddress address(one->ai_addr);
        if (!address.isNull() && !addresses.found.contains(address))
            addresses.found.append(address);
    }
    freeaddrinfo(list);
    return addresses;
}

#else

// QHostInfo::fromName() does not use QHostInfo's cache.
Addresses lookUp(const QString &host)
{
    const QHostInfo info = QHostInfo::fromName(host);
    return {info.error() == QHostInfo::NoError ? info.addresses() : QList<QHostAddress>(),
            info.errorString()};
}

#endif

// Resolves host names in threads of its own. Simultaneous requests for one host share a look-up.
// QHostInfo::lookupHost() is not used, because it caches results for a minute and would return the
// old address of a server that has moved.
class LookUps
{
public:
    // Never destroyed, because a look-up cannot be cancelled and the end of the application must
    // not wait for it.
    static LookUps &instance()
    {
        static auto *const lookUps = new LookUps;
        return *lookUps;
    }

    QFuture<Addresses> start(const QString &host)
    {
        const QMutexLocker lock(&m_mutex);
        if (const auto underWay = m_underWay.constFind(host); underWay != m_underWay.constEnd())
            return *underWay;
        const auto promise = std::make_shared<QPromise<Addresses>>();
        promise->start();
        m_underWay.insert(host, promise->future());
        m_threads.start([this, host, promise] {
            const Addresses addresses = lookUp(host);
            forget(host); // later requests need a newer result
            promise->addResult(addresses);
            promise->finish();
        });
        return promise->future();
    }

private:
    static constexpr int MostThreads = 8;
    static constexpr int IdleTime = 5000; // ms until an idle thread ends

    LookUps()
    {
        m_threads.setMaxThreadCount(MostThreads);
        m_threads.setExpiryTimeout(IdleTime);
    }

    void forget(const QString &host)
    {
        const QMutexLocker lock(&m_mutex);
        m_underWay.remove(host);
    }

    QMutex m_mutex;
    QHash<QString, QFuture<Addresses>> m_underWay;
    QThreadPool m_threads;
};

} // namespace

Dialer::Resolver Dialer::systemResolver()
{
    return [](const QString &host, QObject *context, const Resolved &resolved) {
        auto *watcher = new QFutureWatcher<Addresses>(context);
        QObject::connect(watcher, &QFutureWatcherBase::finished, context, [watcher, resolved] {
            const Addresses addresses = watcher->result();
            watcher->deleteLater();
            resolved(addresses.found, addresses.problem);
        });
        watcher->setFuture(LookUps::instance().start(host));
    };
}

QList<QHostAddress> Dialer::interleaved(const QList<QHostAddress> &addresses)
{
    QList<QHostAddress> preferred;
    QList<QHostAddress> others;
    for (const QHostAddress &address : addresses)
        (address.protocol() == addresses.first().protocol() ? preferred : others).append(address);
    QList<QHostAddress> mixed;
    for (qsizetype i = 0; i < std::max(preferred.size(), others.size()); ++i)
        mixed += preferred.mid(i, 1) + others.mid(i, 1);
    return mixed;
}

Dialer::Dialer(Resolver resolver, MakeSocket makeSocket, Done done, std::chrono::milliseconds delay)
    : m_resolver(std::move(resolver)), m_makeSocket(std::move(makeSocket)), m_done(std::move(done))
{
    m_next.setSingleShot(true);
    m_next.setInterval(delay);
    QObject::connect(&m_next, &QTimer::timeout, &m_context, [this] { startNext(); });
}

Dialer::~Dialer()
{
    abort();
}

void Dialer::abort()
{
    m_done = {};
    m_next.stop();
    m_waiting.clear();
    while (!m_trying.isEmpty()) {
        QTcpSocket *socket = m_trying.first();
        forget(socket);
        socket->abort();
        socket->deleteLater(); // it may be on the stack
    }
}

void Dialer::dial(const QString &host, quint16 port, QIODevice::OpenMode mode)
{
    m_port = port;
    m_mode = mode;
    m_resolver(host, &m_context, [this](const QList<QHostAddress> &addresses, const QString &problem) {
        if (!m_done)
            return; // aborted
        if (addresses.isEmpty()) {
            finish({nullptr, QAbstractSocket::HostNotFoundError, problem});
            return;
        }
        m_waiting = interleaved(addresses);
        startNext();
    });
}

void Dialer::startNext()
{
    const QHostAddress address = m_waiting.takeFirst();
    QTcpSocket *socket = m_makeSocket();
    m_trying.append(socket);
    m_tried.append(address.toString());
    QObject::connect(socket, &QTcpSocket::connected, &m_context, [this, socket] { connected(socket); });
    QObject::connect(socket, &QTcpSocket::errorOccurred, &m_context, [this, socket] { failed(socket); });
    if (m_waiting.isEmpty())
        m_next.stop();
    else
        m_next.start();
    // It may succeed or fail at once, and with that we may have ended.
    socket->connectToHost(address.toString(), m_port, m_mode);
}

void Dialer::connected(QTcpSocket *socket)
{
    forget(socket);
    finish({socket, QAbstractSocket::UnknownSocketError, {}});
}

void Dialer::failed(QTcpSocket *socket)
{
    forget(socket);
    socket->deleteLater();
    if (tells(socket->error()) > tells(m_worst.error) || m_worst.problem.isEmpty())
        m_worst = {nullptr, socket->error(), socket->errorString()};
    if (!m_waiting.isEmpty()) {
        startNext();
        return;
    }
    if (!m_trying.isEmpty())
        return;
    if (m_tried.size() > 1)
        m_worst.problem += QStringLiteral(" (tried %1)").arg(m_tried.join(QStringLiteral(", ")));
    finish(m_worst);
}

void Dialer::forget(QTcpSocket *socket)
{
    m_trying.removeOne(socket);
    socket->disconnect(&m_context);
}

void Dialer::finish(const Outcome &outcome)
{
    const Done done = std::exchange(m_done, {});
    abort();
    done(outcome);
}

} // namespace Everwire
