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
class Transport
{
public:
    virtual ~Transport() = default;

    // nullptr: nothing is reported any more.
    void setListener(TransportListener *listener) { m_listener = listener; }
    // What no error may quote, whatever the peer says (rule A7): tokens, credentials in headers.
    void setSecrets(const QStringList &secrets) { m_secrets = secrets; }

    virtual void open(const TransportTarget &target) = 0;
    // Both take whole messages, whose bytes are only lent for the call, and return the bytes that they will occupy on
    // the wire, frame headers included.
    virtual qint64 sendText(QByteArrayView utf8) = 0;
    virtual qint64 sendBinary(QByteArrayView bytes) = 0;
    // As sendText(), but in no compression context, from where it might be guessed: for tokens (rule C6).
    virtual qint64 sendSecretText(QByteArrayView utf8) = 0;
    virtual void ping() = 0;
    // Starts the closing handshake (RFC 6455 §7); transportEnded() follows, or never, with a mute peer.
    virtual void close(int code, const QString &reason) = 0;
    // Ends at once; the listener hears nothing.
    virtual void abort() = 0;
    // Bytes that the operating system has not taken yet, TLS's included.
    [[nodiscard]] virtual qint64 bytesToWrite() const = 0;
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
