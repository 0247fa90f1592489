// SPDX-License-Identifier: MIT
#include "core/wanted.h"

#include <utility>

namespace Everwire::Detail {

void Fields::reset()
{
    constexpr qsizetype kept = 4096; // bytes, for the texts of the next ones
    for (Field &field : m_fields)
        field = {};
    // Not resize(0): GCC 14 warns about Qt's code in it.
    m_utf8.erase(m_utf8.cbegin(), m_utf8.cend());
    if (m_utf8.capacity() > kept)
        m_utf8.squeeze();
    m_others.clear();
}

void Fields::setTruth(qsizetype at, bool truth)
{
    setInteger(at, truth ? 1 : 0);
    m_fields[at].kind = Truth;
}

void Fields::setInteger(qsizetype at, qint64 integer)
{
    m_fields[at].kind = Integer;
    m_fields[at].integer = integer;
}

void Fields::setNumber(qsizetype at, double number)
{
    m_fields[at].kind = Number;
    m_fields[at].number = number;
}

void Fields::setText(qsizetype at, QByteArrayView utf8)
{
    m_fields[at].kind = Text;
    m_fields[at].size = quint32(utf8.size());
    m_fields[at].at = m_utf8.size();
    m_utf8.append(utf8.data(), utf8.size());
}

void Fields::setOther(qsizetype at, QVariant value)
{
    m_fields[at].kind = Other;
    m_fields[at].at = m_others.size();
    m_others.append(std::move(value));
}

double Fields::number(qsizetype at) const
{
    const Field &field = m_fields[at];
    return field.kind == Integer ? double(field.integer) : field.number;
}

QString Fields::text(qsizetype at) const
{
    const Field &field = m_fields[at];
    return QString::fromUtf8(m_utf8.constData() + field.at, qsizetype(field.size));
}

QVariant Fields::value(qsizetype at) const
{
    const Field &field = m_fields[at];
    switch (field.kind) {
    case Absent: break;
    case Null: return QVariant::fromValue(nullptr);
    case Truth: return field.integer != 0;
    case Integer: return field.integer;
    case Number: return field.number;
    case Text: return text(at);
    case Other: return m_others[field.at];
    }
    return {};
}

} // namespace Everwire::Detail
