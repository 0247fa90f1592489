// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>
#include <Everwire/Subscription>

#include "client/callee.h"
#include "client/handler.h"
#include "protocol/interest.h"

#include <QMutex>
#include <QObject>

#include <array>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace Everwire {

class Diversion;
class Router;

struct SubscriptionEntry
{
    Router *router = nullptr; // null once it has ended
    QString event;
    std::shared_ptr<Callee> callee;
    Detail::Wanted wanted;
    bool isRelayed = false;       // the context lives in another thread, or has been moved to one
    bool mustReleaseForm = false; // when its handler, which runs, has returned
};

// Hands a message to whoever subscribed to its type (rules M1 to M6). Belongs to the provider's thread.
// Handlers may subscribe, unsubscribe and delete; what they add first hears the next message.
class EVERWIRE_EXPORT Router
{
public:
    Router();
    ~Router();
    Q_DISABLE_COPY_MOVE(Router)

    Subscription add(const QString &event, QObject *context, Callee::Handler handler,
                     const Detail::Wanted &wanted = {});
    void remove(SubscriptionEntry &entry);
    void setWanted(SubscriptionEntry &entry, const Detail::Wanted &wanted);

    // How subscribers in other threads get what is received straight from where it is received, without this
    // thread.
    struct Source
    {
        // Makes the change, after which *all*, unless it is empty, is given what is received. Before that,
        // newcomer, unless it is empty, is given what was received and has not been dispatched. All are called
        // on any thread, but one call at a time.
        std::function<void(const std::function<void()> &change, TakeMessage all, const TakeMessage &newcomer)>
            divert;
        std::shared_ptr<const RelayAccount> account;
        // Where what the subscribers take is published at once if code of the app's must not run any more.
        std::shared_ptr<InterestBoard> board;
    };
    // Before the first add().
    void setSource(Source source) { m_source = std::move(source); }

    [[nodiscard]] bool hasSubscribers(const QString &event) const;
    // A lifecycle event. Returns false where a handler destroyed this router.
    bool dispatch(const QString &event, const Message &message);
    // Binary that was received (rule M3). Returns the same.
    bool dispatchBinary(const Message &message);
    // A text that was received, to those who hear every message and those who hear its type (rules M1, M2).
    enum class Routed {
        ToSubscribers,
        NotByType, // it has none, or poses as a lifecycle event (rule M5)
        AndDestroyed,
    };
    Routed dispatchMessage(const Message &message);

    // Tells the wire thread what the subscribers take, where that has changed.
    void publishInterest(InterestBoard &board);
    // Whether what the wire thread has found out by the interest of this number is still true.
    [[nodiscard]] bool isCurrent(quint32 interest) const
    {
        return !m_interestChanged && interest == m_publishedInterest && interest != 0;
    }

private:
    // The subscriptions to one event. Those that have ended stay until they are more than the others, so that to
    // end many costs no more than to make them.
    struct List
    {
        QString event;
        std::vector<std::shared_ptr<SubscriptionEntry>> entries;
        size_t ended = 0; // of the entries
        bool isToBeSwept = false;
    };
    using Lists = std::unordered_map<QString, List>;
    // Where a type's messages go, in this order.
    struct Route
    {
        bool isByType = false;
        std::array<const List *, 3> lists{};
    };
    // A form in which subscribers take messages.
    struct Form
    {
        std::shared_ptr<const void> key;
        std::shared_ptr<const Decoder> decoder; // none before it is published
        int uses = 0;
    };
    using Forms = std::unordered_map<const void *, Form>;
    // What a dispatch() has to do when it leaves, which is seldom anything.
    struct Leaving
    {
        // Whose handlers have ended their own subscription. They are destroyed when all have been called.
        std::vector<std::shared_ptr<SubscriptionEntry>> ended;
        // Of a router that a handler has destroyed: what handlers on the stack still use.
        Lists lists;
        Forms forms;
    };
    // A dispatch() that runs.
    struct Dispatch
    {
        bool isRouterDestroyed = false; // by a handler, which still runs
        std::unique_ptr<Leaving> leaving;
    };
    // For contexts that are destroyed in other threads.
    struct Home
    {
        QMutex mutex;
        QObject *object = nullptr; // null once the router is gone
        QThread *thread = nullptr;
    };

    [[nodiscard]] const List *find(const QString &event) const;
    [[nodiscard]] Route routeOf(const MessageData &message);
    enum class Origin { Wire, Here };
    bool dispatch(const QString &event, const Message &message, Origin origin);
    bool dispatch(const List &list, const Message &message, Origin origin, Dispatch &running);
    void enter(Dispatch &running) { m_running.push_back(&running); }
    void leave(Dispatch &running)
    {
        if (running.leaving || running.isRouterDestroyed || !m_toBeSwept.empty())
            leaveSlowly(running);
        else
            m_running.pop_back();
    }
    void leaveSlowly(Dispatch &running);
    [[nodiscard]] static Leaving &leaving(Dispatch &running);
    void sweep();
    static void contextGone(Home &home, const std::weak_ptr<SubscriptionEntry> &entry);
    void relay(SubscriptionEntry &entry, const Message &message = {});
    void forgetRelayed();
    [[nodiscard]] bool isDiverted(const SubscriptionEntry &entry) const
    {
        return entry.isRelayed && m_source.divert;
    }
    void takeForm(const Detail::Wanted &wanted);
    void releaseForm(const Detail::Wanted &wanted);
    void releaseFormOf(SubscriptionEntry &entry);
    static void retire(Forms &forms);
    [[nodiscard]] QThread *thisThread();
    void addTo(Interest::InType &type, const List &list);

    Source m_source;
    QObject m_home; // stands for this thread
    const std::shared_ptr<Home> m_sharedHome = std::make_shared<Home>();
    Lists m_lists; // whose values stay where they are
    std::vector<List *> m_toBeSwept;
    Forms m_forms;
    const QString *m_lastType = nullptr; // messages come in runs of a type; reset where m_lists changes
    Route m_lastRoute;
    std::vector<Dispatch *> m_running;            // the innermost is the last
    const std::shared_ptr<Diversion> m_diversion; // changed where it is called from only
    size_t m_relayed = 0;                         // subscriptions of other threads
    size_t m_endedRelayed = 0;                    // that m_diversion still has
    bool m_isEnding = false;
    Qt::HANDLE m_threadId = nullptr; // thisThread()'s, and m_thread its object
    QThread *m_thread = nullptr;
    bool m_interestChanged = true;
    quint32 m_publishedInterest = 0;
};

} // namespace Everwire
