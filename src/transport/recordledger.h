// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QtGlobal>

#include <deque>

namespace Everwire {

// Which plaintext is in which TLS records (RFC 8446 §5.1). A record is of use to the peer only as a whole, so
// of a record that has left in part, nothing has arrived. Sans I/O: positions in, positions out.
class EVERWIRE_EXPORT RecordLedger
{
public:
    // The most plaintext that a record holds, in bytes.
    static constexpr qint64 LargestRecord = 16 * 1024;

    // Records of equal size were made: their plaintext ends at *plainEnd*, the last of them at *encryptedEnd*.
    // Where the sizes cannot be equal, they count as one.
    void add(qint64 plainEnd, qint64 encryptedEnd, qint64 records);
    // Records that end here or before are as far as that goes. Returns where their plaintext ends.
    [[nodiscard]] qint64 plainBefore(qint64 encryptedPosition) const;
    // These need not be told apart any more.
    void forgetBefore(qint64 encryptedPosition);
    // Where the plaintext of the last one ends.
    [[nodiscard]] qint64 plainEnd() const { return m_last.plainEnd; }
    [[nodiscard]] qsizetype size() const { return qsizetype(m_records.size()); }

private:
    struct Record
    {
        qint64 plainEnd = 0;
        qint64 encryptedEnd = 0;
    };

    std::deque<Record> m_records;
    Record m_forgotten; // the last of those
    Record m_last;
};

} // namespace Everwire
