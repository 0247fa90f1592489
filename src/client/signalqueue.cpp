// SPDX-License-Identifier: MIT
#include "client/signalqueue.h"

#include <QScopeGuard>
#include <QThread>

#include <algorithm>
#include <utility>

namespace Everwire {

SignalQueue::Hold::Hold(SignalQueue &queue) : m_queue(queue), m_owner(queue.m_owner), m_outer(queue.m_level)
{
    queue.m_level = std::max(queue.m_level, QThread::currentThread()->loopLevel());
}

SignalQueue::Hold::~Hold()
{
    if (m_owner)
        m_queue.m_level = m_outer;
}

void SignalQueue::silence()
{
    m_entries.erase(std::remove_if(m_entries.begin(), m_entries.end(),
                                   [](const Entry &entry) { return entry.heard == Heard::UntilSilenced; }),
                    m_entries.end());
}

bool SignalQueue::isEmittingHere() const
{
    return m_level != Nowhere && QThread::currentThread()->loopLevel() <= m_level;
}

void SignalQueue::flush()
{
    // A nested event loop in a handler has a higher loop level, so emitting continues there.
    // processEvents() in a handler does not raise the level.
    if (m_entries.empty() || isEmittingHere())
        return;
    const QPointer<QObject> owner(m_owner);
    const Hold hold(*this); // also ends if a handler throws
    const auto left = qScopeGuard([&] {
        if (owner && !m_entries.empty()) // a slot has thrown
            flushLater();
    });
    while (owner && !m_entries.empty()) {
        const Entry next = std::move(m_entries.front());
        m_entries.pop_front();
        if (next.changed)
            (m_owner->*next.changed)();
        else
            next.signal();
    }
}

void SignalQueue::flushLater()
{
    QMetaObject::invokeMethod(
        m_owner, [this] { flush(); }, Qt::QueuedConnection);
}

} // namespace Everwire
