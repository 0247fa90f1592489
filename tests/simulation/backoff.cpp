// SPDX-License-Identifier: MIT
#include "backoff.h"

#include <algorithm>
#include <cmath>

namespace Storms {

milliseconds PolicyBackoff::wait(int attempt, milliseconds /*previous*/, double random,
                                 milliseconds asked) const
{
    return m_policy.delay(attempt, random, asked);
}

OtherBackoff::OtherBackoff(const QString &name, Kind kind, const Everwire::ConnectionConfig &config)
    : Backoff(name)
    , m_kind(kind)
    , m_first(double(config.initialReconnectDelay().count()))
    , m_limit(double(config.maxReconnectDelay().count()))
    , m_most(config.maxReconnectAttempts())
{
}

milliseconds OtherBackoff::wait(int attempt, milliseconds previous, double random, milliseconds asked) const
{
    const double base = std::min(std::ldexp(m_first, attempt - 1), m_limit);
    const double most = 3 * std::max(double(previous.count()), m_first);
    const double wait =
        m_kind == Kind::Full ? base * random : std::min(m_limit, m_first + (most - m_first) * random);
    return std::max(milliseconds(std::llround(wait)), asked);
}

} // namespace Storms
