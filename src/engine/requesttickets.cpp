// SPDX-License-Identifier: MIT
#include "engine/requesttickets.h"

#include <utility>

namespace Everwire {

void RequestTickets::add(quint64 ticket, State state, IsCancelled isCancelled)
{
    m_states[ticket] = {state, std::move(isCancelled)};
}

bool RequestTickets::end(quint64 ticket)
{
    const auto node = m_states.extract(ticket);
    return !node.empty() && (node.mapped().state == State::Queued || node.mapped().state == State::Next);
}

bool RequestTickets::isWanted(quint64 ticket)
{
    const auto found = m_states.find(ticket);
    if (found == m_states.end())
        return false;
    if (!found->second.isCancelled())
        return true;
    m_states.erase(found);
    return false;
}

void RequestTickets::set(quint64 ticket, State state)
{
    if (const auto found = m_states.find(ticket); found != m_states.end())
        found->second.state = state;
}

void RequestTickets::change(State from, State to)
{
    for (auto &[ticket, entry] : m_states) {
        if (entry.state == from)
            entry.state = to;
    }
}

RequestTickets::Tickets RequestTickets::take(State state)
{
    Tickets taken;
    for (auto it = m_states.begin(); it != m_states.end();) {
        if (it->second.state == state) {
            taken.push_back(it->first);
            it = m_states.erase(it);
        } else {
            ++it;
        }
    }
    return taken;
}

} // namespace Everwire
