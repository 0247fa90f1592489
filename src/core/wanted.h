// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>

#include <QByteArray>
#include <QList>
#include <QMetaObject>
#include <QVariant>

#include <memory>

// Not for direct use: what Connection::subscribe() tells the wire thread.
namespace Everwire::Detail {

// What a subscriber takes, so that the wire thread can make it before the message crosses.
struct Wanted
{
    enum Form {
        Envelope, // the message as it is, or nothing of it
        Json,     // the payload
        Gadget,
        Fields, // some members of the object, as a QList<QVariant> in their order; invalid where there is none
    };

    Form form = Envelope;
    bool onlyNewest = false; // of the messages that have come since it was last called
    const QMetaObject *gadget = nullptr;
    std::shared_ptr<void> (*makeGadget)() = nullptr;
    bool (*resetGadget)(void *gadget) = nullptr;     // to what makeGadget makes; false where it cannot
    std::shared_ptr<const QList<QByteArray>> fields; // UTF-8

    // Under which Message::decodedAs() has it; owned where another may come to lie at its address. Null: under none.
    [[nodiscard]] std::shared_ptr<const void> key() const
    {
        if (form == Fields)
            return fields;
        return {std::shared_ptr<const void>(), gadget};
    }
};

// The same for one message that was not made ready before, on any thread. names: UTF-8.
[[nodiscard]] EVERWIRE_EXPORT QList<QVariant> fieldsOf(const Message &message,
                                                       const QList<QByteArray> &names);

} // namespace Everwire::Detail
