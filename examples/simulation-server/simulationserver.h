// SPDX-License-Identifier: MIT
#pragma once

#include "faults.h"
#include "serveroptions.h"
#include "sessionstore.h"

#include <QList>
#include <QObject>
#include <QTimer>
#include <QUrl>

class QWebSocketServer;

namespace Everwire::Demo {

class ClientSession;

/// Stands in for the simulation backend, in a process of its own or inside a test.
///
/// \code
/// ServerOptions options;
/// options.secret = QByteArray(32, 'k');
/// options.partDelay = std::chrono::milliseconds(0);
/// SimulationServer server(options);
/// QVERIFY2(server.listen(), qPrintable(server.errorString()));
/// client.open(server.streamUrl(u"s1"_s), server.token());
/// \endcode
///
/// Lives in one thread; move it before listen() to run it beside a UI.
class SimulationServer : public QObject
{
    Q_OBJECT

public:
    explicit SimulationServer(const ServerOptions &options, QObject *parent = nullptr);
    ~SimulationServer() override;

    /// False when the secret is too short, there is no scenario, or the port is taken; see errorString().
    [[nodiscard]] bool listen();
    [[nodiscard]] QString errorString() const;
    /// Closes every connection with 1001 and stops listening; sessions are kept.
    void close();

    /// The address with its port, for example `ws://127.0.0.1:40123`.
    [[nodiscard]] QUrl url() const;
    /// The URL of a session's stream; empty parts are left out of the query.
    [[nodiscard]] QUrl streamUrl(const QString &sessionId, const QString &scenario = {},
                                 const QString &role = {}, const QString &fault = {}) const;
    /// A token that this server accepts; a negative \a lifetime makes one that has expired.
    [[nodiscard]] QString token(const QString &user = QStringLiteral("demo-user"),
                                std::chrono::seconds lifetime = std::chrono::hours(1)) const;

    /// Lets \a fault happen now on every authenticated connection. Drop and Close hit the others too.
    void applyFault(const Fault &fault);
    /// Gives \a fault to the next \a connections that open (-1: to all), unless their URL names one.
    void setConnectionFault(const Fault &fault, int connections = -1);

    [[nodiscard]] int connectionCount() const { return int(m_clients.size()); }
    [[nodiscard]] int sessionCount() const { return m_store.count(); }
    [[nodiscard]] const ScenarioCatalog &scenarios() const { return m_options.scenarios; }

Q_SIGNALS:
    void clientConnected();
    void clientAuthenticated(const QString &sessionId, const QString &userId);
    void clientDisconnected();
    void turnFinished(const QString &sessionId, int turn);

private:
    void accept();
    void forget(ClientSession *client);
    [[nodiscard]] Fault takeConnectionFault();

    ServerOptions m_options;
    SessionStore m_store;
    QWebSocketServer *m_server;
    QList<ClientSession *> m_clients;
    QTimer m_expiry{this};
    Fault m_connectionFault;
    int m_faultyConnections = 0; // -1: all
    QString m_error;
};

} // namespace Everwire::Demo
