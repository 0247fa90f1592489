// SPDX-License-Identifier: MIT
#include "client/router.h"

#include "client/events.h"

#include <QScopeGuard>
#include <QThread>

#include <algorithm>
#include <iterator>
#include <utility>

namespace Everwire {

Router::~Router()
{
    for (bool *destroyed : m_running)
        *destroyed = true;
    m_running.push_back(nullptr); // the lists stay as they are while we walk them
    for (const auto &[event, entries] : m_entries) {
        for (const auto &entry : entries)
            remove(*entry);
    }
}

Subscription Router::add(const QString &event, QObject *context, std::function<void(const Message &)> handler,
                         const Detail::Wanted &wanted)
{
    auto entry = std::make_shared<SubscriptionEntry>();
    entry->router = this;
    entry->event = event;
    entry->context = context;
    entry->handler = [ended = entry->ended, handler = std::move(handler)](const Message &message) {
        if (!*ended)
            handler(message);
    };
    entry->wanted = wanted;
    m_interestChanged = true;
    const std::weak_ptr<SubscriptionEntry> weak = entry;
    entry->contextGone =
        QObject::connect(context, &QObject::destroyed, &m_home, [weak] { Subscription(weak).unsubscribe(); });
    SubscriptionEntry &added = *m_entries[event].emplace_back(std::move(entry));
    m_lastType = nullptr;
    if (context->thread() != QThread::currentThread())
        relayTo(added);
    return Subscription(weak);
}

// message: what is being dispatched to it; null: nothing.
void Router::relayTo(SubscriptionEntry &entry, const Message &message)
{
    entry.relay = ThreadRelay::make(entry.context, entry.handler, m_source.account);
    m_interestChanged = true;
    if (!message.isNull())
        entry.relay->deliver(message);
    if (m_source.divert)
        divert(&entry);
}

namespace {

// Who gets what straight from where it is received, as it is since the last divert().
class Diversion
{
public:
    void add(const QString &event, const std::shared_ptr<ThreadRelay> &relay)
    {
        if (event == Events::BinaryMessage)
            m_binary.push_back(relay);
        else if (event == Events::Message || event == Events::AnyMessage)
            m_every.push_back(relay);
        else if (!Events::isReserved(
                     event)) // nor does a message that poses as one of those get here (rule M5)
            m_byType[event].push_back(relay);
    }

    void deliver(const Message &message, qint64 cost, quint32 generation)
    {
        if (message.isBinary()) {
            deliver(m_binary, message, cost, generation);
            return;
        }
        deliver(m_every, message, cost, generation);
        if (const auto found = m_byType.find(MessageData::of(message).type()); found != m_byType.end())
            deliver(found->second, message, cost, generation);
    }

private:
    using Relays = std::vector<std::shared_ptr<ThreadRelay>>;

    void deliver(const Relays &relays, const Message &message, qint64 cost, quint32 generation)
    {
        for (const auto &relay : relays) {
            const bool mayJoin = std::exchange(m_last, relay.get()) == relay.get();
            relay->deliver(message, cost, generation, mayJoin);
        }
    }

