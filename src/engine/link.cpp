// SPDX-License-Identifier: MIT
#include "engine/link.h"

#include <algorithm>
#include <utility>

namespace Everwire {

namespace {

// If more messages than this are unconfirmed, the peer's system is asked which of them it has
// confirmed. The operating system holds a few thousand small messages at most.
constexpr size_t MostTaken = 4096;

} // namespace

std::optional<qint64> Link::settle()
{
    const qint64 position = transport->takenPosition();
    qint64 bytes = 0;
    auto first = unsettled.cbegin();
    for (; first != unsettled.cend() && first->end <= position; ++first) {
        bytes += first->message.size();
        taken.push_back({first->end, first->message.count()});
    }
    if (first == unsettled.cbegin())
        return std::nullopt;
    unsettled.erase(unsettled.cbegin(), first);
    constexpr qsizetype many = 8192; // a buffer with a larger capacity is freed when empty
    if (unsettled.isEmpty() && unsettled.capacity() > many)
        unsettled = {};
    if (taken.size() > MostTaken) {
        const qint64 confirmed = transport->confirmed().position;
        while (!taken.empty() && taken.front().end <= confirmed)
            taken.pop_front();
    }
    return bytes;
}

int Link::takenBehind(qint64 confirmed) const
{
    int count = 0;
    for (auto one = taken.rbegin(); one != taken.rend() && one->end > confirmed; ++one)
        count += one->count;
    return count;
}

std::vector<Outgoing> Link::takeUnsettled()
{
    std::vector<Outgoing> messages;
    messages.reserve(size_t(unsettled.size()));
    for (Sent &sent : unsettled)
        messages.push_back(std::move(sent.message));
    unsettled.clear();
    unsent = 0;
    return messages;
}

} // namespace Everwire
