// SPDX-License-Identifier: MIT
#pragma once

#include <QHostAddress>
#include <QString>

namespace Everwire {

// Whether what is sent there stays on this machine (rule A8): "localhost" is loopback by RFC 6761 §6.3.
[[nodiscard]] inline bool isLoopback(const QString &host)
{
    return host == QLatin1String("localhost") || host.endsWith(QLatin1String(".localhost")) ||
           QHostAddress(host).isLoopback();
}

} // namespace Everwire
