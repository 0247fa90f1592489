// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionConfig>
#include <Everwire/ConnectionError>

#include "core/padded.h"

#include <QByteArray>
#include <QByteArrayView>
#include <QStringList>
#include <QUrl>
#include <QVariantMap>

#include <chrono>
#include <functional>
#include <limits>
#include <memory>

namespace Everwire {

// How a server proves who it is, and the client who we are: the configuration's options of the same names.
struct TlsOptions
{
    QStringList caCertificates;
    QString clientCertificate;
    QString clientKey;
    QStringList pinnedPublicKeys;
    QStringList ignoreTlsErrors;
};

// What a transport needs to know to open a connection.
struct TransportTarget
{
    QUrl url;
    QStringList protocols;
    QVariantMap headers;
    qint64 maxFrameSize = 0;         // bytes, outgoing
    qint64 maxIncomingSize = 0;      // bytes of one message, decompressed
    bool compress = false;           // offer permessage-deflate (rule C6)
    qint64 compressionThreshold = 0; // bytes: shorter messages are not compressed
    bool followRedirects = false;
    // The headers, or the first message, contain credentials: do not follow redirects to another
    // origin (rule A8).
    bool hasCredentials = false;
    TlsOptions tls; // also where a redirect leads
    QString proxy;  // as the option says it
};

// How a connection really ended. error.closeCode() is the peer's, 1006 where no Close frame came (rule R8),
// and 0 where the WebSocket was never open.
struct TransportEnd
{
    ConnectionError error;
    // The Close frame's reason, safe to show: from PeerText::shown(), or written by us.
    QString reason;
    std::chrono::milliseconds retryAfter{}; // the server asked not to be tried before (HTTP's Retry-After)
};

class TransportListener
{
public:
    virtual void transportOpened() = 0;
    // Valid UTF-8. The view lives as long as the call.
    virtual void transportTextReceived(PaddedView utf8) = 0;
    virtual void transportBinaryReceived(QByteArray bytes) = 0;
    // Bytes arrived, whatever they mean (a pong, half a message, ten of them).
    virtual void transportAlive() = 0;
    // Bytes left for the operating system: bytesToWrite() is smaller now. Reported before an end: what was not is
    // taken for unsent, and sent again on the next connection.
    virtual void transportWritten() = 0;
    // Once, and nothing after it.
    virtual void transportEnded(const TransportEnd &end) = 0;

protected:
    ~TransportListener() = default;
};

// One attempt at one WebSocket connection; a new attempt takes a new object. The only code that knows a
// socket class. Lives on the wire thread. It may call its listener from inside any function; it may be
// deleted anywhere but inside a call to its listener.
//
// A position tells how far sent data has come. Positions grow with every message. Differences
// between them mean nothing, because control frames and TLS overhead lie between messages.
class Transport
{
public:
    virtual ~Transport() = default;

    // nullptr: nothing is reported any more.
    void setListener(TransportListener *listener) { m_listener = listener; }
    // Secrets that errors must never quote (rule A7): tokens, and credentials in headers.
    void setSecrets(const QStringList &secrets) { m_secrets = secrets; }

    virtual void open(const TransportTarget &target) = 0;
    // All three send one whole message. The bytes need to live only during the call. They return
    // the position after the message, or NeverLeaves if the WebSocket is not open.
    virtual qint64 sendText(QByteArrayView utf8) = 0;
    virtual qint64 sendBinary(QByteArrayView bytes) = 0;
    // As sendText(), but in no compression context, from where it might be guessed: for tokens (rule C6).
    virtual qint64 sendSecretText(QByteArrayView utf8) = 0;
    virtual void ping() = 0;

    // What happens to messages that arrive after our Close frame and before the peer's.
    enum class WhileClosing { Discard, Deliver };
    // Closes in order (RFC 6455 §7): sends everything queued, then a Close frame, and a half-close
    // after the peer has answered it. Keeps reading until the peer ends, because unread bytes would
    // turn our close into a reset. transportEnded() follows. If the peer never answers, it is never
    // called.
    virtual void close(int code, const QString &reason, WhileClosing incoming = WhileClosing::Discard) = 0;
    // While closing: sends the half-close although the peer has not answered the Close frame. A
    // peer that does not know Close frames then sees our end. A proxy may take it for the end of
    // both directions. Not over TLS, because Qt cannot send TLS's end without ceasing to read.
    virtual void finishWriting() {}
    // Ends at once, without calling the listener. Bytes that the operating system has accepted may
    // still arrive.
    virtual void abort() = 0;
    // Like abort(), but bytes that the peer's system has not confirmed are not sent any more.
    virtual void cut() = 0;

    static constexpr qint64 NeverLeaves = std::numeric_limits<qint64>::max();
    // The operating system has accepted every byte before this position. Still valid after the end.
    [[nodiscard]] virtual qint64 takenPosition() const = 0;
    struct Confirmed
    {
        qint64 position = 0;
        bool isSettled = true; // no bytes are in flight that may still be confirmed
        bool isDead = false;   // the connection is over: nothing more is sent or confirmed
    };
    // The position up to which the peer's system has confirmed everything (TCP acknowledgements),
    // or takenPosition() if the operating system does not tell. A system call: use it when closing,
    // not for every message.
    [[nodiscard]] virtual Confirmed confirmed() const { return {takenPosition(), true, false}; }
    // Before cut(): stops sending as far as possible, so that bytes in flight can be confirmed. If
    // the answer is settled it is final, because nothing is sent any more. Otherwise call it again
    // later.
    virtual Confirmed holdBack() { return confirmed(); }

    // Bytes that the operating system has not taken yet, TLS's included.
    [[nodiscard]] virtual qint64 bytesToWrite() const = 0;
    // Bytes that the operating system has accepted but not sent, as on a slow line. A system call.
    [[nodiscard]] virtual qint64 bytesInSystem() const { return 0; }
    // Hands the operating system what it takes right now.
    virtual void flush() = 0;

    // Whether reading can be stopped, so that the peer feels TCP's backpressure (rule M8).
    [[nodiscard]] virtual bool canPause() const = 0;
    // Paused: nothing more is received, and nothing is heard of an end either.
    virtual void setPaused(bool paused) = 0;
    // Bytes of payload that compression has kept off the wire, in both directions.
    [[nodiscard]] virtual qint64 bytesSaved() const = 0;

protected:
    [[nodiscard]] TransportListener *listener() const { return m_listener; }
    [[nodiscard]] const QStringList &secrets() const { return m_secrets; }

private:
    QStringList m_secrets;
    TransportListener *m_listener = nullptr;
};

using TransportFactory = std::function<std::unique_ptr<Transport>(const ConnectionConfig &)>;

} // namespace Everwire
