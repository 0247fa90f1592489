// SPDX-License-Identifier: MIT
#pragma once

#include "frames.h"
#include "wire.h"

#include <chrono>
#include <future>
#include <mutex>
#include <vector>

namespace Bench {

// One thread that sends a little to each of many connections: a thread for each would have all of them wake at once, and
// the client wait for a core.
class CrowdPacer
{
public:
    static CrowdPacer &instance();

    // Sends count frames, so many a second, and returns when they are sent or nobody takes them any more.
    void send(Wire &wire, FrameRing &ring, int count, int perSecond);

private:
    using Clock = std::chrono::steady_clock;

    struct Stream
    {
        Wire *wire;
        FrameRing *ring;
        int count;
        int perSecond;
        int sent = 0;
        Clock::time_point start = Clock::now();
        std::promise<void> done = {};

        // False when there is nothing more to do.
        bool sendWhatIsDue(Clock::time_point now);
    };

    CrowdPacer();
    [[noreturn]] void run();

    std::mutex m_mutex;
    std::vector<Stream> m_streams;
};

} // namespace Bench
