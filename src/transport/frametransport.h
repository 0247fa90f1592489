// SPDX-License-Identifier: MIT
#pragma once

#include "transport/dialer.h"
#include "transport/frame.h"
#include "transport/handshake.h"
#include "transport/recordledger.h"
#include "transport/systemsocket.h"
#include "transport/transport.h"

#include <QNetworkProxy>
#include <QPointer>
#include <QTcpSocket>
#include <QTimer>

#if QT_CONFIG(ssl)
#include <QSslConfiguration>
#endif

#include <memory>
#include <optional>

namespace Everwire {

// RFC 6455 and RFC 7692 over a QTcpSocket or QSslSocket, which bring TLS, proxies and the event loop. The
// protocol itself is in ClientHandshake, FrameReader and FrameWriter; here is when to read, write and end.
class EVERWIRE_EXPORT FrameTransport final : public Transport
{
public:
    // Bytes read at a time. Over TLS less is slow and more makes memory grow; plain sockets gain nothing from more.
    static constexpr qsizetype ReadSize = 64 * 1024;

    // The resolver is asked for names that no proxy resolves.
    explicit FrameTransport(Dialer::Resolver resolver = Dialer::systemResolver());
    ~FrameTransport() override;
    Q_DISABLE_COPY_MOVE(FrameTransport)

    void open(const TransportTarget &target) override;
    qint64 sendText(QByteArrayView utf8) override;
    // Never compressed: sound and pictures are dense already, and compressing them takes time that a voice has not.
    qint64 sendBinary(QByteArrayView bytes) override;
    qint64 sendSecretText(QByteArrayView utf8) override;
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
    // Qt's SOCKS5 engine reads on by itself, without a bound, so behind one pausing would pause nobody.
    [[nodiscard]] bool canPause() const override { return !m_isBehindSocks; }
    void setPaused(bool paused) override;
    [[nodiscard]] qint64 bytesSaved() const override;

private:
    enum class Stage {
        Connecting, // TCP, then TLS
        Upgrading,  // the request is out
        Open,
        Closing, // our Close frame was sent
        Ended,
    };

    void connectToServer();
    [[nodiscard]] bool prepareTls();
    [[nodiscard]] QTcpSocket *makeSocket() const;
    [[nodiscard]] QIODevice::OpenMode openMode() const;
    void connectByName(const QString &host, quint16 port);
    void connectByAddress(const QString &host, quint16 port);
    void connectSignals();
    void connectTlsSignals();
    void tcpConnected();
    void lookForAProxy();
    void sendRequest();

    void receive();
    void receiveLater();
    [[nodiscard]] bool readSome();
    void take(PaddedView input);
    [[nodiscard]] bool takeAnswer(PaddedView *input);
    void takeFrames(PaddedView input);
    void takeIncoming(const Incoming &incoming);
    [[nodiscard]] bool mayFollow(const QUrl &next) const;
    void follow(const QUrl &location);

    [[nodiscard]] bool canSend() const { return m_stage == Stage::Open; }
    [[nodiscard]] bool delivers() const;
    [[nodiscard]] qint64 sendUncompressed(QByteArrayView utf8);
    [[nodiscard]] qint64 sent(qint64 bytes);
    void sendControl(Opcode opcode, QByteArrayView payload);
    void flushLater();
    void flushAndTell();
    void flushAndTellLater();
    [[nodiscard]] bool writeSome();
    void noteRecords();
    void noteTaken();
    [[nodiscard]] qint64 unwrittenFrames() const { return m_out.size() - m_outAt; }
    [[nodiscard]] bool peerHasLeft() const;
    [[nodiscard]] qint64 socketBytesToWrite() const;
    [[nodiscard]] qintptr systemDescriptor() const;
    void socketIsGone();

    void startClosing(int code, const QString &reason);
    void endAfterClose(const TransportEnd &end);
    void lost();
    void finish(const TransportEnd &end);
    void dropSocket();
    [[nodiscard]] bool isRefusedByTls() const;
    [[nodiscard]] TransportEnd whyNotConnected() const;

    QObject m_context; // of every connection to the socket: nothing reaches us once we are gone
    Dialer::Resolver m_resolver;
    std::unique_ptr<Dialer> m_dialer; // finds m_socket, for a name
    // Not a unique_ptr: the socket may be on the stack while we go, so it is deleted later.
    QTcpSocket *m_socket = nullptr;
    QPointer<QTcpSocket> m_tunnel; // Qt's own to a proxy, below m_socket
    bool m_isBehindSocks = false;
    TransportTarget m_target;
    Stage m_stage = Stage::Connecting;
    bool m_isTls = false;
    bool m_tcpConnected = false;
    int m_redirects = 0;
    std::optional<QNetworkProxy> m_proxy; // the option's
    std::optional<TransportEnd> m_tlsEnd; // why the server is not trusted
#if QT_CONFIG(ssl)
    QSslConfiguration m_tls;
#endif

    std::unique_ptr<ClientHandshake> m_handshake; // until it is over
    std::optional<FrameReader> m_reader;          // from then on
    std::optional<FrameWriter> m_writer;
    std::optional<Deflater> m_deflater;
    QByteArray m_held; // read from the socket and not yet handled, with its padding
    bool m_isPaused = false;
    bool m_isReading = false;
    bool m_receiveIsPosted = false;
    bool m_socketIsGone = false; // while what it had sent may still be unread

    QByteArray m_out; // frames that the socket has not taken yet
    qsizetype m_outAt = 0;
    qint64 m_position = 0;         // after the last frame that was made
    qint64 m_takenPosition = 0;    // the system has accepted everything before it
    RecordLedger m_records;        // TLS only, like m_encryptedWritten
    qint64 m_encryptedWritten = 0; // bytes that the plain socket below TLS has written
    SystemSocket m_system;         // while closing: can be asked after the socket is gone
    WhileClosing m_whileClosing = WhileClosing::Discard;
    bool m_finishesWriting = false; // call m_system.finishWriting() after everything is written
    bool m_isHeldBack = false;
    qint64 m_unsendable = 0; // bytes that will never leave, and so count as waiting
    qint64 m_bytesSaved = 0;
    bool m_flushIsPosted = false;
    bool m_isFlushing = false;

    QTimer m_patience; // with a peer that does not end the TCP connection, or a refusal's body
    std::optional<TransportEnd> m_end; // decided; reported when the TCP connection is over
};

} // namespace Everwire
