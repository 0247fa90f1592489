// SPDX-License-Identifier: MIT
#include "support/httpserver.h"

#include <QTcpSocket>

HttpServer::HttpServer()
{
    connect(&m_server, &QTcpServer::newConnection, this, [this] {
        while (QTcpSocket *socket = m_server.nextPendingConnection()) {
            connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(socket); });
            connect(socket, &QTcpSocket::disconnected, this, [this, socket] {
                m_received.remove(socket);
                socket->deleteLater();
            });
        }
    });
    if (!m_server.listen(QHostAddress::LocalHost))
        qFatal("the HTTP server cannot listen: %s", qPrintable(m_server.errorString()));
}

QUrl HttpServer::url(const QString &path) const
{
    return QUrl(QStringLiteral("http://127.0.0.1:%1%2").arg(m_server.serverPort()).arg(path));
}

void HttpServer::answer(int status, const QByteArray &body, const QByteArray &headers)
{
    m_answers.append({"HTTP/1.1 " + QByteArray::number(status) + " Because\r\n" + headers +
                          "Connection: close\r\nContent-Length: " + QByteArray::number(body.size()) +
                          "\r\n\r\n" + body,
                      true});
}

void HttpServer::answerRaw(const QByteArray &bytes)
{
    m_answers.append({bytes, false});
}

void HttpServer::closeEarly()
{
    m_answers.append({{}, true});
}

void HttpServer::read(QTcpSocket *socket)
{
    QByteArray &received = m_received[socket];
    received += socket->readAll();
    const qsizetype head = received.indexOf("\r\n\r\n");
    if (head < 0)
        return;
    Request request;
    const QList<QByteArray> lines = received.left(head).split('\n');
    const QList<QByteArray> first = lines.first().split(' ');
    request.method = first.value(0);
    request.target = first.value(1);
    for (const QByteArray &line : lines.mid(1)) {
        const qsizetype colon = line.indexOf(':');
        request.headers.insert(line.left(colon).toLower(), line.mid(colon + 1).trimmed());
    }
    request.body = received.mid(head + 4);
    if (request.body.size() < request.headers.value("content-length").toInt())
        return;
    m_requests.append(request);
    received.clear();
    const Answer answer = m_answers.size() > 1  ? m_answers.takeFirst()
                          : m_answers.isEmpty() ? Answer{{}, false}
                                                : m_answers.first();
    socket->write(answer.bytes);
    if (answer.closes)
        socket->disconnectFromHost();
}
