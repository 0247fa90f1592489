// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QString>

namespace Everwire::Demo {

/// What became of a token that was checked.
///
/// \code
/// const TokenCheck check = verifyToken(token, secret, QDateTime::currentSecsSinceEpoch());
/// if (!check.isValid())
///     qInfo() << check.error; // says what is wrong, never the token itself
/// \endcode
struct TokenCheck
{
    enum class Status { Valid, Malformed, UnsupportedAlgorithm, BadSignature, Expired, NotYetValid };

    Status status = Status::Malformed;
    QJsonObject claims; ///< Set only for a valid token.
    QString error;      ///< A sentence for a log; empty for a valid token.

    [[nodiscard]] bool isValid() const { return status == Status::Valid; }
};

/// The shortest HMAC secret that is accepted, in bytes (RFC 7518, 3.2: the size of the hash).
inline constexpr int minimumSecretBytes = 32;

/// The longest token that is looked at, in bytes.
inline constexpr int maximumTokenBytes = 8 * 1024;

/// Signs \a claims with HS256 and returns the compact form (RFC 7519).
[[nodiscard]] QByteArray issueToken(const QJsonObject &claims, const QByteArray &secret);

/// The claims of a demo user: `sub`, `iat`, `nbf` and `exp`; times in seconds since the epoch.
[[nodiscard]] QJsonObject demoClaims(const QString &user, qint64 now, qint64 lifetimeSeconds);

/// Checks form, algorithm, signature, `exp` and `nbf` of \a token at the time \a now (seconds since
/// the epoch). Only HS256 is accepted, whatever the token's header asks for.
[[nodiscard]] TokenCheck verifyToken(const QByteArray &token, const QByteArray &secret, qint64 now);

} // namespace Everwire::Demo
