// SPDX-License-Identifier: MIT
#include "core/tokentimes.h"

#include "core/scalartext.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace Everwire {

namespace {

std::optional<qint64> toMilliseconds(const QJsonValue &numericDate)
{
    constexpr double most = 253'402'300'800; // the year 10000
    const double seconds = numericDate.toDouble(-1);
    if (!(seconds >= 0 && seconds < most))
        return std::nullopt;
    return qint64(seconds * 1000);
}

// Returns an empty object if the token is not a JWT.
QJsonObject claimsOf(const QString &token)
{
    const QString claims = token.section(QLatin1Char('.'), 1, 1);
    if (token.count(QLatin1Char('.')) != 2 || claims.isEmpty())
        return {};
    const QByteArray json = QByteArray::fromBase64(claims.toLatin1(), QByteArray::Base64UrlEncoding);
    return QJsonDocument::fromJson(json).object();
}

} // namespace

QString tokenSubject(const QString &token)
{
    const QJsonValue subject = claimsOf(token).value(QLatin1String("sub"));
    // RFC 7519 requires a string, but some issuers send a number.
    return scalarText(subject).value_or(QString());
}

TokenTimes tokenTimes(const QString &token)
{
    const QJsonObject object = claimsOf(token);
    return {toMilliseconds(object.value(QLatin1String("iat"))),
            toMilliseconds(object.value(QLatin1String("exp")))};
}

std::optional<std::chrono::milliseconds> timeLeft(const TokenTimes &times, qint64 now)
{
    if (!times.expiresAt)
        return std::nullopt;
    qint64 left = *times.expiresAt - now;
    if (left <= 0 && times.issuedAt)
        left = *times.expiresAt - *times.issuedAt;
    if (left <= 0)
        return std::nullopt;
    return std::chrono::milliseconds(left);
}

} // namespace Everwire
