// SPDX-License-Identifier: MIT
#include "statusdot.h"

#include <QPainter>

using Everwire::Connection;

namespace {

QColor colorOf(Connection::State state)
{
    switch (state) {
    case Connection::Connected: return {0x2e, 0xa0, 0x43};
    case Connection::Error: return {0xcf, 0x22, 0x2e};
    case Connection::Disconnected: return {0x8b, 0x94, 0x9e};
    default: return {0xd2, 0x99, 0x22};
    }
}

} // namespace

void StatusDot::setState(Connection::State state)
{
    m_state = state;
    update();
}

QSize StatusDot::sizeHint() const
{
    const int side = fontMetrics().height();
    return {side, side};
}

void StatusDot::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colorOf(m_state));
    const double radius = fontMetrics().height() * 0.3;
    painter.drawEllipse(QRectF(rect()).center(), radius, radius);
}
