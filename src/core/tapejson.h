// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonValue>
#include <QString>

#include <simdjson.h>

#include <string_view>

namespace Everwire {

// What simdjson has parsed, as Qt's values. Recursion is bounded: the parser takes 1024 levels.
[[nodiscard]] QJsonValue toQJson(const simdjson::dom::element &element);

[[nodiscard]] inline QString toQString(std::string_view utf8)
{
    return QString::fromUtf8(utf8.data(), qsizetype(utf8.size()));
}

} // namespace Everwire
