// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QDateTime>
#include <QJsonValue>

// Parses timestamps that a server has sent.
namespace Everwire::Timestamp {

// Parses ISO 8601 as servers write it: "T" or a space, any number of decimals, "Z" or an offset.
// Without an offset the time is UTC, whatever the local time zone. A text of digits only is a
// number, as in fromJson(). Returns UTC, or an invalid QDateTime.
[[nodiscard]] EVERWIRE_EXPORT QDateTime fromText(const QString &text);
// The same, or a number: milliseconds since 1970, or seconds if it is below 1e11. (In milliseconds,
// 1e11 is in 1973.)
[[nodiscard]] EVERWIRE_EXPORT QDateTime fromJson(const QJsonValue &value);

} // namespace Everwire::Timestamp
