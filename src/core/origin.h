// SPDX-License-Identifier: MIT
#pragma once

#include <QUrl>

namespace Everwire {

// Whether credentials for one URL may be sent to the other (RFC 6454 §5): scheme, host and port are
// the same. An explicit default port equals a missing one. http and ws count as the same scheme,
// and so do https and wss.
[[nodiscard]] inline bool isSameOrigin(const QUrl &a, const QUrl &b)
{
    const auto isTls = [](const QUrl &url) {
        return url.scheme() == QLatin1String("wss") || url.scheme() == QLatin1String("https");
    };
    const auto isPlain = [](const QUrl &url) {
        return url.scheme() == QLatin1String("ws") || url.scheme() == QLatin1String("http");
    };
    const bool isSameScheme = (isTls(a) && isTls(b)) || (isPlain(a) && isPlain(b));
    const int usual = isTls(a) ? 443 : 80;
    return isSameScheme && !a.host().isEmpty() && a.host() == b.host() && a.port(usual) == b.port(usual);
}

} // namespace Everwire
