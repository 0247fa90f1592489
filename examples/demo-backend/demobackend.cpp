// SPDX-License-Identifier: MIT
#include "demobackend.h"

#include "content.h"
#include "democlient.h"
#include "jsonwebtoken.h"
#include "stream.h"

#include <QDateTime>
#include <QHostAddress>
#include <QWebSocket>
#include <QWebSocketServer>

#include <utility>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;
using std::chrono::milliseconds;

namespace {

constexpr int mostClients = 64;

Stream::Content notifications()
{
    return [started = QDateTime::currentDateTimeUtc()](int step) {
        return Content::notification(step, started, QDateTime::currentDateTimeUtc());
    };
}

milliseconds paced(double milliseconds, double pace)
{
    return std::chrono::milliseconds(qMax(1, qRound(milliseconds / pace)));
}

} // namespace

DemoBackend::DemoBackend(const QByteArray &secret, double pace, QObject *parent)
    : QObject(parent)
    , m_secret(secret)
    , m_server(new QWebSocketServer(u"everwire-demo-backend"_s, QWebSocketServer::NonSecureMode, this))
    , m_notifications(new Stream(notifications(), paced(2500, pace), this))
    , m_assessments(new Stream(Content::assessment, paced(200, pace), this))
    , m_prices(new Stream(Content::price, milliseconds(5), this))
{
    m_notifications->setHeadStart(Content::missedNotifications);
    m_notifications->setRepeats(20);
    connect(m_server, &QWebSocketServer::newConnection, this, &DemoBackend::accept);
}

DemoBackend::~DemoBackend()
{
    qDeleteAll(std::exchange(m_clients, {})); // they leave the streams, which go next
}

bool DemoBackend::listen(quint16 port)
{
    return m_server->listen(QHostAddress(QHostAddress::LocalHost), port);
}

QString DemoBackend::errorString() const
{
    return m_server->errorString();
}

QUrl DemoBackend::url() const
{
    return m_server->serverUrl();
}

QString DemoBackend::token() const
{
    const qint64 now = QDateTime::currentSecsSinceEpoch();
    return QString::fromLatin1(issueToken(demoClaims(u"demo-user"_s, now, 3600), m_secret));
}

void DemoBackend::dropAll()
{
    const QList<DemoClient *> clients = m_clients;
    for (DemoClient *client : clients)
        client->drop();
}

void DemoBackend::accept()
{
    while (QWebSocket *socket = m_server->nextPendingConnection()) {
        auto *client = new DemoClient(socket, streamFor(socket->requestUrl().path()), m_secret, this);
        m_clients.append(client);
        connect(client, &DemoClient::closed, this, [this, client] {
            m_clients.removeOne(client);
            client->deleteLater();
        });
        if (m_clients.size() > mostClients)
            client->close(1013, u"Too many connections"_s);
    }
}

Stream *DemoBackend::streamFor(const QString &path) const
{
    if (path == u"/notifications"_s)
        return m_notifications;
    if (path == u"/assessments"_s)
        return m_assessments;
    return path == u"/prices"_s ? m_prices : nullptr;
}

} // namespace Everwire::Demo
