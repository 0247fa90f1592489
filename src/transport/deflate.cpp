// SPDX-License-Identifier: MIT
#include "transport/deflate.h"

#include "transport/buffers.h"

#include "core/padded.h"
#include "core/peertext.h"
#include "transport/headervalue.h"

#include <QStringList>

#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <array>

namespace Everwire {

namespace {

// A flushed block ends with these, which are not sent (RFC 7692 §7.2.1).
constexpr std::array<Bytef, 4> Tail{0x00, 0x00, 0xFF, 0xFF};

// Level 1 costs a tenth of level 6 for texts of some kilobytes and finds nearly as much (design/transport.md).
// The rest keeps a connection that has compressed at 100 KiB instead of zlib's usual 270.
constexpr int Level = 1;
constexpr int WindowBits = 13;
constexpr int MemoryLevel = 7;
// zlib counts in 32 bits.
constexpr qsizetype Most = 1 << 30;

bool setWindowBits(int *bits, QByteArrayView value)
{
    const bool isNumber = value.size() == 1 || (value.size() == 2 && value[0] == '1');
    if (!isNumber || !std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return false;
    const int number = value.toByteArray().toInt();
    *bits = number;
    return number >= 8 && number <= 15;
}

// A sentence, where the parameter is not one of RFC 7692 §7.1 or has a value that it cannot have.
QString setParameter(DeflateParameters *parameters, const HeaderValue::Parameter &parameter,
                     const QStringList &secrets)
{
    bool isGood = false;
    if (parameter.name == "server_no_context_takeover" && !parameter.value) {
        parameters->serverNoContextTakeover = isGood = true;
    } else if (parameter.name == "client_no_context_takeover" && !parameter.value) {
        parameters->clientNoContextTakeover = isGood = true;
    } else if (parameter.name == "server_max_window_bits" && parameter.value) {
        isGood = setWindowBits(&parameters->serverMaxWindowBits, *parameter.value);
    } else if (parameter.name == "client_max_window_bits" && parameter.value) {
        isGood = setWindowBits(&parameters->clientMaxWindowBits, *parameter.value);
    }
    if (isGood)
        return {};
    return QStringLiteral("permessage-deflate with \"%1\", which RFC 7692 does not know")
        .arg(PeerText::shownLine(parameter.name + (parameter.value ? "=" + *parameter.value : QByteArray()),
                                 secrets, PeerText::LongestName));
}

} // namespace

QByteArray deflateOffer()
{
    return QByteArrayLiteral("permessage-deflate; client_max_window_bits");
}

std::optional<DeflateParameters> deflateFromAnswer(QByteArrayView extensions, QString *problem,
                                                   const QStringList &secrets)
{
    const std::optional<QList<HeaderValue::Extension>> answer = HeaderValue::parseExtensions(extensions);
    if (!answer) {
        *problem = QStringLiteral("a Sec-WebSocket-Extensions that cannot be read");
        return {};
    }
    if (answer->size() != 1 || answer->constFirst().name != "permessage-deflate") {
        *problem = QStringLiteral("an extension that nobody asked for: %1")
                       .arg(PeerText::shownLine(extensions, secrets, PeerText::LongestName));
        return {};
    }
    DeflateParameters parameters;
    QList<QByteArray> seen;
    for (const HeaderValue::Parameter &parameter : answer->constFirst().parameters) {
        *problem = seen.contains(parameter.name)
                       ? QStringLiteral("permessage-deflate with \"%1\" twice")
                             .arg(PeerText::shownLine(parameter.name, secrets, PeerText::LongestName))
                       : setParameter(&parameters, parameter, secrets);
        if (!problem->isEmpty())
            return {};
        seen.append(parameter.name);
    }
    return parameters;
}

// ---- Deflater ----

struct Deflater::Stream
{
    z_stream zlib{};
    DeflateParameters parameters;
    QByteArray out;
    bool isOpen = false;

