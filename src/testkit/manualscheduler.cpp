// SPDX-License-Identifier: MIT
#include "testkit/manualscheduler.h"

#include <algorithm>

namespace Everwire {

class ManualScheduler::Wait final : public Scheduler::Pending
{
public:
    Wait(std::shared_ptr<State> state, std::chrono::milliseconds due, std::function<void()> callback)
        : m_state(std::move(state)), m_done(std::make_shared<bool>(false))
    {
        m_entry = m_state->waits.emplace(due, [done = m_done, callback = std::move(callback)] {
            *done = true;
            callback();
        });
    }
    ~Wait() override
    {
        if (!*m_done)
            m_state->waits.erase(m_entry);
    }
    Wait(const Wait &) = delete;
    Wait &operator=(const Wait &) = delete;

private:
    std::shared_ptr<State> m_state;
    std::shared_ptr<bool> m_done; // its entry is gone
    std::multimap<std::chrono::milliseconds, std::function<void()>>::iterator m_entry;
};

Scheduler::Timer ManualScheduler::after(std::chrono::milliseconds delay, std::function<void()> callback)
{
    return std::make_unique<Wait>(m_state, m_state->now + delay, std::move(callback));
}

void ManualScheduler::advance(std::chrono::milliseconds by)
{
    const std::chrono::milliseconds end = m_state->now + by;
    auto &waits = m_state->waits;
    while (!waits.empty() && waits.begin()->first <= end) {
        m_state->now = std::max(m_state->now, waits.begin()->first);
        const std::function<void()> callback = std::move(waits.begin()->second);
        waits.erase(waits.begin());
        callback();
    }
    m_state->now = end;
}

std::chrono::milliseconds ManualScheduler::untilNext() const
{
    return m_state->waits.empty() ? std::chrono::milliseconds(-1)
                                  : m_state->waits.begin()->first - m_state->now;
}

} // namespace Everwire
