// SPDX-License-Identifier: MIT
#include "turnbuffer.h"

#include "wavfile.h"

#include <algorithm>

namespace Everwire::Demo {

namespace {

// A client that names an absurd last sequence gets a list that is long, not endless.
constexpr qsizetype mostMissing = 1000;

} // namespace

TurnBuffer::Outcome TurnBuffer::add(const AudioChunk &chunk, qint64 limit)
{
    if (m_chunks.contains(chunk.sequence))
        return Outcome::Duplicate;
    if (m_bytes + chunk.data.size() > limit) {
        m_overflowed = true;
        return Outcome::Full;
    }
    m_chunks.insert(chunk.sequence, chunk.data);
    m_bytes += chunk.data.size();
    return Outcome::Added;
}

QByteArray TurnBuffer::audio() const
{
    QByteArray all;
    all.reserve(m_bytes);
    for (const QByteArray &chunk : m_chunks)
        all += all.isEmpty() ? chunk : withoutWavHeader(chunk);
    return all;
}

QList<qint64> TurnBuffer::missing(std::optional<qint64> last) const
{
    QList<qint64> sequences;
    if (m_chunks.isEmpty() && !last)
        return sequences;
    const qint64 end = last.value_or(m_chunks.isEmpty() ? 0 : m_chunks.lastKey());
    for (qint64 sequence = firstExpected(); sequence <= end && sequences.size() < mostMissing; ++sequence) {
        if (!m_chunks.contains(sequence))
            sequences.append(sequence);
    }
    return sequences;
}

void TurnBuffer::reject(const QString &reason)
{
    m_rejection = reason;
    m_chunks.clear();
    m_bytes = 0;
}

void TurnBuffer::clear()
{
    const qint64 last = m_chunks.isEmpty() ? m_lastOfPreviousTurn : m_chunks.lastKey();
    *this = {};
    m_lastOfPreviousTurn = last;
}

qint64 TurnBuffer::firstExpected() const
{
    const qint64 first = m_chunks.isEmpty() ? 1 : m_chunks.firstKey();
    const bool goesOnCounting = m_lastOfPreviousTurn > 0 && first > m_lastOfPreviousTurn;
    return goesOnCounting ? m_lastOfPreviousTurn + 1 : std::min<qint64>(first, 1);
}

} // namespace Everwire::Demo
