// SPDX-License-Identifier: MIT
#pragma once

#include <QString>
#include <QUrl>

namespace Everwire {

// What QFile opens: a path stays as it is, and a file: or qrc: URL, as QML likes to name files, becomes one.
[[nodiscard]] inline QString toFilePath(const QString &pathOrUrl)
{
    const QUrl url(pathOrUrl);
    if (url.scheme() == QLatin1String("qrc"))
        return QLatin1Char(':') + url.path();
    return url.isLocalFile() ? url.toLocalFile() : pathOrUrl;
}

} // namespace Everwire
