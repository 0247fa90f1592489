// SPDX-License-Identifier: MIT
#include "trayicon.h"

#include "glyph.h"

#include <Everwire/NotificationFeed>

#include <QPainter>
#include <QWindow>

using namespace Qt::StringLiterals;

namespace {

constexpr int side = 64;
constexpr int mostShown = 99;

void drawBadge(QPainter &painter, int count)
{
    const QRect badge(side * 3 / 8, 0, side * 5 / 8, side * 5 / 8);
    painter.setPen(Qt::NoPen);
    painter.setBrush(QColor(u"#d3362a"_s));
    painter.drawEllipse(badge);
    QFont font;
    font.setBold(true);
    font.setPixelSize(count > 9 ? side / 3 : side / 2);
    painter.setFont(font);
    painter.setPen(Qt::white);
    painter.drawText(badge, Qt::AlignCenter, QString::number(qMin(count, mostShown)));
}

// A tray may be light or dark: a bell on a ground of its own is seen on both.
QIcon bell(int unread)
{
    QPixmap pixmap(side, side);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(QColor(u"#3d4fd6"_s));
    painter.drawRoundedRect(0, 0, side, side, side / 5.0, side / 5.0);
    painter.save();
    painter.translate(side / 8.0, side / 8.0);
    Glyph::draw(painter, Glyph::Bell, Qt::white, side * 0.75);
    painter.restore();
    if (unread > 0)
        drawBadge(painter, unread);
    return pixmap;
}

} // namespace

TrayIcon::TrayIcon(Everwire::NotificationFeed *feed, QWindow *window, QObject *parent)
    : QSystemTrayIcon(parent), m_feed(feed)
{
    connect(feed, &Everwire::NotificationFeed::unreadCountChanged, this, &TrayIcon::showCount);
    connect(this, &QSystemTrayIcon::activated, window, [window] {
        window->show();
        window->raise();
        window->requestActivate();
    });
    showCount();
    show();
}

void TrayIcon::showCount()
{
    const int unread = m_feed->unreadCount();
    setIcon(bell(unread));
    setToolTip(unread == 0 ? tr("Nothing unread") : tr("%n unread", nullptr, unread));
}
