// SPDX-License-Identifier: MIT
#pragma once

#include "engine/wirethread.h"
#include "testkit/faketransport.h"
#include "testkit/manualscheduler.h"

#include <map>

namespace Everwire {

// A world without a thread, a network, a clock or chance, in which everything happens when the test says so and the
// same way each time. The connections of a provider made while it lives move in. It outlives that
// provider.
class ManualWorld
{
public:
    ManualWorld();
    ~ManualWorld();
    Q_DISABLE_COPY_MOVE(ManualWorld)

    // Lets the engines look at what the app has said; whether there was anything.
    bool runWire();

    FakeTransport::Wire wire;                          // of all connections without one of their own
    std::map<QString, FakeTransport::Wire *> wires;    // of connections of these types
    ManualScheduler scheduler;                         // of both sides
    double random = 0.5;                               // the next numbers that chance brings
    qint64 wallClock = 1'800'000'000'000;              // ms since 1970
    std::shared_ptr<Inbox> inbox;                      // of the newest connection
    std::map<QString, std::shared_ptr<Inbox>> inboxes; // of the newest of each type
    std::shared_ptr<Outbox> outbox;

private:
    class Room;

    std::map<EngineHost *, bool> m_hosts; // and whether its outbox has woken it
};

} // namespace Everwire
