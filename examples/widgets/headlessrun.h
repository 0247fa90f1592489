// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>
#include <QTimer>

class MonitorWindow;

// Sends two messages, waits for their answers, prints what the window shows, takes a picture and ends the application:
// 0, or 1 with the reason where that did not come about in time.
class HeadlessRun : public QObject
{
    Q_OBJECT

public:
    // picture: a file's name; empty for none.
    HeadlessRun(MonitorWindow *window, const QString &picture, QObject *parent = nullptr);

private:
    void look();
    void finish();

    MonitorWindow *m_window;
    QString m_picture;
    QTimer m_patience;
    int m_answers = 0;
    bool m_isDone = false;
};
