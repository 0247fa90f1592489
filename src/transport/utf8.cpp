// SPDX-License-Identifier: MIT
#include "transport/utf8.h"

#include <simdjson.h>

#include <algorithm>

namespace Everwire {

namespace {

bool isContinuation(char byte)
{
    return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The size of the bytes at the end that may begin a code point which the next piece goes on with.
qsizetype openEnd(QByteArrayView text)
{
    const qsizetype most = std::min<qsizetype>(3, text.size());
    for (qsizetype back = 1; back <= most; ++back) {
        const char byte = text[text.size() - back];
        if (!isContinuation(byte))
            return static_cast<unsigned char>(byte) >= 0xC0 ? back : 0;
    }
    return 0;
}

} // namespace

bool Utf8Check::feed(QByteArrayView piece)
{
    qsizetype at = 0;
    while (at < piece.size() && m_missing > 0) {
        if (!step(static_cast<unsigned char>(piece[at++])))
            return false;
    }
    const QByteArrayView rest = piece.sliced(at);
    const QByteArrayView whole = rest.first(rest.size() - openEnd(rest));
    if (!isUtf8(whole))
        return false;
    const QByteArrayView open = rest.sliced(whole.size());
    return std::all_of(open.begin(), open.end(),
                       [this](char byte) { return step(static_cast<unsigned char>(byte)); });
}

// RFC 3629 §4's table: the first byte says how many follow, and bounds the second.
bool Utf8Check::step(unsigned char byte)
{
    if (m_missing > 0) {
        if (byte < m_lowest || byte > m_highest)
            return false;
        --m_missing;
        m_lowest = 0x80;
        m_highest = 0xBF;
        return true;
    }
    if (byte < 0x80)
        return true;
    if (byte < 0xC2 || byte > 0xF4)
        return false;
    m_missing = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    m_lowest = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    m_highest = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    return true;
}

bool isUtf8(QByteArrayView text)
{
    return text.isEmpty() || simdjson::validate_utf8(text.data(), size_t(text.size()));
}

qsizetype cutAtCodePoint(QByteArrayView text, qsizetype most)
{
    if (text.size() <= most)
        return text.size();
    qsizetype cut = most;
    while (cut > most - 4 && isContinuation(text[cut]))
        --cut;
    return isContinuation(text[cut]) ? most : cut;
}

} // namespace Everwire
