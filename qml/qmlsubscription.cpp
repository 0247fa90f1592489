// SPDX-License-Identifier: MIT
#include "qmlsubscription.h"

#include <QJSEngine>
#include <QMetaMethod>
#include <QQmlEngine>

namespace Everwire {

namespace {

constexpr int FrameMs = 16;

} // namespace

QmlSubscription::QmlSubscription(QObject *parent) : QObject(parent)
{
    connect(&m_conflater, &Conflater::due, this, &QmlSubscription::deliver);
}

void QmlSubscription::setConnection(Connection *connection)
{
    if (connection == m_connection)
        return;
    if (m_connection)
        m_connection->disconnect(this);
    m_connection = connection;
    if (connection) {
        connect(connection, &QObject::destroyed, this, [this] {
            m_connection.clear();
            resubscribe();
            Q_EMIT connectionChanged();
        });
        connect(connection, &Connection::forgotten, this, [this] {
            m_conflater.clear();
            forget();
        });
    }
    forget();
    resubscribe();
    Q_EMIT connectionChanged();
}

void QmlSubscription::setEvent(const QString &event)
{
    if (event == m_event)
        return;
    m_event = event;
    forget();
    resubscribe();
    Q_EMIT eventChanged();
}

void QmlSubscription::setEnabled(bool enabled)
{
    if (enabled == m_enabled)
        return;
    m_enabled = enabled;
    resubscribe();
    Q_EMIT enabledChanged();
}

void QmlSubscription::setDelivery(Delivery delivery)
{
    if (delivery == m_delivery)
        return;
    m_delivery = delivery;
    Q_EMIT deliveryChanged();
    applyDelivery(); // last: what waited is delivered
}

void QmlSubscription::setInterval(int interval)
{
    if (interval == m_interval)
        return;
    m_interval = interval;
    Q_EMIT intervalChanged();
    applyDelivery();
}

void QmlSubscription::componentComplete()
{
    m_complete = true;
    resubscribe();
}

void QmlSubscription::applyDelivery()
{
    switch (m_delivery) {
    case Each: m_conflater.setInterval(0); break;
    case Latest: m_conflater.setInterval(FrameMs); break;
    case Sampled: m_conflater.setInterval(m_interval); break;
    }
}

void QmlSubscription::resubscribe()
{
    m_subscription.unsubscribe();
    m_conflater.clear();
    if (!m_complete || !m_enabled || !m_connection || m_event.isEmpty())
        return;
    m_subscription =
        m_connection->subscribe(m_event, this, [this](const Message &message) { m_conflater.push(message); });
}

// What another event or another connection sent is not this one's latest.
void QmlSubscription::forget()
{
    if (m_latest.isNull())
        return;
    m_latest = {};
    m_latestPayload.clear();
    Q_EMIT latestChanged();
}

void QmlSubscription::deliver(const Message &message)
{
    const QPointer<QmlSubscription> self(this);
    m_latest = message;
    m_latestPayload.clear();
    Q_EMIT latestChanged();
    static const QMetaMethod receivedSignal = QMetaMethod::fromSignal(&QmlSubscription::received);
    // Whoever heard of the latest may have chosen another event or connection.
    if (self && isSignalConnected(receivedSignal) && m_latest.messageId() == message.messageId())
        Q_EMIT received(latest());
}

// Converted for JavaScript once, however many bindings read it, and not at all where none does.
QVariant QmlSubscription::latest() const
{
    if (!m_latestPayload.isValid() && !m_latest.isNull()) {
        m_latestPayload = m_latest.payload();
        QJSEngine *engine = qjsEngine(this);
        if (engine && m_latestPayload.isValid())
            m_latestPayload = QVariant::fromValue(engine->toScriptValue(m_latestPayload));
    }
    return m_latestPayload;
}

} // namespace Everwire
