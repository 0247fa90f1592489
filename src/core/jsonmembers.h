// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonObject>
#include <QString>

#include <algorithm>
#include <utility>
#include <vector>

namespace Everwire {

// An object's members in the order of the text.
using JsonMembers = std::vector<std::pair<QString, QJsonValue>>;

// QJsonObject keeps its members sorted, so inserting many in any other order takes quadratic time:
// a peer could stop a thread for hours with one message. Of members with the same name the last one
// counts, as in JSON.parse.
inline QJsonObject toJsonObject(JsonMembers members)
{
    std::stable_sort(members.begin(), members.end(),
                     [](const auto &a, const auto &b) { return a.first < b.first; });
    QJsonObject object;
    for (const auto &[name, value] : members)
        object.insert(name, value);
    return object;
}

} // namespace Everwire
