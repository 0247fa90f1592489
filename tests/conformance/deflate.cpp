// SPDX-License-Identifier: MIT
#include "deflate.h"

#include <QList>

#include <algorithm>
#include <array>
#include <utility>

#include <zlib.h>

namespace {

struct Offer
{
    int serverBits = 15;
    bool serverNoTakeover = false;
    bool clientBitsAllowed = false;
    QByteArray granted; // the parameters for the server, as they are answered
};

// nullopt: another extension, or parameters that permessage-deflate does not have.
std::optional<Offer> parsed(const QByteArray &text)
{
    const QList<QByteArray> parts = text.split(';');
    if (parts.first().trimmed() != "permessage-deflate")
        return {};
    Offer offer;
    for (qsizetype i = 1; i < parts.size(); ++i) {
        const QByteArray parameter = parts[i].trimmed();
        const qsizetype equals = parameter.indexOf('=');
        const QByteArray name = equals < 0 ? parameter : parameter.left(equals);
        const QByteArray value = equals < 0 ? QByteArray() : parameter.mid(equals + 1).replace('"', "");
        const int bits = value.toInt();
        if (name == "server_no_context_takeover" && value.isEmpty()) {
            offer.serverNoTakeover = true;
            offer.granted += "; server_no_context_takeover";
        } else if (name == "server_max_window_bits" && bits >= 9 && bits <= 15) {
            // 8 is allowed too, but zlib cannot compress so.
            offer.serverBits = bits;
            offer.granted += "; server_max_window_bits=" + QByteArray::number(bits);
        } else if (name == "client_max_window_bits" && (value.isEmpty() || (bits >= 8 && bits <= 15))) {
            offer.clientBitsAllowed = true;
        } else if (name != "client_no_context_takeover" || !value.isEmpty()) {
            return {};
        }
    }
    return offer;
}

void check(int result)
{
    if (result != Z_OK)
        qFatal("zlib: %d", result);
}

} // namespace

std::optional<DeflateAnswer> answerDeflate(const QByteArray &offers, const std::vector<DeflateWish> &wishes)
{
    for (const DeflateWish &wish : wishes) {
        for (const QByteArray &text : offers.split(',')) {
            const std::optional<Offer> offer = parsed(text);
            if (!offer || (wish.clientMaxWindowBits > 0 && !offer->clientBitsAllowed))
                continue;
            DeflateAnswer answer;
            answer.serverBits = offer->serverBits;
            answer.serverTakesOver = !offer->serverNoTakeover;
            answer.clientTakesOver = !wish.clientNoContextTakeover;
            answer.header = "permessage-deflate" + offer->granted;
            if (wish.clientNoContextTakeover)
                answer.header += "; client_no_context_takeover";
            if (wish.clientMaxWindowBits > 0) {
                answer.clientBits = wish.clientMaxWindowBits;
                answer.header += "; client_max_window_bits=" + QByteArray::number(wish.clientMaxWindowBits);
            }
            return answer;
        }
    }
    return {};
}

struct Deflate::Streams
{
    z_stream out{};
    z_stream in{};
};

Deflate::Deflate(const DeflateAnswer &answer)
    : m_streams(std::make_unique<Streams>())
    , m_serverTakesOver(answer.serverTakesOver)
    , m_clientTakesOver(answer.clientTakesOver)
{
    // The fastest level: the client is measured, not the server.
    check(deflateInit2(&m_streams->out, Z_BEST_SPEED, Z_DEFLATED, -answer.serverBits, 8, Z_DEFAULT_STRATEGY));
    check(inflateInit2(&m_streams->in, -answer.clientBits));
}

Deflate::~Deflate()
{
    deflateEnd(&m_streams->out);
    inflateEnd(&m_streams->in);
}

QByteArray Deflate::compressed(const QByteArray &message)
{
    z_stream &stream = m_streams->out;
    if (!m_serverTakesOver)
        check(deflateReset(&stream));
    QByteArray bytes(qsizetype(deflateBound(&stream, uLong(message.size()))) + 16, Qt::Uninitialized);
    stream.next_in = reinterpret_cast<z_const Bytef *>(const_cast<char *>(message.constData()));
    stream.avail_in = uInt(message.size());
    stream.next_out = reinterpret_cast<Bytef *>(bytes.data());
    stream.avail_out = uInt(bytes.size());
    check(deflate(&stream, Z_SYNC_FLUSH));
    bytes.resize(bytes.size() - qsizetype(stream.avail_out));
    if (!bytes.endsWith(QByteArrayView("\x00\x00\xff\xff", 4)))
        qFatal("zlib did not flush");
    bytes.chop(4);
    return bytes;
}

std::optional<QByteArray> Deflate::decompressed(const QByteArray &message)
{
    z_stream &stream = m_streams->in;
    if (!m_clientTakesOver)
        check(inflateReset(&stream));
    QByteArray in = message + QByteArray("\x00\x00\xff\xff", 4);
    stream.next_in = reinterpret_cast<Bytef *>(in.data());
    stream.avail_in = uInt(in.size());
    QByteArray bytes;
    // In small pieces: within one call inflate() looks back over all that the call has put out, and would not see
    // that a client compresses with a larger window than it may.
    std::array<char, 512> piece;
    do {
        stream.next_out = reinterpret_cast<Bytef *>(piece.data());
        stream.avail_out = uInt(piece.size());
        const int result = inflate(&stream, Z_SYNC_FLUSH);
        // A final block may end a message (RFC 7692 §7.2.3.4): what follows starts afresh.
        if (result == Z_STREAM_END)
            check(inflateReset(&stream));
        else if (result != Z_OK && result != Z_BUF_ERROR)
            return {};
        bytes.append(piece.data(), qsizetype(piece.size() - stream.avail_out));
    } while (stream.avail_out == 0 || stream.avail_in > 0);
    return bytes;
}
