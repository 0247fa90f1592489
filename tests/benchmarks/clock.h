// SPDX-License-Identifier: MIT
#pragma once

#include <QtGlobal>

#include <chrono>

namespace Bench {

// Wall time and this process's CPU time.
class Clock
{
public:
    struct Span
    {
        double wall = 0; // s
        double cpu = 0;  // s
    };

    void start() { m_start = now(); }
    [[nodiscard]] Span span() const
    {
        const Span end = now();
        return {end.wall - m_start.wall, end.cpu - m_start.cpu};
    }

private:
    static Span now();

    Span m_start;
};

// CPU time of the thread that asks, in seconds.
double threadCpu();

qint64 residentBytes();
// The most that it has ever been.
qint64 peakResidentBytes();

// Of this process's threads: how many there are, and how often they have waited for something.
int threadCount();
qint64 waits();

} // namespace Bench
