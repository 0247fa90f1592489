// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include "core/message_p.h"
#include "core/wanted.h"

#include <QHash>
#include <QMutex>

#include <atomic>

namespace simdjson::dom {
class object;
}

namespace Everwire {

// Makes one form of a message's body from what has been parsed. Immutable: any thread may use it.
class Decoder
{
public:
    Decoder() = default;
    virtual ~Decoder() = default;
    Q_DISABLE_COPY_MOVE(Decoder)

    [[nodiscard]] virtual std::shared_ptr<const void> decode(const simdjson::dom::object &object) const = 0;

    // One for a Gadget or Fields; null for the forms that need none.
    [[nodiscard]] static std::unique_ptr<Decoder> of(const Detail::Wanted &wanted);
};

// What the subscribers take of the messages, so that it is made on the wire thread and only where somebody takes it. A
// message that crossed under an older one is decoded when its handler is called.
struct Interest
{
    struct InType
    {
        struct Form
        {
            std::shared_ptr<const void> key;
            std::shared_ptr<const Decoder> decoder;
        };

        std::vector<Form> forms;
        bool json = false; // the payload itself
    };

    InType every;
    QHash<QByteArray, InType> types; // by the type's UTF-8

    [[nodiscard]] bool isEmpty() const { return types.isEmpty() && every.forms.empty() && !every.json; }
};

// Where the app's thread leaves the present interest for the wire thread.
class EVERWIRE_EXPORT InterestBoard
{
public:
    void publish(std::shared_ptr<const Interest> interest);
    // Another number for each that was published.
    [[nodiscard]] quint64 version() const { return m_version.load(std::memory_order_acquire); }
    [[nodiscard]] std::shared_ptr<const Interest> interest() const;

private:
    mutable QMutex m_mutex;
    std::shared_ptr<const Interest> m_interest;
    std::atomic<quint64> m_version{0};
};

} // namespace Everwire
