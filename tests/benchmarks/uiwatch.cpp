// SPDX-License-Identifier: MIT
#include "uiwatch.h"

#include "clock.h"

#include <algorithm>

namespace Bench {

using std::chrono::steady_clock;

UiWatch::UiWatch()
{
    m_timer.setTimerType(Qt::PreciseTimer);
    m_timer.setInterval(Period);
    QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] { tick(); });
}

void UiWatch::begin()
{
    m_worst = {};
    m_hasBegun = true;
    m_cpu = -threadCpu();
    if (m_last == Time{})
        m_last = steady_clock::now();
}

void UiWatch::end()
{
    m_cpu += threadCpu();
    takeNote(steady_clock::now()); // of a tick that should have been by now
    m_hasBegun = false;
}

double UiWatch::worstLate() const
{
    return std::chrono::duration<double, std::milli>(m_worst).count();
}

void UiWatch::tick()
{
    const Time now = steady_clock::now();
    takeNote(now);
    m_last = now;
    while (steady_clock::now() < now + m_busy) {
    }
}

void UiWatch::takeNote(Time now)
{
    if (m_hasBegun)
        m_worst = std::max<std::chrono::nanoseconds>(m_worst, now - m_last - Period);
}

StreamWatch::StreamWatch()
{
    m_turn.setSingleShot(true);
    m_turn.setTimerType(Qt::PreciseTimer);
    QObject::connect(&m_turn, &QTimer::timeout, &m_turn, [this] { turn(); });
}

void StreamWatch::begin(std::chrono::duration<double> howLong)
{
    m_turn.start(std::chrono::ceil<std::chrono::milliseconds>(howLong / 2));
    m_begin = steady_clock::now();
    m_cpu = -threadCpu();
}

void StreamWatch::turn()
{
    m_turn.stop();
    m_cpu += threadCpu();
    m_load = m_cpu / std::chrono::duration<double>(steady_clock::now() - m_begin).count();
    m_ticks.start();
    m_ticks.begin();
}

void StreamWatch::end()
{
    if (m_turn.isActive())
        turn();
    m_ticks.end();
}

} // namespace Bench
