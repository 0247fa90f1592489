// SPDX-License-Identifier: MIT
#include "engine/inbox.h"

#include <algorithm>
#include <utility>

namespace Everwire {

namespace {

constexpr size_t MostKept = 4096; // entries for which room is kept

// tell()'s kinds, whoever has pushed it.
bool isTold(const Inbox::Event &event)
{
    return std::holds_alternative<Notice::Rejected>(event) ||
           std::holds_alternative<Notice::Discarded>(event);
}

} // namespace

Inbox::Inbox(std::shared_ptr<MessagePool> pool) : m_pool(std::move(pool)), m_recent(m_pool) {}

void Inbox::setWake(std::function<void()> wake)
{
    const QMutexLocker lock(&m_mutex);
    m_wake = std::move(wake);
    m_woken = false;
    m_onlyWhatCanWait = false;
    if (!m_entries.empty() || (m_areRecordsAwaited && m_recent.size() > 0))
        this->wake();
}

void Inbox::push(quint32 generation, Message received)
{
    takeBack();
    const MessageData &data = MessageData::of(received);
    Entry entry;
    entry.cost = costOf(received);
    entry.generation = generation;
    entry.interest = data.interest;
    entry.audience = data.audience;
    m_pendingBytes.fetch_add(entry.cost, std::memory_order_relaxed);
    const QMutexLocker lock(&m_mutex);
    // Another reference, though most are only in one of both places in the end: counted here, where the count is at hand.
    if (historyLimit() > 0 && generation == this->generation())
        m_recent.add({{received, entry.cost}, generation, false}, historyLimit(), historyBytes());
    if (m_take)
        m_take(received, entry.cost, generation);
    if (entry.audience == Audience::Newest)
        supersede(data, generation);
    const bool canWait = entry.audience != Audience::Each;
    entry.message = std::move(received);
    m_entries.push_back(std::move(entry));
    if (!canWait || !m_onlyWhatCanWait)
        wake();
}

void Inbox::push(quint32 generation, Event event)
{
    Entry entry;
    entry.generation = generation;
    if (const auto *broken = std::get_if<Notice::ParseError>(&event))
        entry.cost = costOf(broken->text);
    m_pendingBytes.fetch_add(entry.cost, std::memory_order_relaxed);
    m_told.fetch_add(isTold(event) ? 1 : 0, std::memory_order_relaxed);
    entry.other = std::make_unique<Event>(std::move(event));
    const QMutexLocker lock(&m_mutex);
    m_entries.push_back(std::move(entry));
    wake();
}

// The one before it of its type, if it still waits here, is not the newest any more.
void Inbox::supersede(const MessageData &message, quint32 generation)
{
    const auto found = std::find_if(m_newest.begin(), m_newest.end(),
                                    [&](const auto &one) { return one.first == message.sharedType; });
    if (found == m_newest.end()) {
        m_newest.emplace_back(message.sharedType, m_entries.size());
        return;
    }
    Entry &before = m_entries[std::exchange(found->second, m_entries.size())];
    if (before.generation == generation && before.interest == message.interest)
        before.audience = Audience::Nobody;
}

void Inbox::record(quint32 user, Message sent)
{
    const qint64 cost = costOf(sent);
    const QMutexLocker lock(&m_mutex);
    if (historyLimit() == 0)
        return;
    m_recent.add({{std::move(sent), cost}, user, true}, historyLimit(), historyBytes());
    wakeForRecord();
}

void Inbox::recordText(quint32 user, QByteArrayView utf8)
{
    const QMutexLocker lock(&m_mutex);
    if (historyLimit() == 0)
        return;
    m_recent.addSentText(user, utf8, utf8.size() + MessageData::Overhead, historyLimit(), historyBytes());
    wakeForRecord();
}

void Inbox::wakeForRecord()
{
    if (m_areRecordsAwaited && !m_onlyWhatCanWait)
        wake();
}

void Inbox::tell(Notice::Rejected notice)
{
    tell(std::move(notice), m_lastRejected);
}

void Inbox::tell(Notice::Discarded notice)
{
    tell(std::move(notice), m_lastDiscarded);
}

template<typename T>
void Inbox::tell(T notice, T *&last)
{
    const QMutexLocker lock(&m_mutex);
    if (last && m_told.load(std::memory_order_relaxed) >= MostTold) {
        notice.count += last->count;
        *last = std::move(notice);
        return; // the app has been woken
    }
    m_told.fetch_add(1, std::memory_order_relaxed);
    auto event = std::make_unique<Event>(std::move(notice));
    last = &std::get<T>(*event);
    Entry entry;
    entry.other = std::move(event);
    m_entries.push_back(std::move(entry));
    wake();
}

void Inbox::poke()
{
    const QMutexLocker lock(&m_mutex);
    wake();
}

void Inbox::wake()
{
    if (m_wake && (!m_woken || m_onlyWhatCanWait)) {
        m_woken = true;
        m_onlyWhatCanWait = false;
        m_wake();
    }
}

void Inbox::divert(TakeMessage all, const TakeMessage &newcomer, const std::function<void()> &change)
{
    const QMutexLocker lock(&m_mutex);
    if (change)
        change();
    if (newcomer) {
        for (const Entry &entry : m_entries) {
            if (!entry.other)
                newcomer(entry.message, entry.cost, entry.generation);
        }
    }
    m_take = std::move(all);
}

quint32 Inbox::beginGeneration()
{
    const QMutexLocker lock(&m_mutex);
    m_recent.forgetReceived();
    return m_generation.fetch_add(1, std::memory_order_acq_rel) + 1;
}

Inbox::Contents Inbox::takeAll(Records records)
{
    Contents taken;
    RecentMessages recent(m_pool);
    QMutexLocker lock(&m_mutex);
    m_woken = false;
    m_onlyWhatCanWait = false;
    m_newest.clear();
    m_lastRejected = nullptr;
    m_lastDiscarded = nullptr;
    m_areRecordsAwaited = records == Records::Taken;
    taken.entries = std::exchange(m_entries, std::exchange(m_spareEntries, {}));
    if (m_areRecordsAwaited)
        std::swap(recent, m_recent);
    taken.isHistoryOutdated =
        m_recent.size() > 0 && (m_recent.hasDropped() || m_recent.size() >= size_t(historyLimit()));
    taken.leftBytes = m_recent.bytes();
    lock.unlock();
    taken.records = recent.take();
    return taken;
}

std::vector<Inbox::Record> Inbox::takeRecords()
{
    RecentMessages recent(m_pool);
    {
        const QMutexLocker lock(&m_mutex);
        m_areRecordsAwaited = true;
        std::swap(recent, m_recent);
    }
    return recent.take();
}

void Inbox::giveBack(std::vector<Entry> entries)
{
    if (entries.capacity() == 0 || entries.capacity() > MostKept)
        return;
    const QMutexLocker lock(&m_mutex);
    m_givenBack.swap(entries);
    m_hasGivenBack.store(true, std::memory_order_relaxed);
}

// Messages are let go of by the thread that makes them, which uses them again.
void Inbox::takeBack()
{
    if (!m_hasGivenBack.load(std::memory_order_relaxed))
        return;
    std::vector<Entry> entries;
    {
        const QMutexLocker lock(&m_mutex);
        entries.swap(m_givenBack);
        m_hasGivenBack.store(false, std::memory_order_relaxed);
    }
    for (Entry &entry : entries) {
        if (m_pool)
            m_pool->keep({std::move(entry.message), entry.cost});
    }
    entries.clear();
    const QMutexLocker lock(&m_mutex);
    m_spareEntries = std::move(entries);
}

void Inbox::hold(Hold what)
{
    const QMutexLocker lock(&m_mutex);
    // What has come since the app took everything may have woken it already.
    if (what == Hold::Everything || !m_woken) {
        m_woken = true;
        m_onlyWhatCanWait = what == Hold::WhatCanWait;
    }
}

void Inbox::handled(qint64 cost)
{
    m_pendingBytes.fetch_sub(cost, std::memory_order_relaxed);
}

void Inbox::handled(const Event &other)
{
    if (isTold(other))
        m_told.fetch_sub(1, std::memory_order_relaxed);
}

bool Inbox::takeRoomAgain()
{
    qint64 wanted = m_roomWanted.load(std::memory_order_acquire);
    return wanted != NoRoomWanted && pendingBytes() <= wanted &&
           m_roomWanted.compare_exchange_strong(wanted, NoRoomWanted);
}

qint64 Inbox::costOf(const Message &message)
{
    return MessageData::of(message).cost();
}

qint64 Inbox::costOf(const QByteArray &unreadable)
{
    return unreadable.size() + MessageData::Overhead;
}

} // namespace Everwire
