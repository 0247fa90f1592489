// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace Everwire {

// Time, injected: the engine waits only through this, so a test lives through hours in a millisecond.
class Scheduler
{
public:
    class Pending
    {
    public:
        virtual ~Pending() = default;
    };
    // A wait; it ends without a call when this is destroyed or reset.
    using Timer = std::unique_ptr<Pending>;

    virtual ~Scheduler() = default;

    // Monotonic, from an arbitrary beginning.
    [[nodiscard]] virtual std::chrono::milliseconds now() const = 0;
    // Calls back once, after the delay, from the event loop and never from inside after().
    [[nodiscard]] virtual Timer after(std::chrono::milliseconds delay, std::function<void()> callback) = 0;
};

} // namespace Everwire
