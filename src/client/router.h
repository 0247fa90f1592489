// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>
#include <Everwire/Subscription>

#include "client/handler.h"
#include "client/threadrelay.h"
#include "protocol/interest.h"

#include <QObject>
#include <QPointer>

#include <array>
#include <atomic>
#include <functional>
#include <unordered_map>
#include <vector>

namespace Everwire {

class Router;

struct SubscriptionEntry
{
    Router *router = nullptr; // null once it has ended
    QString event;
    QPointer<QObject> context;
    std::function<void(const Message &)> handler; // does nothing once the subscription has ended
    Detail::Wanted wanted;
    // Where the context lives in another thread, or has been moved to one.
    std::shared_ptr<ThreadRelay> relay;
    std::shared_ptr<std::atomic<bool>> ended = std::make_shared<std::atomic<bool>>(false);
    QMetaObject::Connection contextGone;
};

// Hands a message to whoever subscribed to its type (rules M1 to M6). Belongs to the provider's thread.
// Handlers may subscribe, unsubscribe and delete; what they add first hears the next message.
class EVERWIRE_EXPORT Router
{
public:
    Router() = default;
    ~Router();
    Q_DISABLE_COPY_MOVE(Router)

    Subscription add(const QString &event, QObject *context, std::function<void(const Message &)> handler,
                     const Detail::Wanted &wanted = {});
    void remove(SubscriptionEntry &entry);
    void setWanted(SubscriptionEntry &entry, const Detail::Wanted &wanted);

    // By which relays get what is received from where it is received, and need no help of this thread.
    struct Source
    {
        // From here on all is given what is received; before that, newcomer (where there is one) what has been received
        // and not dispatched. Both are called on any thread, but one call at a time.
        std::function<void(TakeMessage all, const TakeMessage &newcomer)> divert;
        std::shared_ptr<const RelayAccount> account;
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
    using Entries = std::vector<std::shared_ptr<SubscriptionEntry>>;
    using Lists = std::unordered_map<QString, Entries>;
    // Where a type's messages go, in this order.
    struct Route
    {
        bool isByType = false;
        std::array<const Entries *, 3> entries{};
    };

    [[nodiscard]] const Entries *find(const QString &event) const;
    [[nodiscard]] Route routeOf(const MessageData &message);
    enum class Origin { Wire, Here };
    bool dispatch(const Entries &entries, const Message &message, Origin origin);
    void sweep();
    Lists::iterator sweep(Lists::iterator list, Entries *ended);
    void swept();
    void relayTo(SubscriptionEntry &entry, const Message &message = {});
    void divert(const SubscriptionEntry *newcomer);
    [[nodiscard]] bool isDiverted(const SubscriptionEntry &entry) const
    {
        return entry.relay && m_source.divert;
    }
    [[nodiscard]] std::shared_ptr<const Decoder> decoderFor(const Detail::Wanted &wanted) const;
    void addTo(Interest::InType &type, const Entries &entries) const;

    Source m_source;
    QObject m_home;  // stands for this thread: what ends with a context is ended here
    Lists m_entries; // whose values stay where they are
    std::vector<Interest::InType::Form> m_decoders; // the published ones
    const QString *m_lastType = nullptr; // messages come in runs of a type; reset where m_entries changes
    Route m_lastRoute;
    // Of each dispatch() that runs: set when a handler destroys the router.
    std::vector<bool *> m_running;
    bool m_sweepNeeded = false;
    bool m_hasDiverted = false; // some relay is, or was before the last sweep
    bool m_interestChanged = true;
    quint32 m_publishedInterest = 0;
};

} // namespace Everwire
