// SPDX-License-Identifier: MIT
#include "conflater.h"

#include <algorithm>
#include <utility>

namespace Everwire {

using std::chrono::ceil;
using std::chrono::milliseconds;

Conflater::Conflater(QObject *parent) : QObject(parent)
{
    m_timer.setSingleShot(true);
    m_timer.setTimerType(Qt::PreciseTimer);
    connect(&m_timer, &QTimer::timeout, this, &Conflater::tick);
}

void Conflater::setInterval(int interval)
{
    if (interval == m_interval)
        return;
    m_interval = interval;
    m_next = {};
    m_timer.stop();
    tick();
}

// Messages that come at about the pace of the interval pass at once and need no timer, which would wake the thread once
// more for each.
void Conflater::push(const Message &message)
{
    constexpr milliseconds soon{1};
    if (m_timer.isActive()) {
        m_waiting = message;
        m_replaced = true;
    } else if (const auto left = m_next - Clock::now(); left > soon) {
        m_waiting = message;
        m_replaced = false;
        m_timer.start(ceil<milliseconds>(left));
    } else {
        letThrough(message);
    }
}

void Conflater::clear()
{
    m_timer.stop();
    m_waiting.reset();
    m_next = {};
}

// Where just one has come since the last one passed, they come at the pace of the interval, but out of step with it:
// the next may come a little earlier, until they are in step and neither wait nor have a timer any more.
void Conflater::tick()
{
    if (!m_waiting)
        return;
    const Clock::duration earlier = m_replaced ? Clock::duration{} : milliseconds(m_interval) / 4;
    letThrough(*std::exchange(m_waiting, std::nullopt), std::min(earlier, m_spare));
}

void Conflater::letThrough(const Message &message, Clock::duration earlier)
{
    if (m_interval > 0) {
        const milliseconds interval(m_interval);
        const Clock::time_point now = Clock::now();
        const Clock::duration unused = now - std::min(now, std::max(m_next, now - interval));
        m_spare = std::min<Clock::duration>(m_spare - earlier + unused, interval);
        m_next = std::max(now, m_next) + interval - earlier;
    }
    Q_EMIT due(message);
}

} // namespace Everwire
