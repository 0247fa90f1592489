// SPDX-License-Identifier: MIT
#include "core/scalartext.h"

#include <QLocale>

#include <cmath>

namespace Everwire {

// Implements Number::toString of ECMA-262 §6.1.6.1.20.
QString numberText(double number)
{
    constexpr double leastWithExponent = 1e21;
    constexpr double mostWithExponent = 1e-6;
    const double size = std::abs(number);
    if (number == 0)
        return QStringLiteral("0"); // also for -0
    if (size < leastWithExponent && size >= mostWithExponent)
        return QString::number(number, 'f', QLocale::FloatingPointShortest);
    QString text = QString::number(number, 'e', QLocale::FloatingPointShortest);
    // JavaScript writes "1e-7", Qt "1e-07".
    const qsizetype sign = text.indexOf(QLatin1Char('e')) + 1;
    while (text.size() > sign + 2 && text.at(sign + 1) == QLatin1Char('0'))
        text.remove(sign + 1, 1);
    return text;
}

std::optional<QString> scalarText(const QVariant &value)
{
    switch (value.typeId()) {
    case QMetaType::UnknownType:
    case QMetaType::Nullptr:
    case QMetaType::Void: return QString();
    case QMetaType::QJsonValue: return scalarText(value.toJsonValue());
    case QMetaType::Float:
    case QMetaType::Double: {
        const double number = value.toDouble();
        return std::isfinite(number) ? std::optional<QString>(numberText(number)) : std::nullopt;
    }
    case QMetaType::QStringList:
    case QMetaType::QVariantList:
    case QMetaType::QVariantMap:
    case QMetaType::QVariantHash:
    case QMetaType::QJsonArray:
    case QMetaType::QJsonObject: return std::nullopt;
    default: return value.canConvert<QString>() ? std::optional<QString>(value.toString()) : std::nullopt;
    }
}

std::optional<QString> scalarText(const QJsonValue &value)
{
    if (value.isArray() || value.isObject())
        return std::nullopt;
    return scalarText(value.toVariant());
}

} // namespace Everwire
