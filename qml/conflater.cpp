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
    m_timer.stop();
    tick();
}

void Conflater::push(const Message &message)
{
    if (m_timer.isActive()) {
        m_waiting = message;
        return;
    }
    if (m_interval > 0)
        m_timer.start(m_interval);
    Q_EMIT due(message);
}

void Conflater::clear()
{
    m_timer.stop();
    m_waiting.reset();
}

// Nothing came within the interval: the timer stays off, and the next message goes through at once.
void Conflater::tick()
{
    if (!m_waiting)
        return;
    const Message newest = *std::exchange(m_waiting, std::nullopt);
    push(newest);
}

} // namespace Everwire
