// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>
#include <Everwire/Message>

#include <QList>
#include <QString>

#include <atomic>
#include <functional>
#include <memory>

class QThread;

namespace Everwire {

class ContextLane;

// Accounts for messages that wait for a handler in another thread. Called on any thread.
struct RelayAccount
{
    QString name;                           // of the connection, for the log
    std::function<void(qint64 cost)> taken; // bytes of a message that was queued
    std::function<void(qint64 cost)> done;
    // Whether messages of this generation are still to be delivered (rule O2).
    std::function<bool(quint32 generation)> isCurrent;
};

// A subscriber's handler, called in its context's thread. If that is the dispatching thread, the
// call is direct. Otherwise the context's lane calls the handler from a queue. Thread-safe.
class EVERWIRE_EXPORT Callee : public std::enable_shared_from_this<Callee>
{
public:
    using Handler = std::function<void(const Message &)>;

    // account: null if this subscriber's messages are not counted.
    Callee(std::shared_ptr<ContextLane> lane, QString event, Handler handler,
           std::shared_ptr<const RelayAccount> account);
    ~Callee();
    Q_DISABLE_COPY_MOVE(Callee)

    [[nodiscard]] ContextLane *lane() const { return m_lane.get(); }

    // ---- the thread that dispatches ----
    enum class Called {
        Here,
        NotHere, // the context lives in another thread or is being called there: use deliver()
        Never,   // the subscription has ended, or its context is destroyed
    };
    // here: QThread::currentThread().
    [[nodiscard]] Called callHere(const Message &message, QThread *here);

    // ---- any thread ----
    // Queues a received message. cost: bytes that it occupies until it is handled. mayJoin: the
    // previous message went to the same lane, so that both may cross in one event.
    void deliver(const Message &message, qint64 cost, quint32 generation, bool mayJoin);
    // Queues a lifecycle event, which belongs to no generation.
    void deliver(const Message &event);
    // Ends the subscription. Queued messages are dropped, and no further call begins. Waits for a
    // call that runs in another thread, then destroys the handler with all that it has captured. If
    // the call runs in this thread, the handler is destroyed after the call returns.
    void end();
    [[nodiscard]] bool hasEnded() const { return m_hasEnded.load(std::memory_order_acquire); }
    // Whether the subscription has ended and its handler is destroyed.
    [[nodiscard]] bool isGone() const { return m_isGone.load(std::memory_order_acquire); }

private:
    friend class ContextLane;
    struct Item
    {
        Message message;
        qint64 cost = 0;
        quint32 generation = 0;
        bool isReceived = false;
    };

    void call(const Message &message);
    void callWith(const Item &item);
    void leave();
    [[nodiscard]] bool isCalledByThisThread() const;

    const std::shared_ptr<ContextLane> m_lane;
    const QString m_event;
    const std::shared_ptr<const RelayAccount> m_account;
    Handler m_handler;
    // Guarded by the lane's mutex:
    QList<Item> m_items;
    QThread *m_destroyer = nullptr; // the thread that destroys the handler
    // Written only by the thread that calls the handler. Only one thread calls at a time.
    std::atomic<int> m_calls{0};
    std::atomic<bool> m_hasEnded{false};
    std::atomic<bool> m_isGone{false};
};

} // namespace Everwire
