// SPDX-License-Identifier: MIT
#include "engine/inbox.h"

#include <algorithm>
#include <utility>

namespace Everwire {

namespace {

constexpr qint64 Overhead = 256; // what a small message costs beside its bytes

// tell()'s kinds, whoever has pushed it.
bool isTold(const Inbox::Event &event)
{
    return std::holds_alternative<Notice::Rejected>(event) ||
           std::holds_alternative<Notice::Discarded>(event);
}

} // namespace

void Inbox::setWake(std::function<void()> wake)
{
    const QMutexLocker lock(&m_mutex);
    m_wake = std::move(wake);
    m_woken = false;
    m_onlyWhatCanWait = false;
    if (!m_contents.entries.empty() || !m_contents.records.empty())
        this->wake();
}

void Inbox::push(quint32 generation, Message received)
{
    const MessageData &data = MessageData::of(received);
    Entry entry;
    entry.cost = costOf(received);
    entry.generation = generation;
    entry.interest = data.interest;
    entry.audience = data.audience;
    m_pendingBytes.fetch_add(entry.cost, std::memory_order_relaxed);
    const QMutexLocker lock(&m_mutex);
    // Another reference, though most are only in one of both places in the end: counted here, where the count is at hand.
    if (historyLimit() > 0)
        addRecord({received, entry.cost}, generation, false);
    if (m_take)
        m_take(received, entry.cost, generation);
    if (entry.audience == Audience::Newest)
        supersede(data, generation);
    const bool canWait = entry.audience != Audience::Each;
    entry.message = std::move(received);
    m_contents.entries.push_back(std::move(entry));
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
    m_contents.entries.push_back(std::move(entry));
    wake();
}

// The one before it of its type, if it still waits here, is not the newest any more.
void Inbox::supersede(const MessageData &message, quint32 generation)
{
    auto &entries = m_contents.entries;
    const auto found = std::find_if(m_newest.begin(), m_newest.end(),
                                    [&](const auto &one) { return one.first == message.sharedType; });
    if (found == m_newest.end()) {
        m_newest.emplace_back(message.sharedType, entries.size());
        return;
    }
    Entry &before = entries[std::exchange(found->second, entries.size())];
    if (before.generation == generation && before.interest == message.interest)
        before.audience = Audience::Nobody;
}

void Inbox::record(quint32 user, Message sent)
{
    const qint64 cost = costOf(sent);
    const QMutexLocker lock(&m_mutex);
    if (historyLimit() > 0)
        record({std::move(sent), cost}, user);
}

void Inbox::recordText(quint32 user, QByteArrayView utf8)
{
    const QMutexLocker lock(&m_mutex);
    if (historyLimit() == 0)
        return;
    if (!m_sentPool)
        m_sentPool = std::make_unique<MessagePool>();
    record({m_sentPool->sentText(utf8), utf8.size() + Overhead}, user);
}

void Inbox::record(CountedMessage sent, quint32 user)
{
    addRecord(std::move(sent), user, true);
    if (!m_onlyWhatCanWait)
        wake();
}

// The oldest go seldom, so that each costs the same however many wait (rule M8).
void Inbox::addRecord(CountedMessage counted, quint32 generation, bool isSent)
{
    auto &records = m_contents.records;
    const auto most = std::ptrdiff_t(historyLimit());
    if (std::ptrdiff_t(records.size()) >= 2 * most) {
        for (auto it = records.begin(); it != records.end() - most; ++it) {
            if (it->isSent && m_sentPool)
                m_sentPool->keep(std::move(it->counted));
        }
        records.erase(records.begin(), records.end() - most);
    }
    records.push_back({std::move(counted), generation, isSent});
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
    m_contents.entries.push_back(std::move(entry));
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

void Inbox::divert(Take all, const Take &newcomer)
{
    const QMutexLocker lock(&m_mutex);
    if (newcomer) {
        for (const Entry &entry : m_contents.entries) {
            if (!entry.other)
                newcomer(entry.message, entry.cost, entry.generation);
        }
    }
    m_take = std::move(all);
}

Inbox::Contents Inbox::takeAll()
{
    const QMutexLocker lock(&m_mutex);
    m_woken = false;
    m_onlyWhatCanWait = false;
    m_newest.clear();
    m_lastRejected = nullptr;
    m_lastDiscarded = nullptr;
    return std::exchange(m_contents, {});
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
    const MessageData &data = MessageData::of(message);
    return costOf(data.bytes) + data.decodedCost;
}

qint64 Inbox::costOf(const QByteArray &unreadable)
{
    return unreadable.size() + Overhead;
}

} // namespace Everwire
