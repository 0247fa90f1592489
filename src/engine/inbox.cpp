// SPDX-License-Identifier: MIT
#include "engine/inbox.h"

#include <algorithm>
#include <utility>

namespace Everwire {

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
    m_pendingBytes.fetch_add(costOf(event), std::memory_order_relaxed);
    const QMutexLocker lock(&m_mutex);
    m_entries.push_back({generation, std::move(event)});
    wake();
}

void Inbox::record(quint32 user, Message sent, int most)
{
    const QMutexLocker lock(&m_mutex);
    m_entries.push_back({user, std::move(sent)});
    // Seldom, so that each costs the same however many wait.
    if (++m_records > 2 * most)
        dropOldestRecords(most);
    wake();
}

void Inbox::dropOldestRecords(int most)
{
    const auto isRecord = [](const Entry &entry) {
        const auto *message = std::get_if<Message>(&entry.event);
        return message && message->direction() == Message::Outgoing;
    };
    m_entries.erase(std::remove_if(m_entries.begin(), m_entries.end(),
                                   [&](const Entry &entry) {
                                       return m_records > most && isRecord(entry) && m_records-- > 0;
                                   }),
                    m_entries.end());
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
    return std::exchange(m_entries, {});
}

void Inbox::handled(const Event &event)
{
    m_pendingBytes.fetch_sub(costOf(event), std::memory_order_relaxed);
}

bool Inbox::takeRoomAgain()
{
    qint64 wanted = m_roomWanted.load(std::memory_order_acquire);
    return wanted != NoRoomWanted && pendingBytes() <= wanted &&
           m_roomWanted.compare_exchange_strong(wanted, NoRoomWanted);
}

qint64 Inbox::costOf(const Event &event)
{
    constexpr qint64 overhead = 192; // what a small message costs beside its bytes
    if (const auto *broken = std::get_if<Notice::ParseError>(&event))
        return broken->text.size() + overhead;
    // What we send waits here only to be recorded in the history; it must not slow down what we receive.
    const auto *message = std::get_if<Message>(&event);
    return message && message->direction() == Message::Incoming ? message->bytes().size() + overhead : 0;
}

} // namespace Everwire
