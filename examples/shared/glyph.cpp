// SPDX-License-Identifier: MIT
#include "glyph.h"

#include <QPainter>
#include <QPainterPath>

#include <initializer_list>

namespace {

// All on a square of 24.
constexpr qreal grid = 24;

using Points = std::initializer_list<QPointF>;

void addLine(QPainterPath &path, Points points)
{
    path.moveTo(*points.begin());
    for (const QPointF *point = points.begin() + 1; point != points.end(); ++point)
        path.lineTo(*point);
}

QPainterPath polygon(Points points)
{
    QPainterPath path;
    addLine(path, points);
    path.closeSubpath();
    return path;
}

QPainterPath bell()
{
    QPainterPath path;
    path.moveTo(4, 17.5);
    path.cubicTo(6, 15.5, 6, 13, 6, 10);
    path.cubicTo(6, 2, 18, 2, 18, 10);
    path.cubicTo(18, 13, 18, 15.5, 20, 17.5);
    path.closeSubpath();
    path.moveTo(9.8, 20.5);
    path.cubicTo(10.6, 21.9, 13.4, 21.9, 14.2, 20.5);
    return path;
}

QPainterPath microphone()
{
    QPainterPath path;
    path.addRoundedRect(8.5, 2.5, 7, 12, 3.5, 3.5);
    path.arcMoveTo(5, 4.5, 14, 14, 180);
    path.arcTo(5, 4.5, 14, 14, 180, 180);
    addLine(path, {{12, 18.5}, {12, 21.5}});
    return path;
}

QPainterPath wave()
{
    QPainterPath path;
    addLine(path, {{4, 10}, {4, 14}});
    addLine(path, {{8, 6}, {8, 18}});
    addLine(path, {{12, 3}, {12, 21}});
    addLine(path, {{16, 7}, {16, 17}});
    addLine(path, {{20, 10}, {20, 14}});
    return path;
}

QPainterPath retry()
{
    QPainterPath path;
    path.arcMoveTo(4, 4, 16, 16, 20);
    path.arcTo(4, 4, 16, 16, 20, 300);
    addLine(path, {{20.2, 4.2}, {19.5, 9.3}, {14.5, 8.6}});
    return path;
}

// A line with a cut through it.
QPainterPath cut()
{
    QPainterPath path;
    addLine(path, {{2, 12}, {8, 12}});
    addLine(path, {{16, 12}, {22, 12}});
    addLine(path, {{9, 18.5}, {15, 5.5}});
    return path;
}

QPainterPath sun()
{
    QPainterPath path;
    path.addEllipse(QPointF(12, 12), 4, 4);
    for (int i = 0; i < 8; ++i) {
        const QLineF ray = QLineF::fromPolar(1, 45.0 * i);
        addLine(path, {QPointF(12, 12) + ray.p2() * 7, QPointF(12, 12) + ray.p2() * 9.3});
    }
    return path;
}

QPainterPath moon()
{
    QPainterPath disc, shade;
    disc.addEllipse(QPointF(12, 12), 8.5, 8.5);
    shade.addEllipse(QPointF(16, 8.5), 7, 7);
    return disc.subtracted(shade);
}

QPainterPath coach()
{
    QPainterPath path;
    path.arcMoveTo(5.5, 2.5, 13, 13, -60);
    path.arcTo(5.5, 2.5, 13, 13, -60, 300);
    path.lineTo(9.5, 17.5);
    path.lineTo(14.5, 17.5);
    path.closeSubpath();
    addLine(path, {{10, 21}, {14, 21}});
    return path;
}

QPainterPath warning()
{
    QPainterPath path = polygon({{12, 3.5}, {21.5, 20}, {2.5, 20}});
    addLine(path, {{12, 10}, {12, 14}});
    addLine(path, {{12, 16.9}, {12, 17.1}});
    return path;
}

QPainterPath pathOf(Glyph::Name name)
{
    QPainterPath path;
    switch (name) {
    case Glyph::None: break;
    case Glyph::Bell: return bell();
    case Glyph::Microphone: return microphone();
    case Glyph::Stop: path.addRoundedRect(6, 6, 12, 12, 2, 2); break;
    case Glyph::Play: return polygon({{8, 5}, {19, 12}, {8, 19}});
    case Glyph::Wave: return wave();
    case Glyph::Retry: return retry();
    case Glyph::Cut: return cut();
    case Glyph::Sun: return sun();
    case Glyph::Moon: return moon();
    case Glyph::Back: addLine(path, {{14.5, 5.5}, {8, 12}, {14.5, 18.5}}); break;
    case Glyph::Check: addLine(path, {{5, 12.5}, {10, 17.5}, {19.5, 7}}); break;
    case Glyph::Close:
        addLine(path, {{6, 6}, {18, 18}});
        addLine(path, {{18, 6}, {6, 18}});
        break;
    case Glyph::Coach: return coach();
    case Glyph::Warning: return warning();
    case Glyph::Chevron: addLine(path, {{6, 9.5}, {12, 15.5}, {18, 9.5}}); break;
    }
    return path;
}

bool isSolid(Glyph::Name name)
{
    return name == Glyph::Stop || name == Glyph::Play;
}

} // namespace

Glyph::Glyph(QQuickItem *parent) : QQuickPaintedItem(parent)
{
    setAntialiasing(true);
    setImplicitSize(20, 20);
}

void Glyph::setName(Name name)
{
    if (name == m_name)
        return;
    m_name = name;
    update();
    Q_EMIT nameChanged();
}

void Glyph::setColor(const QColor &color)
{
    if (color == m_color)
        return;
    m_color = color;
    update();
    Q_EMIT colorChanged();
}

void Glyph::paint(QPainter *painter)
{
    const qreal side = qMin(width(), height());
    painter->translate((width() - side) / 2, (height() - side) / 2);
    draw(*painter, m_name, m_color, side);
}

void Glyph::draw(QPainter &painter, Name name, const QColor &color, qreal side)
{
    painter.scale(side / grid, side / grid);
    painter.setPen(QPen(color, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.setBrush(isSolid(name) ? QBrush(color) : QBrush());
    painter.drawPath(pathOf(name));
}
