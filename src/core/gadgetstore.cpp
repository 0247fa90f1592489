// SPDX-License-Identifier: MIT
#include "core/gadgetstore.h"

#include <QMutexLocker>

#include <utility>

namespace Everwire {

GadgetStore::Box::Box(std::shared_ptr<GadgetStore> store, std::shared_ptr<void> gadget)
    : m_store(std::move(store)), m_gadget(std::move(gadget))
{
    const QMutexLocker lock(&m_store->m_mutex);
    m_next = std::exchange(m_store->m_first, this);
    if (m_next)
        m_next->m_previous = this;
}

GadgetStore::Box::~Box()
{
    const QMutexLocker lock(&m_store->m_mutex);
    if (!m_gadget)
        return; // retire() has destroyed the gadget
    (m_previous ? m_previous->m_next : m_store->m_first) = m_next;
    if (m_next)
        m_next->m_previous = m_previous;
    m_gadget.reset();
}

std::shared_ptr<GadgetStore::Box> GadgetStore::put(std::shared_ptr<void> gadget)
{
    return std::make_shared<Box>(shared_from_this(), std::move(gadget));
}

void GadgetStore::retire()
{
    const QMutexLocker lock(&m_mutex);
    while (m_first) {
        Box *const box = std::exchange(m_first, m_first->m_next);
        box->m_next = nullptr;
        if (m_first)
            m_first->m_previous = nullptr;
        std::exchange(box->m_gadget, nullptr).reset();
    }
}

} // namespace Everwire