    ~Stream()
    {
        if (isOpen)
            deflateEnd(&zlib);
    }
    void open()
    {
        const int bits = std::min(WindowBits, parameters.clientMaxWindowBits);
        if (deflateInit2(&zlib, Level, Z_DEFLATED, -bits, MemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
            qFatal("zlib cannot allocate a compressor");
        isOpen = true;
    }
};

Deflater::Deflater(const DeflateParameters &parameters) : m_stream(std::make_unique<Stream>())
{
    m_stream->parameters = parameters;
}

Deflater::~Deflater() = default;
Deflater::Deflater(Deflater &&other) noexcept = default;
Deflater &Deflater::operator=(Deflater &&other) noexcept = default;

bool Deflater::canCompress(const DeflateParameters &parameters)
{
    return parameters.clientMaxWindowBits > 8;
}

QByteArrayView Deflater::compress(QByteArrayView message)
{
    Stream &stream = *m_stream;
    z_stream &zlib = stream.zlib;
    if (!stream.isOpen)
        stream.open();
    else if (stream.parameters.clientNoContextTakeover)
        deflateReset(&zlib);
    zlib.next_in = reinterpret_cast<const Bytef *>(message.data());
    zlib.avail_in = uInt(message.size());
    // A flush adds an empty block of at most 6 bytes to what deflateBound() knows of.
    const qsizetype bound = qsizetype(deflateBound(&zlib, uLong(message.size()))) + 16;
    if (stream.out.capacity() > KeptCapacity && bound <= KeptCapacity)
        stream.out = {};
    if (stream.out.size() < bound)
        stream.out.resize(bound);
    zlib.next_out = reinterpret_cast<Bytef *>(stream.out.data());
    zlib.avail_out = uInt(stream.out.size());
    deflate(&zlib, Z_SYNC_FLUSH);
    Q_ASSERT(zlib.avail_in == 0 && zlib.avail_out > 0);
    const qsizetype size = stream.out.size() - qsizetype(zlib.avail_out);
    // zlib flushes nothing where there is nothing new; RFC 7692 §7.2.3.6 says what an empty message is then.
    if (size < qsizetype(Tail.size()))
        return QByteArrayView("\0", 1);
    return QByteArrayView(stream.out).first(size - qsizetype(Tail.size()));
}

void Deflater::trim()
{
    // Bytes. Smaller buffers are kept, because further messages may need them.
    constexpr qsizetype large = 4 * KeptCapacity;
    if (m_stream->out.capacity() > large)
        m_stream->out = {};
}

// ---- Inflater ----

struct Inflater::Stream
{
    z_stream zlib{};
    DeflateParameters parameters;
    bool isOpen = false;
    bool hasEnded = false; // a final block (BFINAL) was the last thing in what has come
    int restarts = 0;      // of this message

    ~Stream()
    {
        if (isOpen)
            inflateEnd(&zlib);
    }
    [[nodiscard]] bool open();
    [[nodiscard]] bool begin(); // a new deflate stream behind a final block, with the same window
    [[nodiscard]] Result run(const Bytef *data, size_t size, QByteArray *out, qsizetype limit);
};

bool Inflater::Stream::open()
{
    // The largest window, whatever the server has agreed to: with a smaller one zlib takes a distance that reaches
    // too far back or refuses it, as the pieces happen to be cut. (For 2⁸ zlib itself writes streams that need 2⁹.)
    constexpr int windowBits = 15;
    isOpen = inflateInit2(&zlib, -windowBits) == Z_OK;
    return isOpen;
}

bool Inflater::Stream::begin()
{
    // Each costs a copy of the window for as little as two bytes of the peer's.
    constexpr int most = 64;
    if (++restarts > most)
        return false;
    std::array<Bytef, 32768> window{};
    uInt size = uInt(window.size());
    return inflateGetDictionary(&zlib, window.data(), &size) == Z_OK && inflateReset(&zlib) == Z_OK &&
           (size == 0 || inflateSetDictionary(&zlib, window.data(), size) == Z_OK);
}

Inflater::Result Inflater::Stream::run(const Bytef *data, size_t size, QByteArray *out, qsizetype limit)
{
    zlib.next_in = data;
    zlib.avail_in = uInt(size);
    for (;;) {
        if (hasEnded && zlib.avail_in > 0) {
            if (!begin())
                return Result::Invalid;
            hasEnded = false;
        }
        // One byte beyond the limit, so that reaching it and passing it are two things.
        const qsizetype before = out->size();
        constexpr qsizetype most = 256 * 1024;
        const qsizetype likely = std::clamp<qsizetype>(qsizetype(zlib.avail_in) * 4, 512, most);
        const qsizetype room =
            std::min({std::max(likely, out->capacity() - before - Padding), limit + 1 - before, Most});
        if (out->capacity() < before + room + Padding)
            out->reserve(
                std::max(before + room + Padding, std::min(2 * out->capacity(), limit + 1 + Padding)));
        out->resize(before + room);
        zlib.next_out = reinterpret_cast<Bytef *>(out->data() + before);
        zlib.avail_out = uInt(room);
        const int status = ::inflate(&zlib, Z_SYNC_FLUSH);
        const bool isFull = zlib.avail_out == 0;
        out->resize(before + room - qsizetype(zlib.avail_out));
        if (out->size() > limit) {
            out->resize(limit);
            return Result::TooLarge;
        }
        if (status == Z_STREAM_END)
            hasEnded = true;
        else if (status != Z_OK && status != Z_BUF_ERROR)
            return Result::Invalid;
        if (zlib.avail_in == 0 && !isFull)
            return Result::Ok;
    }
}

Inflater::Inflater(const DeflateParameters &parameters) : m_stream(std::make_unique<Stream>())
{
    m_stream->parameters = parameters;
}

Inflater::~Inflater() = default;
Inflater::Inflater(Inflater &&other) noexcept = default;
Inflater &Inflater::operator=(Inflater &&other) noexcept = default;

Inflater::Result Inflater::inflate(QByteArrayView piece, QByteArray *out, qsizetype limit)
{
    if (!m_stream->isOpen && !m_stream->open())
        return Result::Invalid;
    for (qsizetype at = 0; at < piece.size(); at += Most) {
        const QByteArrayView part = piece.sliced(at, std::min(Most, piece.size() - at));
        const Result result =
            m_stream->run(reinterpret_cast<const Bytef *>(part.data()), size_t(part.size()), out, limit);
        if (result != Result::Ok)
            return result;
    }
    return Result::Ok;
}

Inflater::Result Inflater::finish(QByteArray *out, qsizetype limit)
{
    Stream &stream = *m_stream;
    if (!stream.isOpen && !stream.open())
        return Result::Invalid;
    // Behind a final block there is either nothing, or a zero byte that the tail makes an empty block of.
    if (!stream.hasEnded) {
        const Result result = stream.run(Tail.data(), Tail.size(), out, limit);
        if (result != Result::Ok)
            return result;
        constexpr int atBlockEnd = 128;
        constexpr int unusedBits = 7;
        if (!stream.hasEnded &&
            ((stream.zlib.data_type & atBlockEnd) == 0 || (stream.zlib.data_type & unusedBits) != 0))
            return Result::Invalid;
    }
    stream.restarts = 0;
    if (stream.parameters.serverNoContextTakeover) {
        inflateReset(&stream.zlib);
        stream.hasEnded = false;
    }
    return Result::Ok;
}

} // namespace Everwire
