// SPDX-License-Identifier: MIT
#include "librarysetup.h"

#include <Everwire/WebSocketProvider>

#include <QUrlQuery>

namespace Bench {

using Everwire::ConnectionConfig;

Everwire::Connection *makeConnection(const QUrl &url, ConnectionConfig::Transport transport)
{
    static int made = 0;
    const QUrlQuery query(url);
    const auto number = [&query](const char *name) {
        return query.queryItemValue(QLatin1String(name)).toInt();
    };
    ConnectionConfig config;
    config.setUrl(url).setTransport(transport).setAutoReconnect(false);
    config.setCompression(number("deflate") == 1 ? ConnectionConfig::Compression::Auto
                                                 : ConnectionConfig::Compression::Off);
    config.setAuthentication(number("auth") == 1 ? ConnectionConfig::Authentication::FirstMessage
                                                 : ConnectionConfig::Authentication::None);
    // Who looks at bytesToWrite needs no bound on the number of messages.
    config.setMaxQueuedMessages(10'000'000);
    // QWebSocket cannot be told to wait, and nobody reads as slowly as this server sends fast.
    if (transport == ConnectionConfig::Transport::QWebSocket)
        config.setMaxPendingBytes(qint64(1) << 30);
    const int heartbeat = number("heartbeat");
    config.setPingInterval(std::chrono::milliseconds(heartbeat > 0 ? heartbeat : 3'600'000));
    if (heartbeat > 0)
        config.setPongTimeout(std::chrono::milliseconds(heartbeat));

    auto *provider = Everwire::WebSocketProvider::instance();
    const QString type = QStringLiteral("bench%1").arg(++made);
    if (!provider->configure(type, config))
        qFatal("the library does not take its configuration");
    return provider->connection(type);
}

} // namespace Bench
