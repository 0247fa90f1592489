// SPDX-License-Identifier: MIT
#pragma once

#include "client/callee.h"

#include <QObject>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

class QThread;

namespace Everwire {

// All calls for one context object, whichever subscriptions and connections they come from: one at a time, in
// the thread in which the object lives at that moment, and, if they cross threads, in one order. The lane follows
// the object to whatever thread it moves to, even if it moves in a handler. That thread needs an event loop.
// Thread-safe.
class ContextLane : public std::enable_shared_from_this<ContextLane>
{
public:
    // The context's one lane, which lives as long as the context. The context must not be destroyed meanwhile.
    [[nodiscard]] static std::shared_ptr<ContextLane> of(QObject *context);

    explicit ContextLane(QObject *context) : m_context(context) {}
    Q_DISABLE_COPY_MOVE(ContextLane)

    [[nodiscard]] bool isInThisThread();
    // What to do with a subscription when the context is destroyed. Called on the thread that destroys it.
    void addCallee(const std::weak_ptr<Callee> &callee, std::function<void()> contextGone);

private:
    friend class Callee;
    struct Run // of messages for one callee
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
    void work(std::unique_lock<std::mutex> &lock);
    void callNext(std::unique_lock<std::mutex> &lock, QThread *here);
    // Whether its handlers may be called in this thread, which is *here*.
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

    // Not QMutex, because ThreadSanitizer cannot follow a QMutex through QWaitCondition.
    std::mutex m_mutex;
    std::condition_variable m_callHasEnded;
    QObject *m_context; // null once it is being destroyed, which waits for m_mutex before
    std::vector<Guest> m_guests;
    size_t m_mostGuests = 16; // from here on those that have ended are removed
    std::deque<Run> m_runs;   // of the items that wait, oldest first; some have ended meanwhile
    std::deque<int> m_lots;   // sizes of those that are under way, each with an event of its own
    int m_due = 0;            // of the items, the first so many have arrived
    bool m_looksAgain = false;
    // Changed by the thread that calls, which is one at a time.
    std::atomic<int> m_depth{0};
    std::atomic<QThread *> m_caller{nullptr};
};

} // namespace Everwire
