// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QtGlobal>

#include <deque>

namespace Everwire {

// Knows which plaintext is in which TLS record (RFC 8446 §5.1). The peer can decrypt a record only
// as a whole, so nothing has arrived of a record that was sent in part. Sans I/O: positions in,
// positions out.
class EVERWIRE_EXPORT RecordLedger
{
public:
    // Bytes of plaintext in one record at most.
    static constexpr qint64 LargestRecord = 16 * 1024;

    // Adds records of equal size. *plainEnd* is the end of their plaintext, *encryptedEnd* the end
    // of the last record. If their sizes cannot be equal, they are added as a single record.
    void add(qint64 plainEnd, qint64 encryptedEnd, qint64 records);
    // Returns where the plaintext ends of all records that end at this position or before.
    [[nodiscard]] qint64 plainBefore(qint64 encryptedPosition) const;
    // Removes the records that end at this position or before. plainBefore() no longer
    // distinguishes them.
    void forgetBefore(qint64 encryptedPosition);
    // Where the plaintext of the last record ends.
    [[nodiscard]] qint64 plainEnd() const { return m_last.plainEnd; }
    [[nodiscard]] qsizetype size() const { return qsizetype(m_records.size()); }

private:
    struct Record
    {
        qint64 plainEnd = 0;
        qint64 encryptedEnd = 0;
    };

    std::deque<Record> m_records;
    Record m_forgotten; // the last removed record
    Record m_last;
};

} // namespace Everwire
