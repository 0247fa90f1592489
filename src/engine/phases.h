// SPDX-License-Identifier: MIT
#pragma once

#include "core/tokentimes.h"
#include "engine/heartbeat.h"
#include "engine/outbox.h"
#include "protocol/protocol.h"
#include "transport/transport.h"

#include <QList>

namespace Everwire {

// A transport and what was handed to it that the operating system has not taken yet.
struct Link
{
    struct Sent
    {
        Outgoing message;
        qint64 end = 0; // position on the wire behind it
    };

    std::unique_ptr<Transport> transport;
    std::unique_ptr<Protocol> protocol;
    QList<Sent> unsettled;
    qsizetype unsent = 0; // so many of their last are yet to be handed to the transport
    qint64 position = 0;  // bytes handed to the transport so far
    qint64 backlog = 0;   // of these, what the system did not take at once
    QString token;        // what it authenticates with; empty where it does not
    // The scheduler's time at which messages of the app were last handed to the transport.
    std::chrono::milliseconds lastSent = -std::chrono::hours(1);
};

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
    bool fresh = false; // the provider was told that a token from its cache will not do
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
    Scheduler::Timer timer;            // until it is time, or an answer is overdue
    quint64 request = 0;               // of the token provider; 0: none is under way
    QString offered;                   // sent on the live connection and not answered yet
    QString next;                      // for the reconnect that waits until the connection is idle
    std::chrono::milliseconds until{}; // the scheduler's time at which the present token expires
};

struct Established // Connected
{
    Link link;
    std::unique_ptr<Heartbeat> heartbeat;
    Renewal renewal;
    Scheduler::Timer stable;
    bool paused = false;
};

struct Waiting // Reconnecting
{
    Scheduler::Timer retry;
    std::chrono::milliseconds due{};       // the scheduler's time
    std::chrono::milliseconds notBefore{}; // the same: the server asked for it (Retry-After)
};

struct Closing // Disconnecting
{
    Link link;
    Scheduler::Timer timeout;
};

using Any = std::variant<Idle, Failed, FetchingToken, Preparing, Opening, Authenticating, Established,
                         Waiting, Closing>;

} // namespace Phase

} // namespace Everwire
