// SPDX-License-Identifier: MIT
#include "client/subscription.h"

#include "client/router.h"

namespace Everwire {

void Subscription::unsubscribe()
{
    if (const auto entry = m_entry.lock(); entry && entry->router)
        entry->router->remove(*entry);
}

bool Subscription::isActive() const
{
    const auto entry = m_entry.lock();
    return entry && entry->router;
}

} // namespace Everwire
