// SPDX-License-Identifier: MIT
#include "client/connectionhandle.h"

#include "client/connection_p.h"
#include "client/websocketprovider.h"

namespace Everwire {

ConnectionHandle::ConnectionHandle(QObject *parent) : QObject(parent) {}

ConnectionHandle::ConnectionHandle(const QString &type, WebSocketProvider *provider, QObject *parent)
    : QObject(parent), m_provider(provider)
{
    setType(type);
}

ConnectionHandle::~ConnectionHandle()
{
    close();
}

void ConnectionHandle::setType(const QString &type)
{
    if (type == m_type)
        return;
    close();
    m_type = type;
    if (!m_provider)
        m_provider = WebSocketProvider::instance();
    m_connection = m_provider && !type.isEmpty() ? m_provider->connection(type) : nullptr;
    openSoon();
    const QPointer<ConnectionHandle> self(this);
    Q_EMIT typeChanged();
    if (self)
        Q_EMIT connectionChanged();
}

void ConnectionHandle::setAutoConnect(bool autoConnect)
{
    if (autoConnect == m_autoConnect)
        return;
    m_autoConnect = autoConnect;
    openSoon();
    Q_EMIT autoConnectChanged();
}

Connection *ConnectionHandle::connection() const
{
    return m_connection;
}

void ConnectionHandle::open()
{
    if (m_connection)
        m_connection->d->openForHandle(this);
}

void ConnectionHandle::close()
{
    m_opensSoon = false;
    if (m_connection)
        m_connection->d->releaseHandle(this);
}

void ConnectionHandle::openSoon()
{
    if (!m_autoConnect || !m_connection || std::exchange(m_opensSoon, true))
        return;
    QMetaObject::invokeMethod(
        this,
        [this] {
            if (std::exchange(m_opensSoon, false) && m_autoConnect)
                open();
        },
        Qt::QueuedConnection);
}

} // namespace Everwire
