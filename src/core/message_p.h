// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>

#include <memory>
#include <mutex>
#include <vector>

namespace Everwire {

// A body in the form that a subscriber takes, made on the wire thread.
struct Decoded
{
    std::shared_ptr<const void> form; // its identity, which no other gets while somebody has this
    std::shared_ptr<const void> value;
};

// Who wants a message, as far as the wire thread knows.
enum class Audience : quint8 {
    Each,
    Newest, // by those alone who take the newest of its type
    Nobody, // it is for the history
};

using Detail::CountedMessage;

// What a router or a model reads of every message comes first, in one line of the cache.
struct MessageData : QSharedData
{
    Message::Direction direction = Message::Incoming;
    bool isBinary = false;
    Audience audience = Audience::Each;
    quint32 interest = 0;                // the number of the interest by which audience was found; 0: of none
    const QString *sharedType = nullptr; // internType()'s, or
    QString ownType;
    QByteArray bytes;
    Decoded decoded; // made before the message is shared; further forms are in
    std::vector<Decoded> moreDecoded;
    qint64 decodedCost = 0; // bytes, about: what was made before the message is shared takes beside its text
    qint64 timestamp = QDateTime::currentMSecsSinceEpoch();
    quint64 sequence = 0;
    std::once_flag decodeOnce;
    QVariant payload; // guarded by decodeOnce

    [[nodiscard]] const QString &type() const { return sharedType ? *sharedType : ownType; }
    // Of a message that is not null.
    [[nodiscard]] static const MessageData &of(const Message &message) { return *message.d; }
};

} // namespace Everwire
