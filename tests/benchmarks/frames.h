// SPDX-License-Identifier: MIT
#pragma once

#include "deflate.h"
#include "wire.h"

#include <QByteArray>

#include <vector>

namespace Bench {

enum Opcode { Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

QByteArray serverFrame(int opcode, QByteArrayView payload, bool isCompressed = false);
QByteArray clientFrame(int opcode, QByteArrayView payload);

// A run of frames that can be sent over and over.
class FrameRing
{
public:
    FrameRing() = default;
    FrameRing(const std::vector<QByteArray> &messages, int opcode, const DeflateTerms &terms);

    [[nodiscard]] int size() const { return int(m_passes[m_pass].ends.size()); }
    // So many frames from that one on.
    [[nodiscard]] QByteArrayView part(int from, int frames) const;
    // After a round: compressed frames refer to what was before them, so that the first round stands for itself.
    void wrap();
    // Writes first, first + 1, … into the first eight bytes of *frames* payloads.
    void number(int first, int frames);

private:
    struct Pass
    {
        QByteArray bytes;
        std::vector<qsizetype> ends;
    };
    Pass m_passes[2]; // NOLINT
    int m_pass = 0;
    qsizetype m_payload = 0; // of an uncompressed frame
};

// What a client sends, message by message. Nothing here is large enough to come in fragments.
class MessageReader
{
public:
    struct Message
    {
        int opcode = 0;
        bool isCompressed = false;
        QByteArrayView payload; // unmasked; until the next message
    };

    explicit MessageReader(Wire &wire);
    // The next text or binary; false at the end.
    bool next(Message *message);
    // Control frames, too; false where nothing comes any more.
    bool nextFrame(Message *message);
    // With frame headers.
    [[nodiscard]] qint64 bytesTaken() const { return m_taken; }

private:
    bool need(qsizetype bytes);

    Wire &m_wire;
    QByteArray m_buffer;
    qsizetype m_at = 0;
    qsizetype m_end = 0;
    qint64 m_taken = 0;
};

} // namespace Bench
