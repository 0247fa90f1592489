// SPDX-License-Identifier: MIT
#include "voice/notificationfeed.h"

#include <Everwire/Connection>
#include <Everwire/Message>
#include <Everwire/WebSocketProvider>

#include "core/scalartext.h"
#include "core/timestamp.h"

#include <QPointer>
#include <QUuid>

#include <algorithm>

namespace Everwire {

namespace {

// Numbers are as good as strings; what has no text of its own has none here.
QString toText(const QJsonValue &value)
{
    return scalarText(value).value_or(QString());
}

NotificationModel::Notification read(const QJsonObject &payload)
{
    NotificationModel::Notification notification;
    notification.notificationId = toText(payload.value(QLatin1String("id")));
    if (notification.notificationId.isEmpty())
        notification.notificationId = QUuid::createUuid().toString(QUuid::WithoutBraces);
    notification.title = toText(payload.value(QLatin1String("title")));
    notification.message = toText(payload.value(QLatin1String("message")));
    notification.timestamp = Timestamp::fromJson(payload.value(QLatin1String("timestamp")));
    notification.payload = payload;
    return notification;
}

// Each id once, where it came first, as it came last.
template<typename Iterator>
std::vector<NotificationModel::Notification> withoutRepeats(Iterator begin, Iterator end)
{
    std::vector<NotificationModel::Notification> fresh;
    QHash<QString, size_t> places;
    for (auto it = begin; it != end; ++it) {
        const auto earlier = places.constFind(it->notificationId);
        const bool isFirst = earlier == places.constEnd();
        if (!it->timestamp.isValid())
            it->timestamp = isFirst ? QDateTime::currentDateTimeUtc() : fresh[*earlier].timestamp;
        if (!isFirst) {
            fresh[*earlier] = std::move(*it);
            continue;
        }
        places.insert(it->notificationId, fresh.size());
        fresh.push_back(std::move(*it));
    }
    return fresh;
}

QJsonObject toJson(const NotificationModel::Notification &notification)
{
    QJsonObject json = notification.payload;
    json.insert(QStringLiteral("id"), notification.notificationId);
    json.insert(QStringLiteral("title"), notification.title);
    json.insert(QStringLiteral("message"), notification.message);
    json.insert(QStringLiteral("timestamp"), notification.timestamp.toString(Qt::ISODateWithMs));
    return json;
}

} // namespace

NotificationFeed::NotificationFeed(QObject *parent) : NotificationFeed(nullptr, parent) {}

NotificationFeed::NotificationFeed(WebSocketProvider *provider, QObject *parent)
    : QObject(parent)
    , m_notifications(new NotificationModel(this))
    , m_handle(QStringLiteral("notifications"), provider)
{
    connect(m_notifications, &NotificationModel::unreadCountChanged, this,
            &NotificationFeed::unreadCountChanged);
    connect(&m_handle, &ConnectionHandle::autoConnectChanged, this, &NotificationFeed::autoConnectChanged);
    if (connection())
        subscribe(); // else WebSocketProvider::instance() has said why
    m_handle.setAutoConnect(true);
}

void NotificationFeed::subscribe()
{
    connection()->subscribe(QStringLiteral("notification"), this, &NotificationFeed::take);
    connect(connection(), &Connection::errorChanged, this, &NotificationFeed::errorChanged);
    // They were another user's.
    connect(connection(), &Connection::forgotten, this, [this] {
        m_arrived.clear();
        m_unannounced.clear();
        clear();
    });
}

void NotificationFeed::setAutoConnect(bool autoConnect)
{
    m_handle.setAutoConnect(autoConnect);
}

void NotificationFeed::setLimit(int limit)
{
    limit = std::max(0, limit);
    if (limit == this->limit())
        return;
    const QPointer<NotificationFeed> self(this); // whoever hears of it may delete us
    m_notifications->setLimit(limit);
    if (self)
        Q_EMIT limitChanged();
}

QString NotificationFeed::error() const
{
    return connection() ? connection()->error() : QString();
}

void NotificationFeed::open()
{
    m_handle.open();
}

void NotificationFeed::close()
{
    m_handle.close();
}

void NotificationFeed::markAsRead(const QString &notificationId)
{
    m_notifications->markAsRead(notificationId);
}

void NotificationFeed::markAllAsRead()
{
    m_notifications->markAllAsRead();
}

void NotificationFeed::remove(const QString &notificationId)
{
    m_notifications->remove(m_notifications->rowOf(notificationId), 1);
}

void NotificationFeed::clear()
{
    m_notifications->remove(0, m_notifications->count());
}

// A burst is one insertion for each turn of the event loop, not one for each notification.
void NotificationFeed::take(const Message &message)
{
    m_arrived.push_back(read(message.json()));
    if (m_arrived.size() == 1)
        QMetaObject::invokeMethod(this, &NotificationFeed::flush, Qt::QueuedConnection);
}

void NotificationFeed::flush()
{
    if (m_applying)
        return; // in an event loop of whoever hears of it; the one that applies goes on
    const QPointer<NotificationFeed> self(this); // whoever hears of it may delete us
    while (self && !m_arrived.empty())
        apply(std::exchange(m_arrived, {}));
    if (self)
        announce();
}

void NotificationFeed::apply(std::vector<Notification> batch)
{
    const auto known = std::stable_partition(batch.begin(), batch.end(), [this](const Notification &each) {
        return m_notifications->rowOf(each.notificationId) < 0;
    });
    std::vector<Notification> fresh = withoutRepeats(batch.begin(), known);
    m_unannounced.insert(m_unannounced.end(), fresh.begin(), fresh.end());

    const QPointer<NotificationFeed> self(this);
    m_applying = true;
    m_notifications->prepend(std::move(fresh));
    for (auto it = known; self && it != batch.end(); ++it)
        m_notifications->update(*it);
    if (self)
        m_applying = false;
}

// In order, also where a handler runs an event loop in which more arrive.
void NotificationFeed::announce()
{
    const QPointer<NotificationFeed> self(this);
    while (self && !m_unannounced.empty()) {
        const QJsonObject notification = toJson(m_unannounced.front());
        m_unannounced.pop_front();
        Q_EMIT notificationReceived(notification);
    }
}

} // namespace Everwire
