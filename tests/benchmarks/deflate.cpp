// SPDX-License-Identifier: MIT
#include "deflate.h"

#include <QList>

#include <array>

namespace Bench {

namespace {

constexpr std::array<char, 4> Tail = {0, 0, char(0xff), char(0xff)}; // RFC 7692 §7.2.1

// zlib's structure wants pointers to what it does not change.
Bytef *input(const char *bytes)
{
    return const_cast<Bytef *>(reinterpret_cast<const Bytef *>(bytes)); // NOLINT
}

} // namespace

DeflateTerms DeflateTerms::from(const QByteArray &offer)
{
    DeflateTerms terms;
    const QByteArray first = offer.split(',').first();
    for (const QByteArray &part : first.split(';')) {
        const QByteArray name = part.trimmed();
        if (name == "permessage-deflate")
            terms.isAgreed = true;
        else if (name == "server_no_context_takeover")
            terms.serverKeepsContext = false;
        else if (name.startsWith("server_max_window_bits=")) {
            terms.windowBitsWereAsked = true;
            terms.serverWindowBits = name.mid(name.indexOf('=') + 1).replace('"', "").toInt();
        }
    }
    // zlib cannot write raw deflate of a smaller window.
    terms.isAgreed = terms.isAgreed && terms.serverWindowBits > 8;
    return terms;
}

QByteArray DeflateTerms::answer() const
{
    QByteArray text = "permessage-deflate";
    if (!serverKeepsContext)
        text += "; server_no_context_takeover";
    if (windowBitsWereAsked)
        text += "; server_max_window_bits=" + QByteArray::number(serverWindowBits);
    return text;
}

Deflater::Deflater(const DeflateTerms &terms) : m_keepsContext(terms.serverKeepsContext)
{
    if (deflateInit2(&m_zlib, 6, Z_DEFLATED, -terms.serverWindowBits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        qFatal("zlib has no memory");
}

Deflater::~Deflater()
{
    deflateEnd(&m_zlib);
}

QByteArray Deflater::deflate(QByteArrayView message)
{
    if (!m_keepsContext)
        deflateReset(&m_zlib);
    QByteArray payload(qsizetype(deflateBound(&m_zlib, uLong(message.size()))) + 16, Qt::Uninitialized);
    m_zlib.next_in = input(message.data());
    m_zlib.avail_in = uInt(message.size());
    m_zlib.next_out = reinterpret_cast<Bytef *>(payload.data());
    m_zlib.avail_out = uInt(payload.size());
    ::deflate(&m_zlib, Z_SYNC_FLUSH);
    payload.chop(qsizetype(m_zlib.avail_out) + qsizetype(Tail.size()));
    return payload;
}

Inflater::Inflater() : m_room(1024 * 1024, Qt::Uninitialized)
{
    if (inflateInit2(&m_zlib, -15) != Z_OK)
        qFatal("zlib has no memory");
}

Inflater::~Inflater()
{
    inflateEnd(&m_zlib);
}

bool Inflater::inflate(QByteArrayView payload, QByteArrayView *message)
{
    m_zlib.next_out = reinterpret_cast<Bytef *>(m_room.data());
    m_zlib.avail_out = uInt(m_room.size());
    for (const QByteArrayView part : {payload, QByteArrayView(Tail.data(), qsizetype(Tail.size()))}) {
        m_zlib.next_in = input(part.data());
        m_zlib.avail_in = uInt(part.size());
        const int result = ::inflate(&m_zlib, Z_SYNC_FLUSH);
        if (m_zlib.avail_in > 0 || (result != Z_OK && result != Z_BUF_ERROR))
            return false;
    }
    *message = QByteArrayView(m_room.constData(), m_room.size() - qsizetype(m_zlib.avail_out));
    return true;
}

} // namespace Bench
