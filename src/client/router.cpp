// SPDX-License-Identifier: MIT
#include "client/router.h"

#include <QScopeGuard>
#include <QThread>

#include <algorithm>

namespace Everwire {

Router::~Router()
{
    *m_alive = false;
    for (const Entries &entries : std::as_const(m_entries)) {
        for (const auto &entry : entries)
            remove(*entry);
    }
}

Subscription Router::add(const QString &event, QObject *context, std::function<void(const Message &)> handler)
{
    auto entry = std::make_shared<SubscriptionEntry>();
    entry->router = this;
    entry->event = event;
    entry->context = context;
    entry->handler = [ended = entry->ended, handler = std::move(handler)](const Message &message) {
        if (!*ended)
            handler(message);
    };
    const std::weak_ptr<SubscriptionEntry> weak = entry;
    entry->contextGone =
        QObject::connect(context, &QObject::destroyed, &m_home, [weak] { Subscription(weak).unsubscribe(); });
    if (context->thread() != QThread::currentThread())
        relayTo(*entry);
    m_entries[event].push_back(std::move(entry));
    return Subscription(weak);
}

void Router::relayTo(SubscriptionEntry &entry)
{
    entry.relay.reset(new CrossThreadRelay);
    QObject::connect(entry.relay.get(), &CrossThreadRelay::deliver, entry.context, entry.handler);
}

void Router::remove(SubscriptionEntry &entry)
{
    *entry.ended = true; // what is under way to another thread is not heard any more, either
    QObject::disconnect(entry.contextGone);
    entry.router = nullptr;
    m_sweepNeeded = true;
    if (m_depth == 0 && *m_alive)
        sweep();
}

void Router::sweep()
{
    m_sweepNeeded = false;
    for (auto it = m_entries.begin(); it != m_entries.end();) {
        auto &entries = it.value();
        entries.erase(
            std::remove_if(entries.begin(), entries.end(), [](const auto &entry) { return !entry->router; }),
            entries.end());
        it = entries.empty() ? m_entries.erase(it) : std::next(it);
    }
}

bool Router::hasSubscribers(const QString &event) const
{
    return m_entries.contains(event);
}

bool Router::dispatch(const QString &event, const Message &message)
{
    const auto found = m_entries.constFind(event);
    if (found == m_entries.constEnd())
        return true;
    const std::shared_ptr<bool> alive = m_alive;
    // A copy of pointers: handlers may add to the list or end the router.
    const Entries entries = found.value(); // NOLINT(performance-unnecessary-copy-initialization)
    ++m_depth;
    const auto leave = qScopeGuard([this, alive] { // also when a handler throws
        if (*alive && --m_depth == 0 && m_sweepNeeded)
            sweep();
    });
    for (const auto &entry : entries) {
        if (!entry->router)
            continue;
        if (!entry->relay && entry->context && entry->context->thread() != QThread::currentThread())
            relayTo(*entry); // it was moved
        if (entry->relay)
            Q_EMIT entry->relay->deliver(message);
        else if (entry->context)
            entry->handler(message);
        if (!*alive)
            return false;
    }
    return true;
}

} // namespace Everwire
