// SPDX-License-Identifier: MIT
#pragma once

#include "core/messagepool.h"

#include <QByteArrayView>

#include <limits>
#include <vector>

namespace Everwire {

// The newest messages of both directions, until the history takes them. Bounded like the history,
// in number and in bytes (rule M7). Not thread-safe.
class EVERWIRE_EXPORT RecentMessages
{
public:
    struct Record
    {
        CountedMessage counted;
        quint32 generation = 0; // or the user, of one that was sent
        bool isSent = false;
    };

    static constexpr qint64 AnyBytes = std::numeric_limits<qint64>::max();

    // pool: where those go that were received and are too old now; none: nowhere.
    explicit RecentMessages(std::shared_ptr<MessagePool> pool = {}) : m_pool(std::move(pool)) {}

    [[nodiscard]] size_t size() const { return m_count; }
    // The cost of all messages, in bytes.
    [[nodiscard]] qint64 bytes() const { return m_bytes; }
    // Whether older messages were dropped since the last take(), because of their number or their
    // bytes.
    [[nodiscard]] bool hasDropped() const { return m_hasDropped; }
    // keep: the history's limit, at least 1. keepBytes: the most that all messages may cost. A
    // message that costs more is not kept, and no other is dropped for it.
    void add(Record record, int keep, qint64 keepBytes = AnyBytes);
    // A text without a type that was sent. Its bytes are copied. take() creates the message.
    void addSentText(quint32 user, QByteArrayView utf8, qint64 cost, int keep, qint64 keepBytes = AnyBytes);
    void forgetReceived();
    // Oldest first.
    [[nodiscard]] std::vector<Record> take();

private:
    struct Entry
    {
        Record record;
        std::vector<char> text; // used if the record has no message, in a reused buffer
        qint64 timestamp = 0;
        quint64 sequence = 0;
    };

    [[nodiscard]] Entry &next(size_t keep, qint64 cost, qint64 keepBytes);
    void dropOldest();
    void recount();
    void putInOrder();
    void letGo(Record record);

    std::shared_ptr<MessagePool> m_pool;
    std::vector<Entry> m_ring; // a ring: m_count entries from m_first on are in use
    size_t m_first = 0;
    size_t m_count = 0;
    qint64 m_bytes = 0;
    qint64 m_lateCosts = 0; // MessageData::allLateCosts() when the costs were counted
    bool m_hasDropped = false;
    std::vector<CountedMessage> m_outdated; // some, to be given to the pool together
    qint64 m_outdatedBytes = 0;
};

} // namespace Everwire
