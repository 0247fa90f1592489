// SPDX-License-Identifier: MIT
#include "client/contextlane.h"

#include <QHash>
#include <QObject>
#include <QThread>
#include <QTimer>

#include <algorithm>
#include <utility>

namespace Everwire {

namespace {

// Messages in one posted event at most, so that the other thread handles its other events in
// between.
constexpr int MostInLot = 64;

struct Registry
{
    QMutex mutex;
    QHash<const QObject *, std::shared_ptr<ContextLane>> lanes;
};

// Never destroyed, because contexts may outlive every static object.
Registry &registry()
{
    static Registry &one = *new Registry; // NOLINT(cppcoreguidelines-owning-memory)
    return one;
}

} // namespace

std::shared_ptr<ContextLane> ContextLane::of(QObject *context)
{
    Registry &all = registry();
    const QMutexLocker lock(&all.mutex);
    std::shared_ptr<ContextLane> &lane = all.lanes[context];
    if (!lane) {
        lane = std::make_shared<ContextLane>(context);
        // Emitted before the memory is freed, on the thread that destroys the context.
        QObject::connect(
            context, &QObject::destroyed, context, [lane] { lane->contextGone(); }, Qt::DirectConnection);
    }
    return lane;
}

bool ContextLane::isInThisThread()
{
    const QMutexLocker lock(&m_mutex);
    return m_context && m_context->thread() == QThread::currentThread();
}

void ContextLane::addCallee(const std::weak_ptr<Callee> &callee, std::function<void()> contextGone)
{
    const QMutexLocker lock(&m_mutex);
    if (m_guests.size() >= m_mostGuests) {
        const auto hasEnded = [](const Guest &guest) {
            const std::shared_ptr<Callee> its = guest.callee.lock();
            return !its || its->hasEnded();
        };
        m_guests.erase(std::remove_if(m_guests.begin(), m_guests.end(), hasEnded), m_guests.end());
        m_mostGuests = 2 * std::max<size_t>(m_guests.size(), 8);
    }
    m_guests.push_back({callee, std::move(contextGone)});
}

void ContextLane::contextGone()
{
    {
        Registry &all = registry();
        const QMutexLocker lock(&all.mutex);
        all.lanes.remove(m_context);
    }
    std::vector<Guest> guests;
    std::deque<Run> runs;
    {
        const QMutexLocker lock(&m_mutex);
        m_context = nullptr;
        guests.swap(m_guests);
        runs.swap(m_runs);
        m_lots.clear();
        m_due = 0;
    }
    for (const Guest &guest : guests) {
        if (const std::shared_ptr<Callee> callee = guest.callee.lock()) {
            callee->end();
            guest.contextGone();
        }
    }
}

void ContextLane::push(const std::shared_ptr<Callee> &callee, Callee::Item item, bool mayJoin)
{
    callee->m_items.append(std::move(item));
    if (m_runs.empty() || m_runs.back().callee != callee)
        m_runs.push_back({callee, 0});
    ++m_runs.back().count;
    if (mayJoin && !m_lots.empty() && m_lots.back() < MostInLot) {
        ++m_lots.back();
        return;
    }
    m_lots.push_back(1);
    post();
}

void ContextLane::post()
{
    QMetaObject::invokeMethod(
        m_context, [self = shared_from_this()] { self->takeArrived(); }, Qt::QueuedConnection);
}

void ContextLane::postWork()
{
    const auto again = [self = shared_from_this()] {
        QMutexLocker lock(&self->m_mutex);
        self->m_looksAgain = false;
        self->work(lock);
    };
    if (std::exchange(m_looksAgain, true))
        return;
    QMetaObject::invokeMethod(m_context, again, Qt::QueuedConnection);
}

void ContextLane::takeArrived()
{
    QMutexLocker lock(&m_mutex);
    if (m_lots.empty())
        return;
    m_due += m_lots.front();
    m_lots.pop_front();
    work(lock);
}

// Runs on the context's thread. If a handler runs an event loop, work() is called again inside it
// and continues in order.
void ContextLane::work(QMutexLocker<QMutex> &lock)
{
    QThread *const here = QThread::currentThread();
    while (m_due > 0 && m_context && livesIn(here)) {
        if (m_due > 1)
            postWork(); // if the handler runs an event loop, nothing else wakes it
        callNext(lock, here);
    }
    if (m_due == 0 || !m_context)
        return;
    // The context was moved. The remaining items are called in its new thread, after the last call
    // in the old one has ended.
    if (m_depth.load(std::memory_order_acquire) == 0) {
        postWork();
    } else if (m_context->thread() == here && !std::exchange(m_looksAgain, true)) {
        constexpr int soon = 1; // ms
        QTimer::singleShot(soon, m_context, [self = shared_from_this()] {
            QMutexLocker again(&self->m_mutex);
            self->m_looksAgain = false;
            self->work(again);
        });
    }
}

void ContextLane::callNext(QMutexLocker<QMutex> &lock, QThread *here)
{
    --m_due;
    const std::shared_ptr<Callee> callee = m_runs.front().callee;
    if (--m_runs.front().count == 0)
        m_runs.pop_front();
    if (callee->m_items.isEmpty()) // the subscription has ended
        return;
    Callee::Item item = callee->m_items.takeFirst();
    enter(here);
    callee->m_calls.store(callee->m_calls.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    lock.unlock();
    callee->callWith(item);
    callee->leave();
    lock.relock();
    m_depth.store(m_depth.load(std::memory_order_relaxed) - 1, std::memory_order_release);
    if (callee->hasEnded())
        m_callHasEnded.notify_all();
}

} // namespace Everwire
