// SPDX-License-Identifier: MIT
#pragma once

#include "engine/scheduler.h"

#include <map>
#include <memory>

namespace Everwire {

// A clock that a test turns by hand: advance() calls what falls due, in order, at its own moment.
class ManualScheduler final : public Scheduler
{
public:
    [[nodiscard]] std::chrono::milliseconds now() const override { return m_state->now; }
    [[nodiscard]] Timer after(std::chrono::milliseconds delay, std::function<void()> callback) override;

    void advance(std::chrono::milliseconds by);
    // Waits that have neither ended nor been cancelled.
    [[nodiscard]] int pending() const { return int(m_state->waits.size()); }
    // Until the next of them is due; negative where there is none.
    [[nodiscard]] std::chrono::milliseconds untilNext() const;

private:
    struct State
    {
        std::chrono::milliseconds now{0};
        // By due time; equal ones stay in the order in which they were asked for.
        std::multimap<std::chrono::milliseconds, std::function<void()>> waits;
    };
    class Wait;

    std::shared_ptr<State> m_state = std::make_shared<State>();
};

} // namespace Everwire
