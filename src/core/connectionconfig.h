// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QList>
#include <QMetaType>
#include <QSharedDataPointer>
#include <QStringList>
#include <QUrl>
#include <QVariantMap>

#include <algorithm>
#include <chrono>
#include <limits>

class QDebug;

namespace Everwire {

struct ConnectionConfigData;

// How one connection behaves. Only what was set counts when configurations are merged (rule C1); what nobody
// set has the default that its getter returns. Implicitly shared, so it is cheap to pass by value.
//
//     provider->configure("simulation", ConnectionConfig()
//                                           .setUrl("wss://example.com/stream/{session_id}")
//                                           .setMaxReconnectAttempts(-1)
//                                           .setOptions({{"session_id", "abc"}}));
//
// A QVariantMap or JavaScript object with the same names does the same; times are then milliseconds.
class EVERWIRE_EXPORT ConnectionConfig
{
    Q_GADGET
    Q_PROPERTY(QString url READ url CONSTANT)
    Q_PROPERTY(QStringList protocols READ protocols CONSTANT)
    Q_PROPERTY(QVariantMap headers READ headers CONSTANT)
    Q_PROPERTY(bool autoReconnect READ autoReconnect CONSTANT)
    Q_PROPERTY(int maxReconnectAttempts READ maxReconnectAttempts CONSTANT)
    Q_PROPERTY(int initialReconnectDelay READ initialReconnectDelayMs CONSTANT)
    Q_PROPERTY(int maxReconnectDelay READ maxReconnectDelayMs CONSTANT)
    Q_PROPERTY(double reconnectJitter READ reconnectJitter CONSTANT)
    Q_PROPERTY(int stableAfter READ stableAfterMs CONSTANT)
    Q_PROPERTY(int connectTimeout READ connectTimeoutMs CONSTANT)
    Q_PROPERTY(int tokenTimeout READ tokenTimeoutMs CONSTANT)
    Q_PROPERTY(int preparationTimeout READ preparationTimeoutMs CONSTANT)
    Q_PROPERTY(int authTimeout READ authTimeoutMs CONSTANT)
    Q_PROPERTY(TokenRenewal tokenRenewal READ tokenRenewal CONSTANT)
    Q_PROPERTY(int closeTimeout READ closeTimeoutMs CONSTANT)
    Q_PROPERTY(Authentication authentication READ authentication CONSTANT)
    Q_PROPERTY(bool allowInsecureAuth READ allowInsecureAuth CONSTANT)
    Q_PROPERTY(QList<int> terminalCloseCodes READ terminalCloseCodes CONSTANT)
    Q_PROPERTY(QList<int> authFailureCloseCodes READ authFailureCloseCodes CONSTANT)
    Q_PROPERTY(int maxQueuedMessages READ maxQueuedMessages CONSTANT)
    Q_PROPERTY(qint64 maxQueuedBytes READ maxQueuedBytes CONSTANT)
    Q_PROPERTY(QueueOverflow queueOverflow READ queueOverflow CONSTANT)
    Q_PROPERTY(Transport transport READ transport CONSTANT)
    Q_PROPERTY(Compression compression READ compression CONSTANT)
    Q_PROPERTY(int compressionThreshold READ compressionThreshold CONSTANT)
    Q_PROPERTY(bool followRedirects READ followRedirects CONSTANT)
    Q_PROPERTY(QStringList caCertificates READ caCertificates CONSTANT)
    Q_PROPERTY(QString clientCertificate READ clientCertificate CONSTANT)
    Q_PROPERTY(QString clientKey READ clientKey CONSTANT)
    Q_PROPERTY(QStringList pinnedPublicKeys READ pinnedPublicKeys CONSTANT)
    Q_PROPERTY(QStringList ignoreTlsErrors READ ignoreTlsErrors CONSTANT)
    Q_PROPERTY(QString proxy READ proxy CONSTANT)
    Q_PROPERTY(qint64 maxMessageSize READ maxMessageSize CONSTANT)
    Q_PROPERTY(qint64 maxFrameSize READ maxFrameSize CONSTANT)
    Q_PROPERTY(QString requestIdField READ requestIdField CONSTANT)
    Q_PROPERTY(QString replyIdField READ replyIdField CONSTANT)
    Q_PROPERTY(bool binarySupported READ binarySupported CONSTANT)
    Q_PROPERTY(int historyLimit READ historyLimit CONSTANT)
    Q_PROPERTY(qint64 historyBytes READ historyBytes CONSTANT)
    Q_PROPERTY(int drainBudget READ drainBudgetMs CONSTANT)
    Q_PROPERTY(qint64 maxPendingBytes READ maxPendingBytes CONSTANT)
    Q_PROPERTY(PendingOverflow pendingOverflow READ pendingOverflow CONSTANT)
    Q_PROPERTY(Heartbeat heartbeat READ heartbeat CONSTANT)
    Q_PROPERTY(int pingInterval READ pingIntervalMs CONSTANT)
    Q_PROPERTY(int pongTimeout READ pongTimeoutMs CONSTANT)
    Q_PROPERTY(int linger READ lingerMs CONSTANT)
    Q_PROPERTY(bool debug READ debug CONSTANT)
    Q_PROPERTY(QVariantMap options READ options CONSTANT)

public:
    // If several of these enums have a value of the same name, it has the same number in each,
    // because QML sees all of them as ConnectionConfig.Off.
    enum class Authentication {
        FirstMessage, // {"type":"auth","token":…} is the first message (the default)
        None,         // Connected as soon as the socket is open
    };
    Q_ENUM(Authentication)

