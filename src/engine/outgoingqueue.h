// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QList>
#include <QSet>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

namespace Everwire {

// A message on its way out. A pair (audio header and its frame, rule Q9) is one of these.
struct Outgoing
{
    QByteArray bytes; // UTF-8 where not binary
    bool isBinary = false;
    std::optional<QByteArray> attachment;  // a binary message that follows with nothing in between
    std::shared_ptr<const char[]> block{}; // in which bytes lie, where they are not their own
    quint64 ticket = 0;                    // of the request that owns it (rule Q11); 0: no request

    [[nodiscard]] qint64 size() const { return bytes.size() + (attachment ? attachment->size() : 0); }
    [[nodiscard]] int count() const { return attachment ? 2 : 1; }
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
    // Removes the messages of these requests, wherever they wait.
    struct Removed
    {
        int count = 0; // messages
        qint64 bytes = 0;
    };
    Removed remove(const QSet<quint64> &tickets);
    struct Lot
    {
        std::vector<Outgoing> messages;
        size_t first = 0; // those before it are gone
        int count = 0;    // of the others, and
        qint64 bytes = 0;

        void add(Outgoing message);
        // Removes the messages that *isEnded* says; what they were.
        template<typename IsEnded>
        Removed remove(IsEnded isEnded);
    };
    // Some of the first, at least one where there is any. spare: empty, but with room for others.
    [[nodiscard]] Lot takeLot(std::vector<Outgoing> spare);
    void clear() { m_lots.clear(); }
    // All of another queue goes behind what is here.
    void append(OutgoingQueue other) { m_lots.append(std::move(other.m_lots)); }

private:
    void addLot();
    void copyToBlock(Outgoing *message);

    QList<Lot> m_lots; // none is empty
    std::vector<Outgoing> m_spare;
    std::shared_ptr<char[]> m_block;
    qsizetype m_blockSize = 0;
    qsizetype m_blockUsed = 0;
};

template<typename IsEnded>
OutgoingQueue::Removed OutgoingQueue::Lot::remove(IsEnded isEnded)
{
    Removed removed;
    const auto begin = messages.begin() + std::ptrdiff_t(first);
    const auto isGone = [&](const Outgoing &message) {
        if (message.ticket == 0 || !isEnded(message.ticket))
            return false;
        removed.count += message.count();
        removed.bytes += message.size();
        return true;
    };
    messages.erase(std::remove_if(begin, messages.end(), isGone), messages.end());
    count -= removed.count;
    bytes -= removed.bytes;
    return removed;
}

} // namespace Everwire
