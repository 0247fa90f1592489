// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QByteArrayView>

namespace Everwire {

// Whether a text that arrives in pieces, cut anywhere, is UTF-8 (RFC 3629). Says no at the first byte that no
// valid text can have there, as RFC 6455 §8.1 lets an endpoint do.
class EVERWIRE_EXPORT Utf8Check
{
public:
    // Whether what was fed so far can be the beginning of a valid text.
    [[nodiscard]] bool feed(QByteArrayView piece);
    // Whether it ends with a whole code point.
    [[nodiscard]] bool isComplete() const { return m_missing == 0; }
    void reset() { m_missing = 0; }

private:
    [[nodiscard]] bool step(unsigned char byte);

    int m_missing = 0;             // continuation bytes of the code point begun
    unsigned char m_lowest = 0x80; // of the next one
    unsigned char m_highest = 0xBF;
};

// Whether a whole text is UTF-8.
[[nodiscard]] EVERWIRE_EXPORT bool isUtf8(QByteArrayView text);

// Where to cut a UTF-8 text that may go on, so that no code point is split: at most *most* bytes from its
// beginning. At least 4 must be allowed.
[[nodiscard]] EVERWIRE_EXPORT qsizetype cutAtCodePoint(QByteArrayView text, qsizetype most);

} // namespace Everwire