    enum class TokenRenewal {
        Reconnect,      // a fresh token is fetched, and a quiet reconnect sends it (the default)
        Reauthenticate, // the fresh token is sent on the live connection, for servers that take "auth" again
        Off,            // nothing; what happens then is the server's to decide
    };
    Q_ENUM(TokenRenewal)

    enum class QueueOverflow {
        Reject,     // send() returns false and messageRejected() says why (the default)
        DropOldest, // the oldest go, and messagesDiscarded() says how many
    };
    Q_ENUM(QueueOverflow)

    enum class Transport {
        Automatic, // the library's own, unless it was built with EVERWIRE_DEFAULT_TRANSPORT=QWebSocket (the default)
        QWebSocket, // Qt's (docs/qwebsocket.md says what it lacks)
    };
    Q_ENUM(Transport)

    enum class Compression {
        // permessage-deflate (RFC 7692) is offered, and used if the server accepts it (the default)
        Auto,
        Off = 2, // permessage-deflate is not offered
    };
    Q_ENUM(Compression)

    enum class PendingOverflow {
        Reconnect, // the connection is closed as Overloaded and comes back: the server can resend (the
                   // default)
        Discard,   // what does not fit is dropped, and messagesDiscarded() says how many
    };
    Q_ENUM(PendingOverflow)

    enum class Heartbeat {
        Ping,    // ping frames (RFC 6455 §5.5.2; the default)
        Message, // {"type":"ping"}, for gateways that swallow ping frames
        Off,
    };
    Q_ENUM(Heartbeat)

    ConnectionConfig();
    ConnectionConfig(const ConnectionConfig &other);
    ConnectionConfig(ConnectionConfig &&other) noexcept;
    ConnectionConfig &operator=(const ConnectionConfig &other);
    ConnectionConfig &operator=(ConnectionConfig &&other) noexcept;
    ~ConnectionConfig();

    // Reads the options by name. Each unknown key, wrong type or impossible value adds a sentence that names
    // the key to *problems* and is left out (rule C3).
    [[nodiscard]] static ConnectionConfig fromVariantMap(const QVariantMap &map, QStringList *problems);
    // What was set, by name.
    [[nodiscard]] QVariantMap toVariantMap() const;
    // This configuration with everything that *over* sets.
    [[nodiscard]] ConnectionConfig mergedWith(const ConnectionConfig &over) const;
    // A sentence for each impossible value; empty where there is none.
    [[nodiscard]] QStringList problems() const;

    // The URL with its {parts} filled from options, percent-encoded. Empty and a reason in *problem* where it
    // cannot be used.
    [[nodiscard]] QUrl resolvedUrl(QString *problem) const;

