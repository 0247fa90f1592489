// SPDX-License-Identifier: MIT
#pragma once

#include "audioframer.h"

#include <QList>
#include <QMap>

namespace Everwire::Demo {

/// The audio of a turn that is still being spoken. It outlives the connection it came over, and a
/// client may send a chunk again when it does not know whether it arrived.
class TurnBuffer
{
public:
    enum class Outcome { Added, Duplicate, Full };

    /// Adds \a chunk unless its sequence is there already or the turn would exceed \a limit bytes.
    Outcome add(const AudioChunk &chunk, qint64 limit);

    /// Everything in the order of the sequences. A client may begin each chunk with a WAV header;
    /// only the first one is kept.
    [[nodiscard]] QByteArray audio() const;

    /// The sequences that are missing up to \a last, or up to the highest one without it.
    [[nodiscard]] QList<qint64> missing(std::optional<qint64> last) const;

    /// Keeps why the turn cannot be used: its audio is let go, and the reason is told once.
    void reject(const QString &reason);

    /// Begins the next turn. A client may go on counting or start again at its first sequence.
    void clear();

    [[nodiscard]] bool isEmpty() const { return m_chunks.isEmpty(); }
    [[nodiscard]] qint64 bytes() const { return m_bytes; }
    [[nodiscard]] QString rejection() const { return m_rejection; }
    [[nodiscard]] bool overflowed() const { return m_overflowed; }

private:
    [[nodiscard]] qint64 firstExpected() const;

    QMap<qint64, QByteArray> m_chunks;
    qint64 m_bytes = 0;
    qint64 m_lastOfPreviousTurn = -1;
    QString m_rejection;
    bool m_overflowed = false;
};

} // namespace Everwire::Demo
