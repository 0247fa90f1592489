// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <functional>
#include <map>
#include <vector>

namespace Everwire {

// The state of each pending request's message, by ticket.
//
// A request owns its message until it is handed over for sending (rule Q11). Before the outbox
// hands a message over or queues it again, it asks this table. A message whose request has ended is
// dropped. Messages without a request have the ticket 0 and are never looked up. Guarded by the
// outbox's lock.
class EVERWIRE_EXPORT RequestTickets
{
public:
    using Tickets = std::vector<quint64>;
    using IsCancelled = std::function<bool()>; // called on any thread, must not call back

    enum class State {
        Next,       // waits for the connection after a goodbye
        Queued,     // waits in the queue
        HandedOver, // taken by the engine
        Dropped,    // removed to make room for a newer message
        Lost,       // discarded, or handed to a connection that has ended
    };

    [[nodiscard]] bool isEmpty() const { return m_states.empty(); }
    void add(quint64 ticket, State state, IsCancelled isCancelled);
    // The request has ended. Returns whether its message is still queued and must be removed.
    bool end(quint64 ticket);
    // Whether the message may be handed over or queued again. The ticket of a cancelled request is
    // forgotten.
    [[nodiscard]] bool isWanted(quint64 ticket);
    void set(quint64 ticket, State state);
    void change(State from, State to);
    // Removes the tickets in this state, and returns them sorted.
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
