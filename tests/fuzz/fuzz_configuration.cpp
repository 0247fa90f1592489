// SPDX-License-Identifier: MIT
//
// A configuration as an app may give it, from JSON: each bad value is reported in a sentence and left out, and what is
// left is good, comes back as it went in, and makes a WebSocket URL or says why not (rule C3).
#include "core/connectionconfig.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QUrl>

#include <cstdint>
#include <cstdlib>

using namespace Everwire;

namespace {

void require(bool condition)
{
    if (!condition)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const QByteArray json(reinterpret_cast<const char *>(data), qsizetype(size));
    const QJsonDocument document = QJsonDocument::fromJson(json);
    if (!document.isObject())
        return 0;
    QStringList problems;
    const ConnectionConfig config =
        ConnectionConfig::fromVariantMap(document.object().toVariantMap(), &problems);
    for (const QString &problem : std::as_const(problems))
        require(!problem.isEmpty());
    require(config.problems().isEmpty());
    const QVariantMap map = config.toVariantMap();
    QStringList none;
    require(ConnectionConfig::fromVariantMap(map, &none).toVariantMap() == map && none.isEmpty());
    require(ConnectionConfig().mergedWith(config).toVariantMap() == map);
    QString problem;
    const QUrl url = config.resolvedUrl(&problem);
    const bool isWebSocket = url.scheme() == QLatin1String("ws") || url.scheme() == QLatin1String("wss");
    require(isWebSocket ? url.isValid() && !url.host().isEmpty() : url.isEmpty() && !problem.isEmpty());
    return 0;
}
