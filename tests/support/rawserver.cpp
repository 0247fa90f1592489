// SPDX-License-Identifier: MIT
#include "support/rawserver.h"

#include <QCryptographicHash>
#include <QFile>
#include <QSslConfiguration>
#include <QSslKey>
#include <QSslServer>
#include <QSslSocket>
#include <QtEndian>

#include <sys/socket.h>

namespace {

QByteArray pem(const char *name)
{
    QFile file(QStringLiteral(EVERWIRE_TLS_DIR "/") + QLatin1String(name));
    if (!file.open(QIODevice::ReadOnly))
        qFatal("%s cannot be read", qPrintable(file.fileName()));
    return file.readAll();
}

std::unique_ptr<QTcpServer> makeServer(const QSslConfiguration &tls)
{
    auto server = std::make_unique<QSslServer>();
    server->setSslConfiguration(tls);
    return server;
}

std::unique_ptr<QTcpServer> makeServer(RawServer::Security security)
{
    if (security == RawServer::Security::Plain)
        return std::make_unique<QTcpServer>();
    return makeServer(RawServer::tls());
}

} // namespace

RawServer::RawServer(Security security, const QHostAddress &address)
    : RawServer(makeServer(security), address)
{
}

RawServer::RawServer(const QSslConfiguration &tls, const QHostAddress &address)
    : RawServer(makeServer(tls), address)
{
}

RawServer::RawServer(std::unique_ptr<QTcpServer> server, const QHostAddress &address)
    : m_server(std::move(server))
{
    if (!m_server->listen(address))
        qFatal("the raw server cannot listen: %s", qPrintable(m_server->errorString()));
    // Over TLS only this signal waits for the handshake.
    connect(m_server.get(), &QTcpServer::pendingConnectionAvailable, this, [this] {
        if (m_socket) {
            m_socket->disconnect(this);
            m_earlier.append(m_answered && m_reads ? m_rest + m_socket->readAll() : m_rest);
        }
        m_socket = m_server->nextPendingConnection();
        m_socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
        m_request.clear();
        m_rest.clear();
        m_answered = false;
        ++m_connections;
        connect(m_socket, &QTcpSocket::readyRead, this, [this] { read(); });
    });
}

QSslCertificate RawServer::certificate()
{
    return QSslCertificate(pem("localhost.crt"));
}

QSslConfiguration RawServer::tls()
{
    QSslConfiguration configuration = QSslConfiguration::defaultConfiguration();
    configuration.setLocalCertificate(certificate());
    configuration.setPrivateKey(QSslKey(pem("localhost.key"), QSsl::Ec));
    return configuration;
}

QUrl RawServer::url() const
{
    const bool tls = qobject_cast<QSslServer *>(m_server.get());
    QUrl url;
    url.setScheme(tls ? QStringLiteral("wss") : QStringLiteral("ws"));
    url.setHost(m_server->serverAddress().toString());
    url.setPort(m_server->serverPort());
    url.setPath(QStringLiteral("/"));
    return url;
}

void RawServer::setAnswer(const QByteArray &answer)
{
    m_answer = answer;
    if (isConnected() && !m_answered)
        read();
}

void RawServer::setReads(bool reads)
{
    m_reads = reads;
    if (!reads || !m_socket || !m_answered)
        return;
    m_socket->setReadBufferSize(0);
    read();
}

void RawServer::read()
{
    if (m_answered) {
        if (m_reads)
            m_rest += m_socket->readAll();
        return;
    }
    m_request += m_socket->readAll();
    if (!m_request.contains("\r\n\r\n") || m_answer.isEmpty())
        return;
    m_answered = true;
    if (!m_reads)
        m_socket->setReadBufferSize(1);
    const qsizetype at = m_request.toLower().indexOf("sec-websocket-key:") + 18;
    const QByteArray key = m_request.mid(at, m_request.indexOf('\r', at) - at).trimmed();
    const QByteArray accept =
        QCryptographicHash::hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", QCryptographicHash::Sha1)
            .toBase64();
    m_socket->write(QByteArray(m_answer).replace("{accept}", accept) + m_then);
    m_socket->flush();
}

void RawServer::write(const QByteArray &bytes)
{
    if (!isConnected())
        return; // what the client no longer waits for
    m_socket->write(bytes);
    m_socket->flush();
}

void RawServer::reset()
{
    const linger atOnce{1, 0};
    setsockopt(int(m_socket->socketDescriptor()), SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
    m_socket->abort();
}

void RawServer::leave()
{
    while (m_socket->bytesToWrite() > 0 && m_socket->waitForBytesWritten(30'000)) {
    }
    m_socket->readAll(); // unread bytes would make a reset of the end
    m_socket->abort();
}

void RawServer::finish()
{
    m_socket->disconnectFromHost();
}

QList<RawServer::Frame> RawServer::framesIn(const QByteArray &bytes)
{
    QList<Frame> frames;
    for (qsizetype at = 0; at + 2 <= bytes.size();) {
        const auto byte = [&](qsizetype i) { return static_cast<unsigned char>(bytes.at(at + i)); };
        Frame frame;
        frame.first = byte(0);
        frame.isMasked = (byte(1) & 0x80) != 0;
        quint64 size = byte(1) & 0x7f;
        const qsizetype head = 2 + (size == 126 ? 2 : size == 127 ? 8 : 0);
        const qsizetype whole = head + (frame.isMasked ? 4 : 0);
        if (at + whole > bytes.size())
            break;
        if (head > 2) {
            size = 0;
            for (qsizetype i = 2; i < head; ++i)
                size = size << 8 | byte(i);
        }
        if (size > quint64(bytes.size() - at - whole))
            break;
        frame.payload = bytes.mid(at + whole, qsizetype(size));
        if (frame.isMasked) {
            for (qsizetype i = 0; i < frame.payload.size(); ++i)
                frame.payload[i] = char(frame.payload.at(i) ^ char(byte(head + i % 4)));
        }
        frames.append(frame);
        at += whole + qsizetype(size);
    }
    return frames;
}

qint64 RawServer::bytesToWrite() const
{
    const auto *tls = qobject_cast<const QSslSocket *>(m_socket);
    return m_socket->bytesToWrite() + (tls ? tls->encryptedBytesToWrite() : 0);
}

QByteArray RawServer::upgrade()
{
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: {accept}\r\n\r\n";
}

QByteArray RawServer::frame(int opcode, const QByteArray &payload, bool fin)
{
    QByteArray bytes;
    bytes.append(char((fin ? 0x80 : 0) | opcode));
    if (payload.size() < 126) {
        bytes.append(char(payload.size()));
    } else if (payload.size() < 65536) {
        const quint16 size = qToBigEndian(quint16(payload.size()));
        bytes.append(char(126)).append(reinterpret_cast<const char *>(&size), 2);
    } else {
        const quint64 size = qToBigEndian(quint64(payload.size()));
        bytes.append(char(127)).append(reinterpret_cast<const char *>(&size), 8);
    }
    return bytes + payload;
}

QByteArray RawServer::closeFrame(int code, const QByteArray &reason)
{
    const quint16 number = qToBigEndian(quint16(code));
    return frame(0x8, QByteArray(reinterpret_cast<const char *>(&number), 2) + reason);
}
