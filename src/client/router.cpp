// SPDX-License-Identifier: MIT
#include "client/router.h"

#include "client/contextlane.h"
#include "client/events.h"

#include <QScopeGuard>
#include <QThread>

#include <algorithm>
#include <utility>

namespace Everwire {

// Delivers received messages to subscribers in other threads, directly from the receiving thread.
class Diversion
{
public:
    void add(const QString &event, const std::shared_ptr<Callee> &callee)
    {
        if (event == Events::BinaryMessage)
            m_binary.push_back(callee);
        else if (event == Events::Message || event == Events::AnyMessage)
            m_every.push_back(callee);
        else if (!Events::isReserved(
                     event)) // nor does a message that poses as one of those get here (rule M5)
            m_byType[event].push_back(callee);
    }

    void removeEnded()
    {
        removeEnded(m_binary);
        removeEnded(m_every);
        for (auto it = m_byType.begin(); it != m_byType.end();) {
            removeEnded(it->second);
            it = it->second.empty() ? m_byType.erase(it) : std::next(it);
        }
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

    [[nodiscard]] static TakeMessage to(const std::shared_ptr<Diversion> &diversion)
    {
        return [diversion](const Message &message, qint64 cost, quint32 generation) {
            diversion->deliver(message, cost, generation);
        };
    }

private:
    using Callees = std::vector<std::shared_ptr<Callee>>;

    static void removeEnded(Callees &callees)
    {
        callees.erase(std::remove_if(callees.begin(), callees.end(),
                                     [](const auto &callee) { return callee->hasEnded(); }),
                      callees.end());
    }

    void deliver(const Callees &callees, const Message &message, qint64 cost, quint32 generation)
    {
        for (const auto &callee : callees) {
            const bool mayJoin = std::exchange(m_last, callee->lane()) == callee->lane();
            callee->deliver(message, cost, generation, mayJoin);
        }
    }

    Callees m_every;
    Callees m_binary;
    std::unordered_map<QString, Callees> m_byType;
    const ContextLane *m_last = nullptr;
};

Router::Router() : m_diversion(std::make_shared<Diversion>())
{
    m_sharedHome->object = &m_home;
    m_sharedHome->thread = QThread::currentThread();
}

Router::~Router()
{
    m_isEnding = true;
    {
        const QMutexLocker lock(&m_sharedHome->mutex);
        m_sharedHome->object = nullptr;
    }
    std::vector<std::shared_ptr<SubscriptionEntry>> all;
    for (const auto &[event, list] : m_lists)
        all.insert(all.end(), list.entries.begin(), list.entries.end());
    for (const auto &entry : all) {
        if (entry->router)
            remove(*entry);
    }
    if (m_source.board) {
        m_source.board->publish(std::make_shared<Interest>());
        m_source.board->waitForDecoding();
    }
    for (Dispatch *running : m_running)
        running->isRouterDestroyed = true;
    if (m_running.empty()) {
        retire(m_forms);
        return;
    }
    Dispatch *const outermost = m_running.front();
    leaving(*outermost).lists = std::move(m_lists);
    leaving(*outermost).forms = std::move(m_forms);
}

Subscription Router::add(const QString &event, QObject *context, Callee::Handler handler,
                         const Detail::Wanted &wanted)
{
    if (m_isEnding)
        return {};
    auto entry = std::make_shared<SubscriptionEntry>();
    const std::shared_ptr<ContextLane> lane = ContextLane::of(context);
    entry->router = this;
    entry->event = event;
    entry->callee = std::make_shared<Callee>(lane, event, std::move(handler), m_source.account);
    entry->wanted = wanted;
    const std::weak_ptr<SubscriptionEntry> weak = entry;
    lane->addCallee(entry->callee, [home = m_sharedHome, weak] { contextGone(*home, weak); });
    takeForm(wanted);
    m_interestChanged = true;
    List &list = m_lists[event];
    list.event = event;
    SubscriptionEntry &added = *list.entries.emplace_back(std::move(entry));
    m_lastType = nullptr;
    if (!lane->isInThisThread())
        relay(added);
    return Subscription(weak);
}

// Runs on the thread that destroys the context. The handler is destroyed by then. The rest of the
// clean-up belongs to the router's thread.
void Router::contextGone(Home &home, const std::weak_ptr<SubscriptionEntry> &entry)
{
    if (QThread::currentThread() == home.thread) {
        Subscription(entry).unsubscribe();
        return;
    }
    const QMutexLocker lock(&home.mutex);
    if (home.object)
        QMetaObject::invokeMethod(
            home.object, [entry] { Subscription(entry).unsubscribe(); }, Qt::QueuedConnection);
}

// From now on the context's lane calls this subscription. message: the message being dispatched to
// it, or null.
void Router::relay(SubscriptionEntry &entry, const Message &message)
{
    entry.isRelayed = true;
    m_interestChanged = true;
    if (!message.isNull())
        entry.callee->deliver(message);
    if (!m_source.divert)
        return;
    ++m_relayed;
    Diversion alone;
    alone.add(entry.event, entry.callee);
    m_source.divert([&] { m_diversion->add(entry.event, entry.callee); }, Diversion::to(m_diversion),
                    [&alone](const Message &waiting, qint64 cost, quint32 generation) {
                        alone.deliver(waiting, cost, generation);
                    });
}

// Called when a subscription in another thread has ended.
void Router::forgetRelayed()
{
    --m_relayed;
    ++m_endedRelayed;
    if (m_endedRelayed <= m_relayed)
        return;
    m_endedRelayed = 0;
    m_source.divert([this] { m_diversion->removeEnded(); },
                    m_relayed > 0 ? Diversion::to(m_diversion) : TakeMessage(), {});
}

// The destructors of what the handler captured may subscribe, end other subscriptions and destroy
// this router.
void Router::remove(SubscriptionEntry &entry)
{
    Dispatch running;
    enter(running);
    entry.router = nullptr;
    m_interestChanged = true;
    List &list = m_lists.find(entry.event)->second;
    ++list.ended;
    if (!std::exchange(list.isToBeSwept, true))
        m_toBeSwept.push_back(&list);
    const std::shared_ptr<Callee> callee = entry.callee;
    entry.mustReleaseForm = true;
    callee->end();
    if (!running.isRouterDestroyed) {
        if (isDiverted(entry) && !m_isEnding)
            forgetRelayed();
        releaseFormOf(entry);
    }
    leave(running);
}

Router::Leaving &Router::leaving(Dispatch &running)
{
    if (!running.leaving)
        running.leaving = std::make_unique<Leaving>();
    return *running.leaving;
}

// Must be the last call in a function, because it may destroy the router's lists.
void Router::leaveSlowly(Dispatch &running)
{
    if (running.leaving) {
        for (const auto &entry : running.leaving->ended) {
            entry->callee->end();
            if (!running.isRouterDestroyed)
                releaseFormOf(*entry);
        }
    }
    if (!running.isRouterDestroyed) {
        m_running.pop_back();
        if (m_running.empty())
            sweep();
    } else if (running.leaving) {
        for (const auto &[event, list] : running.leaving->lists) {
            for (const auto &entry : list.entries)
                entry->callee->end();
        }
        retire(running.leaving->forms);
    }
}

void Router::sweep()
{
    // Erasing entries runs no code of the app, because the handlers of ended subscriptions are
    // destroyed already.
    for (List *list : std::exchange(m_toBeSwept, {})) {
        list->isToBeSwept = false;
        if (list->ended * 2 <= list->entries.size())
            continue;
        auto &entries = list->entries;
        entries.erase(
            std::remove_if(entries.begin(), entries.end(), [](const auto &entry) { return !entry->router; }),
            entries.end());
        list->ended = 0;
        if (entries.empty()) {
            m_lastType = nullptr;
            m_lists.erase(list->event);
        }
    }
}

bool Router::hasSubscribers(const QString &event) const
{
    const List *const list = find(event);
    return list && list->ended < list->entries.size();
}

const Router::List *Router::find(const QString &event) const
{
    const auto found = m_lists.find(event);
    return found == m_lists.end() ? nullptr : &found->second;
}

Router::Route Router::routeOf(const MessageData &message)
{
    const QString &type = message.type();
    if (message.sharedType && message.sharedType == m_lastType)
        return m_lastRoute;
    Route route;
    route.isByType = !type.isEmpty() && !Events::isReserved(type);
    route.lists = {find(Events::Message), find(Events::AnyMessage), route.isByType ? find(type) : nullptr};
    m_lastType = message.sharedType;
    m_lastRoute = route;
    return route;
}

Router::Routed Router::dispatchMessage(const Message &message)
{
    const Route route = routeOf(MessageData::of(message));
    Dispatch running; // while it exists, no list is removed
    enter(running);
    const auto left = qScopeGuard([&] { leave(running); });
    for (const List *list : route.lists) {
        if (list && !dispatch(*list, message, Origin::Wire, running))
            return Routed::AndDestroyed;
    }
    return route.isByType ? Routed::ToSubscribers : Routed::NotByType;
}

bool Router::dispatch(const QString &event, const Message &message)
{
    return dispatch(event, message, Origin::Here);
}

bool Router::dispatchBinary(const Message &message)
{
    return dispatch(Events::BinaryMessage, message, Origin::Wire);
}

bool Router::dispatch(const QString &event, const Message &message, Origin origin)
{
    const List *const list = find(event);
    if (!list)
        return true;
    Dispatch running;
    enter(running);
    const auto left = qScopeGuard([&] { leave(running); });
    return dispatch(*list, message, origin, running);
}

// Caches QThread::currentThread(), which costs as much as a small handler.
QThread *Router::thisThread()
{
    const Qt::HANDLE id = QThread::currentThreadId();
    if (id != m_threadId) {
        m_threadId = id;
        m_thread = QThread::currentThread();
    }
    return m_thread;
}

// While this runs, entries are only added to the list.
bool Router::dispatch(const List &list, const Message &message, Origin origin, Dispatch &running)
{
    QThread *const here = thisThread();
    const size_t count = list.entries.size();
    for (size_t i = 0; i < count; ++i) {
        SubscriptionEntry &entry = *list.entries[i];
        if (!entry.router)
            continue;
        if (entry.isRelayed) {
            if (origin == Origin::Here || !m_source.divert)
                entry.callee->deliver(message);
            continue;
        }
        const Callee::Called called = entry.callee->callHere(message, here);
        if (running.isRouterDestroyed)
            return false;
        if (called == Callee::Called::NotHere)
            relay(entry, message); // the context was moved to another thread
        else if (!entry.router)
            leaving(running).ended.push_back(list.entries[i]);
    }
    return true;
}

void Router::setWanted(SubscriptionEntry &entry, const Detail::Wanted &wanted)
{
    takeForm(wanted);
    const Detail::Wanted before = std::exchange(entry.wanted, wanted);
    m_interestChanged = true;
    releaseForm(before);
}

// ---- What the wire thread decodes ----

void Router::takeForm(const Detail::Wanted &wanted)
{
    const std::shared_ptr<const void> key = wanted.key();
    if (!key)
        return;
    Form &form = m_forms[key.get()];
    form.key = key;
    ++form.uses;
}

// Releases the form of an ended subscription, but only after its handler is destroyed.
void Router::releaseFormOf(SubscriptionEntry &entry)
{
    if (entry.callee->isGone() && std::exchange(entry.mustReleaseForm, false))
        releaseForm(entry.wanted);
}

// After this call, no code of the form runs if no other subscriber uses it: a plugin may be
// unloaded (rule M4).
void Router::releaseForm(const Detail::Wanted &wanted)
{
    const auto found = m_forms.find(wanted.key().get());
    if (found == m_forms.end() || --found->second.uses > 0 || m_isEnding)
        return;
    Forms gone;
    gone.insert(m_forms.extract(found));
    m_interestChanged = true;
    const std::shared_ptr<const Decoder> &decoder = gone.begin()->second.decoder;
    if (decoder && decoder->runsForeignCode() && m_source.board) {
        publishInterest(*m_source.board);
        m_source.board->waitForDecoding();
    }
    retire(gone);
}

void Router::retire(Forms &forms)
{
    for (const auto &[key, form] : forms) {
        if (form.decoder)
            form.decoder->retire();
    }
    forms.clear();
}

void Router::addTo(Interest::InType &type, const List &list)
{
    for (const auto &entry : list.entries) {
        if (!entry->router)
            continue;
        if (!isDiverted(*entry))
            type.isHeard = true;
        type.onlyNewest = type.onlyNewest && entry->wanted.onlyNewest;
        type.json = type.json || entry->wanted.form == Detail::Wanted::Json;
        const std::shared_ptr<const void> key = entry->wanted.key();
        if (!key || std::any_of(type.forms.begin(), type.forms.end(),
                                [&](const auto &form) { return form.key == key; }))
            continue;
        std::shared_ptr<const Decoder> &decoder = m_forms[key.get()].decoder;
        if (!decoder)
            decoder = Decoder::of(entry->wanted);
        type.forms.push_back({key, decoder});
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
    for (const auto &[event, list] : m_lists) {
        const bool isEvery = event == Events::Message || event == Events::AnyMessage;
        addTo(isEvery ? interest->every : interest->types[event.toUtf8()], list);
    }
    m_publishedInterest = board.publish(std::move(interest));
}

} // namespace Everwire
