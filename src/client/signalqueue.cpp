// SPDX-License-Identifier: MIT
#include "client/signalqueue.h"

#include <QPointer>
#include <QScopeGuard>
#include <QThread>

#include <algorithm>
#include <utility>

namespace Everwire {

void SignalQueue::silence()
{
    m_entries.erase(std::remove_if(m_entries.begin(), m_entries.end(),
                                   [](const Entry &entry) { return entry.heard == Heard::UntilSilenced; }),
                    m_entries.end());
}

void SignalQueue::flush()
{
    // An event loop that a handler runs is deeper than the one that emits: there it goes on.
    const int level = QThread::currentThread()->loopLevel();
    if (level <= m_emittingAtLevel)
        return;
    const QPointer<QObject> owner(m_owner);
    const int outer = std::exchange(m_emittingAtLevel, level);
    const auto left = qScopeGuard([&] { // also when a slot throws
        if (!owner)
            return;
        m_emittingAtLevel = outer;
        if (!m_entries.empty())
            flushLater();
    });
    while (!m_entries.empty()) {
        const Entry next = std::move(m_entries.front());
        m_entries.pop_front();
        if (next.changed)
            (m_owner->*next.changed)();
        else
            next.signal();
        if (!owner)
            return;
    }
}

void SignalQueue::flushLater()
{
    QMetaObject::invokeMethod(
        m_owner, [this] { flush(); }, Qt::QueuedConnection);
}

} // namespace Everwire
