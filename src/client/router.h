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
    bool isRelayed = false;       // the context lives in another thread, or was moved to one
    bool mustReleaseForm = false; // release the form after the running handler has returned
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

    // Delivers received messages to subscribers in other threads directly from the receiving
    // thread, without involving the router's thread.
    struct Source
    {
        // Runs *change*, and from then on passes every received message to *all*. Before that,
        // passes the messages that were received but not yet dispatched to *newcomer*. Either may
        // be empty. All are called on any thread, but never two at a time.
        std::function<void(const std::function<void()> &change, TakeMessage all, const TakeMessage &newcomer)>
            divert;
        std::shared_ptr<const RelayAccount> account;
        // Where the interest is published at once after a form is no longer used, if the form's
        // decoder runs code of the app.
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
    // The subscriptions to one event. Ended entries stay until they outnumber the others, so that
    // ending many subscriptions costs no more than making them.
    struct List
    {
        QString event;
        std::vector<std::shared_ptr<SubscriptionEntry>> entries;
        size_t ended = 0; // number of entries that have ended
        bool isToBeSwept = false;
    };
    using Lists = std::unordered_map<QString, List>;
    // Where a type's messages go, in this order.
    struct Route
    {
        bool isByType = false;
        std::array<const List *, 3> lists{};
    };
    // A form in which subscribers receive messages.
    struct Form
    {
        std::shared_ptr<const void> key;
        std::shared_ptr<const Decoder> decoder; // null until the interest is published
        int uses = 0;
    };
    using Forms = std::unordered_map<const void *, Form>;
    // What a dispatch() has to clean up at its end. Seldom needed.
    struct Leaving
    {
        // Entries that were unsubscribed in their own handler. The handlers are destroyed after all
        // have been called.
        std::vector<std::shared_ptr<SubscriptionEntry>> ended;
        // Moved here from a router that a handler has destroyed, because handlers on the stack
        // still use them.
        Lists lists;
        Forms forms;
    };
    // A running dispatch().
    struct Dispatch
    {
        bool isRouterDestroyed = false; // by a handler that is still running
        std::unique_ptr<Leaving> leaving;
    };
    // The router's object and thread, for contexts that are destroyed in other threads.
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
    QObject m_home; // a context object in the router's thread
    const std::shared_ptr<Home> m_sharedHome = std::make_shared<Home>();
    Lists m_lists; // its values keep their addresses
    std::vector<List *> m_toBeSwept;
    Forms m_forms;
    // Caches the route, because consecutive messages often share a type. Reset if m_lists changes.
    const QString *m_lastType = nullptr;
    Route m_lastRoute;
    std::vector<Dispatch *> m_running;            // the innermost is the last
    const std::shared_ptr<Diversion> m_diversion; // modified only inside m_source.divert
    size_t m_relayed = 0;                         // subscriptions in other threads
    size_t m_endedRelayed = 0;                    // ended ones that m_diversion still lists
    bool m_isEnding = false;
    Qt::HANDLE m_threadId = nullptr; // the id of the thread m_thread, cached by thisThread()
    QThread *m_thread = nullptr;
    bool m_interestChanged = true;
    quint32 m_publishedInterest = 0;
};

} // namespace Everwire
