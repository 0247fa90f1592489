// SPDX-License-Identifier: MIT
#include "stream.h"

namespace Everwire::Demo {

Stream::Stream(Content content, std::chrono::milliseconds interval, QObject *parent)
    : QObject(parent), m_content(std::move(content))
{
    m_timer.setTimerType(Qt::PreciseTimer);
    m_timer.setInterval(interval);
    connect(&m_timer, &QTimer::timeout, this, &Stream::next);
}

void Stream::join(QObject *listener, const std::function<void(const QJsonObject &)> &send)
{
    while (m_step < m_headStart)
        next();
    for (const QJsonObject &message : std::as_const(m_sent))
        send(message);
    m_listeners.append({listener, send});
    if (!m_timer.isActive())
        m_timer.start();
}

void Stream::leave(QObject *listener)
{
    m_listeners.removeIf([listener](const Listener &each) { return each.who == listener; });
    if (m_listeners.isEmpty())
        m_timer.stop();
}

void Stream::next()
{
    const QJsonObject message = m_content(m_step++);
    if (message.isEmpty())
        return;
    if (m_repeats > 0)
        m_sent.append(message);
    if (m_sent.size() > m_repeats)
        m_sent.removeFirst();
    const QList<Listener> listeners = m_listeners; // one that is cut off leaves
    for (const Listener &listener : listeners)
        listener.send(message);
}

} // namespace Everwire::Demo
