// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>
#include <QTimer>

class QQuickWindow;

namespace Everwire {
class NotificationFeed;
}

// Waits until the window shows what it is made for, reads some of it, prints it, takes a picture and ends the
// application: 0, or 1 with the reason where that did not come about in time.
class HeadlessRun : public QObject
{
    Q_OBJECT

public:
    // picture: a file's name; empty for none.
    HeadlessRun(QQuickWindow *window, const QString &picture, QObject *parent = nullptr);

private:
    [[nodiscard]] QString missing() const;
    void look();
    void finish();
    bool takePicture() const;
    void printTranscript() const;
    void fail(const QString &reason);

    QQuickWindow *m_window;
    Everwire::NotificationFeed *m_feed;
    QString m_picture;
    QTimer m_look;
    QTimer m_patience;
};
