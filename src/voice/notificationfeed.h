// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionHandle>
#include <Everwire/NotificationModel>

#include <QJsonObject>
#include <QObject>

#include <deque>
#include <vector>

namespace Everwire {

class Message;
class WebSocketProvider;

// What the server has to tell, over the connection "notifications". What the guide's useNotifications is for the
// web client. The connection opens by itself, and closes when its last feed is gone and *linger* has passed.
//
//     NotificationFeed feed;
//     connect(&feed, &NotificationFeed::notificationReceived, this,
//             [this](const QJsonObject &notification) { showToast(notification["title"].toString()); });
//
// In QML: NotificationFeed { id: feed; onNotificationReceived: notification => toast.show(notification.title) }
//
// A notification whose id is in the model already is the same one again, as a server sends it after a reconnect:
// its row changes in place, read or not as it was. One that was removed is new when it comes again. Belongs to its
// provider's thread.
class EVERWIRE_EXPORT NotificationFeed : public QObject
{
    Q_OBJECT
    // Newest first.
    Q_PROPERTY(Everwire::NotificationModel *notifications READ notifications CONSTANT FINAL)
    // Those of them that are not read.
    Q_PROPERTY(int unreadCount READ unreadCount NOTIFY unreadCountChanged FINAL)
    Q_PROPERTY(Everwire::Connection *connection READ connection CONSTANT FINAL)
    // open() by itself, at the next turn of the event loop.
    Q_PROPERTY(bool autoConnect READ autoConnect WRITE setAutoConnect NOTIFY autoConnectChanged FINAL)
    // Notifications kept at most, 200; the oldest go. 0 keeps none.
    Q_PROPERTY(int limit READ limit WRITE setLimit NOTIFY limitChanged FINAL)
    // The connection's.
    Q_PROPERTY(QString error READ error NOTIFY errorChanged FINAL)

public:
    explicit NotificationFeed(QObject *parent = nullptr);
    // provider: nullptr for WebSocketProvider::instance().
    explicit NotificationFeed(WebSocketProvider *provider, QObject *parent = nullptr);

    [[nodiscard]] NotificationModel *notifications() const { return m_notifications; }
    [[nodiscard]] int unreadCount() const { return m_notifications->unreadCount(); }
    [[nodiscard]] Connection *connection() const { return m_handle.connection(); }
    [[nodiscard]] bool autoConnect() const { return m_handle.autoConnect(); }
    void setAutoConnect(bool autoConnect);
    [[nodiscard]] int limit() const { return m_notifications->limit(); }
    // A negative one counts as 0.
    void setLimit(int limit);
    [[nodiscard]] QString error() const;

    // Asks for the connection to be open, and gives that up again, as a ConnectionHandle does.
    Q_INVOKABLE void open();
    Q_INVOKABLE void close();

    // An id that is not there is no fault.
    Q_INVOKABLE void markAsRead(const QString &notificationId);
    Q_INVOKABLE void markAllAsRead();
    Q_INVOKABLE void remove(const QString &notificationId);
    Q_INVOKABLE void clear();

Q_SIGNALS:
    // A new one; it is in the model by now. The object is the server's, with "id", "title", "message" and
    // "timestamp" (ISO 8601, UTC) as the model has them: strings, also where the server sent something else.
    void notificationReceived(const QJsonObject &notification);

    void unreadCountChanged();
    void autoConnectChanged();
    void limitChanged();
    void errorChanged();

private:
    using Notification = NotificationModel::Notification;

    void subscribe();
    void take(const Message &message);
    void flush();
    void apply(std::vector<Notification> batch);
    void announce();

    NotificationModel *const m_notifications;
    ConnectionHandle m_handle;
    std::vector<Notification> m_arrived; // in this turn of the event loop
    std::deque<Notification> m_unannounced;
    bool m_applying = false;
};

} // namespace Everwire
