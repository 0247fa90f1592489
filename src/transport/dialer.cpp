// SPDX-License-Identifier: MIT
#include "transport/dialer.h"

#include <QHostInfo>

#include <algorithm>
#include <utility>

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

} // namespace

Dialer::Resolver Dialer::systemResolver()
{
    return [](const QString &host, QObject *context, const Resolved &resolved) {
        QHostInfo::lookupHost(host, context, [resolved](const QHostInfo &info) {
            resolved(info.error() == QHostInfo::NoError ? info.addresses() : QList<QHostAddress>(),
                     info.errorString());
        });
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
