// SPDX-License-Identifier: MIT
#include "client/threadrelay.h"

#include <utility>

namespace Everwire {

namespace {

// That cross together at most, so that the other thread's event loop has its turns.
constexpr int MostInLot = 64;

} // namespace

std::shared_ptr<ThreadRelay> ThreadRelay::make(QObject *context, Handler handler,
                                               std::shared_ptr<const RelayAccount> account)
{
    const std::shared_ptr<ThreadRelay> relay(new ThreadRelay(std::move(handler), std::move(account)),
                                             [](ThreadRelay *gone) { gone->deleteLater(); });
    connect(
        relay.get(), &ThreadRelay::arrived, context,
        [weak = std::weak_ptr(relay), context = QPointer(context)] {
            if (const auto self = weak.lock())
                self->handleSome(context);
        },
        Qt::QueuedConnection);
    return relay;
}

ThreadRelay::ThreadRelay(Handler handler, std::shared_ptr<const RelayAccount> account)
    : m_handler(std::move(handler)), m_account(std::move(account))
{
}

void ThreadRelay::deliver(const Message &message, qint64 cost, quint32 generation, bool mayJoin)
{
    deliver({message, cost, generation, true}, mayJoin);
}

void ThreadRelay::deliver(const Message &event)
{
    deliver({event, 0, 0, false}, false);
}

void ThreadRelay::deliver(Item item, bool mayJoin)
{
    {
        const QMutexLocker lock(&m_mutex);
        if (m_isStopped)
            return;
        if (m_account)
            m_account->taken(item.cost);
        m_items.push_back(std::move(item));
        if (mayJoin && !m_lots.empty() && m_lots.back() < MostInLot) {
            ++m_lots.back();
            return;
        }
        m_lots.push_back(1);
    }
    Q_EMIT arrived();
}

void ThreadRelay::stop()
{
    std::deque<Item> dropped;
    {
        const QMutexLocker lock(&m_mutex);
        m_isStopped = true;
        m_due = 0;
        dropped.swap(m_items);
    }
    qint64 cost = 0;
    for (const Item &item : dropped)
        cost += item.cost;
    if (m_account && cost > 0)
        m_account->done(cost);
}

// On the context's thread. A handler that runs an event loop comes by here again, and there it goes on in order.
void ThreadRelay::handleSome(const QPointer<QObject> &context)
{
    {
        const QMutexLocker lock(&m_mutex);
        if (m_isStopped || m_lots.empty())
            return;
        m_due += m_lots.front();
        m_lots.pop_front();
    }
    Item item;
    while (context && takeDue(&item)) {
        if (!item.isReceived || !m_account || m_account->isCurrent(item.generation))
            m_handler(item.message);
        if (m_account)
            m_account->done(item.cost);
    }
}

bool ThreadRelay::takeDue(Item *item)
{
    const QMutexLocker lock(&m_mutex);
    if (m_due == 0)
        return false;
    --m_due;
    *item = std::move(m_items.front());
    m_items.pop_front();
    return true;
}

} // namespace Everwire
