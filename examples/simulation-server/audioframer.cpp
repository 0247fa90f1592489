// SPDX-License-Identifier: MIT
#include "audioframer.h"

#include <cmath>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 largestNumber = 1LL << 31;

std::optional<qint64> wholeNumber(const QJsonValue &value, qint64 lowest)
{
    const double number = value.toDouble(-1);
    if (number < double(lowest) || number > double(largestNumber) || std::floor(number) < number)
        return std::nullopt;
    return qint64(number);
}

} // namespace

FramedAudio AudioFramer::takeHeader(const QJsonObject &message)
{
    if (message.contains(u"payload"_s))
        return takeEncoded(message.value(u"payload"_s).toObject());
    const std::optional<qint64> sequence = wholeNumber(message.value(u"sequence"_s), 0);
    const std::optional<qint64> size = wholeNumber(message.value(u"size"_s), 1);
    if (!sequence || !size) {
        m_skipFrame = true;
        return {{}, u"audio_chunk needs a 'sequence' from 0 and a 'size' from 1, both whole numbers"_s};
    }
    m_header = Header{*sequence, *size};
    return {};
}

FramedAudio AudioFramer::takeFrame(const QByteArray &frame)
{
    if (m_skipFrame) {
        m_skipFrame = false;
        return {};
    }
    if (!m_header)
        return {{}, u"a binary frame came without an audio_chunk header before it; it was dropped"_s};
    const Header header = *m_header;
    m_header.reset();
    if (frame.size() != header.size) {
        return {{},
                u"chunk %1 announced %2 bytes and has %3; it was dropped"_s.arg(header.sequence)
                    .arg(header.size)
                    .arg(frame.size())};
    }
    return {AudioChunk{header.sequence, frame}, {}};
}

QString AudioFramer::interrupted()
{
    m_skipFrame = false;
    if (!m_header)
        return {};
    const qint64 sequence = m_header->sequence;
    m_header.reset();
    return u"the header of chunk %1 was followed by a text instead of its binary frame; it was dropped"_s.arg(
        sequence);
}

FramedAudio AudioFramer::takeEncoded(const QJsonObject &payload) const
{
    const std::optional<qint64> sequence = wholeNumber(payload.value(u"sequence"_s), 1);
    if (!sequence)
        return {{}, u"audio_chunk needs a 'payload.sequence', a whole number from 1"_s};
    const QString format = payload.value(u"format"_s).toString(u"pcm"_s);
    if (format != u"wav"_s && format != u"pcm"_s)
        return {{}, u"this server decodes no compressed audio; send the 'format' wav or pcm"_s};
    const auto decoded = QByteArray::fromBase64Encoding(payload.value(u"chunk"_s).toString().toLatin1(),
                                                        QByteArray::AbortOnBase64DecodingErrors);
    if (!decoded || (*decoded).isEmpty())
        return {{},
                u"'payload.chunk' of chunk %1 is not base64 or is empty; it was dropped"_s.arg(*sequence)};
    return {AudioChunk{*sequence, *decoded}, {}};
}

} // namespace Everwire::Demo
