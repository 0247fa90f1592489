// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>
#include <Everwire/Message>

#include <QMutex>
#include <QObject>
#include <QPointer>

#include <deque>
#include <functional>
#include <memory>

namespace Everwire {

// What a relay tells of what it holds. Called on any thread.
struct RelayAccount
{
    std::function<void(qint64 cost)> taken; // in bytes
    std::function<void(qint64 cost)> done;
    // Whether what belongs to this generation is still to be heard (rule O2).
    std::function<bool(quint32 generation)> isCurrent;
};

// Brings messages to a handler whose context lives in another thread, in the order in which they were delivered, by Qt's
// own thread-safe way: a queued connection, which ends with the context and follows it to whatever thread it moves to.
// That thread needs an event loop.
class EVERWIRE_EXPORT ThreadRelay final : public QObject
{
    Q_OBJECT

public:
    using Handler = std::function<void(const Message &)>;

    // Made on the thread that deletes the last reference by its event loop. account: null where nobody asks.
    [[nodiscard]] static std::shared_ptr<ThreadRelay> make(QObject *context, Handler handler,
                                                           std::shared_ptr<const RelayAccount> account);

    // ---- any thread ----
    // A message that was received, which costs so much while it waits. mayJoin: nothing was delivered by another relay since
    // the last one of this, so they may cross together.
    void deliver(const Message &message, qint64 cost, quint32 generation, bool mayJoin);
    // Another event, which belongs to no generation.
    void deliver(const Message &event);
    // Nothing more is handled, and what waits is let go of.
    void stop();

Q_SIGNALS:
    void arrived();

private:
    struct Item
    {
        Message message;
        qint64 cost = 0;
        quint32 generation = 0;
        bool isReceived = false;
    };

    ThreadRelay(Handler handler, std::shared_ptr<const RelayAccount> account);
    void deliver(Item item, bool mayJoin);
    void handleSome(const QPointer<QObject> &context);
    [[nodiscard]] bool takeDue(Item *item);

    const Handler m_handler;
    const std::shared_ptr<const RelayAccount> m_account;
    QMutex m_mutex;
    std::deque<Item> m_items;
    std::deque<int> m_lots; // sizes of those that are under way, each with an arrived()
    int m_due = 0;          // of m_items, the first so many have arrived
    bool m_isStopped = false;
};

} // namespace Everwire