    Relays m_every;
    Relays m_binary;
    std::unordered_map<QString, Relays> m_byType;
    const ThreadRelay *m_last = nullptr;
};

} // namespace

void Router::divert(const SubscriptionEntry *newcomer)
{
    const auto to = [](const std::shared_ptr<Diversion> &diversion) -> TakeMessage {
        return [diversion](const Message &message, qint64 cost, quint32 generation) {
            diversion->deliver(message, cost, generation);
        };
    };
    const auto all = std::make_shared<Diversion>();
    m_hasDiverted = false;
    for (const auto &[event, entries] : m_entries) {
        for (const auto &entry : entries) {
            if (entry->router && entry->relay) {
                all->add(event, entry->relay);
                m_hasDiverted = true;
            }
        }
    }
    const auto alone = std::make_shared<Diversion>();
    if (newcomer)
        alone->add(newcomer->event, newcomer->relay);
    m_source.divert(m_hasDiverted ? to(all) : nullptr, newcomer ? to(alone) : nullptr);
}

void Router::remove(SubscriptionEntry &entry)
{
    *entry.ended = true; // what is under way to another thread is not heard any more, either
    if (entry.relay)
        entry.relay->stop();
    QObject::disconnect(entry.contextGone);
    entry.router = nullptr;
    if (!m_running.empty()) {
        m_sweepNeeded = true;
        return;
    }
    Entries ended;
    if (const auto list = m_entries.find(entry.event); list != m_entries.end())
        sweep(list, &ended);
    swept();
}

void Router::sweep()
{
    m_sweepNeeded = false;
    Entries ended; // go last: what a handler has captured may unsubscribe others as it goes
    for (auto list = m_entries.begin(); list != m_entries.end();)
        list = sweep(list, &ended);
    swept();
}

// Moves its entries that have ended; returns the list behind it.
Router::Lists::iterator Router::sweep(Lists::iterator list, Entries *ended)
{
    Entries &entries = list->second;
    const auto first = std::stable_partition(entries.begin(), entries.end(),
                                             [](const auto &entry) { return entry->router != nullptr; });
    ended->insert(ended->end(), std::make_move_iterator(first), std::make_move_iterator(entries.end()));
    entries.erase(first, entries.end());
    return entries.empty() ? m_entries.erase(list) : std::next(list);
}

void Router::swept()
{
    m_interestChanged = true;
    m_lastType = nullptr;
    if (m_hasDiverted)
        divert(nullptr);
}

bool Router::hasSubscribers(const QString &event) const
{
    return m_entries.count(event) > 0;
}

const Router::Entries *Router::find(const QString &event) const
{
    const auto found = m_entries.find(event);
    return found == m_entries.end() ? nullptr : &found->second;
}

Router::Route Router::routeOf(const MessageData &message)
{
    const QString &type = message.type();
    if (message.sharedType && message.sharedType == m_lastType)
        return m_lastRoute;
    Route route;
    route.isByType = !type.isEmpty() && !Events::isReserved(type);
    route.entries = {find(Events::Message), find(Events::AnyMessage), route.isByType ? find(type) : nullptr};
    m_lastType = message.sharedType;
    m_lastRoute = route;
    return route;
}

Router::Routed Router::dispatchMessage(const Message &message)
{
    const Route route = routeOf(MessageData::of(message));
    for (const Entries *entries : route.entries) {
        if (entries && !dispatch(*entries, message, Origin::Wire))
            return Routed::AndDestroyed;
    }
    return route.isByType ? Routed::ToSubscribers : Routed::NotByType;
}

bool Router::dispatch(const QString &event, const Message &message)
{
    const Entries *entries = find(event);
    return !entries || dispatch(*entries, message, Origin::Here);
}

bool Router::dispatchBinary(const Message &message)
{
    const Entries *entries = find(Events::BinaryMessage);
    return !entries || dispatch(*entries, message, Origin::Wire);
}

// entries are only added to while we are here.
bool Router::dispatch(const Entries &entries, const Message &message, Origin origin)
{
    bool destroyed = false;
    m_running.push_back(&destroyed);
    const auto leave = qScopeGuard([this, &destroyed] { // also when a handler throws
        if (destroyed)
            return;
        m_running.pop_back();
        if (m_running.empty() && m_sweepNeeded)
            sweep();
    });
    const size_t count = entries.size();
    for (size_t i = 0; i < count; ++i) {
        // A copy: its handler may end this router, and the list with it.
        // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
        const std::shared_ptr<SubscriptionEntry> entry = entries[i];
        if (!entry->router)
            continue;
        if (!entry->relay && entry->context && entry->context->thread() != QThread::currentThread())
            relayTo(*entry, message); // it was moved
        else if (entry->relay && (origin == Origin::Here || !m_source.divert))
            entry->relay->deliver(message);
        else if (!entry->relay && entry->context)
            entry->handler(message);
        if (destroyed)
            return false;
    }
    return true;
}

void Router::setWanted(SubscriptionEntry &entry, const Detail::Wanted &wanted)
{
    entry.wanted = wanted;
    m_interestChanged = true;
}

// Decoders that there were before are used again.
std::shared_ptr<const Decoder> Router::decoderFor(const Detail::Wanted &wanted) const
{
    const std::shared_ptr<const void> key = wanted.key();
    const auto found =
        std::find_if(m_decoders.begin(), m_decoders.end(), [&](const auto &form) { return form.key == key; });
    return found != m_decoders.end() ? found->decoder : Decoder::of(wanted);
}

void Router::addTo(Interest::InType &type, const Entries &entries) const
{
    for (const auto &entry : entries) {
        if (!isDiverted(*entry))
            type.isHeard = true;
        type.onlyNewest = type.onlyNewest && entry->wanted.onlyNewest;
        type.json = type.json || entry->wanted.form == Detail::Wanted::Json;
        const std::shared_ptr<const void> key = entry->wanted.key();
        if (key && std::none_of(type.forms.begin(), type.forms.end(),
                                [&](const auto &form) { return form.key == key; }))
            type.forms.push_back({key, decoderFor(entry->wanted)});
    }
}

void Router::publishInterest(InterestBoard &board)
{
    if (!std::exchange(m_interestChanged, false))
        return;
    auto interest = std::make_shared<Interest>();
    // A server's message of such a name is refused where the others are handed over (rule M5).
    static const QHash<QByteArray, Interest::InType> reserved = [] {
        QHash<QByteArray, Interest::InType> types;
        for (const QString &name : Events::reserved())
            types.insert(name.toUtf8(), {{}, false, true, false});
        return types;
    }();
    interest->types = reserved;
    std::vector<Interest::InType::Form> decoders;
    for (const auto &[event, entries] : m_entries) {
        const bool isEvery = event == Events::Message || event == Events::AnyMessage;
        Interest::InType &wanted = isEvery ? interest->every : interest->types[event.toUtf8()];
        addTo(wanted, entries);
        decoders.insert(decoders.end(), wanted.forms.begin(), wanted.forms.end());
    }
    m_decoders = std::move(decoders);
    m_publishedInterest = board.publish(std::move(interest));
}

} // namespace Everwire
