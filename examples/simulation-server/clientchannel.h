// SPDX-License-Identifier: MIT
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QPointer>
#include <QQueue>
#include <QTimer>

#include <chrono>

class QJsonObject;
class QTcpSocket;
class QWebSocket;

namespace Everwire::Demo {

struct ServerOptions;

/// One WebSocket: its limits, its heartbeat and what can be wrong with it on purpose (silence,
/// slowness, a sudden end). Knows nothing about what the messages mean.
class ClientChannel : public QObject
{
    Q_OBJECT

public:
    /// Takes \a socket over. \a tcp is the connection below it, which only silence() needs.
    ClientChannel(QWebSocket *socket, QTcpSocket *tcp, const ServerOptions &options, QObject *parent);

    /// False once a Close frame was asked for or the connection is gone.
    [[nodiscard]] bool isOpen() const { return !m_closing && !m_finished; }

    void sendText(const QString &text);
    void sendJson(const QJsonObject &message);

    /// Sends a Close frame after what is queued; a peer that does not answer it is cut off.
    void close(quint16 code, const QString &reason);
    /// Ends the TCP connection without a Close frame.
    void drop();
    /// Reads and answers nothing, WebSocket pings included, for \a duration (0: until the end).
    void silence(std::chrono::milliseconds duration);
    /// Holds each answer back by \a delay; 0 ends that.
    void slowDown(std::chrono::milliseconds delay);

Q_SIGNALS:
    void textReceived(const QString &text);
    void binaryReceived(const QByteArray &data);
    /// The connection is gone; emitted once.
    void closed();

private:
    void onText(const QString &text);
    void onBinary(const QByteArray &data);
    void onPong();
    void startHeartbeat();
    void flush();
    void endSilence();
    void listenAgain();
    void checkPeerWhileSilent();
    void closeNow();
    void finish();

    struct Pending
    {
        QString text;
        qint64 dueMs;
    };

    QWebSocket *m_socket;
    QPointer<QTcpSocket> m_tcp;
    int m_maxMessageBytes;
    std::chrono::milliseconds m_closeTimeout;
    std::chrono::milliseconds m_delay{0};
    QElapsedTimer m_clock;
    QQueue<Pending> m_pending;
    qint64 m_pendingCharacters = 0;
    QTimer m_ping{this};
    QTimer m_pongDeadline{this};
    QTimer m_flush{this};
    QTimer m_silence{this};
    QTimer m_silentWatch{this};
    QTimer m_closeDeadline{this};
    bool m_silent = false;
    bool m_closing = false;
    bool m_finished = false;
    quint16 m_closeCode = 0;
    QString m_closeReason;
};

} // namespace Everwire::Demo
