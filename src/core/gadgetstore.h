// SPDX-License-Identifier: MIT
#pragma once

#include <QMutex>

#include <memory>

namespace Everwire {

// Keeps account of the gadgets that were made for subscribers of one form, wherever the messages are that hold
// them: in the history, in a pool, in the app. A gadget's class, and so its destructor, is the app's, perhaps a
// plugin's. retire() destroys all of them, so that the plugin can be unloaded while messages remain.
// Thread-safe.
class GadgetStore : public std::enable_shared_from_this<GadgetStore>
{
public:
    // What a message holds instead of the gadget.
    class Box
    {
    public:
        Box(std::shared_ptr<GadgetStore> store, std::shared_ptr<void> gadget);
        ~Box();
        Q_DISABLE_COPY_MOVE(Box)

        // Null once the store was retired.
        [[nodiscard]] void *gadget() const { return m_gadget.get(); }
        [[nodiscard]] bool isOf(const GadgetStore *store) const { return m_store.get() == store; }

    private:
        friend class GadgetStore;
        const std::shared_ptr<GadgetStore> m_store;
        std::shared_ptr<void> m_gadget;
        Box *m_previous = nullptr;
        Box *m_next = nullptr;
    };

    GadgetStore() = default;
    Q_DISABLE_COPY_MOVE(GadgetStore)

    [[nodiscard]] std::shared_ptr<Box> put(std::shared_ptr<void> gadget);
    // No gadget of the store is used any more, and no code of its class runs after this call.
    void retire();

private:
    // Held while a gadget is destroyed, whose destructor may destroy another message.
    QRecursiveMutex m_mutex;
    Box *m_first = nullptr;
};

} // namespace Everwire
