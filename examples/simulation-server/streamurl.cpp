// SPDX-License-Identifier: MIT
#include "streamurl.h"

#include <QRegularExpression>
#include <QUrlQuery>
#include <QUuid>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

StreamRequest parseStreamUrl(const QUrl &url)
{
    static const QRegularExpression pattern(u"^/api/v1/simulations/(.+)/stream/?$"_s);
    const QUrlQuery query(url);
    const auto value = [&query](const QString &key) { return query.queryItemValue(key, QUrl::FullyDecoded); };
    StreamRequest request{{}, false, value(u"scenario"_s), value(u"role"_s), value(u"fault"_s)};
    const QRegularExpressionMatch match = pattern.match(url.path(QUrl::FullyDecoded));
    request.isStream = match.hasMatch();
    request.sessionId =
        request.isStream ? match.captured(1) : QUuid::createUuid().toString(QUuid::WithoutBraces);
    return request;
}

bool isSessionId(const QString &text)
{
    static const QRegularExpression pattern(u"\\A[A-Za-z0-9_-]{1,64}\\z"_s);
    return pattern.match(text).hasMatch();
}

} // namespace Everwire::Demo
