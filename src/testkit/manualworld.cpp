// SPDX-License-Identifier: MIT
#include "testkit/manualworld.h"

namespace Everwire {

class ManualWorld::Room final : public EngineRoom
{
public:
    explicit Room(ManualWorld *world) : m_world(world) {}
    ~Room() override
    {
        while (!m_world->m_hosts.empty())
            remove(m_world->m_hosts.begin()->first);
    }
    Q_DISABLE_COPY_MOVE(Room)

    [[nodiscard]] EngineHost *add(Engine::Surroundings surroundings) override
    {
        m_world->inbox = surroundings.inbox;
        m_world->inboxes[surroundings.name] = surroundings.inbox;
        m_world->outbox = surroundings.outbox;
        const auto own = m_world->wires.find(surroundings.name);
        surroundings.transports =
            FakeTransport::factory(own == m_world->wires.end() ? &m_world->wire : own->second);
        surroundings.scheduler = &m_world->scheduler;
        surroundings.random = [world = m_world] { return world->random; };
        surroundings.wallClock = [world = m_world] { return world->wallClock; };
        const std::shared_ptr<Outbox> outbox = surroundings.outbox;
        auto *host = new EngineHost(std::move(surroundings));
        m_world->m_hosts[host] = false;
        outbox->setWake([world = m_world, host] { world->m_hosts[host] = true; });
        return host;
    }

    void remove(EngineHost *host) override
    {
        host->detach();
        host->processOutbox();
        m_world->m_hosts.erase(host);
        delete host;
    }
    void processNow(EngineHost *host) override { host->processOutbox(); }
    // Does not wait, because only the test makes things happen here. Connections that have not
    // ended are cut later.
    void waitForRest() override
    {
        for (const auto &[host, woken] : m_world->m_hosts)
            host->processOutbox();
    }

    [[nodiscard]] Scheduler &appScheduler() override { return m_world->scheduler; }

private:
    ManualWorld *const m_world;
};

ManualWorld::ManualWorld()
{
    EngineRoom::setMaker([this] { return std::make_unique<Room>(this); });
}

ManualWorld::~ManualWorld()
{
    EngineRoom::setMaker({});
}

bool ManualWorld::runWire()
{
    bool any = false;
    for (auto &[host, woken] : m_hosts) {
        if (!std::exchange(woken, false))
            continue;
        host->processOutbox();
        any = true;
    }
    return any;
}

} // namespace Everwire
