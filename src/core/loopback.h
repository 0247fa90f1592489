// SPDX-License-Identifier: MIT
#pragma once

#include <QHostAddress>
#include <QString>

namespace Everwire {

// Whether what is sent there stays on this machine (rule A8). RFC 6761 §6.3 has the names below "localhost" loopback as
// well, but glibc asks the DNS for them, and sends them to whomever that names.
[[nodiscard]] inline bool isLoopback(const QString &host)
{
    return host == QLatin1String("localhost") || QHostAddress(host).isLoopback();
}

} // namespace Everwire
