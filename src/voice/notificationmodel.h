// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QAbstractListModel>
#include <QDateTime>
#include <QHash>
#include <QJsonObject>

#include <deque>
#include <vector>

namespace Everwire {

// The notifications of a NotificationFeed, newest first. Texts are as the server sent them: show them as plain
// text.
//
//     ListView {
//         model: feed.notifications
//         delegate: Label {
//             required property string title
//             required property bool isRead
//             text: title
//             textFormat: Text.PlainText
//             font.bold: !isRead
//         }
//     }
class EVERWIRE_EXPORT NotificationModel : public QAbstractListModel
{
    Q_OBJECT
    // Rows in the model.
    Q_PROPERTY(int count READ count NOTIFY countChanged FINAL)
    // Those of them that are not read.
    Q_PROPERTY(int unreadCount READ unreadCount NOTIFY unreadCountChanged FINAL)

public:
    enum Role {
        NotificationIdRole = Qt::UserRole + 1,
        TitleRole,
        MessageRole,
        TimestampRole,
        IsReadRole,
        PayloadRole,
    };
    Q_ENUM(Role)

    struct Notification
    {
        QString notificationId;
        QString title;
        QString message;
        QDateTime timestamp; // UTC
        bool isRead = false;
        QJsonObject payload; // all that the server sent
    };

    explicit NotificationModel(QObject *parent = nullptr);

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

    [[nodiscard]] int count() const { return int(m_rows.size()); }
    [[nodiscard]] int unreadCount() const { return m_unread; }
    // The notification of a row; an empty one outside of the model.
    [[nodiscard]] Notification at(int row) const;
    // -1 where there is none.
    [[nodiscard]] int rowOf(const QString &notificationId) const;

Q_SIGNALS:
    void countChanged();
    void unreadCountChanged();

private:
    friend class NotificationFeed;

    struct Row
    {
        Notification notification;
        quint64 number = 0; // in the order of arrival
    };

    [[nodiscard]] int limit() const { return m_limit; }
    void setLimit(int limit);
    // Oldest first; none of them is in the model, and none is there twice.
    void prepend(std::vector<Notification> batch);
    // Finds its row by its id. Without a timestamp, the row keeps its own.
    void update(const Notification &notification);
    void markAsRead(const QString &notificationId);
    void markAllAsRead();
    void remove(int first, int rows);

    void takeOut(int first, int rows);
    void emitCounts(int countBefore, int unreadBefore);

    std::deque<Row> m_rows;
    QHash<QString, quint64> m_numbers; // by id
    quint64 m_lastNumber = 0;
    int m_unread = 0;
    int m_limit = 200;
};

} // namespace Everwire
