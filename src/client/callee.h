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

// What is told of messages that wait for a handler in another thread. Called on any thread.
struct RelayAccount
{
    QString name;                           // of the connection, for the log
    std::function<void(qint64 cost)> taken; // in bytes
    std::function<void(qint64 cost)> done;
    // Whether what belongs to this generation is still to be heard (rule O2).
    std::function<bool(quint32 generation)> isCurrent;
};

// A subscriber's handler. It is called in its context's thread: directly, if that is the thread that dispatches,
// or else by the context's lane, from a queue. Thread-safe.
class EVERWIRE_EXPORT Callee : public std::enable_shared_from_this<Callee>
{
public:
    using Handler = std::function<void(const Message &)>;

    // account: null if nobody asks.
    Callee(std::shared_ptr<ContextLane> lane, QString event, Handler handler,
           std::shared_ptr<const RelayAccount> account);
    ~Callee();
    Q_DISABLE_COPY_MOVE(Callee)

    [[nodiscard]] ContextLane *lane() const { return m_lane.get(); }

    // ---- the thread that dispatches ----
    enum class Called {
        Here,
        NotHere, // the context lives in another thread, or is called there: deliver it
        Never,   // the subscription has ended, or its context is gone
    };
    // here: this thread.
    [[nodiscard]] Called callHere(const Message &message, QThread *here);

    // ---- any thread ----
    // Queues a message that was received, which costs so much while it waits. mayJoin: nothing was delivered to
    // another lane since the last message to this one, so the two may cross together.
    void deliver(const Message &message, qint64 cost, quint32 generation, bool mayJoin);
    // Queues another event, which belongs to no generation.
    void deliver(const Message &event);
    // Ends the subscription: what waits is dropped, no call begins any more, a call that runs in another thread
    // is waited for, and the handler is destroyed with all that it has captured. If the call runs in this thread,
    // the handler is destroyed behind it.
    void end();
    [[nodiscard]] bool hasEnded() const { return m_hasEnded.load(std::memory_order_acquire); }
    // It has ended, and its handler is destroyed.
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
    // Changed by the thread that calls, which is one at a time.
    std::atomic<int> m_calls{0};
    std::atomic<bool> m_hasEnded{false};
    std::atomic<bool> m_isGone{false};
};

} // namespace Everwire
