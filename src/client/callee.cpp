// SPDX-License-Identifier: MIT
#include "client/callee.h"

#include "client/contextlane.h"
#include "core/exceptions.h"

#include <QElapsedTimer>
#include <QThread>

#include <chrono>
#include <utility>

namespace Everwire {

Callee::Callee(std::shared_ptr<ContextLane> lane, QString event, Handler handler,
               std::shared_ptr<const RelayAccount> account)
    : m_lane(std::move(lane))
    , m_event(std::move(event))
    , m_account(std::move(account))
    , m_handler(std::move(handler))
{
}

Callee::~Callee() = default;

bool Callee::isCalledByThisThread() const
{
    return m_calls.load(std::memory_order_acquire) > 0 &&
           m_lane->m_caller.load(std::memory_order_relaxed) == QThread::currentThread();
}

// An exception ends here, so that the other subscribers are still called (rule M6).
void Callee::call(const Message &message)
{
    try {
        m_handler(message);
    } catch (...) {
        qCWarning(lcConnection).noquote().nospace()
            << (m_account && !m_account->name.isEmpty() ? m_account->name + QStringLiteral(" - ") : QString())
            << "a handler of \"" << m_event << "\" threw: " << whatWasThrown();
    }
}

Callee::Called Callee::callHere(const Message &message, QThread *here)
{
    {
        const QMutexLocker lock(&m_lane->m_mutex);
        if (!m_lane->m_context || hasEnded())
            return Called::Never;
        if (!m_lane->livesIn(here))
            return Called::NotHere;
        m_lane->enter(here);
        m_calls.store(m_calls.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    call(message);
    m_calls.store(m_calls.load(std::memory_order_relaxed) - 1, std::memory_order_release);
    m_lane->m_depth.store(m_lane->m_depth.load(std::memory_order_relaxed) - 1, std::memory_order_release);
    return Called::Here;
}

// Destroys the handler if the subscription has ended and this was its last running call. (For
// direct calls, the router does so.)
void Callee::leave()
{
    const int calls = m_calls.load(std::memory_order_relaxed);
    if (calls == 1 && hasEnded()) {
        QMutexLocker lock(&m_lane->m_mutex);
        if (!std::exchange(m_destroyer, QThread::currentThread())) {
            Handler handler = std::exchange(m_handler, nullptr);
            lock.unlock();
            handler = nullptr;
            m_isGone.store(true, std::memory_order_release);
        }
    }
    m_calls.store(calls - 1, std::memory_order_release);
}

void Callee::callWith(const Item &item)
{
    // Counted as handled before the call, because the handler may run an event loop for long (rule
    // M8).
    if (m_account)
        m_account->done(item.cost);
    if (!item.isReceived || !m_account || m_account->isCurrent(item.generation))
        call(item.message);
}

void Callee::deliver(const Message &message, qint64 cost, quint32 generation, bool mayJoin)
{
    const QMutexLocker lock(&m_lane->m_mutex);
    if (hasEnded() || !m_lane->m_context)
        return;
    if (m_account)
        m_account->taken(cost);
    m_lane->push(shared_from_this(), {message, cost, generation, true}, mayJoin);
}

void Callee::deliver(const Message &event)
{
    const QMutexLocker lock(&m_lane->m_mutex);
    if (!hasEnded() && m_lane->m_context)
        m_lane->push(shared_from_this(), {event, 0, 0, false}, false);
}

void Callee::end()
{
    QList<Item> dropped;
    Handler handler;
    QMutexLocker lock(&m_lane->m_mutex);
    m_hasEnded.store(true, std::memory_order_release);
    dropped.swap(m_items);
    if (m_account && !dropped.isEmpty()) {
        qint64 cost = 0;
        for (const Item &item : std::as_const(dropped))
            cost += item.cost;
        lock.unlock();
        m_account->done(cost);
        dropped.clear();
        lock.relock();
    }
    QElapsedTimer waiting;
    waiting.start();
    bool hasSaidSo = false;
    while (!isGone()) {
        if (isCalledByThisThread() || m_destroyer == QThread::currentThread())
            return;
        if (m_calls.load(std::memory_order_acquire) == 0 && !m_destroyer) {
            m_destroyer = QThread::currentThread();
            handler = std::exchange(m_handler, nullptr);
            lock.unlock();
            handler = nullptr;
            lock.relock();
            m_isGone.store(true, std::memory_order_release);
            m_lane->m_callHasEnded.notify_all();
            return;
        }
        // The end of a direct call notifies nobody.
        constexpr std::chrono::milliseconds lookAgain(10);
        constexpr std::chrono::milliseconds patience(5000);
        m_lane->m_callHasEnded.wait_for(m_lane->m_mutex, lookAgain);
        if (!hasSaidSo && waiting.hasExpired(patience.count())) {
            hasSaidSo = true;
            qCWarning(lcConnection).noquote().nospace()
                << "unsubscribe() has waited 5 s for a handler of \"" << m_event
                << "\" that runs in another thread. A handler must not wait for the thread that unsubscribes";
        }
    }
}

} // namespace Everwire
