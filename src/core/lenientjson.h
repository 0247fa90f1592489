// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QByteArrayView>
#include <QJsonValue>

#include <optional>

// JSON to the letter of RFC 8259, for the texts that simdjson and QJsonDocument refuse although
// JSON.parse takes them: an escaped half of a surrogate pair (a server has cut an emoji), and
// numbers that no 64 bits or no double can hold. Slower than either, so it is asked last. Nesting
// is bounded as everywhere (MostJsonLevels).
namespace Everwire::LenientJson {

// A lone half of a pair is kept as it is, so that the other half can follow in the next text. A
// number beyond a double's range is an infinity, or 0. The last of several members of one name
// counts. Nothing if it is no JSON.
[[nodiscard]] EVERWIRE_EXPORT std::optional<QJsonValue> parse(QByteArrayView utf8);

// The text of the member "type" of an object; empty if there is none or it is no text. Makes no
// values of the rest. Nothing if it is no JSON.
[[nodiscard]] EVERWIRE_EXPORT std::optional<QString> typeOf(QByteArrayView utf8);

} // namespace Everwire::LenientJson
