// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Connection>

#include <QObject>
#include <QPointer>
#include <QString>

namespace Everwire {

class WebSocketProvider;

// A share in a connection (rule O7): the connection opens with the first handle that asks and closes when the
// last one is gone and *linger* has passed. What React's useWebSocket(type, true) does for a component.
//
//     ConnectionHandle notifications("notifications");
//     notifications.open();
//
// In QML: ConnectionHandle { id: handle; type: "notifications"; autoConnect: true }
class EVERWIRE_EXPORT ConnectionHandle : public QObject
{
    Q_OBJECT
    // The type of the connection that this handle shares. If the type changes after open(), the
    // handle releases the share in the old connection and opens the new one (rule O7). It does so
    // at once, or, with autoConnect, when control returns to the event loop.
    Q_PROPERTY(QString type READ type WRITE setType NOTIFY typeChanged FINAL)
    // Opens by itself, at the next turn of the event loop: what a page configures while it is made counts.
    Q_PROPERTY(bool autoConnect READ autoConnect WRITE setAutoConnect NOTIFY autoConnectChanged FINAL)
    // nullptr while the type is empty, and after the provider was destroyed. If the connection was
    // deleted, the next open() creates a new one.
    Q_PROPERTY(Everwire::Connection *connection READ connection NOTIFY connectionChanged FINAL)

public:
    explicit ConnectionHandle(QObject *parent = nullptr);
    explicit ConnectionHandle(const QString &type, WebSocketProvider *provider = nullptr,
                              QObject *parent = nullptr);
    ~ConnectionHandle() override;

    [[nodiscard]] QString type() const { return m_type; }
    void setType(const QString &type);
    [[nodiscard]] bool autoConnect() const { return m_autoConnect; }
    void setAutoConnect(bool autoConnect);
    [[nodiscard]] Connection *connection() const;

    // Asks for the connection to be open, until close() or the end of this handle. The request
    // stays if the type changes.
    Q_INVOKABLE void open();
    // Gives the share back; the connection stays open for the other handles.
    Q_INVOKABLE void close();

Q_SIGNALS:
    void typeChanged();
    void autoConnectChanged();
    void connectionChanged();

private:
    void openSoon();
    void findConnection();

    QString m_type;
    QPointer<WebSocketProvider> m_provider;
    // With WebSocketProvider::instance(), not a provider that the app passed.
    bool m_usesInstance = true;
    bool m_isAsking = false; // open() was called, and close() was not
    QPointer<Connection> m_connection;
    bool m_autoConnect = false;
    bool m_opensSoon = false;
};

} // namespace Everwire
