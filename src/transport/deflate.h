// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QByteArray>
#include <QString>
#include <QStringList>

#include <memory>
#include <optional>

namespace Everwire {

// permessage-deflate (RFC 7692) with zlib; sans I/O.

// What client and server agreed on (§7.1).
struct DeflateParameters
{
    bool serverNoContextTakeover = false;
    bool clientNoContextTakeover = false;
    int serverMaxWindowBits = 15; // 8 to 15; known, not needed: what comes is read with the largest window
    int clientMaxWindowBits = 15;
};

// The value of Sec-WebSocket-Extensions that offers it, as browsers do.
[[nodiscard]] EVERWIRE_EXPORT QByteArray deflateOffer();
// Reads the server's Sec-WebSocket-Extensions. If it is not a valid answer to that offer, returns
// nothing and a sentence in *problem*. *secrets* are masked in what the sentence quotes.
[[nodiscard]] EVERWIRE_EXPORT std::optional<DeflateParameters>
deflateFromAnswer(QByteArrayView extensions, QString *problem, const QStringList &secrets = {});

// Compresses messages. Allocates nothing before the first one.
class EVERWIRE_EXPORT Deflater
{
public:
    explicit Deflater(const DeflateParameters &parameters);
    ~Deflater();
    Deflater(Deflater &&other) noexcept;
    Deflater &operator=(Deflater &&other) noexcept;

    // Whether the agreement can be kept: zlib has no raw deflate with a window of 2⁸ bytes. Without it
    // messages go uncompressed, which the RFC allows for any message.
    [[nodiscard]] static bool canCompress(const DeflateParameters &parameters);

    // What must be sent for this message: once it was called, the message must go compressed, because the
    // peer needs it for the next one (§7.2.1). Valid until the next call. The message has at most 2³⁰ bytes.
    [[nodiscard]] QByteArrayView compress(QByteArrayView message);
    // Frees the buffer of a large message. The result of compress() is invalid afterwards.
    void trim();

private:
    struct Stream;
    std::unique_ptr<Stream> m_stream;
};

// Decompresses messages, in pieces. Allocates nothing before the first one.
class EVERWIRE_EXPORT Inflater
{
public:
    enum class Result { Ok, Invalid, TooLarge };

    explicit Inflater(const DeflateParameters &parameters);
    ~Inflater();
    Inflater(Inflater &&other) noexcept;
    Inflater &operator=(Inflater &&other) noexcept;

    // Appends what the piece holds to *out, which never grows beyond limit bytes (at most 2⁴⁰), whatever the piece claims.
    [[nodiscard]] Result inflate(QByteArrayView piece, QByteArray *out, qsizetype limit);
    // The message's last piece has been given.
    [[nodiscard]] Result finish(QByteArray *out, qsizetype limit);

private:
    struct Stream;
    std::unique_ptr<Stream> m_stream;
};

} // namespace Everwire
