// SPDX-License-Identifier: MIT
#include "engine/outgoingqueue.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace Everwire {

namespace {

constexpr qsizetype SmallestBlock = 1024;
constexpr qsizetype LargestBlock = 16 * 1024;
// Of a lot: so that a transport is asked often enough whether it takes more, and the spare ones are small.
constexpr size_t MostInLot = 128;
constexpr qint64 MostBytesInLot = 64 * 1024;

} // namespace

void OutgoingQueue::push(Outgoing message)
{
    copyToBlock(&message);
    if (m_lots.empty() || m_lots.back().messages.size() >= MostInLot ||
        m_lots.back().amount.bytes >= MostBytesInLot)
        addLot();
    m_lots.back().add(std::move(message));
}

void OutgoingQueue::Lot::add(Outgoing message)
{
    amount += OutgoingAmount::of(message);
    messages.push_back(std::move(message));
}

void OutgoingQueue::addLot()
{
    Lot lot;
    lot.messages = std::exchange(m_spare, {});
    if (!m_lots.empty()) // and they come faster than they go
        lot.messages.reserve(MostInLot);
    m_lots.push_back(std::move(lot));
}

void OutgoingQueue::copyToBlock(Outgoing *message)
{
    const qsizetype size = message->bytes.size();
    if (size == 0 || size > MostCopied || message->block)
        return;
    if (size > m_blockSize - m_blockUsed) {
        m_blockSize = std::max(size, std::clamp(2 * m_blockSize, SmallestBlock, LargestBlock));
        m_block = std::shared_ptr<char[]>(new char[size_t(m_blockSize)]);
        m_blockUsed = 0;
    }
    char *const to = m_block.get() + m_blockUsed;
    std::memcpy(to, message->bytes.constData(), size_t(size));
    m_blockUsed += size;
    message->bytes = QByteArray::fromRawData(to, size);
    message->block = m_block;
}

void OutgoingQueue::pushFront(std::vector<Outgoing> messages)
{
    if (messages.empty())
        return;
    Lot lot;
    lot.messages.reserve(messages.size());
    for (Outgoing &message : messages)
        lot.add(std::move(message));
    m_lots.push_front(std::move(lot));
}

void OutgoingQueue::popFront()
{
    Lot &lot = m_lots.front();
    lot.amount -= OutgoingAmount::of(front());
    lot.messages[lot.first] = {};
    if (++lot.first == lot.messages.size())
        m_lots.pop_front();
}

// Returns null after the last message.
const Outgoing *OutgoingQueue::at(const Place &place) const
{
    return place.lot < m_lots.size() ? &m_lots[place.lot].messages[place.message] : nullptr;
}

OutgoingQueue::Place OutgoingQueue::first() const
{
    return {0, m_lots.empty() ? 0 : m_lots.front().first};
}

OutgoingQueue::Place OutgoingQueue::next(Place place) const
{
    if (++place.message < m_lots[place.lot].messages.size())
        return place;
    ++place.lot;
    place.message = place.lot < m_lots.size() ? m_lots[place.lot].first : 0;
    return place;
}

std::vector<OutgoingQueue::Place> OutgoingQueue::oldestUnit(bool onlyLimited) const
{
    std::vector<Place> turn; // a turn that has begun and has not ended
    for (Place place = first(); const Outgoing *message = at(place); place = next(place)) {
        if (!message->isSpeech()) {
            if (turn.empty())
                return {place};
            continue;
        }
        if (onlyLimited)
            continue;
        if (message->speech == Outgoing::Speech::First)
            turn.clear(); // the previous turn was never ended
        if (message->speech == Outgoing::Speech::First || !turn.empty())
            turn.push_back(place);
        if (message->speech == Outgoing::Speech::End && !turn.empty())
            return turn;
    }
    // There may be other messages after a turn that has not ended.
    for (Place place = first(); const Outgoing *message = at(place); place = next(place)) {
        if (!message->isSpeech())
            return {place};
    }
    return {};
}

OutgoingAmount OutgoingQueue::undroppable() const
{
    OutgoingAmount stays;
    OutgoingAmount turn; // whose beginning is queued
    bool hasBegun = false;
    for (Place place = first(); const Outgoing *message = at(place); place = next(place)) {
        if (!message->isSpeech())
            continue;
        if (message->speech == Outgoing::Speech::First) {
            stays += turn; // the previous turn was never ended
            turn = {};
            hasBegun = true;
        }
        (hasBegun ? turn : stays) += OutgoingAmount::of(*message);
        if (message->speech == Outgoing::Speech::End) {
            turn = {};
            hasBegun = false;
        }
    }
    stays += turn;
    return stays;
}

OutgoingAmount OutgoingQueue::dropOldest(bool onlyLimited, const std::function<void(quint64)> &dropped)
{
    OutgoingAmount amount;
    if (!isEmpty() && !front().isSpeech()) {
        amount = OutgoingAmount::of(front());
        dropped(front().ticket);
        popFront();
        return amount;
    }
    const std::vector<Place> unit = oldestUnit(onlyLimited);
    for (auto place = unit.rbegin(); place != unit.rend(); ++place) {
        Lot &lot = m_lots[place->lot];
        const auto message = lot.messages.begin() + std::ptrdiff_t(place->message);
        const OutgoingAmount one = OutgoingAmount::of(*message);
        dropped(message->ticket);
        amount += one;
        lot.amount -= one;
        if (place->message == lot.first) {
            *message = {};
            ++lot.first;
        } else {
            lot.messages.erase(message);
        }
        if (lot.first == lot.messages.size())
            m_lots.removeAt(place->lot);
    }
    return amount;
}

OutgoingAmount OutgoingQueue::remove(const QSet<quint64> &tickets)
{
    OutgoingAmount removed;
    for (Lot &lot : m_lots)
        removed += lot.remove([&](quint64 ticket) { return tickets.contains(ticket); });
    m_lots.removeIf([](const Lot &lot) { return lot.first == lot.messages.size(); });
    return removed;
}

OutgoingQueue::Lot OutgoingQueue::takeLot(std::vector<Outgoing> spare)
{
    if (spare.capacity() > 0 && spare.capacity() <= MostInLot)
        m_spare = std::move(spare);
    if (m_lots.empty())
        return {};
    Lot lot = std::move(m_lots.front());
    m_lots.pop_front();
    lot.messages.erase(lot.messages.begin(),
                       lot.messages.begin() + std::ptrdiff_t(std::exchange(lot.first, 0)));
    return lot;
}

} // namespace Everwire
