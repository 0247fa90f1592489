// SPDX-License-Identifier: MIT
#include "scenario.h"

#include <algorithm>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

const Role &Scenario::role(const QString &roleId) const
{
    const auto found = std::find_if(roles.begin(), roles.end(),
                                    [&](const Role &candidate) { return candidate.id == roleId; });
    return found == roles.end() ? roles.first() : *found;
}

bool Scenario::hasRole(const QString &roleId) const
{
    return roleIds().contains(roleId);
}

QStringList Scenario::roleIds() const
{
    QStringList ids;
    for (const Role &candidate : roles)
        ids.append(candidate.id);
    return ids;
}

const QStringList &knownFindings()
{
    static const QStringList findings{u"undecodable"_s, u"empty"_s,    u"silence"_s,     u"too_short"_s,
                                      u"too_quiet"_s,   u"clipped"_s,  u"long_pauses"_s, u"too_fast"_s,
                                      u"too_slow"_s,    u"too_long"_s, u"good"_s};
    return findings;
}

const QStringList &blockingFindings()
{
    static const QStringList findings{u"undecodable"_s, u"empty"_s, u"silence"_s, u"too_short"_s,
                                      u"too_quiet"_s};
    return findings;
}

const QStringList &measuredPlaceholders()
{
    static const QStringList placeholders{
        u"seconds"_s,  u"speech_seconds"_s, u"pause_phrase"_s,       u"longest_pause"_s,
        u"loudness"_s, u"peak"_s,           u"syllables_a_second"_s, u"trend"_s};
    return placeholders;
}

const QStringList &knownPlaceholders()
{
    static const QStringList placeholders =
        measuredPlaceholders() + QStringList{u"name"_s, u"turn"_s, u"goal"_s, u"next_goal"_s, u"reason"_s};
    return placeholders;
}

} // namespace Everwire::Demo