    // ws:// or wss:// URL, also as a template: each {name} is filled from options (rule O4 where it is
    // missing).
    [[nodiscard]] QString url() const;
    ConnectionConfig &setUrl(const QString &url);
    ConnectionConfig &setUrl(const QUrl &url);
    // Subprotocols to offer, in order of preference (RFC 6455 §1.9).
    [[nodiscard]] QStringList protocols() const;
    ConnectionConfig &setProtocols(const QStringList &protocols);
    // Extra HTTP headers of the handshake: name to string. Sec-WebSocket-*, Host, Upgrade and Connection are
    // the library's.
    [[nodiscard]] QVariantMap headers() const;
    ConnectionConfig &setHeaders(const QVariantMap &headers);
    // Whether a lost connection is tried again (rules R1 to R6). The guide's name, "reconnect", is accepted
    // too. Default: on.
    [[nodiscard]] bool autoReconnect() const;
    ConnectionConfig &setAutoReconnect(bool autoReconnect);
    // Attempts before giving up (rule R3); -1: no limit. Default: 10, for "notifications" 5.
    [[nodiscard]] int maxReconnectAttempts() const;
    ConnectionConfig &setMaxReconnectAttempts(int maxReconnectAttempts);
    // The first wait between attempts; each further one doubles (rule R1). At least 0. Default: 1000 ms.
    [[nodiscard]] std::chrono::milliseconds initialReconnectDelay() const;
    ConnectionConfig &setInitialReconnectDelay(std::chrono::milliseconds initialReconnectDelay);
    // No wait is longer (rules R1, R2). At least 0. Default: 30000 ms.
    [[nodiscard]] std::chrono::milliseconds maxReconnectDelay() const;
    ConnectionConfig &setMaxReconnectDelay(std::chrono::milliseconds maxReconnectDelay);
    // 0 to 1: each wait is multiplied by a random factor in [1 - jitter, 1 + jitter] (rule R2). Default: 0.2.
    [[nodiscard]] double reconnectJitter() const;
    ConnectionConfig &setReconnectJitter(double reconnectJitter);
    // The attempt counter is reset after so long in Connected (rule R4). Default: 5000 ms.
    [[nodiscard]] std::chrono::milliseconds stableAfter() const;
    ConnectionConfig &setStableAfter(std::chrono::milliseconds stableAfter);
    // Bounds TCP, TLS and the upgrade together (rule R9). Above 0. Default: 10000 ms.
    [[nodiscard]] std::chrono::milliseconds connectTimeout() const;
    ConnectionConfig &setConnectTimeout(std::chrono::milliseconds connectTimeout);
    // Bounds one token request (rule R9). Above 0. Default: 10000 ms.
    [[nodiscard]] std::chrono::milliseconds tokenTimeout() const;
    ConnectionConfig &setTokenTimeout(std::chrono::milliseconds tokenTimeout);
    // Bounds the Preparation before a connection's socket, a REST request for instance. Above 0. Default: 10000 ms.
    [[nodiscard]] std::chrono::milliseconds preparationTimeout() const;
    ConnectionConfig &setPreparationTimeout(std::chrono::milliseconds preparationTimeout);
    // Bounds the wait for the server's answer to the token (rule A2). Above 0. Default: 5000 ms.
    [[nodiscard]] std::chrono::milliseconds authTimeout() const;
    ConnectionConfig &setAuthTimeout(std::chrono::milliseconds authTimeout);
    // What happens shortly before the token of a live connection expires (its "exp", RFC 7519 §4.1.4).
    [[nodiscard]] TokenRenewal tokenRenewal() const;
    ConnectionConfig &setTokenRenewal(TokenRenewal tokenRenewal);
    // Bounds the time for an orderly close: for accepted messages to arrive, and for the server to
    // end the connection (rule O3). The end of the application may wait as long (rule O6). Above 0.
    // Default: 3000 ms.
    [[nodiscard]] std::chrono::milliseconds closeTimeout() const;
    ConnectionConfig &setCloseTimeout(std::chrono::milliseconds closeTimeout);
    // How the client authenticates (rules S1, A1).
    [[nodiscard]] Authentication authentication() const;
    ConnectionConfig &setAuthentication(Authentication authentication);
    // Allows a token over ws:// to a host that is not loopback (rule A8). Default: off.
    [[nodiscard]] bool allowInsecureAuth() const;
    ConnectionConfig &setAllowInsecureAuth(bool allowInsecureAuth);
    // Close codes, 1000 to 4999, after which nothing is retried, beside those of rule R6.
    [[nodiscard]] QList<int> terminalCloseCodes() const;
    ConnectionConfig &setTerminalCloseCodes(const QList<int> &terminalCloseCodes);
    // Close codes, 1000 to 4999, with which the server refuses the token (rule A3). During
    // authentication, 1008 has the same meaning. Default: 4001, 4401, 4403.
    [[nodiscard]] QList<int> authFailureCloseCodes() const;
    ConnectionConfig &setAuthFailureCloseCodes(const QList<int> &authFailureCloseCodes);
    // Messages that may wait to be sent (rule Q3). At least 0. Default: 100.
    [[nodiscard]] int maxQueuedMessages() const;
    ConnectionConfig &setMaxQueuedMessages(int maxQueuedMessages);
    // Bytes that may wait to be sent, what the socket holds included (rules Q3, Q7). At least 0. Default: 16 MiB.
    [[nodiscard]] qint64 maxQueuedBytes() const;
    ConnectionConfig &setMaxQueuedBytes(qint64 maxQueuedBytes);
    // What happens to a message that does not fit (rule Q3).
    [[nodiscard]] QueueOverflow queueOverflow() const;
    ConnectionConfig &setQueueOverflow(QueueOverflow queueOverflow);
    // The WebSocket implementation below the connection.
    [[nodiscard]] Transport transport() const;
    ConnectionConfig &setTransport(Transport transport);
    // Whether texts are compressed (rule C6); binary messages and the token never are. QWebSocket cannot.
    [[nodiscard]] Compression compression() const;
    ConnectionConfig &setCompression(Compression compression);
    // Bytes: shorter texts are sent uncompressed. At least 0. Default: 128.
    [[nodiscard]] int compressionThreshold() const;
    ConnectionConfig &setCompressionThreshold(int compressionThreshold);
    // Whether redirects of the handshake (301, 302, 303, 307, 308) are followed: at most 5, only on
    // the same host, and never from wss:// to ws://. With a token or headers, scheme and port must
    // stay the same, too (rule A8). If a redirect is not followed, the error names the new address.
    // QWebSocket follows none, and rejects this option. Default: off.
    [[nodiscard]] bool followRedirects() const;
    ConnectionConfig &setFollowRedirects(bool followRedirects);
    // PEM certificates to trust beside the system's, for wss (rule A8): each a file's path (":/…" is a resource), or the
    // PEM text itself.
    // Default: none.
    [[nodiscard]] QStringList caCertificates() const;
    ConnectionConfig &setCaCertificates(const QStringList &caCertificates);
    // The client's own certificate (and its chain), where the server asks for one: a PEM file's path, or the PEM text.
    [[nodiscard]] QString clientCertificate() const;
    ConnectionConfig &setClientCertificate(const QString &clientCertificate);
    // Its private key (RSA or EC, not encrypted): a PEM file's path, or the PEM text.
    [[nodiscard]] QString clientKey() const;
    ConnectionConfig &setClientKey(const QString &clientKey);
    // Public keys of which the server's certificate chain must hold one: "sha256/" and the base64 of the SHA-256 of its
    // SubjectPublicKeyInfo (RFC 7469 §2.4). In addition to all other checks. Default: none, any key will do.
    [[nodiscard]] QStringList pinnedPublicKeys() const;
    ConnectionConfig &setPinnedPublicKeys(const QStringList &pinnedPublicKeys);
    // Names of QSslError::SslError, for example "SelfSignedCertificate": these are not errors, and no others (rule A8).
    // Default: none.
    [[nodiscard]] QStringList ignoreTlsErrors() const;
    ConnectionConfig &setIgnoreTlsErrors(const QStringList &ignoreTlsErrors);
    // "http://user:password@host:port", "socks5://host:port", or "none". Empty, the default: the application's
    // (QNetworkProxy), which Qt uses for no loopback address.
    [[nodiscard]] QString proxy() const;
    ConnectionConfig &setProxy(const QString &proxy);
    // Bytes: larger messages are refused before they are sent (rule Q6). Above 0. Default: 512 KiB.
    [[nodiscard]] qint64 maxMessageSize() const;
    ConnectionConfig &setMaxMessageSize(qint64 maxMessageSize);
    // Bytes: longer messages are cut into frames of this size (rule Q6). At least 16. Default: 32 KiB.
    [[nodiscard]] qint64 maxFrameSize() const;
    ConnectionConfig &setMaxFrameSize(qint64 maxFrameSize);
    // Where request() puts its id into the message. Not empty. Default: "request_id".
    [[nodiscard]] QString requestIdField() const;
    ConnectionConfig &setRequestIdField(const QString &requestIdField);
    // Where the reply carries the same id. Not empty. Default: "request_id".
    [[nodiscard]] QString replyIdField() const;
    ConnectionConfig &setReplyIdField(const QString &replyIdField);
    // Whether the server takes binary messages (rule Q6). Default: on.
    [[nodiscard]] bool binarySupported() const;
    ConnectionConfig &setBinarySupported(bool binarySupported);
    // Messages kept in Connection::messages (rule M7); 0: none. Default: 1000.
    [[nodiscard]] int historyLimit() const;
    ConnectionConfig &setHistoryLimit(int historyLimit);
    // Bytes that the messages in Connection::messages may occupy together, including what was
    // decoded for subscribers (rule M7). The oldest are removed first. A larger message is not
    // kept. 0: none are kept. Default: 16 MiB.
    [[nodiscard]] qint64 historyBytes() const;
    ConnectionConfig &setHistoryBytes(qint64 historyBytes);
    // How long handlers may run in one go before painting and input have their turn, however many messages wait. At
    // least 1 ms; what one handler takes is its own affair. Default: 4 ms. Applies from the next attempt.
    [[nodiscard]] std::chrono::milliseconds drainBudget() const;
    ConnectionConfig &setDrainBudget(std::chrono::milliseconds drainBudget);
    // Bytes of received messages, and of what was made of them for subscribers, that the UI has not handled yet, and the
    // largest one accepted (rule M8). Above 0. Default: 32 MiB.
    [[nodiscard]] qint64 maxPendingBytes() const;
    ConnectionConfig &setMaxPendingBytes(qint64 maxPendingBytes);
    // What happens above maxPendingBytes where reading cannot be paused: with QWebSocket, or behind SOCKS5 (rule M8).
    [[nodiscard]] PendingOverflow pendingOverflow() const;
    ConnectionConfig &setPendingOverflow(PendingOverflow pendingOverflow);
    // How a silent connection is checked (rule H1).
    [[nodiscard]] Heartbeat heartbeat() const;
    ConnectionConfig &setHeartbeat(Heartbeat heartbeat);
    // Silence before a ping (rule H1). Above 0. Default: 25000 ms.
    [[nodiscard]] std::chrono::milliseconds pingInterval() const;
    ConnectionConfig &setPingInterval(std::chrono::milliseconds pingInterval);
    // How long an answer may take (rule H1). Above 0. Default: 10000 ms.
    [[nodiscard]] std::chrono::milliseconds pongTimeout() const;
    ConnectionConfig &setPongTimeout(std::chrono::milliseconds pongTimeout);
    // How long a connection stays open after its last ConnectionHandle (rule O7). At least 0. Default: 1000 ms.
    [[nodiscard]] std::chrono::milliseconds linger() const;
    ConnectionConfig &setLinger(std::chrono::milliseconds linger);
    // Logs this connection under everwire.* (rule C4). Default: off.
    [[nodiscard]] bool debug() const;
    ConnectionConfig &setDebug(bool debug);
    // The app's own values, for URL templates and for whoever reads configuration() (rule C1).
    [[nodiscard]] QVariantMap options() const;
    ConnectionConfig &setOptions(const QVariantMap &options);

