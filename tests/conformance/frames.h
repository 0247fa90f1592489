// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>

#include <optional>

// RFC 6455's frames as the server of the conformance cases writes and reads them. Shares no code with the library:
// a misreading of the RFC would not show if both sides had it.
enum Opcode : int {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xa,
};

// A server's frame: unmasked, and as wrong as its arguments. rsv: RSV1 is 4, RSV2 is 2, RSV3 is 1.
QByteArray frame(int opcode, const QByteArray &payload = {}, bool fin = true, int rsv = 0);
// A whole message in frames of at most frameSize bytes of payload; 0: in one.
QByteArray message(Opcode opcode, const QByteArray &payload, qsizetype frameSize = 0, int rsv = 0);
QByteArray closePayload(int code, const QByteArray &reason = {});

struct ClientFrame
{
    int opcode = 0;
    int rsv = 0;
    bool fin = true;
    QByteArray payload; // unmasked
};

// Takes a client's bytes apart and minds what a client must not do.
class FrameReader
{
public:
    void feed(const QByteArray &bytes);
    // nullopt: more bytes are needed, or there is a violation().
    [[nodiscard]] std::optional<ClientFrame> next();
    // Why the bytes are no frame that a client may send; nullptr: they are.
    [[nodiscard]] const char *violation() const { return m_violation; }

private:
    [[nodiscard]] const char *wrong(const ClientFrame &frame, bool masked, quint64 size,
                                    qsizetype sizeBytes) const;

    QByteArray m_bytes;
    qsizetype m_at = 0; // what lies before has been read
    const char *m_violation = nullptr;
};
