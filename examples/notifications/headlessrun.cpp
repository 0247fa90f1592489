// SPDX-License-Identifier: MIT
#include "headlessrun.h"

#include <Everwire/Connection>
#include <Everwire/NotificationFeed>

#include <QCoreApplication>
#include <QImage>
#include <QQuickWindow>

#include <chrono>
#include <cstdio>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int fewestNotifications = 3;
constexpr auto longestWait = 30s;
constexpr auto untilItStands = 450ms; // what slides in has arrived by then

void say(const QString &line)
{
    std::printf("%s\n", qUtf8Printable(line));
    std::fflush(stdout);
}

} // namespace

HeadlessRun::HeadlessRun(QQuickWindow *window, const QString &picture, QObject *parent)
    : QObject(parent)
    , m_window(window)
    , m_feed(window->property("feed").value<Everwire::NotificationFeed *>())
    , m_picture(picture)
{
    m_look.setInterval(50ms);
    connect(&m_look, &QTimer::timeout, this, &HeadlessRun::look);
    m_look.start();
    m_patience.setSingleShot(true);
    connect(&m_patience, &QTimer::timeout, this, [this] { fail(missing()); });
    m_patience.start(longestWait);
}

// Empty when nothing is.
QString HeadlessRun::missing() const
{
    if (!m_feed->error().isEmpty())
        return m_feed->error();
    if (m_feed->notifications()->count() < fewestNotifications)
        return u"there are only %1 notifications"_s.arg(m_feed->notifications()->count());
    if (!m_window->property("toastIsShown").toBool())
        return u"no notification came while the window was open"_s;
    if (m_window->property("percent").toDouble() <= 0)
        return u"the assessment makes no progress"_s;
    if (m_window->property("price").toDouble() <= 0)
        return u"there is no price"_s;
    return {};
}

void HeadlessRun::look()
{
    if (!missing().isEmpty())
        return;
    m_look.stop();
    m_patience.stop();
    for (int row = fewestNotifications; row < m_feed->notifications()->count(); ++row)
        m_feed->markAsRead(m_feed->notifications()->at(row).notificationId);
    QTimer::singleShot(untilItStands, this, &HeadlessRun::finish);
}

void HeadlessRun::finish()
{
    if (!takePicture()) {
        fail(u"there is no picture of the window"_s);
        return;
    }
    printTranscript();
    QCoreApplication::exit(0);
}

bool HeadlessRun::takePicture() const
{
    const QImage image = m_window->grabWindow();
    return !image.isNull() && (m_picture.isEmpty() || image.save(m_picture));
}

void HeadlessRun::printTranscript() const
{
    const Everwire::NotificationModel *notifications = m_feed->notifications();
    say(u"-- connected as %1, %2 unread --"_s.arg(m_feed->connection()->sessionInfo().userId())
            .arg(m_feed->unreadCount()));
    for (int row = notifications->count() - 1; row >= 0; --row) {
        const auto notification = notifications->at(row);
        say(u"%1: %2"_s.arg(notification.title, notification.message));
    }
    say(u"Assessment: %1 %"_s.arg(m_window->property("percent").toInt()));
    say(u"Price: %1"_s.arg(m_window->property("price").toDouble(), 0, 'f', 2));
}

void HeadlessRun::fail(const QString &reason)
{
    m_look.stop();
    takePicture(); // it may show why
    std::fprintf(stderr, "everwire-notifications: %s\n", qUtf8Printable(reason));
    QCoreApplication::exit(1);
}
