// SPDX-License-Identifier: MIT
#include "conflater.h"

namespace Everwire {

Conflater::Conflater(QObject *parent) : QObject(parent)
{
    m_timer.setSingleShot(true);
    m_timer.setTimerType(Qt::PreciseTimer);
    connect(&m_timer, &QTimer::timeout, this, &Conflater::tick);
}

void Conflater::setInterval(int milliseconds)
{
    if (milliseconds == m_interval)
        return;
    m_interval = milliseconds;
    m_next = {};
    m_timer.stop();
    tick();
}

// Messages that come at about the pace of the interval pass at once and need no timer, which would wake the thread once
// more for each.
void Conflater::push(const Message &message)
{
    constexpr qint64 soon = 1; // ms
    if (m_timer.isActive()) {
        m_waiting = message;
        m_replaced = true;
    } else if (const qint64 left = m_next.remainingTime(); left > soon) {
        m_waiting = message;
        m_replaced = false;
        m_timer.start(int(left));
    } else {
        letThrough(message, m_interval);
    }
}

void Conflater::clear()
{
    m_timer.stop();
    m_waiting.reset();
    m_next = {};
}

// Where just one has come since the last one passed, they come at the pace of the interval, but out of step with it: a
// shorter one now and then brings them into step, and they need neither wait nor have a timer any more.
void Conflater::tick()
{
    if (!m_waiting)
        return;
    const int next = m_replaced ? m_interval : m_interval - m_interval / 4;
    letThrough(*std::exchange(m_waiting, std::nullopt), next);
}

void Conflater::letThrough(const Message &message, int next)
{
    if (next > 0)
        m_next = QDeadlineTimer(next, Qt::PreciseTimer);
    Q_EMIT due(message);
}

} // namespace Everwire
