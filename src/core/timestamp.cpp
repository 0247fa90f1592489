// SPDX-License-Identifier: MIT
#include "core/timestamp.h"

#include <QRegularExpression>
#include <QTimeZone>

#include <cmath>
#include <optional>

namespace Everwire::Timestamp {

namespace {

constexpr double LargestSeconds = 1e11;
constexpr double Furthest = 8.64e15; // ms, the limit of JavaScript's Date (ECMA-262 §21.4.1.1)
constexpr int SecondsPerDay = 24 * 60 * 60;

QDateTime fromNumber(double number)
{
    const double milliseconds =
        std::abs(number) < LargestSeconds ? std::round(number * 1000) : std::trunc(number);
    if (!(std::abs(milliseconds) <= Furthest))
        return {};
#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)
    const auto utc = QTimeZone::UTC;
#else
    const auto utc = Qt::UTC;
#endif
    return QDateTime::fromMSecsSinceEpoch(qint64(milliseconds), utc);
}

// Seconds east of UTC, from "", "Z", "+02", "+0200" or "-02:00".
std::optional<int> offsetOf(const QString &zone)
{
    if (zone.isEmpty() || zone.compare(QLatin1Char('z'), Qt::CaseInsensitive) == 0)
        return 0;
    const QString digits = zone.mid(1).remove(QLatin1Char(':'));
    const int hours = QStringView(digits).left(2).toInt();
    const int minutes = QStringView(digits).mid(2).toInt();
    if (hours > 23 || minutes > 59)
        return std::nullopt;
    const int seconds = (60 * hours + minutes) * 60;
    return zone.startsWith(QLatin1Char('-')) ? -seconds : seconds;
}

// Milliseconds since midnight. A leap second counts as the second before it.
std::optional<qint64> millisecondsOf(const QRegularExpressionMatch &match)
{
    const int hours = match.captured(4).toInt();
    const int minutes = match.captured(5).toInt();
    const int seconds = match.captured(6).toInt();
    const double fraction = QString(QStringLiteral("0.") + match.captured(7)).toDouble();
    const bool isMidnight = hours == 24 && minutes == 0 && seconds == 0 && fraction == 0;
    if ((hours > 23 && !isMidnight) || minutes > 59 || seconds > 60)
        return std::nullopt;
    return (qint64(60 * hours + minutes) * 60 + std::min(seconds, 59)) * 1000 + qint64(fraction * 1000);
}

} // namespace

QDateTime fromText(const QString &text)
{
    static const QRegularExpression form(QStringLiteral(
        "\\A\\s*(\\d{4})-(\\d\\d)-(\\d\\d)(?:[Tt ](\\d\\d):(\\d\\d)(?::(\\d\\d)(?:[.,](\\d+))?)?"
        "\\s*([Zz]|[+-]\\d\\d(?::?\\d\\d)?)?)?\\s*\\z"));
    bool isNumber = false;
    const double number = text.toDouble(&isNumber);
    if (isNumber)
        return fromNumber(number);
    const QRegularExpressionMatch match = form.match(text);
    const QDate date(match.captured(1).toInt(), match.captured(2).toInt(), match.captured(3).toInt());
    const std::optional<int> offset = offsetOf(match.captured(8));
    const std::optional<qint64> time = millisecondsOf(match);
    if (!match.hasMatch() || !date.isValid() || !offset || !time)
        return {};
    const qint64 days = QDate(1970, 1, 1).daysTo(date);
    return fromNumber(0).addMSecs((days * SecondsPerDay - *offset) * 1000 + *time);
}

QDateTime fromJson(const QJsonValue &value)
{
    return value.isString() ? fromText(value.toString()) : fromNumber(value.toDouble(std::nan("")));
}

} // namespace Everwire::Timestamp
