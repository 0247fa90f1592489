// SPDX-License-Identifier: MIT
#include "transport/frame.h"

#include "transport/buffers.h"

#include "core/closecode.h"

#include <QRandomGenerator>
#include <QtEndian>

#include <algorithm>
#include <utility>

#if __has_include(<sys/random.h>)
#include <sys/random.h>
#include <unistd.h> // where musl has getentropy()
#endif

namespace Everwire {

namespace {

constexpr quint8 FinalBit = 0x80;
constexpr quint8 CompressedBit = 0x40; // RSV1 (RFC 7692 §6)
constexpr quint8 ReservedBits = 0x70;
constexpr quint8 OpcodeBits = 0x0F;
constexpr quint8 MaskBit = 0x80;
constexpr quint8 LengthBits = 0x7F;
constexpr qsizetype MaxControlPayload = 125;

// A header's word is good for so much memory; beyond it, it grows with what has come.
constexpr quint64 Trusted = 256 * 1024;
// "No limit" may be as much as a number holds; with this one can be reckoned.
constexpr qint64 LargestLimit = qint64(1) << 40;

bool isControl(quint8 opcode)
{
    return opcode >= quint8(Opcode::Close);
}

bool isKnown(quint8 opcode)
{
    return opcode <= quint8(Opcode::Binary) ||
           (opcode >= quint8(Opcode::Close) && opcode <= quint8(Opcode::Pong));
}

// RFC 6455 §7.4 and IANA's registry: what may stand in a Close frame.
bool isSendable(int code)
{
    if (code >= 3000 && code <= 4999)
        return true;
    return code >= CloseCode::Normal && code <= 1014 && code != 1004 && code != CloseCode::NoStatus &&
           code != CloseCode::Abnormal;
}

QByteArrayView take(PaddedView *input, quint64 most)
{
    const qsizetype size = qsizetype(std::min<quint64>(most, quint64(input->size())));
    const QByteArrayView piece = input->bytes().first(size);
    *input = {input->data() + size, input->size() - size};
    return piece;
}

// Makes room for *size* more bytes and the padding: to what they need, or twice what there was.
void makeRoom(QByteArray *bytes, qsizetype size, qsizetype limit)
{
    const qsizetype needed = bytes->size() + size + Padding;
    if (bytes->capacity() < needed)
        bytes->reserve(std::max(needed, std::min(2 * bytes->capacity(), limit + Padding)));
}

} // namespace

// ---- FrameReader ----

FrameReader::FrameReader(qint64 maxMessageSize, std::optional<DeflateParameters> deflate)
    : m_maxMessageSize(std::min(maxMessageSize, LargestLimit))
{
    if (deflate)
        m_inflater.emplace(*deflate);
}

Incoming FrameReader::read(PaddedView *input)
{
    if (!m_message && m_payload.capacity() > KeptCapacity)
        m_payload = {};
    while (m_violation == 0) {
        if (!m_frame && !readHeader(input))
            break;
        Frame &frame = *m_frame;
        const bool isWhole = frame.missing <= quint64(input->size());
        if (frame.isControl()) {
            const QByteArrayView piece = take(input, frame.missing);
            std::copy(piece.begin(), piece.end(), m_control.begin() + m_controlSize);
            m_controlSize += int(piece.size());
            frame.missing -= quint64(piece.size());
            if (!isWhole)
                break;
            const Opcode opcode = frame.opcode;
            m_frame.reset();
            return finishControl(opcode, {m_control.data(), std::exchange(m_controlSize, 0)});
        }
        if (isWhole && frame.isFinal && frame.opcode != Opcode::Continuation && !m_isCompressed &&
            m_payload.isEmpty()) {
            // The usual message: it lies in the input as it is, and is not copied.
            const qsizetype size = qsizetype(frame.missing);
            const PaddedView payload(input->data(), size);
            *input = {input->data() + size, input->size() - size};
            const bool isText = *m_message == Opcode::Text;
            m_frame.reset();
            m_message.reset();
            if (isText && !isUtf8(payload.bytes())) {
                violate(CloseCode::InvalidData, QStringLiteral("a text that is not UTF-8"));
                break;
            }
            return {isText ? Incoming::Text : Incoming::Binary, payload, 0, {}};
        }
        const QByteArrayView piece = take(input, frame.missing);
        frame.missing -= quint64(piece.size());
        const bool isLast = isWhole && frame.isFinal;
        if (!(m_isCompressed ? inflatePiece(piece, isLast) : append(piece)))
            break;
        if (!isWhole)
            break;
        m_frame.reset();
        if (isLast)
            return finishMessage();
    }
    return m_violation != 0 ? violation() : Incoming();
}

QByteArray FrameReader::takePayload(const Incoming &incoming)
{
    // Not with room in it that a larger message has left: the inbox counts what messages hold.
    const bool isTight = m_payload.capacity() <= 2 * m_payload.size() + 1024;
    if (incoming.payload.data() == m_payload.constData() && !m_payload.isEmpty() && isTight)
        return std::exchange(m_payload, {});
    return incoming.payload.toByteArray();
}

// Whether there is a whole one, which is then m_frame.
bool FrameReader::readHeader(PaddedView *input)
{
    for (;;) {
        const quint8 second = quint8(m_header[1]);
        const quint8 shortLength = second & LengthBits;
        const int needed = m_headerSize < 2 ? 2 : 2 + (shortLength == 127 ? 8 : shortLength == 126 ? 2 : 0);
        const QByteArrayView piece = take(input, quint64(needed - m_headerSize));
        std::copy(piece.begin(), piece.end(), m_header.begin() + m_headerSize);
        m_headerSize += int(piece.size());
        if (m_headerSize < needed)
            return false;
        if (needed == 2) {
            const QString problem = problemOfHeader(quint8(m_header[0]), quint8(m_header[1]));
            if (!problem.isEmpty()) {
                violate(CloseCode::ProtocolError, problem);
                return false;
            }
            if ((quint8(m_header[1]) & LengthBits) >= 126)
                continue;
        }
        const quint8 length = quint8(m_header[1]) & LengthBits;
        quint64 full = length;
        if (length == 126)
            full = qFromBigEndian<quint16>(m_header.data() + 2);
        else if (length == 127)
            full = qFromBigEndian<quint64>(m_header.data() + 2);
        m_headerSize = 0;
        // RFC 6455 §5.2: the most significant bit is 0, and the shortest form is used.
        if (full >> 63 || (length == 126 && full < 126) || (length == 127 && full < 65536)) {
            violate(CloseCode::ProtocolError,
                    QStringLiteral("a frame whose length is not written as RFC 6455 wants it"));
            return false;
        }
        begin(quint8(m_header[0]), full);
        return m_violation == 0;
    }
}

QString FrameReader::problemOfHeader(quint8 first, quint8 second) const
{
    const quint8 opcode = first & OpcodeBits;
    const bool isContinuation = opcode == quint8(Opcode::Continuation);
    const bool mayBeCompressed = m_inflater && !isControl(opcode) && !isContinuation;
    if ((first & ReservedBits & ~(mayBeCompressed ? CompressedBit : 0)) != 0)
        return QStringLiteral("a frame with a reserved bit that no extension was agreed on for");
    if (!isKnown(opcode))
        return QStringLiteral("a frame with the reserved opcode %1").arg(opcode);
    if ((second & MaskBit) != 0)
        return QStringLiteral("a masked frame, which only a client may send");
    if (isControl(opcode) && ((first & FinalBit) == 0 || (second & LengthBits) > MaxControlPayload))
        return QStringLiteral("a control frame that is fragmented or longer than 125 bytes");
    if (isContinuation && !m_message)
        return QStringLiteral("a continuation of nothing");
    if (!isControl(opcode) && !isContinuation && m_message)
        return QStringLiteral("a new message inside a fragmented one");
    return {};
}

void FrameReader::begin(quint8 first, quint64 length)
{
    Frame frame;
    frame.opcode = Opcode(first & OpcodeBits);
    frame.isFinal = (first & FinalBit) != 0;
    frame.missing = length;
    if (!frame.isControl()) {
        if (frame.opcode != Opcode::Continuation) {
            m_message = frame.opcode;
            m_isCompressed = (first & CompressedBit) != 0;
            m_payload.resize(0);
            m_utf8.reset();
        }
        // What a compressed message comes to is seen while it is inflated.
        if (!m_isCompressed && length > quint64(m_maxMessageSize - m_payload.size())) {
            violate(CloseCode::MessageTooBig,
                    QStringLiteral("a message above the limit of %1 bytes").arg(m_maxMessageSize));
            return;
        }
        if (!m_isCompressed && length <= Trusted && !frame.isFinal)
            makeRoom(&m_payload, qsizetype(length), m_maxMessageSize);
    }
    m_frame = frame;
}

bool FrameReader::append(QByteArrayView piece)
{
    const quint64 ahead = std::min(Trusted, m_frame->missing);
    makeRoom(&m_payload, piece.size() + qsizetype(ahead), m_maxMessageSize);
    m_payload.append(piece.data(), piece.size());
    return checkText(piece);
}

bool FrameReader::checkText(QByteArrayView piece)
{
    if (*m_message != Opcode::Text || m_utf8.feed(piece))
        return true;
    violate(CloseCode::InvalidData, QStringLiteral("a text that is not UTF-8"));
    return false;
}

bool FrameReader::inflatePiece(QByteArrayView piece, bool isLast)
{
    const qsizetype before = m_payload.size();
    Inflater::Result result = m_inflater->inflate(piece, &m_payload, m_maxMessageSize);
    if (result == Inflater::Result::Ok && isLast)
        result = m_inflater->finish(&m_payload, m_maxMessageSize);
    m_deflatedBytes += piece.size();
    m_inflatedBytes += m_payload.size() - before;
    switch (result) {
    case Inflater::Result::Invalid:
        violate(CloseCode::InvalidData, QStringLiteral("a compressed message that cannot be decompressed"));
        return false;
    case Inflater::Result::TooLarge:
        violate(CloseCode::MessageTooBig,
                QStringLiteral("a compressed message above the limit of %1 bytes").arg(m_maxMessageSize));
        return false;
    case Inflater::Result::Ok: break;
    }
    return checkText(QByteArrayView(m_payload).sliced(before));
}

Incoming FrameReader::finishMessage()
{
    const bool isText = *m_message == Opcode::Text;
    m_message.reset();
    if (isText && !m_utf8.isComplete()) {
        violate(CloseCode::InvalidData, QStringLiteral("a text that ends inside a character"));
        return violation();
    }
    makeRoom(&m_payload, 0, m_maxMessageSize);
    return {isText ? Incoming::Text : Incoming::Binary, {m_payload.constData(), m_payload.size()}, 0, {}};
}

Incoming FrameReader::finishControl(Opcode opcode, PaddedView payload)
{
    if (opcode == Opcode::Close)
        return finishClose(payload);
    return {opcode == Opcode::Ping ? Incoming::Ping : Incoming::Pong, payload, 0, {}};
}

Incoming FrameReader::finishClose(PaddedView payload)
{
    if (payload.size() == 0)
        return {Incoming::Close, {}, CloseCode::NoStatus, {}};
    if (payload.size() == 1) {
        violate(CloseCode::ProtocolError, QStringLiteral("a Close frame with half a code"));
        return violation();
    }
    const int code = qFromBigEndian<quint16>(payload.data());
    if (!isSendable(code)) {
        violate(CloseCode::ProtocolError,
                QStringLiteral("a Close frame with the code %1, which none may have").arg(code));
        return violation();
    }
    const PaddedView reason(payload.data() + 2, payload.size() - 2);
    if (!isUtf8(reason.bytes())) {
        violate(CloseCode::InvalidData, QStringLiteral("a Close frame whose reason is not UTF-8"));
        return violation();
    }
    return {Incoming::Close, reason, code, {}};
}

void FrameReader::violate(int code, const QString &problem)
{
    m_violation = code;
    m_problem = problem;
    m_payload = {};
}

Incoming FrameReader::violation()
{
    return {Incoming::Violation, {}, m_violation, m_problem};
}

// ---- FrameWriter ----

namespace {

void copyMasked(char *to, const char *from, qsizetype size, quint32 mask)
{
    const quint64 wide = quint64(mask) << 32 | mask;
    qsizetype at = 0;
    for (; at + 8 <= size; at += 8) {
        quint64 word;
        std::memcpy(&word, from + at, 8);
        word ^= wide;
        std::memcpy(to + at, &word, 8);
    }
    std::array<char, 4> bytes{};
    std::memcpy(bytes.data(), &mask, 4);
    for (qsizetype i = 0; at < size; ++at, ++i)
        to[at] = char(from[at] ^ bytes[size_t(i & 3)]);
}

} // namespace

qint64 FrameWriter::writeText(QByteArray *out, QByteArrayView utf8)
{
    const qsizetype before = out->size();
    quint8 opcode = quint8(Opcode::Text);
    do {
        const QByteArrayView piece = utf8.first(cutAtCodePoint(utf8, m_maxFrameSize));
        utf8 = utf8.sliced(piece.size());
        writeFrame(out, quint8(opcode | (utf8.isEmpty() ? FinalBit : 0)), piece);
        opcode = quint8(Opcode::Continuation);
    } while (!utf8.isEmpty());
    return out->size() - before;
}

qint64 FrameWriter::writeBinary(QByteArray *out, QByteArrayView bytes)
{
    return writePieces(out, quint8(Opcode::Binary), bytes);
}

qint64 FrameWriter::writeDeflated(QByteArray *out, Opcode opcode, QByteArrayView deflated)
{
    return writePieces(out, quint8(quint8(opcode) | CompressedBit), deflated);
}

qint64 FrameWriter::writePieces(QByteArray *out, quint8 first, QByteArrayView payload)
{
    const qsizetype before = out->size();
    do {
        const QByteArrayView piece = payload.first(std::min<qsizetype>(m_maxFrameSize, payload.size()));
        payload = payload.sliced(piece.size());
        writeFrame(out, quint8(first | (payload.isEmpty() ? FinalBit : 0)), piece);
        first = quint8(Opcode::Continuation);
    } while (!payload.isEmpty());
    return out->size() - before;
}

qint64 FrameWriter::writeControl(QByteArray *out, Opcode opcode, QByteArrayView payload)
{
    const qsizetype before = out->size();
    writeFrame(out, quint8(FinalBit | quint8(opcode)),
               payload.first(std::min(MaxControlPayload, payload.size())));
    return out->size() - before;
}

qint64 FrameWriter::writeClose(QByteArray *out, int code, const QString &reason)
{
    if (code == CloseCode::NoStatus)
        return writeControl(out, Opcode::Close, {});
    QByteArray payload(2, Qt::Uninitialized);
    qToBigEndian(quint16(code), payload.data());
    const QByteArray utf8 = reason.toUtf8();
    payload.append(utf8.constData(), cutAtCodePoint(utf8, MaxControlPayload - 2));
    return writeControl(out, Opcode::Close, payload);
}

namespace {

// Qt's own generator asks the processor, which on some of AMD's takes a microsecond for eight bytes.
void fillFromSystem(std::array<quint32, 64> &values)
{
#if __has_include(<sys/random.h>)
    static_assert(sizeof(values) <= 256); // which it gives at once
    if (getentropy(values.data(), sizeof(values)) == 0)
        return;
#endif
    QRandomGenerator::system()->fillRange(values.data(), qsizetype(values.size()));
}

// From the system's generator, as RFC 6455 §10.3 wants them; in batches, because each call of it costs.
class Masks
{
public:
    [[nodiscard]] quint32 next()
    {
        if (m_left == 0) {
            fillFromSystem(m_masks);
            m_left = m_masks.size();
        }
        return m_masks[--m_left];
    }

private:
    std::array<quint32, 64> m_masks{};
    size_t m_left = 0;
};

} // namespace

void FrameWriter::writeFrame(QByteArray *out, quint8 first, QByteArrayView payload)
{
    constexpr qsizetype largestHeader = 14;
    const qsizetype size = payload.size();
    const qsizetype before = out->size();
    // QByteArray::resize() alone makes room for exactly so much, so that each frame would copy all before it.
    if (out->capacity() < before + size + largestHeader)
        out->reserve(std::max(before + size + largestHeader, 2 * out->capacity()));
    const qsizetype headerSize = 6 + (size < 126 ? 0 : size < 65536 ? 2 : 8);
    out->resize(before + headerSize + size);
    char *to = out->data() + before;
    to[0] = char(first);
    to[1] = char(MaskBit | (size < 126 ? size : size < 65536 ? 126 : 127));
    if (size >= 65536)
        qToBigEndian(quint64(size), to + 2);
    else if (size >= 126)
        qToBigEndian(quint16(size), to + 2);
    thread_local Masks masks;
    const quint32 mask = masks.next();
    std::memcpy(to + headerSize - 4, &mask, 4);
    copyMasked(to + headerSize, payload.data(), size, mask);
}

} // namespace Everwire
