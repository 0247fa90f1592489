// SPDX-License-Identifier: MIT
#include "engine/inbox.h"

#include "core/message_p.h"

#include <algorithm>
#include <utility>

namespace Everwire {

namespace {

constexpr qint64 Overhead = 256; // what a small message costs beside its bytes

// What we send waits here only to be recorded in the history; it must not slow down what we receive.
qint64 costOfMessage(const Message &message)
{
    const MessageData &data = MessageData::of(message);
    return data.direction == Message::Incoming ? data.bytes.size() + data.decodedCost + Overhead : 0;
}

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
    if (!m_entries.empty())
        this->wake();
}

void Inbox::push(quint32 generation, Event event)
{
    Entry entry;
    entry.generation = generation;
    m_pendingBytes.fetch_add(costOf(event), std::memory_order_relaxed);
    if (auto *message = std::get_if<Message>(&event)) {
        entry.message = std::move(*message);
    } else {
        m_told.fetch_add(isTold(event) ? 1 : 0, std::memory_order_relaxed);
        entry.other = std::make_unique<Event>(std::move(event));
    }
    std::vector<Message> recycled; // freed when the lock is open again
    const QMutexLocker lock(&m_mutex);
    recycled.swap(m_recycled);
    m_entries.push_back(std::move(entry));
    wake();
}

void Inbox::record(quint32 user, Message sent, int most)
{
    const QMutexLocker lock(&m_mutex);
    m_entries.push_back({user, std::move(sent), {}});
    // Seldom, so that each costs the same however many wait.
    if (++m_records > 2 * most)
        dropOldestRecords(most);
    wake();
}

void Inbox::dropOldestRecords(int most)
{
    m_entries.erase(std::remove_if(m_entries.begin(), m_entries.end(),
                                   [&](const Entry &entry) {
                                       return m_records > most && isRecord(entry) && m_records-- > 0;
                                   }),
                    m_entries.end());
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
    m_entries.push_back({0, {}, std::move(event)});
    wake();
}

void Inbox::poke()
{
    const QMutexLocker lock(&m_mutex);
    wake();
}

void Inbox::wake()
{
    if (m_wake && !std::exchange(m_woken, true))
        m_wake();
}

std::vector<Inbox::Entry> Inbox::takeAll()
{
    const QMutexLocker lock(&m_mutex);
    m_woken = false;
    m_records = 0;
    m_lastRejected = nullptr;
    m_lastDiscarded = nullptr;
    return std::exchange(m_entries, {});
}

void Inbox::hold()
{
    const QMutexLocker lock(&m_mutex);
    m_woken = true;
}

void Inbox::recycle(std::vector<Message> &&messages)
{
    constexpr qint64 most = 1024 * 1024;
    qint64 bytes = 0;
    for (const Message &message : messages)
        bytes += costOfMessage(message);
    const QMutexLocker lock(&m_mutex);
    m_recycledBytes = m_recycled.empty() ? bytes : m_recycledBytes + bytes;
    if (m_recycledBytes > most) {
        m_recycledBytes -= bytes;
        return; // to be freed by the caller
    }
    m_recycled.insert(m_recycled.end(), std::make_move_iterator(messages.begin()),
                      std::make_move_iterator(messages.end()));
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

qint64 Inbox::costOf(const Event &event)
{
    if (const auto *message = std::get_if<Message>(&event))
        return costOfMessage(*message);
    const auto *broken = std::get_if<Notice::ParseError>(&event);
    return broken ? broken->text.size() + Overhead : 0;
}

bool Inbox::isRecord(const Entry &entry)
{
    const auto *message = entry.as<Message>();
    return message && message->direction() == Message::Outgoing;
}

qint64 Inbox::costOf(const Entry &entry)
{
    return entry.other ? costOf(*entry.other) : costOfMessage(entry.message);
}

} // namespace Everwire
