// SPDX-License-Identifier: MIT
#include "wav.h"

#include <QDataStream>
#include <QIODevice>

namespace Wav {

QByteArray toPcm(const QByteArray &wav)
{
    if (!wav.startsWith("RIFF") || wav.mid(8, 4) != "WAVE")
        return {};
    QDataStream stream(wav);
    stream.setByteOrder(QDataStream::LittleEndian);
    stream.skipRawData(12);
    bool isOurs = false;
    while (!stream.atEnd()) {
        QByteArray name(4, '\0');
        quint32 size = 0;
        stream.readRawData(name.data(), 4);
        stream >> size;
        const qint64 begin = stream.device()->pos();
        if (name == "data")
            return isOurs ? wav.mid(begin, qsizetype(size)) : QByteArray();
        if (name == "fmt ") {
            quint16 format = 0, channels = 0, blockAlign = 0, bits = 0;
            quint32 rate = 0, bytesPerSecond = 0;
            stream >> format >> channels >> rate >> bytesPerSecond >> blockAlign >> bits;
            isOurs = format == 1 && channels == 1 && rate == sampleRate && bits == 16;
        }
        if (!stream.device()->seek(begin + size + (size & 1)))
            break;
    }
    return {};
}

QByteArray fromPcm(const QByteArray &pcm)
{
    QByteArray wav;
    QDataStream stream(&wav, QIODevice::WriteOnly);
    stream.setByteOrder(QDataStream::LittleEndian);
    const auto size = quint32(pcm.size());
    stream.writeRawData("RIFF", 4);
    stream << quint32(36 + size);
    stream.writeRawData("WAVEfmt ", 8);
    stream << quint32(16) << quint16(1) << quint16(1) << quint32(sampleRate) << quint32(sampleRate * 2)
           << quint16(2) << quint16(16);
    stream.writeRawData("data", 4);
    stream << size;
    return wav + pcm;
}

} // namespace Wav
