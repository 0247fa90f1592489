// SPDX-License-Identifier: MIT
#pragma once

#include "transport/systemsocket.h"
#include "transport/transport.h"

#include <QAbstractSocket>
#include <QPointer>

#include <optional>

class QWebSocket;

namespace Everwire {

// A transport over one QWebSocket, which is made for it and never opened twice. What QWebSocket gets wrong
// and what is done about it stands in docs/qwebsocket.md; what it cannot do: pause, compress, report an empty
// Close frame as 1005, and name close codes between 1012 and 2999.
class EVERWIRE_EXPORT QWebSocketTransport final : public Transport
{
public:
    QWebSocketTransport();
    ~QWebSocketTransport() override;
    Q_DISABLE_COPY_MOVE(QWebSocketTransport)

    void open(const TransportTarget &target) override;
    qint64 sendText(QByteArrayView utf8) override;
    qint64 sendBinary(QByteArrayView bytes) override;
    qint64 sendSecretText(QByteArrayView utf8) override { return sendText(utf8); }
    void ping() override;
    void close(int code, const QString &reason, WhileClosing incoming = WhileClosing::Discard) override;
    void finishWriting() override;
    void abort() override;
    Confirmed holdBack() override;
    void cut() override;
    [[nodiscard]] qint64 takenPosition() const override { return m_takenPosition; }
    [[nodiscard]] Confirmed confirmed() const override;
    [[nodiscard]] qint64 bytesToWrite() const override;
    [[nodiscard]] qint64 bytesInSystem() const override;
    void flush() override;
    [[nodiscard]] bool canPause() const override { return false; }
    void setPaused(bool) override {}
    [[nodiscard]] qint64 bytesSaved() const override { return 0; }

private:
    [[nodiscard]] bool prepareTls();
    void refuse(const QString &problem);
    void connectSignals();
    void watchInnerSocket();
    void fitReadBuffer();
    void receiveText(const QString &text);
    [[nodiscard]] bool delivers() const;
    [[nodiscard]] qint64 sent();
    void written(qint64 bytes);
    void dropSockets();
    void endSoon();
    void end();
    [[nodiscard]] TransportEnd howItEnded() const;
    [[nodiscard]] TransportEnd whyItNeverOpened() const;
    QObject m_context; // of every connection to the socket: nothing reaches us once we are gone
    // Not a unique_ptr: a QWebSocket may be on the stack while we go, so it is deleted later.
    QWebSocket *m_socket;
    QPointer<QAbstractSocket> m_inner; // QWebSocket's own QTcpSocket or QSslSocket
    // The socket that writes to the system: m_inner, or the one below TLS.
    QPointer<QAbstractSocket> m_below;
    SystemSocket m_system;      // while closing: can be asked after the sockets are gone
    qint64 m_takenPosition = 0; // bytes that m_below has written
    WhileClosing m_whileClosing = WhileClosing::Discard;
    bool m_finishesWriting = false; // call m_system.finishWriting() after everything is written
    QString m_where;                // host and port, for messages: no path, no query
    TransportTarget m_target;
    std::optional<TransportEnd> m_tlsEnd; // why the server is not trusted
    QString m_errorString;
    QAbstractSocket::SocketError m_error = QAbstractSocket::UnknownSocketError;
    QByteArray m_scratch;
    qint64 m_maxFrameSize = 0;
    bool m_tcpConnected = false;
    bool m_isEncrypted = false; // TLS is through with its handshake
    bool m_opened = false;
    bool m_closeSeen = false;   // QWebSocket closes by itself only for a Close frame or a violation
    bool m_closeCalled = false; // we did
    bool m_ending = false;
    bool m_ended = false;
};

} // namespace Everwire
