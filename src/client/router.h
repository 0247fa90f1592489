// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>
#include <Everwire/Subscription>

#include "client/handler.h"
#include "protocol/interest.h"

#include <QObject>
#include <QPointer>
#include <QScopedPointer>

#include <array>
#include <atomic>
#include <functional>
#include <unordered_map>
#include <vector>

namespace Everwire {

class Router;

// Carries messages to a context object in another thread by Qt's own, thread-safe way.
class CrossThreadRelay final : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void deliver(const Everwire::Message &message);
};

struct SubscriptionEntry
{
    Router *router = nullptr; // null once it has ended
    QString event;
    QPointer<QObject> context;
    std::function<void(const Message &)> handler; // does nothing once the subscription has ended
    Detail::Wanted wanted;
    // Where the context lives in another thread, or has been moved to one.
    std::unique_ptr<CrossThreadRelay, QScopedPointerDeleteLater> relay;
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

    [[nodiscard]] bool hasSubscribers(const QString &event) const;
    // Returns false where a handler destroyed this router.
    bool dispatch(const QString &event, const Message &message);
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
    // Where a type's messages go, in this order.
    struct Route
    {
        bool isByType = false;
        std::array<const Entries *, 3> entries{};
    };

    [[nodiscard]] const Entries *find(const QString &event) const;
    [[nodiscard]] Route routeOf(const MessageData &message);
    bool dispatch(const Entries &entries, const Message &message);
    void sweep();
    static void relayTo(SubscriptionEntry &entry);
    [[nodiscard]] std::shared_ptr<const Decoder> decoderFor(const Detail::Wanted &wanted) const;
    void addTo(Interest::InType &type, const Entries &entries) const;

    QObject m_home; // stands for this thread: what ends with a context is ended here
    std::unordered_map<QString, Entries> m_entries; // whose values stay where they are
    std::vector<Interest::InType::Form> m_decoders; // the published ones
    const QString *m_lastType = nullptr; // messages come in runs of a type; reset where m_entries changes
    Route m_lastRoute;
    // Of each dispatch() that runs: set when a handler destroys the router.
    std::vector<bool *> m_running;
    bool m_sweepNeeded = false;
    bool m_interestChanged = true;
    quint32 m_publishedInterest = 0;
};

} // namespace Everwire
