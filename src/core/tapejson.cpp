// SPDX-License-Identifier: MIT
#include "core/tapejson.h"

#include "core/jsonmembers.h"

#include <QJsonArray>
#include <QJsonObject>

namespace Everwire {

QJsonValue toQJson(const simdjson::dom::element &element)
{
    if (simdjson::dom::object members; !element.get(members)) {
        constexpr size_t many = 64; // members; fewer are inserted faster than sorted
        if (members.size() > many) {
            JsonMembers all;
            for (const auto member : members)
                all.emplace_back(toQString(member.key), toQJson(member.value));
            return toJsonObject(std::move(all));
        }
        QJsonObject object;
        for (const auto member : members)
            object.insert(toQString(member.key), toQJson(member.value));
        return object;
    }
    if (simdjson::dom::array items; !element.get(items)) {
        QJsonArray array;
        for (const auto item : items)
            array.append(toQJson(item));
        return array;
    }
    if (std::string_view text; !element.get(text))
        return toQString(text);
    if (bool truth = false; !element.get(truth))
        return truth;
    if (int64_t integer = 0; !element.get(integer))
        return qint64(integer);
    if (double number = 0; !element.get(number))
        return number;
    return QJsonValue::Null;
}

} // namespace Everwire
