// SPDX-License-Identifier: MIT
#include "frames.h"

#include <QtEndian>

#include <array>
#include <cstring>

QByteArray frame(int opcode, const QByteArray &payload, bool fin, int rsv)
{
    QByteArray bytes;
    bytes.reserve(payload.size() + 10);
    bytes.append(char((fin ? 0x80 : 0) | rsv << 4 | opcode));
    const qsizetype size = payload.size();
    const int sizeBytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
    bytes.append(char(sizeBytes == 0 ? size : sizeBytes == 2 ? 126 : 127));
    for (int i = sizeBytes - 1; i >= 0; --i)
        bytes.append(char(quint64(size) >> (8 * i) & 0xff));
    return bytes.append(payload);
}

QByteArray message(Opcode opcode, const QByteArray &payload, qsizetype frameSize, int rsv)
{
    if (frameSize == 0 || payload.size() <= frameSize)
        return frame(opcode, payload, true, rsv);
    QByteArray bytes;
    bytes.reserve(payload.size() + 10 * (payload.size() / frameSize + 1));
    for (qsizetype at = 0; at < payload.size(); at += frameSize)
        bytes += frame(at == 0 ? opcode : Continuation, payload.mid(at, frameSize),
                       at + frameSize >= payload.size(), at == 0 ? rsv : 0);
    return bytes;
}

QByteArray closePayload(int code, const QByteArray &reason)
{
    QByteArray payload;
    payload.append(char(code >> 8)).append(char(code & 0xff));
    return payload.append(reason);
}

void FrameReader::feed(const QByteArray &bytes)
{
    if (m_at == m_bytes.size()) {
        m_bytes.clear();
        m_at = 0;
    }
    m_bytes += bytes;
}

std::optional<ClientFrame> FrameReader::next()
{
    const auto *data = reinterpret_cast<const uchar *>(m_bytes.constData()) + m_at;
    const qsizetype there = m_bytes.size() - m_at;
    if (m_violation || there < 2)
        return {};
    ClientFrame frame;
    frame.fin = data[0] & 0x80;
    frame.rsv = data[0] >> 4 & 7;
    frame.opcode = data[0] & 0xf;
    const bool masked = data[1] & 0x80;
    quint64 size = data[1] & 0x7f;
    const qsizetype sizeBytes = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (there < 2 + sizeBytes)
        return {};
    if (sizeBytes > 0) {
        size = 0;
        for (qsizetype i = 0; i < sizeBytes; ++i)
            size = size << 8 | data[2 + i];
    }
    m_violation = wrong(frame, masked, size, sizeBytes);
    const qsizetype head = 2 + sizeBytes + 4;
    if (m_violation || there < head || quint64(there - head) < size)
        return {};

    std::array<uchar, 8> mask;
    for (size_t i = 0; i < mask.size(); ++i)
        mask[i] = data[head - 4 + qsizetype(i % 4)];
    quint64 mask8 = 0;
    std::memcpy(&mask8, mask.data(), 8);
    frame.payload.resize(qsizetype(size));
    auto *out = reinterpret_cast<uchar *>(frame.payload.data());
    const uchar *in = data + head;
    quint64 i = 0;
    // Eight bytes a step: a debug build has 16 MiB to unmask.
    for (; i + 8 <= size; i += 8) {
        quint64 eight = 0;
        std::memcpy(&eight, in + i, 8);
        eight ^= mask8;
        std::memcpy(out + i, &eight, 8);
    }
    for (; i < size; ++i)
        out[i] = in[i] ^ mask[i % 4];
    m_at += head + qsizetype(size);
    return frame;
}

const char *FrameReader::wrong(const ClientFrame &frame, bool masked, quint64 size, qsizetype sizeBytes) const
{
    constexpr quint64 most = 256 * 1024 * 1024; // beyond any case: a broken length
    const bool isControl = frame.opcode >= Close;
    if (!masked)
        return "an unmasked frame";
    if (frame.opcode > Pong || (frame.opcode > Binary && frame.opcode < Close))
        return "a frame with a reserved opcode";
    if (isControl && (!frame.fin || frame.rsv != 0 || sizeBytes > 0))
        return "a control frame that is fragmented, compressed or too long";
    if ((sizeBytes == 2 && size < 126) || (sizeBytes == 8 && size < 65536))
        return "a frame whose length is not written in the fewest bytes";
    return size > most ? "a frame of absurd length" : nullptr;
}
