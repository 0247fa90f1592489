// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QDateTime>
#include <QJsonValue>

// Points in time that a server has written.
namespace Everwire::Timestamp {

// ISO 8601 as servers write it: "T" or a space, any number of decimals, "Z" or an offset. Without
// an offset it is UTC, whatever zone this machine is in. Digits alone are a number, as in
// fromJson(). In UTC; invalid if it is no time.
[[nodiscard]] EVERWIRE_EXPORT QDateTime fromText(const QString &text);
// The same, or a number: milliseconds since 1970, or seconds if it is below 1e11 (in milliseconds
// that were before 1973).
[[nodiscard]] EVERWIRE_EXPORT QDateTime fromJson(const QJsonValue &value);

} // namespace Everwire::Timestamp
