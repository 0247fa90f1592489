// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>

namespace Bench {

// Tells when a stream's messages are due: in slices of a millisecond, by absolute deadlines, so that a late slice
// makes no later one late. A rate of 0 is as fast as can be.
class Pace
{
public:
    explicit Pace(int perSecond)
        : m_rate(perSecond)
        , m_slice(std::max<std::int64_t>(Millisecond, perSecond > 0 ? Second / perSecond : 0))
    {
    }

    // Waits until there is one more than *sent*, and says how many more there are.
    [[nodiscard]] int await(std::int64_t sent)
    {
        if (m_rate == 0)
            return std::numeric_limits<int>::max();
        while (due() <= sent) {
            ++m_slices;
            std::this_thread::sleep_until(m_start + std::chrono::nanoseconds(m_slices * m_slice));
        }
        return int(due() - sent);
    }

private:
    static constexpr std::int64_t Second = 1'000'000'000; // ns
    static constexpr std::int64_t Millisecond = 1'000'000;

    [[nodiscard]] std::int64_t due() const { return m_slices * m_slice / 1000 * m_rate / (Second / 1000); }

    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
    std::int64_t m_rate;
    std::int64_t m_slice; // ns
    std::int64_t m_slices = 0;
};

} // namespace Bench
