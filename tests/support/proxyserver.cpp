// SPDX-License-Identifier: MIT
#include "support/proxyserver.h"

#include <QHostAddress>
#include <QTcpSocket>
#include <QtEndian>
#include <QUrl>

ProxyServer::ProxyServer(Kind kind, bool refuses)
    : m_kind(kind), m_refuses(refuses), m_before(QNetworkProxy::applicationProxy())
{
    m_server.setProxy(QNetworkProxy::NoProxy);
    if (!m_server.listen(QHostAddress::LocalHost))
        qFatal("no port for the proxy: %s", qPrintable(m_server.errorString()));
    connect(&m_server, &QTcpServer::newConnection, this, [this] {
        while (QTcpSocket *client = m_server.nextPendingConnection()) {
            connect(client, &QTcpSocket::disconnected, client, &QObject::deleteLater);
            connect(client, &QTcpSocket::readyRead, this, [this, client] { greet(client); });
        }
    });
    QNetworkProxy::setApplicationProxy(
        {kind == Kind::Http ? QNetworkProxy::HttpProxy : QNetworkProxy::Socks5Proxy,
         QHostAddress(QHostAddress::LocalHost).toString(), m_server.serverPort()});
}

ProxyServer::~ProxyServer()
{
    QNetworkProxy::setApplicationProxy(m_before);
}

QString ProxyServer::url() const
{
    return QStringLiteral("%1://127.0.0.1:%2")
        .arg(m_kind == Kind::Http ? QStringLiteral("http") : QStringLiteral("socks5"))
        .arg(m_server.serverPort());
}

void ProxyServer::greet(QTcpSocket *client)
{
    m_kind == Kind::Http ? greetHttp(client) : greetSocks(client);
}

void ProxyServer::greetHttp(QTcpSocket *client)
{
    const QByteArray head = client->peek(16 * 1024);
    const qsizetype end = head.indexOf("\r\n\r\n");
    if (end < 0)
        return;
    client->read(end + 4);
    const QList<QByteArray> line = head.left(head.indexOf("\r\n")).split(' ');
    const QUrl target(QStringLiteral("http://") + QString::fromLatin1(line.value(1)));
    if (line.first() != "CONNECT" || target.host() != QLatin1String(Host) || m_refuses) {
        client->write("HTTP/1.1 403 Not Here\r\nContent-Length: 0\r\n\r\n");
        client->disconnectFromHost();
        return;
    }
    connectThrough(client, quint16(target.port()), "HTTP/1.1 200 Connection established\r\n\r\n");
}

void ProxyServer::greetSocks(QTcpSocket *client)
{
    const QByteArray bytes = client->peek(512);
    const auto at = [&bytes](qsizetype i) { return i < bytes.size() ? int(quint8(bytes[i])) : 0; };
    if (!client->property("greeted").toBool()) {
        if (bytes.size() < 2 || bytes.size() < 2 + at(1))
            return;
        client->read(2 + at(1));
        client->setProperty("greeted", true);
        client->write(m_refuses ? "\x05\xff"
                                : QByteArray("\x05\x00", 2)); // no method will do; no authentication
        return;
    }
    // A name, which the proxy is to resolve: the length, the bytes, the port.
    constexpr qsizetype start = 5;
    const qsizetype size = at(4);
    const bool isName = at(3) == 3;
    if (bytes.size() < start + size + 2)
        return;
    client->read(start + size + 2);
    if (!isName || bytes.mid(start, size) != Host) {
        client->write(QByteArray("\x05\x02\x00\x01\0\0\0\0\0\0", 10)); // not allowed by the rules
        client->disconnectFromHost();
        return;
    }
    connectThrough(client, qFromBigEndian<quint16>(bytes.constData() + start + size),
                   QByteArray("\x05\x00\x00\x01\0\0\0\0\0\0", 10));
}

void ProxyServer::connectThrough(QTcpSocket *client, quint16 port, const QByteArray &yes)
{
    auto *server = new QTcpSocket(client);
    server->setProxy(QNetworkProxy::NoProxy);
    client->disconnect(this);
    connect(server, &QTcpSocket::connected, client, [this, client, yes] {
        ++m_tunnels;
        client->write(yes);
    });
    constexpr qint64 room = 64 * 1024;
    client->setReadBufferSize(room); // what is not read is not taken
    connect(client, &QTcpSocket::readyRead, server, [this, client, server] {
        if (!m_holds)
            server->write(client->readAll());
    });
    connect(server, &QTcpSocket::readyRead, client, [client, server] { client->write(server->readAll()); });
    connect(client, &QTcpSocket::disconnected, server, [server] { server->disconnectFromHost(); });
    connect(server, &QTcpSocket::disconnected, client, [client] { client->disconnectFromHost(); });
    connect(this, &ProxyServer::goesOn, server, [client, server] { server->write(client->readAll()); });
    server->connectToHost(QHostAddress::LocalHost, port);
}

void ProxyServer::hold()
{
    m_holds = true;
}

void ProxyServer::goOn()
{
    m_holds = false;
    Q_EMIT goesOn();
}
