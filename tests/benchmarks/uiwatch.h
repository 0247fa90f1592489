// SPDX-License-Identifier: MIT
#pragma once

#include <QTimer>

#include <chrono>

namespace Bench {

// Stands for a UI: a 60 Hz timer in the main thread. Says how late its ticks are, and how long the thread works.
class UiWatch
{
public:
    static constexpr std::chrono::milliseconds Period{16};

    UiWatch();

    void start() { m_timer.start(); }
    // Works in every tick, for so long.
    void setBusy(std::chrono::milliseconds busy) { m_busy = busy; }

    // What counts is between the two.
    void begin();
    void end();
    [[nodiscard]] bool hasBegun() const { return m_hasBegun; }
    [[nodiscard]] double cpu() const { return m_cpu; } // s, of the main thread
    [[nodiscard]] double worstLate() const;            // ms

private:
    using Time = std::chrono::steady_clock::time_point;

    void tick();
    void takeNote(Time now);

    QTimer m_timer;
    Time m_last;
    std::chrono::nanoseconds m_worst{};
    std::chrono::milliseconds m_busy{};
    bool m_hasBegun = false;
    double m_cpu = 0;
};

} // namespace Bench
