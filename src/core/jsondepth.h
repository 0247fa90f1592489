// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonArray>
#include <QJsonObject>

namespace Everwire {

// Levels of nesting that parsers take, ours and Qt's: below 1024. Qt's writer recurses for each, without a limit of its own.
constexpr int MostJsonLevels = 1023;

[[nodiscard]] bool isTooDeep(const QJsonArray &array, int levels = MostJsonLevels);
[[nodiscard]] bool isTooDeep(const QJsonObject &object, int levels = MostJsonLevels);

namespace Detail {

template<typename Container>
[[nodiscard]] bool isTooDeepIn(const Container &container, int levels)
{
    for (const auto &value : container) {
        if ((value.isObject() && isTooDeep(value.toObject(), levels - 1)) ||
            (value.isArray() && isTooDeep(value.toArray(), levels - 1)))
            return true;
    }
    return false;
}

} // namespace Detail

inline bool isTooDeep(const QJsonArray &array, int levels)
{
    return levels <= 0 || Detail::isTooDeepIn(array, levels);
}

inline bool isTooDeep(const QJsonObject &object, int levels)
{
    return levels <= 0 || Detail::isTooDeepIn(object, levels);
}

} // namespace Everwire
