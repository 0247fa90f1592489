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

// What a steady stream costs the main thread, and then how that ticks beside it: not at once, for ticks are work, too.
class StreamWatch
{
public:
    StreamWatch();

    // The stream will last for about so long.
    void begin(std::chrono::duration<double> howLong);
    void end();
    [[nodiscard]] double load() const { return m_load; } // CPU seconds of the main thread in a second
    [[nodiscard]] double worstLate() const { return m_ticks.worstLate(); } // ms

private:
    void turn();

    UiWatch m_ticks;
    QTimer m_turn; // active: the work is being measured
    std::chrono::steady_clock::time_point m_begin;
    double m_cpu = 0;
    double m_load = 0;
};

} // namespace Bench
