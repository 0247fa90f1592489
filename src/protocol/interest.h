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

    // former: null, or what this decoder has made and nobody needs any more, to be made again.
    [[nodiscard]] virtual std::shared_ptr<const void> decode(const simdjson::dom::object &object,
                                                             std::shared_ptr<const void> former) const = 0;

    // One for a Gadget or Fields; null for the forms that need none.
    [[nodiscard]] static std::unique_ptr<Decoder> of(const Detail::Wanted &wanted);
};

// Who takes what of the messages, so that it is made on the wire thread and only where somebody takes it. A message that
// crossed under an older one goes to whoever takes it now, and is decoded when the handler is called.
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
        bool json = false;      // the payload itself
        bool isHeard = false;   // somebody is called
        bool onlyNewest = true; // nobody is called who takes each
    };

    InType every;
    QHash<QByteArray, InType> types; // by the type's UTF-8
};

// Where the app's thread leaves the present interest for the wire thread.
class EVERWIRE_EXPORT InterestBoard
{
public:
    // Returns its number: another for each that was published, and never 0.
    quint32 publish(std::shared_ptr<const Interest> interest);
    [[nodiscard]] quint32 number() const { return m_number.load(std::memory_order_acquire); }
    [[nodiscard]] std::shared_ptr<const Interest> interest() const;

private:
    mutable QMutex m_mutex;
    std::shared_ptr<const Interest> m_interest;
    std::atomic<quint32> m_number{0};
};

} // namespace Everwire
