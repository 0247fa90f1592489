// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QList>
#include <QSet>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace Everwire {

// A message on its way out. A pair (audio header and its frame, rule Q9) is one of these.
struct Outgoing
{
    // The message's part in a turn of speech (rule Q3). The caller marks every chunk as Chunk. The
    // outbox marks the first one as First.
    enum class Speech : quint8 { None, First, Chunk, End };

    QByteArray bytes; // UTF-8 where not binary
    bool isBinary = false;
    std::optional<QByteArray> attachment;  // a binary message that follows with nothing in between
    std::shared_ptr<const char[]> block{}; // in which bytes lie, where they are not their own
    quint64 ticket = 0;                    // the owning request's (rule Q11), 0 if there is none
    Speech speech = Speech::None;

    [[nodiscard]] qint64 size() const { return bytes.size() + (attachment ? attachment->size() : 0); }
    [[nodiscard]] int count() const { return attachment ? 2 : 1; }
    [[nodiscard]] bool isSpeech() const { return speech != Speech::None; }
};

// The number and size of some messages.
struct OutgoingAmount
{
    int count = 0;
    int limited = 0; // without speech: the messages that maxQueuedMessages limits
    qint64 bytes = 0;

    [[nodiscard]] static OutgoingAmount of(const Outgoing &message)
    {
        return {message.count(), message.isSpeech() ? 0 : message.count(), message.size()};
    }
    OutgoingAmount &operator+=(const OutgoingAmount &other)
    {
        count += other.count;
        limited += other.limited;
        bytes += other.bytes;
        return *this;
    }
    OutgoingAmount &operator-=(const OutgoingAmount &other)
    {
        count -= other.count;
        limited -= other.limited;
        bytes -= other.bytes;
        return *this;
    }
};

// The messages that wait, in lots and blocks, so that neither thread frees what the other has allocated, message by message:
// in that the two would wait for each other.
class OutgoingQueue
{
public:
    // Bytes of a message that is copied: 100 ms of speech. Larger ones are kept as they are.
    static constexpr qsizetype MostCopied = 3600;

    [[nodiscard]] bool isEmpty() const { return m_lots.empty(); }
    [[nodiscard]] const Outgoing &front() const { return m_lots.front().messages[m_lots.front().first]; }
    void push(Outgoing message);
    void pushFront(std::vector<Outgoing> messages);
    void popFront();
    // Removes the queued messages of these requests.
    OutgoingAmount remove(const QSet<quint64> &tickets);
    // Removes the oldest message, or the oldest turn of speech as a whole, because an incomplete
    // turn is useless. A turn stays if it has not ended, or if its beginning was sent already.
    // onlyLimited: skips speech. Returns what was removed, with a count of 0 if nothing could be.
    // *dropped* is called with each ticket.
    [[nodiscard]] OutgoingAmount dropOldest(bool onlyLimited, const std::function<void(quint64)> &dropped);
    // The speech that dropOldest() leaves. All other messages can be dropped.
    [[nodiscard]] OutgoingAmount undroppable() const;
    struct Lot
    {
        std::vector<Outgoing> messages;
        size_t first = 0;      // index of the first message that is not removed
        OutgoingAmount amount; // of the remaining messages

        void add(Outgoing message);
        // Removes the messages for whose tickets *isEnded* is true, and returns their amount.
        template<typename IsEnded>
        OutgoingAmount remove(IsEnded isEnded);
    };
    // Some of the first, at least one where there is any. spare: empty, but with room for others.
    [[nodiscard]] Lot takeLot(std::vector<Outgoing> spare);
    void clear() { m_lots.clear(); }
    // Appends all messages of another queue.
    void append(OutgoingQueue other) { m_lots.append(std::move(other.m_lots)); }

private:
    struct Place
    {
        qsizetype lot = 0;
        size_t message = 0; // index in the lot
    };
    [[nodiscard]] const Outgoing *at(const Place &place) const;
    [[nodiscard]] Place next(Place place) const;
    [[nodiscard]] Place first() const;
    [[nodiscard]] std::vector<Place> oldestUnit(bool onlyLimited) const;
    void addLot();
    void copyToBlock(Outgoing *message);

    QList<Lot> m_lots; // none is empty
    std::vector<Outgoing> m_spare;
    std::shared_ptr<char[]> m_block;
    qsizetype m_blockSize = 0;
    qsizetype m_blockUsed = 0;
};

template<typename IsEnded>
OutgoingAmount OutgoingQueue::Lot::remove(IsEnded isEnded)
{
    OutgoingAmount removed;
    const auto begin = messages.begin() + std::ptrdiff_t(first);
    const auto isGone = [&](const Outgoing &message) {
        if (message.ticket == 0 || !isEnded(message.ticket))
            return false;
        removed += OutgoingAmount::of(message);
        return true;
    };
    messages.erase(std::remove_if(begin, messages.end(), isGone), messages.end());
    amount -= removed;
    return removed;
}

} // namespace Everwire
