// SPDX-License-Identifier: MIT
#include "frames.h"

#include <QtEndian>

#include <cstring>

namespace Bench {

namespace {

constexpr int MaskBit = 0x80;
constexpr quint64 AnyMask = 0x3c4d5e6f'3c4d5e6f;

QByteArray header(int opcode, qsizetype size, bool isCompressed, int mask)
{
    QByteArray bytes;
    bytes.append(char(0x80 | (isCompressed ? 0x40 : 0) | opcode));
    if (size < 126) {
        bytes.append(char(mask | int(size)));
    } else if (size < 65536) {
        const quint16 length = qToBigEndian(quint16(size));
        bytes.append(char(mask | 126)).append(reinterpret_cast<const char *>(&length), sizeof length);
    } else {
        const quint64 length = qToBigEndian(quint64(size));
        bytes.append(char(mask | 127)).append(reinterpret_cast<const char *>(&length), sizeof length);
    }
    return bytes;
}

// Four bytes of mask, twice.
void unmask(char *bytes, qsizetype size, quint64 mask)
{
    qsizetype i = 0;
    for (; i + 8 <= size; i += 8) {
        quint64 word = 0;
        std::memcpy(&word, bytes + i, sizeof word);
        word ^= mask;
        std::memcpy(bytes + i, &word, sizeof word);
    }
    const char *rest = reinterpret_cast<const char *>(&mask);
    for (int k = 0; i < size; ++i, ++k)
        bytes[i] = char(bytes[i] ^ rest[k]);
}

} // namespace

QByteArray serverFrame(int opcode, QByteArrayView payload, bool isCompressed)
{
    return header(opcode, payload.size(), isCompressed, 0) + payload.toByteArray();
}

QByteArray clientFrame(int opcode, QByteArrayView payload)
{
    QByteArray masked = payload.toByteArray();
    unmask(masked.data(), masked.size(), AnyMask);
    return header(opcode, payload.size(), false, MaskBit) +
           QByteArray(reinterpret_cast<const char *>(&AnyMask), 4) + masked;
}

FrameRing::FrameRing(const std::vector<QByteArray> &messages, int opcode, const DeflateTerms &terms)
{
    m_payload = header(opcode, messages.front().size(), false, 0).size();
    Deflater deflater(terms);
    for (Pass &pass : m_passes) {
        if (&pass != m_passes && !terms.isAgreed)
            break;
        for (const QByteArray &message : messages) {
            pass.bytes += terms.isAgreed ? serverFrame(opcode, deflater.deflate(message), true)
                                         : serverFrame(opcode, message);
            pass.ends.push_back(pass.bytes.size());
        }
    }
}

void FrameRing::wrap()
{
    if (!m_passes[1].ends.empty())
        m_pass = 1;
}

QByteArrayView FrameRing::part(int from, int frames) const
{
    const Pass &pass = m_passes[m_pass];
    const qsizetype begin = from > 0 ? pass.ends[size_t(from) - 1] : 0;
    return QByteArrayView(pass.bytes).first(pass.ends[size_t(from + frames) - 1]).sliced(begin);
}

void FrameRing::number(int first, int frames)
{
    Pass &pass = m_passes[m_pass];
    qsizetype start = 0;
    for (int i = 0; i < frames; ++i) {
        const quint64 number = quint64(first + i);
        std::memcpy(pass.bytes.data() + start + m_payload, &number, sizeof number);
        start = pass.ends[size_t(i)];
    }
}

MessageReader::MessageReader(Wire &wire) : m_wire(wire), m_buffer(1024 * 1024, Qt::Uninitialized) {}

bool MessageReader::need(qsizetype bytes)
{
    if (m_end - m_at >= bytes)
        return true;
    if (m_at + bytes > m_buffer.size() / 2) {
        std::memmove(m_buffer.data(), m_buffer.constData() + m_at, size_t(m_end - m_at));
        m_end -= m_at;
        m_at = 0;
    }
    while (m_end - m_at < bytes) {
        const qint64 n = m_wire.read(m_buffer.data() + m_end, m_buffer.size() - m_end);
        if (n <= 0)
            return false;
        m_end += n;
    }
    return true;
}

bool MessageReader::next(Message *message)
{
    do {
        if (!nextFrame(message))
            return false;
    } while (message->opcode > Close);
    return message->opcode == Text || message->opcode == Binary;
}

bool MessageReader::nextFrame(Message *message)
{
    constexpr qsizetype maskSize = 4;
    if (!need(2))
        return false;
    const int first = quint8(m_buffer[m_at]);
    qsizetype size = quint8(m_buffer[m_at + 1]) & 0x7f;
    const qsizetype head = 2 + (size == 127 ? 8 : size == 126 ? 2 : 0);
    if (!need(head + maskSize))
        return false;
    const char *length = m_buffer.constData() + m_at + 2;
    if (size == 127)
        size = qsizetype(qFromBigEndian<quint64>(length));
    else if (size == 126)
        size = qFromBigEndian<quint16>(length);
    if (size > m_buffer.size() / 4 || !need(head + maskSize + size))
        return false;
    char *frame = m_buffer.data() + m_at;
    quint32 mask = 0;
    std::memcpy(&mask, frame + head, sizeof mask);
    unmask(frame + head + maskSize, size, quint64(mask) << 32 | mask);
    *message = {first & 0x0f, (first & 0x40) != 0, {frame + head + maskSize, size}};
    m_at += head + maskSize + size;
    m_taken += head + maskSize + size;
    return true;
}

} // namespace Bench
