// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace Everwire {

// A body in the form that a subscriber takes, made on the wire thread.
struct Decoded
{
    std::shared_ptr<const void> form; // its identity, which no other gets while somebody has this
    std::shared_ptr<const void> value;
    // If the value is a GadgetStore::Box: its gadget, which is valid until the store is retired.
    const void *boxed = nullptr;
};

// Who wants a message, as far as the wire thread knows.
enum class Audience : quint8 {
    Each,
    Newest, // by those alone who take the newest of its type
    Nobody, // it is for the history
};

using Detail::CountedMessage;

// Takes what is received on the thread that receives it. cost: in bytes; generation: of the connection (rule O2).
using TakeMessage = std::function<void(const Message &message, qint64 cost, quint32 generation)>;

// What is read of every message on its way to a handler comes first, in a line of the cache or two.
struct MessageData : QSharedData
{
    Message::Direction direction = Message::Incoming;
    bool isBinary = false;
    bool isCountedAhead = false; // whoever counts the payload in decodedCost decodes it
    Audience audience = Audience::Each;
    quint32 interest = 0;                // the number of the interest by which audience was found; 0: of none
    const QString *sharedType = nullptr; // internType()'s, or ownType
    Decoded decoded; // made before the message is shared; further forms are in moreDecoded
    QString ownType;
    QByteArray bytes;
    std::vector<Decoded> moreDecoded;
    qint64 decodedCost = 0; // bytes, about: what was made before the message is shared takes beside its text
    qint64 timestamp = QDateTime::currentMSecsSinceEpoch();
    quint64 sequence = 0; // nextMessageNumber()'s
    std::once_flag decodeOnce;
    QVariant payload;                // guarded by decodeOnce
    std::atomic<qint64> lateCost{0}; // bytes, approximate: decoded on demand

    // Bytes that the message occupies: its text, its overhead, and what was decoded so far.
    [[nodiscard]] qint64 cost() const
    {
        return bytes.size() + Overhead + decodedCost + lateCost.load(std::memory_order_relaxed);
    }
    // Bytes decoded on demand, for all messages of the process. If this grows, whoever keeps
    // messages counts their costs again.
    [[nodiscard]] static qint64 allLateCosts();
    static constexpr qint64 Overhead = 256; // bytes that a small message occupies beside its text
    static constexpr qint64 WorthARecount = 1024 * 1024;

    [[nodiscard]] const QString &type() const { return sharedType ? *sharedType : ownType; }
    // Of a message that is not null.
    [[nodiscard]] static const MessageData &of(const Message &message) { return *message.d; }
    // A text that was sent before: then, and as this of nextMessageNumber()'s.
    [[nodiscard]] static Message ofSentText(QByteArrayView utf8, qint64 timestamp, quint64 sequence);
    // Brings near what another thread has written last, for when it is looked at soon: the message; or what was decoded of
    // it.
    static void prefetch(const Message &message) { prefetchAt(message.d.constData()); }
    static void prefetchDecoded(const Message &message)
    {
        constexpr int lines = 4;
        constexpr int line = 64; // bytes
        if (!message.d || !message.d->decoded.value)
            return;
        const Decoded &decoded = message.d->decoded;
        if (decoded.boxed)
            prefetchAt(decoded.value.get());
        const auto *const value =
            static_cast<const char *>(decoded.boxed ? decoded.boxed : decoded.value.get());
        for (int i = 0; i < lines; ++i)
            prefetchAt(value + ptrdiff_t(i) * line);
    }
    static void prefetchAt([[maybe_unused]] const void *address)
    {
#ifdef __GNUC__
        __builtin_prefetch(address);
#endif
    }
};

[[nodiscard]] quint64 nextMessageNumber();

} // namespace Everwire
