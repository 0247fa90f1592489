// SPDX-License-Identifier: MIT
#include "core/effective.h"

namespace Everwire::Effective {

namespace {

// The size of {"type":"ping"}, which `heartbeat: Message` sends.
constexpr qint64 HeartbeatSize = 15; // bytes

QStringList tlsOptionsOf(const ConnectionConfig &config)
{
    QStringList options;
    const auto add = [&options](const char *name, bool isSet) {
        if (isSet)
            options.append(QLatin1String(name));
    };
    add("caCertificates", !config.caCertificates().isEmpty());
    add("clientCertificate", !config.clientCertificate().isEmpty());
    add("clientKey", !config.clientKey().isEmpty());
    add("pinnedPublicKeys", !config.pinnedPublicKeys().isEmpty());
    add("ignoreTlsErrors", !config.ignoreTlsErrors().isEmpty());
    return options;
}

} // namespace

QStringList problems(const ConnectionConfig &config, const QUrl &url)
{
    QStringList problems;
    if (url.scheme().compare(QLatin1String("ws"), Qt::CaseInsensitive) == 0) {
        const QStringList options = tlsOptionsOf(config);
        for (const QString &option : options)
            problems.append(
                QStringLiteral("%1: it has no effect on a ws:// URL, which is not encrypted. Use wss://, or "
                               "leave it out")
                    .arg(option));
    }
    if (config.transport() == ConnectionConfig::Transport::QWebSocket && config.followRedirects())
        problems.append(QStringLiteral("followRedirects: QWebSocket follows no redirect. Set transport to "
                                       "Automatic, or leave it out"));
    if (config.heartbeat() == ConnectionConfig::Heartbeat::Message && config.maxMessageSize() < HeartbeatSize)
        problems.append(QStringLiteral("maxMessageSize: the message of heartbeat: Message has %1 bytes")
                            .arg(HeartbeatSize));
    return problems;
}

QStringList warnings(const ConnectionConfig &config)
{
    const QVariantMap set = config.toVariantMap();
    QStringList warnings;
    const auto idle = [&](std::initializer_list<const char *> options, const char *because) {
        for (const char *option : options) {
            if (set.contains(QLatin1String(option)))
                warnings.append(
                    QStringLiteral("%1 has no effect %2").arg(QLatin1String(option), QLatin1String(because)));
        }
    };
    if (config.authentication() == ConnectionConfig::Authentication::None)
        idle({"authTimeout", "tokenRenewal", "authFailureCloseCodes"}, "with authentication: None");
    if (!config.autoReconnect())
        idle({"initialReconnectDelay", "maxReconnectDelay", "reconnectJitter", "stableAfter"},
             "with autoReconnect: false");
    if (config.heartbeat() == ConnectionConfig::Heartbeat::Off)
        idle({"pingInterval", "pongTimeout"}, "with heartbeat: Off");
    if (config.transport() == ConnectionConfig::Transport::QWebSocket)
        idle({"compression", "compressionThreshold"}, "with transport: QWebSocket");
    else if (config.compression() == ConnectionConfig::Compression::Off)
        idle({"compressionThreshold"}, "with compression: Off");
    return warnings;
}

} // namespace Everwire::Effective
