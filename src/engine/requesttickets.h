// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <functional>
#include <map>
#include <vector>

namespace Everwire {

// What has become of the messages of requests that still wait for their replies, by ticket.
//
// A request owns its message until the transport has it (rule Q11). The outbox asks this table
// before it hands a message over or queues it again: a message whose request has ended is dropped.
// Messages of no request have the ticket 0 and are never looked up. Guarded by the outbox's lock.
class EVERWIRE_EXPORT RequestTickets
{
public:
    using Tickets = std::vector<quint64>;
    using IsCancelled = std::function<bool()>; // any thread; must not call back

    enum class State {
        Next,       // waits for the connection behind a goodbye
        Queued,     // waits
        HandedOver, // the engine has taken it
        Dropped,    // a newer message took its place
        Lost,       // discarded, or handed over to a connection that has ended
    };

    [[nodiscard]] bool isEmpty() const { return m_states.empty(); }
    void add(quint64 ticket, State state, IsCancelled isCancelled);
    // The request waits no more. Returns whether its message is still queued, so that it must be
    // removed.
    bool end(quint64 ticket);
    // Whether the message may be handed over, or queued again. A cancelled one is forgotten.
    [[nodiscard]] bool isWanted(quint64 ticket);
    void set(quint64 ticket, State state);
    void change(State from, State to);
    // Forgets those in this state, and returns them, sorted.
    [[nodiscard]] Tickets take(State state);

private:
    struct Entry
    {
        State state = State::Queued;
        IsCancelled isCancelled;
    };

    std::map<quint64, Entry> m_states;
};

} // namespace Everwire
