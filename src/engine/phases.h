// SPDX-License-Identifier: MIT
#pragma once

#include "core/tokentimes.h"
#include "engine/heartbeat.h"
#include "engine/outbox.h"
#include "engine/parting.h"

namespace Everwire {

// What the engine does, one struct a phase. What belongs to a phase lives in it: leaving the phase cancels
// its timer, forgets its token and lets go of its socket, so nothing stale can come back.
namespace Phase {

struct Idle // Disconnected
{
};

struct Failed // Error
{
    bool gaveUpForTheNetwork = false; // so a network that comes back is a reason to start afresh (rule R7)
};

struct FetchingToken // Connecting
{
    quint64 request = 0;
    bool fresh = false; // the token provider was asked not to use its cache
    Scheduler::Timer timeout;
};

struct Preparing // Connecting
{
    quint64 request = 0;
    QString token;
    Scheduler::Timer timeout;
};

struct Opening // Connecting
{
    Link link;
    Scheduler::Timer timeout;
};

struct Authenticating // Authenticating
{
    Link link;
    Scheduler::Timer timeout;
};

// A live connection's next token.
struct Renewal
{
    Scheduler::Timer timer; // until it is time, or an answer is overdue
    quint64 request = 0;    // of the token provider; 0: none is under way
    QString offered;        // sent on the live connection and not answered yet
    QString next;           // the token for the reconnect, which waits until the connection is idle
    std::chrono::milliseconds until{}; // the scheduler's time at which the present token expires
};

// The live connection is being closed, and another one will replace it. Messages still arrive on
// the old one.
struct Switch
{
    Parting *parting = nullptr; // owns the old connection's link
    QString token;              // for the new connection
};

struct Established // Connected
{
    Link link;
    std::optional<Switch> next;
    std::unique_ptr<Heartbeat> heartbeat;
    Renewal renewal;
    Scheduler::Timer stable;
    bool paused = false;
};

struct Waiting // Reconnecting
{
    Scheduler::Timer retry;
    std::chrono::milliseconds due{}; // the scheduler's time
    // The scheduler's time before which the server asked us not to retry (Retry-After).
    std::chrono::milliseconds notBefore{};
};

struct Closing // Disconnecting, until the last Parting is over
{
    Link link; // until the last messages are handed to its transport
};

using Any = std::variant<Idle, Failed, FetchingToken, Preparing, Opening, Authenticating, Established,
                         Waiting, Closing>;

} // namespace Phase

} // namespace Everwire
