// SPDX-License-Identifier: MIT
#pragma once

#include <QMutex>

#include <memory>

namespace Everwire {

// Tracks the gadgets that were made for the subscribers of one form, wherever their messages are:
// in the history, in a pool, or in the app. A gadget's class and its destructor belong to the app,
// perhaps to a plugin. retire() destroys all gadgets, so that the plugin can be unloaded while
// messages remain. Thread-safe.
class GadgetStore : public std::enable_shared_from_this<GadgetStore>
{
public:
    // Held by a message in place of the gadget.
    class Box
    {
    public:
        Box(std::shared_ptr<GadgetStore> store, std::shared_ptr<void> gadget);
        ~Box();
        Q_DISABLE_COPY_MOVE(Box)

        // Null after retire().
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
    // Destroys all gadgets. After this call, no code of their class runs.
    void retire();

private:
    // Held while a gadget is destroyed. Recursive, because its destructor may destroy another
    // message.
    QRecursiveMutex m_mutex;
    Box *m_first = nullptr;
};

} // namespace Everwire
