// SPDX-License-Identifier: MIT
#include "phrasing.h"

#include <QRegularExpression>

#include <algorithm>
#include <cmath>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

QString numberInWords(int number)
{
    static const QStringList words{u"no"_s,  u"one"_s,   u"two"_s,   u"three"_s, u"four"_s, u"five"_s,
                                   u"six"_s, u"seven"_s, u"eight"_s, u"nine"_s,  u"ten"_s};
    return number >= 0 && number < words.size() ? words[number] : QString::number(number);
}

QString pausePhrase(int count, double seconds)
{
    QString length = u"%1 seconds"_s.arg(seconds, 0, 'g', 2);
    if (std::abs(seconds - 0.5) < 0.01)
        length = u"half a second"_s;
    else if (std::abs(seconds - 1) < 0.01)
        length = u"a second"_s;
    const QString noun = count == 1 ? u"pause"_s : u"pauses"_s;
    return u"%1 %2 over %3"_s.arg(numberInWords(count), noun, length);
}

QString trendPhrase(const SpeechMeasure &now, const std::optional<SpeechMeasure> &before)
{
    if (!before)
        return u"a first impression"_s;
    const double louder = now.loudnessDbfs - before->loudnessDbfs;
    const double faster = now.syllablesPerSecond - before->syllablesPerSecond;
    if (std::abs(louder) >= 4)
        return louder > 0 ? u"louder than last time"_s : u"quieter than last time"_s;
    if (std::abs(faster) >= 0.8)
        return faster > 0 ? u"faster than last time"_s : u"slower than last time"_s;
    return u"much like last time"_s;
}

QString fillPlaceholders(const QString &text, const QHash<QString, QString> &values)
{
    static const QRegularExpression pattern(u"\\{([a-z_]+)\\}"_s);
    QString filled;
    qsizetype copied = 0;
    for (auto it = pattern.globalMatch(text); it.hasNext();) {
        const QRegularExpressionMatch match = it.next();
        filled += QStringView(text).mid(copied, match.capturedStart() - copied);
        filled += values.value(match.captured(1), match.captured(0));
        copied = match.capturedEnd();
    }
    return filled + text.mid(copied);
}

QStringList splitIntoParts(const QString &text, int length)
{
    const qsizetype wanted = std::min(qsizetype(length), text.size() / 2);
    QStringList parts;
    qsizetype start = 0;
    while (start < text.size()) {
        const qsizetype space = text.indexOf(u' ', start + wanted);
        const qsizetype end = space < 0 ? text.size() : space + 1;
        parts.append(text.mid(start, end - start));
        start = end;
    }
    if (parts.size() == 1 && text.trimmed().contains(u' ')) {
        const qsizetype cut = text.trimmed().indexOf(u' ') + 1;
        parts = {text.left(cut), text.mid(cut)};
    }
    return parts;
}

} // namespace Everwire::Demo
