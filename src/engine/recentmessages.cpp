// SPDX-License-Identifier: MIT
#include "engine/recentmessages.h"

#include <QDateTime>

#include <algorithm>
#include <utility>

namespace Everwire {

void RecentMessages::add(Record record, int keep)
{
    next(size_t(keep)).record = std::move(record);
}

void RecentMessages::addSentText(quint32 user, QByteArrayView utf8, qint64 cost, int keep)
{
    Entry &entry = next(size_t(keep));
    entry.record = {{{}, cost}, user, true};
    entry.text.assign(utf8.begin(), utf8.end());
    entry.timestamp = QDateTime::currentMSecsSinceEpoch();
    entry.sequence = nextMessageNumber();
}

std::vector<RecentMessages::Record> RecentMessages::take()
{
    putInOrder();
    std::vector<Record> records;
    records.reserve(m_ring.size());
    for (Entry &entry : m_ring) {
        Message &message = entry.record.counted.message;
        if (message.isNull())
            message = MessageData::ofSentText({entry.text.data(), qsizetype(entry.text.size())},
                                              entry.timestamp, entry.sequence);
        records.push_back(std::move(entry.record));
    }
    m_ring.clear();
    return records;
}

void RecentMessages::forgetReceived()
{
    putInOrder();
    m_ring.erase(
        std::remove_if(m_ring.begin(), m_ring.end(), [](const Entry &entry) { return !entry.record.isSent; }),
        m_ring.end());
}

// The place of the newest.
RecentMessages::Entry &RecentMessages::next(size_t keep)
{
    if (m_ring.size() > keep) {
        putInOrder();
        const auto end = m_ring.end() - std::ptrdiff_t(keep);
        for (auto it = m_ring.begin(); it != end; ++it)
            letGo(std::move(it->record));
        m_ring.erase(m_ring.begin(), end);
    }
    if (m_ring.size() < keep) {
        putInOrder();
        return m_ring.emplace_back();
    }
    Entry &entry = m_ring[m_oldest];
    m_oldest = (m_oldest + 1) % keep;
    letGo(std::move(entry.record));
    return entry;
}

void RecentMessages::putInOrder()
{
    std::rotate(m_ring.begin(), m_ring.begin() + std::ptrdiff_t(std::exchange(m_oldest, 0)), m_ring.end());
}

void RecentMessages::letGo(Record record)
{
    constexpr size_t lot = 64;
    if (!m_pool || record.isSent)
        return;
    m_outdated.push_back(std::move(record.counted));
    if (m_outdated.size() >= lot)
        m_pool->give(std::exchange(m_outdated, {}));
}

} // namespace Everwire
