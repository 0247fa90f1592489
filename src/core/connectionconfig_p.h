// SPDX-License-Identifier: MIT
#pragma once

#include "core/connectionconfig.h"

#include <QSharedData>

#include <optional>

namespace Everwire {

// Empty: not set, so the default applies and a merge leaves it alone.
struct ConnectionConfigData : QSharedData
{
    std::optional<QString> url;
    std::optional<QStringList> protocols;
    std::optional<QVariantMap> headers;
    std::optional<bool> autoReconnect;
    std::optional<int> maxReconnectAttempts;
    std::optional<std::chrono::milliseconds> initialReconnectDelay;
    std::optional<std::chrono::milliseconds> maxReconnectDelay;
    std::optional<double> reconnectJitter;
    std::optional<std::chrono::milliseconds> stableAfter;
    std::optional<std::chrono::milliseconds> connectTimeout;
    std::optional<std::chrono::milliseconds> tokenTimeout;
    std::optional<std::chrono::milliseconds> preparationTimeout;
    std::optional<std::chrono::milliseconds> authTimeout;
    std::optional<ConnectionConfig::TokenRenewal> tokenRenewal;
    std::optional<std::chrono::milliseconds> closeTimeout;
    std::optional<std::chrono::milliseconds> drainBudget;
    std::optional<ConnectionConfig::Authentication> authentication;
    std::optional<bool> allowInsecureAuth;
    std::optional<QList<int>> terminalCloseCodes;
    std::optional<QList<int>> authFailureCloseCodes;
    std::optional<int> maxQueuedMessages;
    std::optional<qint64> maxQueuedBytes;
    std::optional<ConnectionConfig::QueueOverflow> queueOverflow;
    std::optional<ConnectionConfig::Transport> transport;
    std::optional<ConnectionConfig::Compression> compression;
    std::optional<int> compressionThreshold;
    std::optional<bool> followRedirects;
    std::optional<QStringList> caCertificates;
    std::optional<QString> clientCertificate;
    std::optional<QString> clientKey;
    std::optional<QStringList> pinnedPublicKeys;
    std::optional<QStringList> ignoreTlsErrors;
    std::optional<QString> proxy;
    std::optional<qint64> maxMessageSize;
    std::optional<qint64> maxFrameSize;
    std::optional<QString> requestIdField;
    std::optional<QString> replyIdField;
    std::optional<bool> binarySupported;
    std::optional<int> historyLimit;
    std::optional<qint64> historyBytes;
    std::optional<qint64> maxPendingBytes;
    std::optional<ConnectionConfig::PendingOverflow> pendingOverflow;
    std::optional<ConnectionConfig::Heartbeat> heartbeat;
    std::optional<std::chrono::milliseconds> pingInterval;
    std::optional<std::chrono::milliseconds> pongTimeout;
    std::optional<std::chrono::milliseconds> linger;
    std::optional<bool> debug;
    std::optional<QVariantMap> options;
};

} // namespace Everwire
