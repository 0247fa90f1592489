// SPDX-License-Identifier: MIT
#include "engine/recentmessages.h"

#include <QDateTime>

#include <algorithm>
#include <utility>

namespace Everwire {

void RecentMessages::add(Record record, int keep, qint64 keepBytes)
{
    const qint64 cost = record.counted.cost;
    if (cost <= keepBytes)
        next(size_t(keep), cost, keepBytes).record = std::move(record);
}

void RecentMessages::addSentText(quint32 user, QByteArrayView utf8, qint64 cost, int keep, qint64 keepBytes)
{
    if (cost > keepBytes)
        return;
    Entry &entry = next(size_t(keep), cost, keepBytes);
    entry.record = {{{}, cost}, user, true};
    // Free a large buffer, because its unused capacity would not be counted.
    constexpr size_t spare = 256;
    if (entry.text.capacity() > size_t(utf8.size()) + spare)
        entry.text = {};
    entry.text.assign(utf8.begin(), utf8.end());
    entry.timestamp = QDateTime::currentMSecsSinceEpoch();
    entry.sequence = nextMessageNumber();
}

std::vector<RecentMessages::Record> RecentMessages::take()
{
    putInOrder();
    std::vector<Record> records;
    records.reserve(m_count);
    for (size_t i = 0; i < m_count; ++i) {
        Entry &entry = m_ring[i];
        Message &message = entry.record.counted.message;
        if (message.isNull())
            message = MessageData::ofSentText({entry.text.data(), qsizetype(entry.text.size())},
                                              entry.timestamp, entry.sequence);
        records.push_back(std::move(entry.record));
    }
    m_ring.clear();
    m_count = 0;
    m_bytes = 0;
    m_hasDropped = false;
    return records;
}

void RecentMessages::forgetReceived()
{
    putInOrder();
    m_ring.resize(m_count);
    m_ring.erase(
        std::remove_if(m_ring.begin(), m_ring.end(), [](const Entry &entry) { return !entry.record.isSent; }),
        m_ring.end());
    m_count = m_ring.size();
    m_bytes = 0;
    for (const Entry &entry : m_ring)
        m_bytes += entry.record.counted.cost;
}

// Returns the place for the newest message, whose cost is counted already.
RecentMessages::Entry &RecentMessages::next(size_t keep, qint64 cost, qint64 keepBytes)
{
    if (MessageData::allLateCosts() - m_lateCosts > MessageData::WorthARecount)
        recount();
    while (m_count >= keep)
        dropOldest();
    while (m_count > 0 && m_bytes > keepBytes - cost) {
        m_ring[m_first].text = {}; // free its buffer, because this place may stay unused
        dropOldest();
    }
    if (m_ring.size() > keep) { // the limit was lowered
        putInOrder();
        m_ring.resize(keep);
    }
    m_bytes += cost;
    if (m_count == m_ring.size()) {
        putInOrder();
        ++m_count;
        return m_ring.emplace_back();
    }
    size_t at = m_first + m_count++;
    if (at >= m_ring.size())
        at -= m_ring.size();
    return m_ring[at];
}

// Recounts the costs, because some messages were decoded after they were counted.
void RecentMessages::recount()
{
    m_lateCosts = MessageData::allLateCosts();
    m_bytes = 0;
    for (size_t i = 0, at = m_first; i < m_count; ++i, at = at + 1 < m_ring.size() ? at + 1 : 0) {
        CountedMessage &counted = m_ring[at].record.counted;
        if (!counted.message.isNull())
            counted.cost = std::max(counted.cost, MessageData::of(counted.message).cost());
        m_bytes += counted.cost;
    }
}

void RecentMessages::dropOldest()
{
    Record &record = m_ring[m_first].record;
    m_bytes -= record.counted.cost;
    letGo(std::move(record));
    if (++m_first == m_ring.size())
        m_first = 0;
    --m_count;
    m_hasDropped = true;
}

void RecentMessages::putInOrder()
{
    std::rotate(m_ring.begin(), m_ring.begin() + std::ptrdiff_t(std::exchange(m_first, 0)), m_ring.end());
}

void RecentMessages::letGo(Record record)
{
    constexpr size_t most = 64;
    constexpr qint64 mostBytes = 256 * 1024;
    if (!m_pool || record.isSent)
        return;
    m_outdatedBytes += record.counted.cost;
    m_outdated.push_back(std::move(record.counted));
    if (m_outdated.size() >= most || m_outdatedBytes >= mostBytes) {
        m_pool->give(std::exchange(m_outdated, {}));
        m_outdatedBytes = 0;
    }
}

} // namespace Everwire
