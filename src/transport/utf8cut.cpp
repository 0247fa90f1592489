// SPDX-License-Identifier: MIT
#include "transport/utf8cut.h"

#include <QString>

namespace Everwire {

namespace {

bool isInsideCodePoint(char byte)
{
    return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

bool cutsAtCodePoints(QByteArrayView utf8, qint64 frameSize)
{
    for (qint64 at = frameSize; at < utf8.size(); at += frameSize) {
        if (isInsideCodePoint(utf8[at]))
            return false;
    }
    return true;
}

} // namespace

qint64 frameSizeForText(QByteArrayView utf8, qint64 maxFrameSize)
{
    if (utf8.size() <= maxFrameSize)
        return maxFrameSize;
    for (qint64 size = maxFrameSize; size > maxFrameSize / 2; --size) {
        if (cutsAtCodePoints(utf8, size))
            return size;
    }
    return 0;
}

QByteArray escapedAtCuts(const QByteArray &json, qint64 frameSize)
{
    QByteArray result;
    result.reserve(json.size() + 12 * (json.size() / frameSize + 1));
    qint64 cut = frameSize;
    for (qsizetype begin = 0, end = 0; begin < json.size(); begin = end) {
        end = begin + 1;
        while (end < json.size() && isInsideCodePoint(json[end]))
            ++end;
        const bool split = result.size() < cut && result.size() + (end - begin) > cut;
        if (split) {
            const QString character = QString::fromUtf8(json.constData() + begin, end - begin);
            for (const QChar unit : character)
                result += "\\u" + QByteArray::number(unit.unicode(), 16).rightJustified(4, '0');
        } else {
            result.append(json.constData() + begin, end - begin);
        }
        while (result.size() >= cut)
            cut += frameSize;
    }
    return result;
}

} // namespace Everwire
