// SPDX-License-Identifier: MIT
#include "clientchannel.h"

#include "serveroptions.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTcpSocket>
#include <QWebSocket>

#include <algorithm>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr qint64 mostUnsentBytes = 64 * 1024 * 1024;

} // namespace

ClientChannel::ClientChannel(QWebSocket *socket, QTcpSocket *tcp, const ServerOptions &options,
                             QObject *parent)
    : QObject(parent)
    , m_socket(socket)
    , m_tcp(tcp)
    , m_maxMessageBytes(options.maxMessageBytes)
    , m_closeTimeout(options.closeTimeout)
{
    m_socket->setParent(this);
    m_socket->setMaxAllowedIncomingFrameSize(quint64(m_maxMessageBytes));
    m_socket->setMaxAllowedIncomingMessageSize(quint64(m_maxMessageBytes));
    // One frame for each message: Qt cuts text at any byte, and decodes each frame by itself.
    m_socket->setOutgoingFrameSize(quint64(m_maxMessageBytes) * 2);
    connect(m_socket, &QWebSocket::textMessageReceived, this, &ClientChannel::onText);
    connect(m_socket, &QWebSocket::binaryMessageReceived, this, &ClientChannel::onBinary);
    connect(m_socket, &QWebSocket::disconnected, this, &ClientChannel::finish);
    connect(m_socket, &QWebSocket::pong, this, &ClientChannel::onPong);

    m_clock.start();
    m_ping.setInterval(options.pingInterval);
    m_pongDeadline.setInterval(options.pongTimeout);
    m_silentWatch.setInterval(100ms);
    for (QTimer *timer : {&m_pongDeadline, &m_flush, &m_silence, &m_closeDeadline})
        timer->setSingleShot(true);
    connect(&m_ping, &QTimer::timeout, this, [this] { m_socket->ping(); });
    connect(&m_pongDeadline, &QTimer::timeout, this, [this] { close(1001, u"No pong"_s); });
    connect(&m_flush, &QTimer::timeout, this, &ClientChannel::flush);
    connect(&m_silence, &QTimer::timeout, this, &ClientChannel::endSilence);
    connect(&m_silentWatch, &QTimer::timeout, this, &ClientChannel::checkPeerWhileSilent);
    connect(&m_closeDeadline, &QTimer::timeout, this, &ClientChannel::drop);
    startHeartbeat();
}

void ClientChannel::sendText(const QString &text)
{
    if (!isOpen())
        return;
    m_pending.enqueue({text, m_clock.elapsed() + m_delay.count()});
    m_pendingCharacters += text.size();
    flush();
    // A peer that asks and never reads must not fill the memory.
    if (m_socket->bytesToWrite() + 2 * m_pendingCharacters > mostUnsentBytes)
        drop();
}

void ClientChannel::sendJson(const QJsonObject &message)
{
    sendText(QString::fromUtf8(QJsonDocument(message).toJson(QJsonDocument::Compact)));
}

void ClientChannel::close(quint16 code, const QString &reason)
{
    if (!isOpen())
        return;
    m_closing = true;
    m_closeCode = code;
    m_closeReason = reason;
    flush();
}

void ClientChannel::drop()
{
    if (m_finished)
        return;
    listenAgain();
    m_socket->abort();
    finish();
}

void ClientChannel::silence(std::chrono::milliseconds duration)
{
    if (m_tcp == nullptr || m_finished)
        return;
    m_silent = true;
    // QWebSocket answers pings by itself. Without the TCP socket's signals it neither reads nor
    // notices the end of the connection, which is why that is watched from here.
    m_tcp->blockSignals(true);
    m_tcp->setReadBufferSize(2 * m_maxMessageBytes);
    m_ping.stop();
    m_pongDeadline.stop();
    m_silentWatch.start();
    if (duration > 0ms)
        m_silence.start(duration);
    else
        m_silence.stop();
}

void ClientChannel::slowDown(std::chrono::milliseconds delay)
{
    m_delay = delay;
}

void ClientChannel::onText(const QString &text)
{
    if (m_closing)
        return;
    // Qt counts UTF-16 units where the backend counts bytes.
    if (text.size() > m_maxMessageBytes / 3 && text.toUtf8().size() > m_maxMessageBytes) {
        close(1009, u"Message too big"_s);
        return;
    }
    Q_EMIT textReceived(text);
}

void ClientChannel::onBinary(const QByteArray &data)
{
    if (!m_closing)
        Q_EMIT binaryReceived(data);
}

void ClientChannel::onPong()
{
    if (!m_silent)
        m_pongDeadline.start();
}

void ClientChannel::startHeartbeat()
{
    m_ping.start();
    m_pongDeadline.start();
}

void ClientChannel::flush()
{
    while (!m_silent && !m_pending.isEmpty()) {
        const qint64 wait = m_pending.head().dueMs - m_clock.elapsed();
        if (wait > 0) {
            m_flush.start(std::chrono::milliseconds(wait));
            return;
        }
        const QString text = m_pending.dequeue().text;
        m_pendingCharacters -= text.size();
        m_socket->sendTextMessage(text);
    }
    if (m_closing && !m_silent)
        closeNow();
}

void ClientChannel::endSilence()
{
    listenAgain();
    startHeartbeat();
    // What arrived meanwhile announced itself to nobody.
    if (m_tcp != nullptr && m_tcp->bytesAvailable() > 0)
        QMetaObject::invokeMethod(m_tcp, "readyRead");
    flush();
}

void ClientChannel::listenAgain()
{
    m_silent = false;
    m_silence.stop();
    m_silentWatch.stop();
    if (m_tcp == nullptr)
        return;
    m_tcp->blockSignals(false);
    m_tcp->setReadBufferSize(0);
}

void ClientChannel::checkPeerWhileSilent()
{
    if (m_tcp == nullptr || m_tcp->state() != QAbstractSocket::ConnectedState)
        finish();
}

void ClientChannel::closeNow()
{
    if (m_finished || m_closeDeadline.isActive())
        return;
    m_ping.stop();
    m_pongDeadline.stop();
    m_closeDeadline.start(m_closeTimeout);
    m_socket->close(static_cast<QWebSocketProtocol::CloseCode>(m_closeCode), m_closeReason);
}

void ClientChannel::finish()
{
    if (m_finished)
        return;
    m_finished = true;
    m_pending.clear();
    for (QTimer *timer : {&m_ping, &m_pongDeadline, &m_flush, &m_silence, &m_silentWatch, &m_closeDeadline})
        timer->stop();
    Q_EMIT closed();
}

} // namespace Everwire::Demo
