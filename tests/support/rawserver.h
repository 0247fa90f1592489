// SPDX-License-Identifier: MIT
#pragma once

#include <QHostAddress>
#include <QObject>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QTcpServer>
#include <QTcpSocket>
#include <QUrl>

#include <memory>

// A TCP or TLS server of raw bytes, for what no WebSocket library would do. Lives on the test's thread.
class RawServer : public QObject
{
    Q_OBJECT

public:
    enum class Security { Plain, Tls };

    // One frame of the client, unmasked.
    struct Frame
    {
        int first = 0; // FIN, the reserved bits and the opcode, as they came
        bool isMasked = false;
        QByteArray payload;
        [[nodiscard]] int opcode() const { return first & 0x0f; }
        [[nodiscard]] bool isFinal() const { return (first & 0x80) != 0; }
    };

    explicit RawServer(Security security = Security::Plain,
                       const QHostAddress &address = QHostAddress(QHostAddress::LocalHost));

    // Over TLS as configured.
    explicit RawServer(const QSslConfiguration &tls,
                       const QHostAddress &address = QHostAddress(QHostAddress::LocalHost));

    // What it shows over TLS: self-signed, for localhost, server.test, 127.0.0.1 and ::1.
    [[nodiscard]] static QSslCertificate certificate();
    // The configuration of a server that shows it.
    [[nodiscard]] static QSslConfiguration tls();

    [[nodiscard]] QUrl url() const;
    // Answers each request head with this, one that waits at once; {accept} becomes the right Sec-WebSocket-Accept.
    // Empty: never answers.
    void setAnswer(const QByteArray &answer);
    // Bytes that follow the answer at once.
    void setThen(const QByteArray &bytes) { m_then = bytes; }
    // Whether it reads what the client sends after the handshake.
    void setReads(bool reads);

    void write(const QByteArray &bytes);
    void reset();  // RST
    void finish(); // FIN without a Close frame
    void leave();  // writes what there is, and closes: what is sent to it from then on meets a reset

    [[nodiscard]] QByteArray request() const { return m_request; }
    [[nodiscard]] QByteArray rest() const { return m_rest; } // what came after it, masked as it was
    [[nodiscard]] QList<Frame> frames() const { return framesIn(m_rest); } // the whole ones among the rest
    [[nodiscard]] static QList<Frame> framesIn(const QByteArray &bytes);
    // What the connections before this one sent after their requests, of each as much as was read.
    [[nodiscard]] const QList<QByteArray> &earlier() const { return m_earlier; }
    [[nodiscard]] qint64 bytesToWrite() const; // what the client has not taken yet
    [[nodiscard]] int connections() const { return m_connections; }
    [[nodiscard]] bool isConnected() const
    {
        return m_socket && m_socket->state() == QAbstractSocket::ConnectedState;
    }

    // One unmasked frame with FIN set where fin.
    [[nodiscard]] static QByteArray frame(int opcode, const QByteArray &payload, bool fin = true);
    [[nodiscard]] static QByteArray closeFrame(int code, const QByteArray &reason = {});
    [[nodiscard]] static QByteArray upgrade();

private:
    RawServer(std::unique_ptr<QTcpServer> server, const QHostAddress &address);
    void read();

    std::unique_ptr<QTcpServer> m_server;
    QTcpSocket *m_socket = nullptr;
    QByteArray m_answer = upgrade();
    QByteArray m_then;
    QByteArray m_request;
    QByteArray m_rest;
    QList<QByteArray> m_earlier;
    int m_connections = 0;
    bool m_reads = true;
    bool m_answered = false;
};
