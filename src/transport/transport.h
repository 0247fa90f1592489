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
    // The headers, or the first message, hold credentials: no redirect leads them to another origin (rule A8).
    bool hasCredentials = false;
    TlsOptions tls; // also where a redirect leads
    QString proxy;  // as the option says it
};

// How a connection really ended. error.closeCode() is the peer's, 1006 where no Close frame came (rule R8),
// and 0 where the WebSocket was never open.
struct TransportEnd
{
    ConnectionError error;
    QString reason; // the Close frame's text as it may be shown: PeerText::shown() of it, or our own words
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
// A position says how far something is on its way. Positions grow with what is sent and mean nothing else:
// control frames and TLS's own bytes lie between those of two messages.
class Transport
{
public:
    virtual ~Transport() = default;

    // nullptr: nothing is reported any more.
    void setListener(TransportListener *listener) { m_listener = listener; }
    // What no error may quote, whatever the peer says (rule A7): tokens, credentials in headers.
    void setSecrets(const QStringList &secrets) { m_secrets = secrets; }

    virtual void open(const TransportTarget &target) = 0;
    // All three take whole messages, whose bytes are only lent for the call, and return the position behind
    // the message: NeverLeaves if the WebSocket is not open.
    virtual qint64 sendText(QByteArrayView utf8) = 0;
    virtual qint64 sendBinary(QByteArrayView bytes) = 0;
    // As sendText(), but in no compression context, from where it might be guessed: for tokens (rule C6).
    virtual qint64 sendSecretText(QByteArrayView utf8) = 0;
    virtual void ping() = 0;

    // What becomes of messages that arrive behind our Close frame and before the peer's.
    enum class WhileClosing { Discard, Deliver };
    // Ends in order (RFC 6455 §7): what was sent leaves, then a Close frame, and when the peer has answered it, a
    // half-close. Reading goes on until the peer ends, so that no unread byte makes a reset of our end.
    // transportEnded() follows; with a mute peer it never does.
    virtual void close(int code, const QString &reason, WhileClosing incoming = WhileClosing::Discard) = 0;
    // While closing: the half-close comes, although the peer has not answered the Close frame. A peer that does not know
    // what a Close frame is sees our end; a proxy may take it for the end of both. Not over TLS, whose own end Qt
    // cannot send without ceasing to read.
    virtual void finishWriting() {}
    // Ends at once; the listener hears nothing. What the operating system has taken may still arrive.
    virtual void abort() = 0;
    // Before cut(): sends as little as possible any more, so that what is on its way can be confirmed.
    virtual void holdBack() {}
    // As abort(), but of what the peer's system has not confirmed, nothing is sent any more.
    virtual void cut() = 0;

    static constexpr qint64 NeverLeaves = std::numeric_limits<qint64>::max();
    // The operating system has taken everything before this position. Stays true behind an end.
    [[nodiscard]] virtual qint64 takenPosition() const = 0;
    struct Confirmed
    {
        qint64 position = 0;
        bool isSettled = true; // nothing is on its way that may yet be confirmed
        bool isDead = false;   // the connection is over: nothing more will be sent or confirmed
    };
    // The peer's system has confirmed everything before this position (TCP's acknowledgements; takenPosition()
    // where the operating system does not tell). Asks the system: for ends, not for every message.
    [[nodiscard]] virtual Confirmed confirmed() const { return {takenPosition(), true, false}; }

    // Bytes that the operating system has not taken yet, TLS's included.
    [[nodiscard]] virtual qint64 bytesToWrite() const = 0;
    // Bytes that the operating system has taken and not sent: on a slow line they wait there. Asks it.
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
