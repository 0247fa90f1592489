// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QJsonValue>
#include <QString>
#include <QVariant>

#include <optional>

namespace Everwire {

// The text of a scalar value in a URL, a header or an id. A number is written like JavaScript's
// String(number), because QML's numbers are doubles and Qt would write 1700000000000 as "1.7e+12".
// Booleans are "true" and "false". Null and undefined are the empty text. Returns nothing for
// values without a text: lists, objects, NaN and infinities.
[[nodiscard]] EVERWIRE_EXPORT std::optional<QString> scalarText(const QVariant &value);
[[nodiscard]] EVERWIRE_EXPORT std::optional<QString> scalarText(const QJsonValue &value);
[[nodiscard]] EVERWIRE_EXPORT QString numberText(double number);

} // namespace Everwire
