// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QJsonValue>
#include <QString>
#include <QVariant>

#include <optional>

namespace Everwire {

// The text of a value in a URL, a header or an id. A number is written as JavaScript's
// String(number) does: QML's numbers are doubles, and Qt's own conversion makes "1.7e+12" of
// 1700000000000. Truths are "true" and "false". Null and undefined have the empty text. Nothing for
// what has no text of its own: lists, objects, NaN and infinities.
[[nodiscard]] EVERWIRE_EXPORT std::optional<QString> scalarText(const QVariant &value);
[[nodiscard]] EVERWIRE_EXPORT std::optional<QString> scalarText(const QJsonValue &value);
[[nodiscard]] EVERWIRE_EXPORT QString numberText(double number);

} // namespace Everwire
