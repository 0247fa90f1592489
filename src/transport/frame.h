// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include "core/padded.h"
#include "transport/deflate.h"
#include "transport/utf8.h"

#include <QString>

#include <array>
#include <optional>

namespace Everwire {

// RFC 6455 §5.2, §11.8.
enum class Opcode : unsigned char {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
};

// What FrameReader makes of the peer's bytes.
struct Incoming
{
    enum Kind {
        Nothing, // more bytes are needed
        Text,    // a whole message, valid UTF-8
        Binary,  // a whole message
        Ping,
        Pong,
        Close,     // closeCode is the peer's, 1005 where it gave none; payload is its reason, valid UTF-8
        Violation, // closeCode is what to close with, problem what is wrong; nothing can be read after it
    };

    Kind kind = Nothing;
    PaddedView payload; // until the next read()
    int closeCode = 0;
    QString problem;
};

// A client's receiving half of RFC 6455 §5 to §8, with RFC 7692 where it was negotiated. Sans I/O: bytes in,
// messages out, and the same messages whatever pieces the bytes come in. What it holds is bounded by the
// message limit, and grows with what has come, not with what a header claims.
class EVERWIRE_EXPORT FrameReader
{
public:
    // Bytes of one message, decompressed.
    explicit FrameReader(qint64 maxMessageSize, std::optional<DeflateParameters> deflate = {});

    // Takes the next thing from the front of *input. After Violation it takes nothing more.
    [[nodiscard]] Incoming read(PaddedView *input);
    // The payload that read() has just returned, as bytes that last: moved where that is possible.
    [[nodiscard]] QByteArray takePayload(const Incoming &incoming);
    // Bytes that the peer's compression has saved.
    [[nodiscard]] qint64 bytesSaved() const { return m_inflatedBytes - m_deflatedBytes; }

private:
    struct Frame
    {
        Opcode opcode = Opcode::Continuation;
        bool isFinal = false;
        quint64 missing = 0; // bytes of payload that have not come yet
        [[nodiscard]] bool isControl() const { return quint8(opcode) >= quint8(Opcode::Close); }
    };

    [[nodiscard]] bool readHeader(PaddedView *input);
    [[nodiscard]] QString problemOfHeader(quint8 first, quint8 second) const;
    void begin(quint8 first, quint64 length);
    [[nodiscard]] bool append(QByteArrayView piece);
    [[nodiscard]] bool checkText(QByteArrayView piece);
    [[nodiscard]] bool inflatePiece(QByteArrayView piece, bool isLast);
    [[nodiscard]] Incoming finishMessage();
    [[nodiscard]] Incoming finishControl(Opcode opcode, PaddedView payload);
    [[nodiscard]] Incoming finishClose(PaddedView payload);
    void violate(int code, const QString &problem);
    [[nodiscard]] Incoming violation();

    qint64 m_maxMessageSize;
    std::optional<Inflater> m_inflater;

    std::array<char, 14> m_header{};
    int m_headerSize = 0;
    std::optional<Frame> m_frame;

    std::optional<Opcode> m_message; // the kind of the message begun
    bool m_isCompressed = false;     // it is
    QByteArray m_payload;            // of it, so far; with room for padding
    Utf8Check m_utf8;
    std::array<char, 125 + Padding> m_control{};
    int m_controlSize = 0;

    int m_violation = 0; // the close code
    QString m_problem;
    qint64 m_deflatedBytes = 0;
    qint64 m_inflatedBytes = 0;
};

// A client's sending half: frames, masked (RFC 6455 §5.3).
class EVERWIRE_EXPORT FrameWriter
{
public:
    // Bytes of a frame's payload; at least 16.
    explicit FrameWriter(qint64 maxFrameSize) : m_maxFrameSize(maxFrameSize) {}

    // All append to *out and return the bytes appended. A longer text is cut between code points, so that a peer
    // that decodes each frame alone can.
    qint64 writeText(QByteArray *out, QByteArrayView utf8);
    qint64 writeBinary(QByteArray *out, QByteArrayView bytes);
    // One message that a Deflater has compressed.
    qint64 writeDeflated(QByteArray *out, Opcode opcode, QByteArrayView deflated);
    // A control frame: at most 125 bytes of payload.
    qint64 writeControl(QByteArray *out, Opcode opcode, QByteArrayView payload);
    // The payload is cut at a code point where the reason is too long for a control frame. 1005: no payload.
    qint64 writeClose(QByteArray *out, int code, const QString &reason);

private:
    qint64 writePieces(QByteArray *out, quint8 first, QByteArrayView payload);
    static void writeFrame(QByteArray *out, quint8 first, QByteArrayView payload);

    qint64 m_maxFrameSize;
};

} // namespace Everwire
