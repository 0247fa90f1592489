// SPDX-License-Identifier: MIT
#include "core/closecode.h"
#include "core/connectionconfig_p.h"

namespace Everwire {

// Most are never set: those share one.
ConnectionConfig::ConnectionConfig()
    : d([] {
        static const QSharedDataPointer<ConnectionConfigData> unset(new ConnectionConfigData);
        return unset;
    }())
{
}
ConnectionConfig::ConnectionConfig(const ConnectionConfig &other) = default;
ConnectionConfig::ConnectionConfig(ConnectionConfig &&other) noexcept = default;
ConnectionConfig &ConnectionConfig::operator=(const ConnectionConfig &other) = default;
ConnectionConfig &ConnectionConfig::operator=(ConnectionConfig &&other) noexcept = default;
ConnectionConfig::~ConnectionConfig() = default;

ConnectionConfig &ConnectionConfig::setUrl(const QUrl &url)
{
    return setUrl(url.toString(QUrl::FullyEncoded));
}

QString ConnectionConfig::url() const
{
    return d->url.value_or(QString());
}

ConnectionConfig &ConnectionConfig::setUrl(const QString &url)
{
    d->url = url;
    return *this;
}

QStringList ConnectionConfig::protocols() const
{
    return d->protocols.value_or(QStringList());
}

ConnectionConfig &ConnectionConfig::setProtocols(const QStringList &protocols)
{
    d->protocols = protocols;
    return *this;
}

QVariantMap ConnectionConfig::headers() const
{
    return d->headers.value_or(QVariantMap());
}

ConnectionConfig &ConnectionConfig::setHeaders(const QVariantMap &headers)
{
    d->headers = headers;
    return *this;
}

bool ConnectionConfig::autoReconnect() const
{
    return d->autoReconnect.value_or(true);
}

ConnectionConfig &ConnectionConfig::setAutoReconnect(bool autoReconnect)
{
    d->autoReconnect = autoReconnect;
    return *this;
}

int ConnectionConfig::maxReconnectAttempts() const
{
    return d->maxReconnectAttempts.value_or(10);
}

ConnectionConfig &ConnectionConfig::setMaxReconnectAttempts(int maxReconnectAttempts)
{
    d->maxReconnectAttempts = maxReconnectAttempts;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::initialReconnectDelay() const
{
    return d->initialReconnectDelay.value_or(std::chrono::milliseconds(1000));
}

ConnectionConfig &ConnectionConfig::setInitialReconnectDelay(std::chrono::milliseconds initialReconnectDelay)
{
    d->initialReconnectDelay = initialReconnectDelay;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::maxReconnectDelay() const
{
    return d->maxReconnectDelay.value_or(std::chrono::milliseconds(30000));
}

ConnectionConfig &ConnectionConfig::setMaxReconnectDelay(std::chrono::milliseconds maxReconnectDelay)
{
    d->maxReconnectDelay = maxReconnectDelay;
    return *this;
}

double ConnectionConfig::reconnectJitter() const
{
    return d->reconnectJitter.value_or(0.2);
}

ConnectionConfig &ConnectionConfig::setReconnectJitter(double reconnectJitter)
{
    d->reconnectJitter = reconnectJitter;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::stableAfter() const
{
    return d->stableAfter.value_or(std::chrono::milliseconds(5000));
}

ConnectionConfig &ConnectionConfig::setStableAfter(std::chrono::milliseconds stableAfter)
{
    d->stableAfter = stableAfter;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::connectTimeout() const
{
    return d->connectTimeout.value_or(std::chrono::milliseconds(10000));
}

ConnectionConfig &ConnectionConfig::setConnectTimeout(std::chrono::milliseconds connectTimeout)
{
    d->connectTimeout = connectTimeout;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::tokenTimeout() const
{
    return d->tokenTimeout.value_or(std::chrono::milliseconds(10000));
}

ConnectionConfig &ConnectionConfig::setTokenTimeout(std::chrono::milliseconds tokenTimeout)
{
    d->tokenTimeout = tokenTimeout;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::preparationTimeout() const
{
    return d->preparationTimeout.value_or(std::chrono::milliseconds(10000));
}

ConnectionConfig &ConnectionConfig::setPreparationTimeout(std::chrono::milliseconds preparationTimeout)
{
    d->preparationTimeout = preparationTimeout;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::authTimeout() const
{
    return d->authTimeout.value_or(std::chrono::milliseconds(5000));
}

ConnectionConfig &ConnectionConfig::setAuthTimeout(std::chrono::milliseconds authTimeout)
{
    d->authTimeout = authTimeout;
    return *this;
}

ConnectionConfig::TokenRenewal ConnectionConfig::tokenRenewal() const
{
    return d->tokenRenewal.value_or(TokenRenewal::Reconnect);
}

ConnectionConfig &ConnectionConfig::setTokenRenewal(TokenRenewal tokenRenewal)
{
    d->tokenRenewal = tokenRenewal;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::drainBudget() const
{
    return d->drainBudget.value_or(std::chrono::milliseconds(4));
}

ConnectionConfig &ConnectionConfig::setDrainBudget(std::chrono::milliseconds drainBudget)
{
    d->drainBudget = drainBudget;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::closeTimeout() const
{
    return d->closeTimeout.value_or(std::chrono::milliseconds(3000));
}

ConnectionConfig &ConnectionConfig::setCloseTimeout(std::chrono::milliseconds closeTimeout)
{
    d->closeTimeout = closeTimeout;
    return *this;
}

ConnectionConfig::Authentication ConnectionConfig::authentication() const
{
    return d->authentication.value_or(Authentication::FirstMessage);
}

ConnectionConfig &ConnectionConfig::setAuthentication(Authentication authentication)
{
    d->authentication = authentication;
    return *this;
}

bool ConnectionConfig::allowInsecureAuth() const
{
    return d->allowInsecureAuth.value_or(false);
}

ConnectionConfig &ConnectionConfig::setAllowInsecureAuth(bool allowInsecureAuth)
{
    d->allowInsecureAuth = allowInsecureAuth;
    return *this;
}

QList<int> ConnectionConfig::terminalCloseCodes() const
{
    return d->terminalCloseCodes.value_or(QList<int>());
}

ConnectionConfig &ConnectionConfig::setTerminalCloseCodes(const QList<int> &terminalCloseCodes)
{
    d->terminalCloseCodes = terminalCloseCodes;
    return *this;
}

QList<int> ConnectionConfig::authFailureCloseCodes() const
{
    return d->authFailureCloseCodes.value_or(
        QList<int>{CloseCode::AuthenticationFailed, CloseCode::Unauthorized, CloseCode::Forbidden});
}

ConnectionConfig &ConnectionConfig::setAuthFailureCloseCodes(const QList<int> &authFailureCloseCodes)
{
    d->authFailureCloseCodes = authFailureCloseCodes;
    return *this;
}

int ConnectionConfig::maxQueuedMessages() const
{
    return d->maxQueuedMessages.value_or(100);
}

ConnectionConfig &ConnectionConfig::setMaxQueuedMessages(int maxQueuedMessages)
{
    d->maxQueuedMessages = maxQueuedMessages;
    return *this;
}

qint64 ConnectionConfig::maxQueuedBytes() const
{
    return d->maxQueuedBytes.value_or(16777216);
}

ConnectionConfig &ConnectionConfig::setMaxQueuedBytes(qint64 maxQueuedBytes)
{
    d->maxQueuedBytes = maxQueuedBytes;
    return *this;
}

ConnectionConfig::QueueOverflow ConnectionConfig::queueOverflow() const
{
    return d->queueOverflow.value_or(QueueOverflow::Reject);
}

ConnectionConfig &ConnectionConfig::setQueueOverflow(QueueOverflow queueOverflow)
{
    d->queueOverflow = queueOverflow;
    return *this;
}

ConnectionConfig::Transport ConnectionConfig::transport() const
{
    return d->transport.value_or(Transport::Automatic);
}

ConnectionConfig &ConnectionConfig::setTransport(Transport transport)
{
    d->transport = transport;
    return *this;
}

ConnectionConfig::Compression ConnectionConfig::compression() const
{
    return d->compression.value_or(Compression::Auto);
}

ConnectionConfig &ConnectionConfig::setCompression(Compression compression)
{
    d->compression = compression;
    return *this;
}

int ConnectionConfig::compressionThreshold() const
{
    return d->compressionThreshold.value_or(128);
}

ConnectionConfig &ConnectionConfig::setCompressionThreshold(int compressionThreshold)
{
    d->compressionThreshold = compressionThreshold;
    return *this;
}

bool ConnectionConfig::followRedirects() const
{
    return d->followRedirects.value_or(false);
}

ConnectionConfig &ConnectionConfig::setFollowRedirects(bool followRedirects)
{
    d->followRedirects = followRedirects;
    return *this;
}

QStringList ConnectionConfig::caCertificates() const
{
    return d->caCertificates.value_or(QStringList());
}

ConnectionConfig &ConnectionConfig::setCaCertificates(const QStringList &caCertificates)
{
    d->caCertificates = caCertificates;
    return *this;
}

QString ConnectionConfig::clientCertificate() const
{
    return d->clientCertificate.value_or(QString());
}

ConnectionConfig &ConnectionConfig::setClientCertificate(const QString &clientCertificate)
{
    d->clientCertificate = clientCertificate;
    return *this;
}

QString ConnectionConfig::clientKey() const
{
    return d->clientKey.value_or(QString());
}

ConnectionConfig &ConnectionConfig::setClientKey(const QString &clientKey)
{
    d->clientKey = clientKey;
    return *this;
}

QStringList ConnectionConfig::pinnedPublicKeys() const
{
    return d->pinnedPublicKeys.value_or(QStringList());
}

ConnectionConfig &ConnectionConfig::setPinnedPublicKeys(const QStringList &pinnedPublicKeys)
{
    d->pinnedPublicKeys = pinnedPublicKeys;
    return *this;
}

QStringList ConnectionConfig::ignoreTlsErrors() const
{
    return d->ignoreTlsErrors.value_or(QStringList());
}

ConnectionConfig &ConnectionConfig::setIgnoreTlsErrors(const QStringList &ignoreTlsErrors)
{
    d->ignoreTlsErrors = ignoreTlsErrors;
    return *this;
}

QString ConnectionConfig::proxy() const
{
    return d->proxy.value_or(QString());
}

ConnectionConfig &ConnectionConfig::setProxy(const QString &proxy)
{
    d->proxy = proxy;
    return *this;
}

qint64 ConnectionConfig::maxMessageSize() const
{
    return d->maxMessageSize.value_or(524288);
}

ConnectionConfig &ConnectionConfig::setMaxMessageSize(qint64 maxMessageSize)
{
    d->maxMessageSize = maxMessageSize;
    return *this;
}

qint64 ConnectionConfig::maxFrameSize() const
{
    return d->maxFrameSize.value_or(32768);
}

ConnectionConfig &ConnectionConfig::setMaxFrameSize(qint64 maxFrameSize)
{
    d->maxFrameSize = maxFrameSize;
    return *this;
}

QString ConnectionConfig::requestIdField() const
{
    return d->requestIdField.value_or(QStringLiteral("request_id"));
}

ConnectionConfig &ConnectionConfig::setRequestIdField(const QString &requestIdField)
{
    d->requestIdField = requestIdField;
    return *this;
}

QString ConnectionConfig::replyIdField() const
{
    return d->replyIdField.value_or(QStringLiteral("request_id"));
}

ConnectionConfig &ConnectionConfig::setReplyIdField(const QString &replyIdField)
{
    d->replyIdField = replyIdField;
    return *this;
}

bool ConnectionConfig::binarySupported() const
{
    return d->binarySupported.value_or(true);
}

ConnectionConfig &ConnectionConfig::setBinarySupported(bool binarySupported)
{
    d->binarySupported = binarySupported;
    return *this;
}

int ConnectionConfig::historyLimit() const
{
    return d->historyLimit.value_or(1000);
}

ConnectionConfig &ConnectionConfig::setHistoryLimit(int historyLimit)
{
    d->historyLimit = historyLimit;
    return *this;
}

qint64 ConnectionConfig::historyBytes() const
{
    return d->historyBytes.value_or(16777216);
}

ConnectionConfig &ConnectionConfig::setHistoryBytes(qint64 historyBytes)
{
    d->historyBytes = historyBytes;
    return *this;
}

qint64 ConnectionConfig::maxPendingBytes() const
{
    return d->maxPendingBytes.value_or(33554432);
}

ConnectionConfig &ConnectionConfig::setMaxPendingBytes(qint64 maxPendingBytes)
{
    d->maxPendingBytes = maxPendingBytes;
    return *this;
}

ConnectionConfig::PendingOverflow ConnectionConfig::pendingOverflow() const
{
    return d->pendingOverflow.value_or(PendingOverflow::Reconnect);
}

ConnectionConfig &ConnectionConfig::setPendingOverflow(PendingOverflow pendingOverflow)
{
    d->pendingOverflow = pendingOverflow;
    return *this;
}

ConnectionConfig::Heartbeat ConnectionConfig::heartbeat() const
{
    return d->heartbeat.value_or(Heartbeat::Ping);
}

ConnectionConfig &ConnectionConfig::setHeartbeat(Heartbeat heartbeat)
{
    d->heartbeat = heartbeat;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::pingInterval() const
{
    return d->pingInterval.value_or(std::chrono::milliseconds(25000));
}

ConnectionConfig &ConnectionConfig::setPingInterval(std::chrono::milliseconds pingInterval)
{
    d->pingInterval = pingInterval;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::pongTimeout() const
{
    return d->pongTimeout.value_or(std::chrono::milliseconds(10000));
}

ConnectionConfig &ConnectionConfig::setPongTimeout(std::chrono::milliseconds pongTimeout)
{
    d->pongTimeout = pongTimeout;
    return *this;
}

std::chrono::milliseconds ConnectionConfig::linger() const
{
    return d->linger.value_or(std::chrono::milliseconds(1000));
}

ConnectionConfig &ConnectionConfig::setLinger(std::chrono::milliseconds linger)
{
    d->linger = linger;
    return *this;
}

bool ConnectionConfig::debug() const
{
    return d->debug.value_or(false);
}

ConnectionConfig &ConnectionConfig::setDebug(bool debug)
{
    d->debug = debug;
    return *this;
}

QVariantMap ConnectionConfig::options() const
{
    return d->options.value_or(QVariantMap());
}

ConnectionConfig &ConnectionConfig::setOptions(const QVariantMap &options)
{
    d->options = options;
    return *this;
}
bool operator==(const ConnectionConfig &a, const ConnectionConfig &b)
{
    return a.toVariantMap() == b.toVariantMap();
}

} // namespace Everwire
