// SPDX-License-Identifier: MIT
#include "simulationserver.h"

#include "clientchannel.h"
#include "clientsession.h"
#include "jsonwebtoken.h"

#include <QDateTime>
#include <QLoggingCategory>
#include <QTcpSocket>
#include <QUrlQuery>
#include <QWebSocket>
#include <QWebSocketServer>

#include <algorithm>
#include <utility>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

Q_LOGGING_CATEGORY(logServer, "everwire.demo.server", QtWarningMsg)

// QWebSocket does not show its connection, which stays a descendant of the server that accepted it.
QTcpSocket *tcpSocketOf(const QWebSocket &socket, const QWebSocketServer &server)
{
    const QList<QTcpSocket *> candidates = server.findChildren<QTcpSocket *>();
    for (QTcpSocket *candidate : candidates) {
        if (candidate->peerPort() == socket.peerPort() && candidate->peerAddress() == socket.peerAddress())
            return candidate;
    }
    return nullptr;
}

} // namespace

SimulationServer::SimulationServer(const ServerOptions &options, QObject *parent)
    : QObject(parent)
    , m_options(options)
    , m_store(options.maxSessions, options.sessionLifetime)
    , m_server(new QWebSocketServer(u"everwire-simulation-server"_s, QWebSocketServer::NonSecureMode, this))
{
    if (m_options.scenarios.scenarios.isEmpty() && m_options.scenarios.problems.isEmpty())
        m_options.scenarios = builtInScenarios();
    m_server->setMaxPendingConnections(m_options.maxConnections);
    connect(m_server, &QWebSocketServer::newConnection, this, &SimulationServer::accept);
    m_expiry.setInterval(std::min(m_options.sessionLifetime, 30000ms));
    connect(&m_expiry, &QTimer::timeout, this, [this] { m_store.expire(); });
}

SimulationServer::~SimulationServer()
{
    // They reach into m_store, which goes before a QObject's children do.
    qDeleteAll(std::exchange(m_clients, {}));
}

bool SimulationServer::listen()
{
    m_error.clear();
    if (m_options.secret.size() < minimumSecretBytes)
        m_error = u"the token secret is shorter than %1 bytes"_s.arg(minimumSecretBytes);
    else if (m_options.scenarios.scenarios.isEmpty())
        m_error = u"there is no valid scenario"_s;
    else if (!m_server->listen(m_options.address, m_options.port))
        m_error = m_server->errorString();
    else
        m_expiry.start();
    return m_error.isEmpty();
}

QString SimulationServer::errorString() const
{
    return m_error;
}

void SimulationServer::close()
{
    m_server->close();
    const QList<ClientSession *> clients = m_clients;
    for (ClientSession *client : clients)
        client->applyFault({Fault::Kind::Close, 0ms, 1001, u"Server is going away"_s});
}

QUrl SimulationServer::url() const
{
    QUrl url = m_server->serverUrl();
    if (m_options.address == QHostAddress(QHostAddress::Any) ||
        m_options.address == QHostAddress(QHostAddress::AnyIPv4))
        url.setHost(u"127.0.0.1"_s);
    return url;
}

QUrl SimulationServer::streamUrl(const QString &sessionId, const QString &scenario, const QString &role,
                                 const QString &fault) const
{
    QUrl stream = url();
    stream.setPath(u"/api/v1/simulations/%1/stream"_s.arg(sessionId));
    QUrlQuery query;
    const auto add = [&query](const QString &key, const QString &value) {
        if (!value.isEmpty())
            query.addQueryItem(key, value);
    };
    add(u"scenario"_s, scenario);
    add(u"role"_s, role);
    add(u"fault"_s, fault);
    if (!query.isEmpty())
        stream.setQuery(query);
    return stream;
}

QString SimulationServer::token(const QString &user, std::chrono::seconds lifetime) const
{
    const qint64 now = QDateTime::currentSecsSinceEpoch();
    return QString::fromLatin1(issueToken(demoClaims(user, now, lifetime.count()), m_options.secret));
}

void SimulationServer::applyFault(const Fault &fault)
{
    const bool endsAnything = fault.kind == Fault::Kind::Drop || fault.kind == Fault::Kind::Close;
    const QList<ClientSession *> clients = m_clients;
    for (ClientSession *client : clients) {
        if (endsAnything || client->isAuthenticated())
            client->applyFault(fault);
    }
}

void SimulationServer::setConnectionFault(const Fault &fault, int connections)
{
    m_connectionFault = fault;
    m_faultyConnections = connections;
}

void SimulationServer::accept()
{
    while (QWebSocket *socket = m_server->nextPendingConnection()) {
        if (connectionCount() >= m_options.maxConnections) {
            connect(socket, &QWebSocket::disconnected, socket, &QObject::deleteLater);
            socket->close(QWebSocketProtocol::CloseCodeBadOperation, u"Too many connections"_s);
            continue;
        }
        const QUrl url = socket->requestUrl();
        auto *channel = new ClientChannel(socket, tcpSocketOf(*socket, *m_server), m_options, nullptr);
        auto *client = new ClientSession(channel, url, m_options, m_store, takeConnectionFault(), this);
        m_clients.append(client);
        connect(client, &ClientSession::closed, this, [this, client] { forget(client); });
        connect(client, &ClientSession::authenticated, this, &SimulationServer::clientAuthenticated);
        connect(client, &ClientSession::turnFinished, this, &SimulationServer::turnFinished);
        qCInfo(logServer, "connected, %d open", connectionCount());
        Q_EMIT clientConnected();
    }
}

void SimulationServer::forget(ClientSession *client)
{
    m_clients.removeOne(client);
    client->deleteLater();
    qCInfo(logServer, "disconnected, %d open", connectionCount());
    Q_EMIT clientDisconnected();
}

Fault SimulationServer::takeConnectionFault()
{
    if (m_faultyConnections == 0)
        return {};
    if (m_faultyConnections > 0)
        --m_faultyConnections;
    return m_connectionFault;
}

} // namespace Everwire::Demo
