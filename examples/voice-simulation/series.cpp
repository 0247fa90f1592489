// SPDX-License-Identifier: MIT
#include "series.h"

#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

namespace {

constexpr qreal margin = 4;      // for the dot and half the pen
constexpr qreal widestStep = 10; // so that the first few values do not stretch over everything
constexpr qreal barWidth = 3;
constexpr qreal narrowestBarStep = 5;
constexpr qreal widestBarStep = 6.5;

// As loud as it sounds: 0 at -50 dB, 1 at -6 dB.
qreal perceived(qreal level)
{
    const qreal decibels = 20 * std::log10(std::max(level, 1e-5));
    return std::clamp((decibels + 50) / 44, 0.0, 1.0);
}

} // namespace

Series::Series(QQuickItem *parent) : QQuickPaintedItem(parent)
{
    setAntialiasing(true);
}

void Series::setValues(const QList<qreal> &values)
{
    if (values == m_values)
        return;
    m_values = values;
    update();
    Q_EMIT valuesChanged();
}

void Series::setStyle(Style style)
{
    if (style == m_style)
        return;
    m_style = style;
    update();
    Q_EMIT styleChanged();
}

void Series::setColor(const QColor &color)
{
    if (color == m_color)
        return;
    m_color = color;
    update();
    Q_EMIT colorChanged();
}

void Series::paint(QPainter *painter)
{
    if (m_values.isEmpty())
        return;
    if (m_style == Line)
        paintLine(painter);
    else
        paintVoice(painter);
}

void Series::paintLine(QPainter *painter) const
{
    const qreal top = *std::max_element(m_values.begin(), m_values.end());
    const qreal step =
        std::min(widestStep, (width() - 2 * margin) / std::max<qreal>(1, qreal(m_values.size() - 1)));
    const qreal right = width() - margin;
    const qreal bottom = height() - margin;
    QPolygonF line;
    for (qsizetype i = 0; i < m_values.size(); ++i) {
        const qreal share = top > 0 ? m_values[i] / top : 0;
        line.append({right - qreal(m_values.size() - 1 - i) * step, bottom - share * (bottom - margin)});
    }

    QPolygonF area = line;
    area << QPointF(right, height()) << QPointF(line.first().x(), height());
    QColor fill = m_color;
    fill.setAlphaF(0.14F);
    painter->setPen(Qt::NoPen);
    painter->setBrush(fill);
    painter->drawPolygon(area);
    painter->setBrush(m_color);
    painter->drawEllipse(line.last(), 3, 3);
    painter->setBrush(Qt::NoBrush);
    painter->setPen(QPen(m_color, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter->drawPolyline(line);
}

void Series::paintVoice(QPainter *painter) const
{
    const auto bars = std::max<qsizetype>(1, qsizetype(width() / narrowestBarStep));
    const qsizetype count = std::min(bars, m_values.size());
    const qreal step = std::clamp(width() / qreal(count), narrowestBarStep, widestBarStep);
    painter->setPen(Qt::NoPen);
    painter->setBrush(m_color);
    for (qsizetype bar = 0; bar < count; ++bar) {
        const qsizetype from = bar * m_values.size() / count;
        const qsizetype to = std::max(from + 1, (bar + 1) * m_values.size() / count);
        const qreal loudest = *std::max_element(m_values.begin() + from, m_values.begin() + to);
        const qreal tall = std::max(barWidth, perceived(loudest) * height());
        painter->drawRoundedRect(QRectF(qreal(bar) * step, (height() - tall) / 2, barWidth, tall),
                                 barWidth / 2, barWidth / 2);
    }
}
