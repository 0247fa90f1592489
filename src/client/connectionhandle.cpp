// SPDX-License-Identifier: MIT
#include "client/connectionhandle.h"

#include "client/connection_p.h"
#include "client/websocketprovider.h"

namespace Everwire {

ConnectionHandle::ConnectionHandle(QObject *parent) : QObject(parent) {}

ConnectionHandle::ConnectionHandle(const QString &type, WebSocketProvider *provider, QObject *parent)
    : QObject(parent), m_provider(provider), m_usesInstance(!provider)
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
    const bool asks = m_isAsking;
    close();
    m_isAsking = asks;
    m_type = type;
    findConnection();
    openSoon();
    const QPointer<ConnectionHandle> self(this);
    Q_EMIT typeChanged();
    if (self)
        Q_EMIT connectionChanged();
    // Open after the signals, because their handlers may configure the type or close this handle.
    if (self && m_isAsking && !m_autoConnect)
        open();
}

// A handle keeps its provider, even one that is destroyed: another provider's connection could
// belong to another server.
void ConnectionHandle::findConnection()
{
    if (m_connection)
        m_connection->disconnect(this);
    if (!m_provider && m_usesInstance)
        m_provider = WebSocketProvider::instance();
    m_connection = m_provider && !m_type.isEmpty() ? m_provider->connection(m_type) : nullptr;
    if (m_connection)
        connect(m_connection, &QObject::destroyed, this, [this] {
            m_connection.clear();
            Q_EMIT connectionChanged();
        });
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
    m_isAsking = true;
    if (!m_connection) {
        findConnection();
        if (!m_connection)
            return;
        const QPointer<ConnectionHandle> self(this);
        Q_EMIT connectionChanged();
        if (!self || !m_isAsking || !m_connection)
            return;
    }
    m_connection->d->openForHandle(this);
}

void ConnectionHandle::close()
{
    m_isAsking = false;
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
