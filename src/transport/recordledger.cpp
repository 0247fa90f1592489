// SPDX-License-Identifier: MIT
#include "transport/recordledger.h"

#include <algorithm>
#include <iterator>

namespace Everwire {

void RecordLedger::add(qint64 plainEnd, qint64 encryptedEnd, qint64 records)
{
    const qint64 plain = plainEnd - m_last.plainEnd;
    const qint64 encrypted = encryptedEnd - m_last.encryptedEnd;
    const bool isEqual = records > 0 && plain == records * LargestRecord && encrypted % records == 0;
    const qint64 count = isEqual ? records : 1;
    for (qint64 i = 1; i <= count; ++i)
        m_records.push_back(
            {m_last.plainEnd + plain * i / count, m_last.encryptedEnd + encrypted * i / count});
    m_last = {plainEnd, encryptedEnd};
}

qint64 RecordLedger::plainBefore(qint64 encryptedPosition) const
{
    const auto next =
        std::upper_bound(m_records.begin(), m_records.end(), encryptedPosition,
                         [](qint64 at, const Record &record) { return at < record.encryptedEnd; });
    return next == m_records.begin() ? m_forgotten.plainEnd : std::prev(next)->plainEnd;
}

void RecordLedger::forgetBefore(qint64 encryptedPosition)
{
    while (!m_records.empty() && m_records.front().encryptedEnd <= encryptedPosition) {
        m_forgotten = m_records.front();
        m_records.pop_front();
    }
}

} // namespace Everwire
