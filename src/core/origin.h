// SPDX-License-Identifier: MIT
#pragma once

#include <QUrl>

namespace Everwire {

// Whether credentials for one URL may go to the other (RFC 6454 §5): the same scheme, host and
// port. A port that is written out is the same as the scheme's own; http and ws count as one scheme
// here, and https and wss.
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
