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
    // picture: a file's name; empty for none. rows: so many messages are waited for, too, for a picture that shows
    // something.
    HeadlessRun(MonitorWindow *window, const QString &picture, int rows, QObject *parent = nullptr);

private:
    void look();
    void finish();

    MonitorWindow *m_window;
    QString m_picture;
    int m_rows;
    QTimer m_patience;
    int m_answers = 0;
    bool m_isDone = false;
};
