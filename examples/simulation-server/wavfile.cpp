// SPDX-License-Identifier: MIT
#include "wavfile.h"

#include <QtEndian>

#include <algorithm>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

namespace {

constexpr quint16 pcmFormat = 0x0001;
constexpr quint16 extensibleFormat = 0xFFFE;

struct WavLayout
{
    quint16 format = 0;
    quint16 channels = 0;
    quint32 sampleRate = 0;
    quint16 bits = 0;
    qsizetype dataOffset = -1;
    qsizetype dataSize = 0;
};

template<typename T>
T readAt(const QByteArray &data, qsizetype offset)
{
    if (offset < 0 || offset + qsizetype(sizeof(T)) > data.size())
        return 0;
    return qFromLittleEndian<T>(data.constData() + offset);
}

void readFormat(const QByteArray &data, qsizetype at, qsizetype size, WavLayout &layout)
{
    if (size < 16 || at + 16 > data.size())
        return;
    layout.format = readAt<quint16>(data, at);
    layout.channels = readAt<quint16>(data, at + 2);
    layout.sampleRate = readAt<quint32>(data, at + 4);
    layout.bits = readAt<quint16>(data, at + 14);
    // The extensible form keeps the real format in the first two bytes of a GUID.
    if (layout.format == extensibleFormat && size >= 26 && at + 26 <= data.size())
        layout.format = readAt<quint16>(data, at + 24);
}

WavLayout readLayout(const QByteArray &data)
{
    WavLayout layout;
    qsizetype at = 12;
    while (at + 8 <= data.size()) {
        const QByteArray id = data.mid(at, 4);
        const qsizetype size = qsizetype(readAt<quint32>(data, at + 4));
        at += 8;
        if (id == "data") {
            // A recorder that streams writes 0 or 0xFFFFFFFF here: everything that follows is audio.
            const qsizetype rest = data.size() - at;
            layout.dataOffset = at;
            layout.dataSize = size == 0 ? rest : std::min(size, rest);
            return layout;
        }
        if (id == "fmt ")
            readFormat(data, at, size, layout);
        at += size + (size & 1);
    }
    return layout;
}

QString layoutObjection(const WavLayout &layout)
{
    if (layout.format == 0)
        return u"the WAV header has no format; send a complete 'fmt ' chunk before 'data'"_s;
    if (layout.format != pcmFormat) {
        return u"the WAV data is compressed or not integer (format 0x%1); send 16-bit PCM"_s.arg(
            layout.format, 4, 16, '0'_L1);
    }
    if (layout.bits != 16)
        return u"the WAV data has %1 bits a sample; send 16-bit PCM"_s.arg(layout.bits);
    if (layout.channels < 1 || layout.channels > 8)
        return u"the WAV data has %1 channels; send 1 to 8"_s.arg(layout.channels);
    if (layout.sampleRate < 8000 || layout.sampleRate > 192000)
        return u"the WAV data has a rate of %1 Hz; send 8000 to 192000"_s.arg(layout.sampleRate);
    return {};
}

QString containerName(const QByteArray &data)
{
    if (data.startsWith("\x1A\x45\xDF\xA3"))
        return u"WebM"_s;
    if (data.startsWith("OggS"))
        return u"Ogg"_s;
    if (data.startsWith("ID3"))
        return u"MP3"_s;
    if (data.startsWith("fLaC"))
        return u"FLAC"_s;
    if (data.size() >= 8 && data.mid(4, 4) == "ftyp")
        return u"MP4"_s;
    return {};
}

std::vector<qint16> mixDown(const QByteArray &data, qsizetype offset, qsizetype size, int channels)
{
    const qsizetype frames = size / (2 * channels);
    std::vector<qint16> samples;
    samples.reserve(size_t(frames));
    for (qsizetype frame = 0; frame < frames; ++frame) {
        int sum = 0;
        for (int channel = 0; channel < channels; ++channel)
            sum += readAt<qint16>(data, offset + 2 * (frame * channels + channel));
        samples.push_back(qint16(sum / channels));
    }
    return samples;
}

} // namespace

bool startsWithWavHeader(const QByteArray &data)
{
    return data.size() >= 12 && data.startsWith("RIFF") && data.mid(8, 4) == "WAVE";
}

QString audioObjection(const QByteArray &data)
{
    const QString container = containerName(data);
    if (!container.isEmpty())
        return u"%1 audio is compressed; send 16-bit PCM or WAV"_s.arg(container);
    if (!startsWithWavHeader(data))
        return {};
    const WavLayout layout = readLayout(data);
    const bool headerMayGoOn = layout.dataOffset < 0 && layout.format == 0;
    return headerMayGoOn ? QString() : layoutObjection(layout);
}

DecodedAudio decodeAudio(const QByteArray &data)
{
    const QString container = containerName(data);
    if (!container.isEmpty())
        return {{}, 16000, u"%1 audio is compressed; send 16-bit PCM or WAV"_s.arg(container)};
    if (!startsWithWavHeader(data))
        return {mixDown(data, 0, data.size(), 1), 16000, {}};
    const WavLayout layout = readLayout(data);
    const QString objection = layoutObjection(layout);
    if (!objection.isEmpty())
        return {{}, 16000, objection};
    if (layout.dataOffset < 0)
        return {{}, 16000, u"the WAV header has no 'data' chunk; send the samples after it"_s};
    return {mixDown(data, layout.dataOffset, layout.dataSize, layout.channels), int(layout.sampleRate), {}};
}

QByteArray withoutWavHeader(const QByteArray &data)
{
    if (!startsWithWavHeader(data))
        return data;
    const WavLayout layout = readLayout(data);
    return layout.dataOffset < 0 ? data : data.mid(layout.dataOffset, layout.dataSize);
}

QByteArray encodeWav(const std::vector<qint16> &samples, int sampleRate)
{
    QByteArray wav;
    const auto append16 = [&wav](quint16 value) {
        value = qToLittleEndian(value);
        wav.append(reinterpret_cast<const char *>(&value), sizeof value);
    };
    const auto append32 = [&wav](quint32 value) {
        value = qToLittleEndian(value);
        wav.append(reinterpret_cast<const char *>(&value), sizeof value);
    };
    const auto bytes = quint32(samples.size() * 2);
    wav.reserve(44 + qsizetype(bytes));
    wav.append("RIFF");
    append32(36 + bytes);
    wav.append("WAVEfmt ");
    append32(16);
    append16(pcmFormat);
    append16(1);
    append32(quint32(sampleRate));
    append32(quint32(sampleRate) * 2);
    append16(2);
    append16(16);
    wav.append("data");
    append32(bytes);
    for (const qint16 sample : samples)
        append16(quint16(sample));
    return wav;
}

} // namespace Everwire::Demo
