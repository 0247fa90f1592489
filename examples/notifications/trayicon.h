// SPDX-License-Identifier: MIT
#pragma once

#include <QSystemTrayIcon>

class QWindow;

namespace Everwire {
class NotificationFeed;
}

// The bell in the system's tray, with how many are unread. A click brings the window to the front.
class TrayIcon : public QSystemTrayIcon
{
    Q_OBJECT

public:
    TrayIcon(Everwire::NotificationFeed *feed, QWindow *window, QObject *parent = nullptr);

private:
    void showCount();

    Everwire::NotificationFeed *m_feed;
};
