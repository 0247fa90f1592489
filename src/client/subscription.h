// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <memory>

namespace Everwire {

namespace Detail {
struct Wanted;
}
struct SubscriptionEntry;

// A handle to a subscription, a value like QMetaObject::Connection: dropping it changes nothing. The
// subscription ends by unsubscribe() or with its context object (rule M4).
class EVERWIRE_EXPORT Subscription
{
public:
    Subscription() = default;

    // Ends the subscription. After this returns, no code of the subscription runs on any thread:
    // neither the handler, nor the destructors of what it captured, nor code of its gadget class,
    // unless another subscription uses that class (rule M4). Waits for a call that runs in another
    // thread. That call must not wait for this thread. Inside the handler, unsubscribe() does not
    // wait, and the handler is destroyed after it returns. Belongs to the provider's thread.
    void unsubscribe();
    [[nodiscard]] bool isActive() const;
    explicit operator bool() const { return isActive(); }

private:
    friend class QmlSubscription;
    friend class Router;
    // What its handler takes is another thing from here on.
    void setWanted(const Detail::Wanted &wanted);
    explicit Subscription(std::weak_ptr<SubscriptionEntry> entry) : m_entry(std::move(entry)) {}

    std::weak_ptr<SubscriptionEntry> m_entry;
};

} // namespace Everwire
