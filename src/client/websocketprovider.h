// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Connection>
#include <Everwire/ConnectionConfig>
#include <Everwire/ConnectionsModel>
#include <Everwire/TokenProvider>

#include <QObject>

#include <memory>

namespace Everwire {

class EngineHost;
class EngineRoom;
class NetworkMonitor;

// Where an app gets its connections: one shared Connection for each named type.
//
//     auto *provider = WebSocketProvider::instance();
//     provider->setToken(jwt);
//     provider->configure("simulation", ConnectionConfig().setUrl("wss://example.com/stream"));
//     provider->connection("simulation")->open();
//
// Belongs to the thread that made it, whose event loop it needs; the network runs on one thread of its own.
class EVERWIRE_EXPORT WebSocketProvider : public QObject
{
    Q_OBJECT
    // The connections there are, as an item model: type, connection, state, isConnected.
    Q_PROPERTY(Everwire::ConnectionsModel *connections READ connections CONSTANT FINAL)
    // Logs all connections under everwire.*: states, sizes and types, no payload and no token (C4).
    Q_PROPERTY(bool debug READ debug WRITE setDebug NOTIFY debugChanged FINAL)
    // Asked for a token for every attempt of every connection that has none of its own. Not owned.
    Q_PROPERTY(Everwire::TokenProvider *tokenProvider READ tokenProvider WRITE setTokenProvider NOTIFY
                   tokenProviderChanged FINAL)
    // Write it: the token of every connection that has no provider of its own. It reads as empty, so that it
    // shows up in no inspector and no log (A7).
    Q_PROPERTY(QString token READ token WRITE setToken NOTIFY tokenChanged FINAL)

public:
    explicit WebSocketProvider(QObject *parent = nullptr);
    // Closes everything; no thread, socket or timer is left (O6).
    ~WebSocketProvider() override;

    // The application's provider, which QML's singleton is, too. Made at the first call, gone with the
    // QCoreApplication; nullptr where there is none.
    [[nodiscard]] static WebSocketProvider *instance();

    // Returns the connection of this type, the same at every call. A new name creates a new type.
    // The provider owns the connection. Returns nullptr for an empty name, and for a new one while
    // the provider is being destroyed.
    Q_INVOKABLE [[nodiscard]] Everwire::Connection *connection(const QString &type);

    // What this type's connection uses from its next attempt on (C1, C5). False, and nothing changes, where
    // an option is unknown or impossible; the log names it (C3).
    bool configure(const QString &type, const ConnectionConfig &config);
    Q_INVOKABLE bool configure(const QString &type, const QVariantMap &config);
    // configure()'s over the environment's over the built-in (C1, C2).
    Q_INVOKABLE [[nodiscard]] Everwire::ConnectionConfig configuration(const QString &type) const;

    // Reads NAME=value lines (rule C2): <TYPE>_WS_URL and NEXT_PUBLIC_<TYPE>_WS_URL count as if they were in the
    // environment, behind what is there; of several files the one loaded last goes first. Nothing is written to the
    // process's own environment. A path, ":/a/resource", or a file: or qrc: URL. False where the file could not be read
    // or a line of it is bad: the log says which, and the good ones count. At most 1 MiB.
    Q_INVOKABLE bool loadEnvironmentFile(const QString &path);

    // Closes every connection (O2).
    Q_INVOKABLE void closeAll();

    // The user goes: every connection is closed and forgets (Connection::forget()), and token() with them. Nothing of
    // this user is sent or shown from here on.
    Q_INVOKABLE void signOut();
    // Another one comes: signOut(), then this token, and what ConnectionHandles hold is opened again. What the app has
    // opened by itself it opens again by itself. With a TokenProvider of the app's, which answers for the new user from
    // here on, the token is empty.
    Q_INVOKABLE void signIn(const QString &token = {});

    // Where hints of the network come from (rule R7): by default the system. Not owned; nullptr: nowhere.
    void setNetworkMonitor(NetworkMonitor *monitor);
    [[nodiscard]] NetworkMonitor *networkMonitor() const;

    void setTokenProvider(TokenProvider *provider);
    [[nodiscard]] TokenProvider *tokenProvider() const;

    [[nodiscard]] QString token() const { return {}; }
    void setToken(const QString &token);

    [[nodiscard]] bool debug() const;
    void setDebug(bool debug);

    [[nodiscard]] ConnectionsModel *connections() const;

Q_SIGNALS:
    // Every connection's errorOccurred(), for a log or a reporting service.
    void errorOccurred(Everwire::Connection *connection, const Everwire::ConnectionError &error);

    void debugChanged();
    void tokenChanged();
    void tokenProviderChanged();

private:
    friend class ConnectionPrivate;
    EngineRoom &engineRoom();
    void forget(Connection *connection, EngineHost *engine);
    template<typename Function>
    void forEach(Function &&function);

    struct Private;
    const std::unique_ptr<Private> d;
};

} // namespace Everwire
