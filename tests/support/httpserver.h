// SPDX-License-Identifier: MIT
#pragma once

#include <QHash>
#include <QJsonObject>
#include <QList>
#include <QTcpServer>
#include <QUrl>

class QTcpSocket;

// An HTTP server for tests, on loopback and a port of its own, in the test's own thread: keeps the requests and answers
// each with the next of what the test has prepared, the last one again and again.
class HttpServer : public QObject
{
    Q_OBJECT

public:
    struct Request
    {
        QByteArray method;
        QByteArray target;
        QHash<QByteArray, QByteArray> headers; // names in lower case
        QByteArray body;
    };

    HttpServer();

    [[nodiscard]] QUrl url(const QString &path = QStringLiteral("/token")) const;
    [[nodiscard]] const QList<Request> &requests() const { return m_requests; }

    void answer(int status, const QByteArray &body = {}, const QByteArray &headers = {});
    void answerJson(const QByteArray &json) { answer(200, json, "Content-Type: application/json\r\n"); }
    void answerRaw(const QByteArray &bytes); // as they are; empty: nothing at all
    void closeEarly();                       // ends the connection without an answer

private:
    void read(QTcpSocket *socket);

    struct Answer
    {
        QByteArray bytes;
        bool closes = true;
    };

    QHash<QTcpSocket *, QByteArray> m_received;
    QList<Request> m_requests;
    QList<Answer> m_answers;
    QTcpServer m_server; // last: its sockets say goodbye to what is above
};
