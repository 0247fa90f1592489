// SPDX-License-Identifier: MIT
#include "crowdpacer.h"

#include <algorithm>
#include <thread>

namespace Bench {

CrowdPacer &CrowdPacer::instance()
{
    static auto *pacer = new CrowdPacer; // its thread runs as long as the process
    return *pacer;
}

CrowdPacer::CrowdPacer()
{
    std::thread([this] { run(); }).detach();
}

void CrowdPacer::send(Wire &wire, FrameRing &ring, int count, int perSecond)
{
    std::future<void> done;
    {
        const std::lock_guard lock(m_mutex);
        Stream &stream = m_streams.emplace_back(Stream{&wire, &ring, count, perSecond});
        done = stream.done.get_future();
    }
    done.wait();
}

void CrowdPacer::run()
{
    for (auto next = Clock::now();; next += std::chrono::milliseconds(1)) {
        std::this_thread::sleep_until(next);
        const std::lock_guard lock(m_mutex);
        const auto ended =
            std::partition(m_streams.begin(), m_streams.end(),
                           [now = Clock::now()](Stream &stream) { return stream.sendWhatIsDue(now); });
        std::for_each(ended, m_streams.end(), [](Stream &stream) { stream.done.set_value(); });
        m_streams.erase(ended, m_streams.end());
    }
}

bool CrowdPacer::Stream::sendWhatIsDue(Clock::time_point now)
{
    const double seconds = std::chrono::duration<double>(now - start).count();
    for (const int due = std::min(count, int(seconds * perSecond)); sent < due; ++sent) {
        if (!wire->write(ring->part(sent % ring->size(), 1)))
            return false;
    }
    return sent < count;
}

} // namespace Bench
