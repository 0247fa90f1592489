// SPDX-License-Identifier: MIT
#include "voice/notificationmodel.h"

#include <QPointer>

#include <algorithm>

namespace Everwire {

NotificationModel::NotificationModel(QObject *parent) : QAbstractListModel(parent) {}

int NotificationModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : count();
}

QVariant NotificationModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const Notification &notification = m_rows[size_t(index.row())].notification;
    switch (role) {
    case NotificationIdRole: return notification.notificationId;
    case Qt::DisplayRole:
    case TitleRole: return notification.title;
    case MessageRole: return notification.message;
    case TimestampRole: return notification.timestamp;
    case IsReadRole: return notification.isRead;
    case PayloadRole: return notification.payload;
    default: return {};
    }
}

QHash<int, QByteArray> NotificationModel::roleNames() const
{
    return {{NotificationIdRole, "notificationId"}, {TitleRole, "title"},   {MessageRole, "message"},
            {TimestampRole, "timestamp"},           {IsReadRole, "isRead"}, {PayloadRole, "payload"}};
}

NotificationModel::Notification NotificationModel::at(int row) const
{
    return row >= 0 && row < count() ? m_rows[size_t(row)].notification : Notification();
}

int NotificationModel::rowOf(const QString &notificationId) const
{
    const auto known = m_numbers.constFind(notificationId);
    if (known == m_numbers.constEnd())
        return -1;
    // Rows come and go, their numbers only fall from the first to the last.
    const auto row = std::lower_bound(m_rows.begin(), m_rows.end(), *known,
                                      [](const Row &r, quint64 number) { return r.number > number; });
    return int(row - m_rows.begin());
}

void NotificationModel::setLimit(int limit)
{
    m_limit = limit;
    remove(limit, count());
}

void NotificationModel::prepend(std::vector<Notification> batch)
{
    if (batch.empty())
        return;
    const int countBefore = count();
    const int unreadBefore = m_unread;
    const QPointer<NotificationModel> self(this); // a slot may delete the feed, and us with it
    const auto room = [&] { return std::max(0, m_limit - int(batch.size())); };
    while (self && count() > room()) // a slot may change the limit, too
        takeOut(room(), count());
    if (!self)
        return;
    const int added = std::min(int(batch.size()), m_limit);
    if (added > 0) {
        beginInsertRows({}, 0, added - 1);
        for (auto it = batch.end() - added; it != batch.end(); ++it) {
            m_numbers.insert(it->notificationId, ++m_lastNumber);
            m_rows.push_front({std::move(*it), m_lastNumber});
        }
        m_unread += added;
        endInsertRows();
    }
    if (self)
        emitCounts(countBefore, unreadBefore);
}

void NotificationModel::update(const Notification &notification)
{
    const int row = rowOf(notification.notificationId);
    if (row < 0)
        return;
    Notification &known = m_rows[size_t(row)].notification;
    if (known.payload == notification.payload)
        return;
    known.title = notification.title;
    known.message = notification.message;
    known.payload = notification.payload;
    if (notification.timestamp.isValid())
        known.timestamp = notification.timestamp;
    Q_EMIT dataChanged(index(row), index(row),
                       {TitleRole, MessageRole, TimestampRole, PayloadRole, Qt::DisplayRole});
}

void NotificationModel::markAsRead(const QString &notificationId)
{
    const int row = rowOf(notificationId);
    if (row < 0 || std::exchange(m_rows[size_t(row)].notification.isRead, true))
        return;
    const int unreadBefore = m_unread--;
    const QPointer<NotificationModel> self(this);
    Q_EMIT dataChanged(index(row), index(row), {IsReadRole});
    if (self)
        emitCounts(count(), unreadBefore);
}

void NotificationModel::markAllAsRead()
{
    if (m_unread == 0)
        return;
    for (Row &row : m_rows)
        row.notification.isRead = true;
    const int unreadBefore = std::exchange(m_unread, 0);
    const QPointer<NotificationModel> self(this);
    Q_EMIT dataChanged(index(0), index(count() - 1), {IsReadRole});
    if (self)
        emitCounts(count(), unreadBefore);
}

void NotificationModel::remove(int first, int rows)
{
    const int countBefore = count();
    const int unreadBefore = m_unread;
    const QPointer<NotificationModel> self(this);
    takeOut(first, rows);
    if (self)
        emitCounts(countBefore, unreadBefore);
}

// As many of these rows as there are.
void NotificationModel::takeOut(int first, int rows)
{
    rows = std::min(rows, count() - first);
    if (first < 0 || rows <= 0)
        return;
    beginRemoveRows({}, first, first + rows - 1);
    const auto begin = m_rows.begin() + first;
    const auto end = begin + rows;
    for (auto it = begin; it != end; ++it) {
        m_numbers.remove(it->notification.notificationId);
        m_unread -= it->notification.isRead ? 0 : 1;
    }
    m_rows.erase(begin, end);
    endRemoveRows();
}

void NotificationModel::emitCounts(int countBefore, int unreadBefore)
{
    const QPointer<NotificationModel> self(this);
    if (count() != countBefore)
        Q_EMIT countChanged();
    if (self && m_unread != unreadBefore)
        Q_EMIT unreadCountChanged();
}

} // namespace Everwire
