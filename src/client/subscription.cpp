// SPDX-License-Identifier: MIT
#include "client/subscription.h"

#include "client/router.h"

namespace Everwire {

void Subscription::unsubscribe()
{
    if (const auto entry = m_entry.lock(); entry && entry->router)
        entry->router->remove(*entry);
}

void Subscription::setWanted(const Detail::Wanted &wanted)
{
    if (const auto entry = m_entry.lock(); entry && entry->router)
        entry->router->setWanted(*entry, wanted);
}

bool Subscription::isActive() const
{
    const auto entry = m_entry.lock();
    return entry && entry->router && !entry->callee->hasEnded();
}

} // namespace Everwire