    friend EVERWIRE_EXPORT bool operator==(const ConnectionConfig &a, const ConnectionConfig &b);
    friend bool operator!=(const ConnectionConfig &a, const ConnectionConfig &b) { return !(a == b); }
    // What was set; of headers and options the names alone, of the URL no user and no query (rule A7).
    friend EVERWIRE_EXPORT QDebug operator<<(QDebug debug, const ConnectionConfig &config);

private:
    // A longer duration is invalid (problems() reports it), but it must still be readable as a
    // property.
    [[nodiscard]] static int toMs(std::chrono::milliseconds duration)
    {
        constexpr std::chrono::milliseconds most{std::numeric_limits<int>::max()};
        return int(std::clamp(duration, -most, most).count());
    }
    [[nodiscard]] int initialReconnectDelayMs() const { return toMs(initialReconnectDelay()); }
    [[nodiscard]] int maxReconnectDelayMs() const { return toMs(maxReconnectDelay()); }
    [[nodiscard]] int stableAfterMs() const { return toMs(stableAfter()); }
    [[nodiscard]] int connectTimeoutMs() const { return toMs(connectTimeout()); }
    [[nodiscard]] int tokenTimeoutMs() const { return toMs(tokenTimeout()); }
    [[nodiscard]] int preparationTimeoutMs() const { return toMs(preparationTimeout()); }
    [[nodiscard]] int authTimeoutMs() const { return toMs(authTimeout()); }
    [[nodiscard]] int closeTimeoutMs() const { return toMs(closeTimeout()); }
    [[nodiscard]] int drainBudgetMs() const { return toMs(drainBudget()); }
    [[nodiscard]] int pingIntervalMs() const { return toMs(pingInterval()); }
    [[nodiscard]] int pongTimeoutMs() const { return toMs(pongTimeout()); }
    [[nodiscard]] int lingerMs() const { return toMs(linger()); }

    QSharedDataPointer<ConnectionConfigData> d;
};

} // namespace Everwire

Q_DECLARE_METATYPE(Everwire::ConnectionConfig)
