// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QString>

#include <chrono>
#include <optional>

namespace Everwire {

// When a JWT was made and when it expires ("iat" and "exp", RFC 7519 §4.1), in milliseconds since 1970. Nothing is
// verified: that is the server's to do. Neither is set for a token that is no JWT.
struct TokenTimes
{
    std::optional<qint64> issuedAt;
    std::optional<qint64> expiresAt;
};

[[nodiscard]] EVERWIRE_EXPORT TokenTimes tokenTimes(const QString &token);

// The user of the token ("sub", RFC 7519 §4.1.2). Empty if the token does not say, or is not a JWT.
[[nodiscard]] EVERWIRE_EXPORT QString tokenSubject(const QString &token);

// What is left of a token that the server has just accepted; none where it does not say. *now* is the server's clock
// where it is known. A clock that calls the token expired is wrong, and its whole lifetime is assumed.
[[nodiscard]] EVERWIRE_EXPORT std::optional<std::chrono::milliseconds> timeLeft(const TokenTimes &times,
                                                                                qint64 now);

} // namespace Everwire
