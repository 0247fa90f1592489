// SPDX-License-Identifier: MIT
#pragma once

#include "core/messagepool.h"

#include <QByteArrayView>

#include <vector>

namespace Everwire {

// The newest messages of both directions, until the history takes them: no more than it keeps. Not thread-safe.
class EVERWIRE_EXPORT RecentMessages
{
public:
    struct Record
    {
        CountedMessage counted;
        quint32 generation = 0; // or the user, of one that was sent
        bool isSent = false;
    };

    // pool: where those go that were received and are too old now; none: nowhere.
    explicit RecentMessages(std::shared_ptr<MessagePool> pool = {}) : m_pool(std::move(pool)) {}

    [[nodiscard]] size_t size() const { return m_ring.size(); }
    // keep: how many the history keeps, at least 1.
    void add(Record record, int keep);
    // A text of no type that was sent: its bytes are copied, and made a message of when it is taken.
    void addSentText(quint32 user, QByteArrayView utf8, qint64 cost, int keep);
    void forgetReceived();
    // Oldest first.
    [[nodiscard]] std::vector<Record> take();

private:
    struct Entry
    {
        Record record;
        std::vector<char> text; // where the record has no message; its room is used again
        qint64 timestamp = 0;
        quint64 sequence = 0;
    };

    [[nodiscard]] Entry &next(size_t keep);
    void putInOrder();
    void letGo(Record record);

    std::shared_ptr<MessagePool> m_pool;
    std::vector<Entry> m_ring;
    size_t m_oldest = 0;
    std::vector<CountedMessage> m_outdated; // some, to be given to the pool together
};

} // namespace Everwire
