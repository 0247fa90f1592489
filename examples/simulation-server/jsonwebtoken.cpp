// SPDX-License-Identifier: MIT
#include "jsonwebtoken.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QList>
#include <QMessageAuthenticationCode>

#include <optional>

// Qt's HMAC and no JWT library: Debian 12's libjwt 1.10 compares neither `exp` nor `nbf`, and would
// be the only dependency besides Qt.

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

namespace {

constexpr auto base64Url = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;

QByteArray signature(const QByteArray &signedPart, const QByteArray &secret)
{
    return QMessageAuthenticationCode::hash(signedPart, secret, QCryptographicHash::Sha256);
}

// An early exit would tell an attacker how many leading bytes of a guessed signature are right.
bool equalInConstantTime(const QByteArray &a, const QByteArray &b)
{
    if (a.size() != b.size())
        return false;
    volatile int difference = 0;
    for (qsizetype i = 0; i < a.size(); ++i)
        difference = difference | (a[i] ^ b[i]);
    return difference == 0;
}

// Re-encoding refuses padding and stray low bits, so that one signature has one spelling.
std::optional<QByteArray> decodePart(const QByteArray &part)
{
    const auto decoded =
        QByteArray::fromBase64Encoding(part, base64Url | QByteArray::AbortOnBase64DecodingErrors);
    if (!decoded || (*decoded).toBase64(base64Url) != part)
        return std::nullopt;
    return *decoded;
}

std::optional<QJsonObject> decodeObject(const QByteArray &part)
{
    const std::optional<QByteArray> json = decodePart(part);
    if (!json)
        return std::nullopt;
    const QJsonDocument document = QJsonDocument::fromJson(*json);
    if (!document.isObject())
        return std::nullopt;
    return document.object();
}

TokenCheck refused(TokenCheck::Status status, const QString &error)
{
    return {status, {}, error};
}

TokenCheck checkHeader(const QJsonObject &header)
{
    using Status = TokenCheck::Status;
    if (header.value(u"alg"_s) != QJsonValue(u"HS256"_s))
        return refused(Status::UnsupportedAlgorithm, u"the token is not signed with HS256"_s);
    // RFC 7515, 4.1.11: an extension that is not understood makes the token invalid.
    if (header.contains(u"crit"_s))
        return refused(Status::Malformed, u"the token needs header extensions that are not supported"_s);
    return {Status::Valid, {}, {}};
}

TokenCheck checkTimes(const QJsonObject &claims, qint64 now)
{
    using Status = TokenCheck::Status;
    for (const QString &name : {u"exp"_s, u"nbf"_s}) {
        if (claims.contains(name) && !claims.value(name).isDouble())
            return refused(Status::Malformed, u"the token's '%1' is not a number"_s.arg(name));
    }
    if (!claims.contains(u"exp"_s))
        return refused(Status::Malformed, u"the token has no 'exp': it would be valid for ever"_s);
    const double seconds = double(now);
    if (seconds >= claims.value(u"exp"_s).toDouble())
        return refused(Status::Expired, u"the token has expired"_s);
    if (claims.contains(u"nbf"_s) && seconds < claims.value(u"nbf"_s).toDouble())
        return refused(Status::NotYetValid, u"the token is not valid yet"_s);
    return {Status::Valid, claims, {}};
}

} // namespace

QByteArray issueToken(const QJsonObject &claims, const QByteArray &secret)
{
    const QJsonObject header{{u"alg"_s, u"HS256"_s}, {u"typ"_s, u"JWT"_s}};
    const QByteArray signedPart = QJsonDocument(header).toJson(QJsonDocument::Compact).toBase64(base64Url) +
                                  '.' +
                                  QJsonDocument(claims).toJson(QJsonDocument::Compact).toBase64(base64Url);
    return signedPart + '.' + signature(signedPart, secret).toBase64(base64Url);
}

QJsonObject demoClaims(const QString &user, qint64 now, qint64 lifetimeSeconds)
{
    return {{u"sub"_s, user}, {u"iat"_s, now}, {u"nbf"_s, now}, {u"exp"_s, now + lifetimeSeconds}};
}

TokenCheck verifyToken(const QByteArray &token, const QByteArray &secret, qint64 now)
{
    using Status = TokenCheck::Status;
    if (token.size() > maximumTokenBytes)
        return refused(Status::Malformed, u"the token is longer than %1 bytes"_s.arg(maximumTokenBytes));
    const QList<QByteArray> parts = token.split('.');
    if (parts.size() != 3)
        return refused(Status::Malformed, u"the token does not have three parts"_s);

    const std::optional<QJsonObject> header = decodeObject(parts[0]);
    if (!header)
        return refused(Status::Malformed, u"the token's header is not base64url JSON"_s);
    const TokenCheck headerCheck = checkHeader(*header);
    if (!headerCheck.isValid())
        return headerCheck;

    const std::optional<QByteArray> given = decodePart(parts[2]);
    if (!given)
        return refused(Status::Malformed, u"the token's signature is not base64url"_s);
    if (!equalInConstantTime(*given, signature(parts[0] + '.' + parts[1], secret)))
        return refused(Status::BadSignature, u"the token's signature does not match"_s);

    const std::optional<QJsonObject> claims = decodeObject(parts[1]);
    if (!claims)
        return refused(Status::Malformed, u"the token's claims are not a base64url JSON object"_s);
    return checkTimes(*claims, now);
}

} // namespace Everwire::Demo
