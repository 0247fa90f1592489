// SPDX-License-Identifier: MIT
#pragma once

#include "core/connectionconfig.h"
#include "engine/scheduler.h"

namespace Everwire {

// Finds out that a silent peer is gone (rule H1). Traffic only stores the time; one timer runs at most, and
// looks whether there was any.
class EVERWIRE_EXPORT Heartbeat
{
public:
    struct Callbacks
    {
        std::function<void()> ping;
        std::function<void()> dead;
    };

    Heartbeat(Scheduler &scheduler, const ConnectionConfig &config, Callbacks callbacks);

    // Something arrived.
    void alive();
    // The scheduler's time at which something last arrived.
    [[nodiscard]] std::chrono::milliseconds lastSign() const { return m_lastSign; }
    // Asks at once whether the peer is there.
    void checkNow();
    // Nothing is read for now, so silence says nothing.
    void pause();
    void resume();

private:
    void watch(std::chrono::milliseconds delay);
    void check();
    void ask();

    Scheduler &m_scheduler;
    std::chrono::milliseconds m_interval;
    std::chrono::milliseconds m_timeout;
    bool m_isOn;
    Callbacks m_callbacks;
    std::chrono::milliseconds m_lastSign;
    bool m_asked = false; // a ping is unanswered
    Scheduler::Timer m_timer;
};

} // namespace Everwire
