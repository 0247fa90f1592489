// SPDX-License-Identifier: MIT
#pragma once

#include "client/callee.h"

#include <QMutex>
#include <QObject>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

class QThread;

namespace Everwire {

// Serializes all calls for one context object, from all subscriptions and connections. Calls run
// one at a time, in the thread in which the object lives. Calls that cross threads keep one order.
// If the object moves to another thread, even inside a handler, the lane follows. That thread needs
// an event loop. Thread-safe.
class ContextLane : public std::enable_shared_from_this<ContextLane>
{
public:
    // Returns the context's only lane, which lives as long as the context. The caller ensures that
    // the context is not destroyed during the call.
    [[nodiscard]] static std::shared_ptr<ContextLane> of(QObject *context);

    explicit ContextLane(QObject *context) : m_context(context) {}
    Q_DISABLE_COPY_MOVE(ContextLane)

    [[nodiscard]] bool isInThisThread();
    // contextGone is called when the context is destroyed, on the thread that destroys it, after
    // the subscription has ended.
    void addCallee(const std::weak_ptr<Callee> &callee, std::function<void()> contextGone);

private:
    friend class Callee;
    struct Run // consecutive items for one callee
    {
        std::shared_ptr<Callee> callee;
        int count = 0;
    };
    struct Guest
    {
        std::weak_ptr<Callee> callee;
        std::function<void()> contextGone;
    };

    void contextGone();
    // With m_mutex locked:
    void push(const std::shared_ptr<Callee> &callee, Callee::Item item, bool mayJoin);
    void post();
    void postWork();
    void takeArrived();
    void work(QMutexLocker<QMutex> &lock);
    void callNext(QMutexLocker<QMutex> &lock, QThread *here);
    // Whether this lane's handlers may be called in the current thread, which the caller passes as
    // *here*.
    [[nodiscard]] bool livesIn(QThread *here) const
    {
        const bool isCalledElsewhere =
            m_depth.load(std::memory_order_acquire) > 0 && m_caller.load(std::memory_order_relaxed) != here;
        return m_context->thread() == here && !isCalledElsewhere;
    }
    void enter(QThread *here)
    {
        m_caller.store(here, std::memory_order_relaxed);
        m_depth.store(m_depth.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    QMutex m_mutex;
    // Not QWaitCondition, which unlocks the mutex where ThreadSanitizer does not see it.
    std::condition_variable_any m_callHasEnded;
    QObject *m_context; // null while it is being destroyed: the destructor waits for m_mutex first
    std::vector<Guest> m_guests;
    size_t m_mostGuests = 16; // if there are this many guests, ended ones are removed first
    std::deque<Run> m_runs;   // queued items by callee, oldest first (a callee may have ended)
    std::deque<int> m_lots;   // items in each posted event that has not arrived yet
    int m_due = 0; // items at the front of m_runs that may be called now: their events have arrived
    bool m_looksAgain = false;
    // Written only by the thread that calls a handler. Only one thread calls at a time.
    std::atomic<int> m_depth{0};
    std::atomic<QThread *> m_caller{nullptr};
};

} // namespace Everwire
