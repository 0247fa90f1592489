// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QByteArrayView>
#include <QJsonValue>

#include <optional>

// A parser that follows RFC 8259 exactly, for texts that JSON.parse accepts and simdjson and
// QJsonDocument refuse. These are escaped lone surrogates (a server has cut an emoji), and numbers
// beyond 64 bits or beyond a double. It is slower than the other parsers, so it is used last. The
// nesting depth is limited to MostJsonLevels.
namespace Everwire::LenientJson {

// A lone surrogate is kept, because the other half may follow in the next text. A number beyond a
// double's range becomes infinity, or 0. If several members have the same name, the last one is
// used. Returns nothing if the text is not JSON.
[[nodiscard]] EVERWIRE_EXPORT std::optional<QJsonValue> parse(QByteArrayView utf8);

// The string in the member "type" of an object. Empty if there is none, or if it is not a string.
// Creates no values for the other members. Returns nothing if the text is not JSON.
[[nodiscard]] EVERWIRE_EXPORT std::optional<QString> typeOf(QByteArrayView utf8);

} // namespace Everwire::LenientJson
