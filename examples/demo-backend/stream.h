// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonObject>
#include <QList>
#include <QObject>
#include <QTimer>

#include <chrono>
#include <functional>

namespace Everwire::Demo {

// One message after the other, for everybody who listens. It stands still while nobody does, and goes on where it was.
class Stream : public QObject
{
    Q_OBJECT

public:
    // Makes the message of each step from 0; an empty object is a step in silence.
    using Content = std::function<QJsonObject(int step)>;

    Stream(Content content, std::chrono::milliseconds interval, QObject *parent = nullptr);

    // A new listener hears the last count messages at once, so that a reconnect misses nothing.
    void setRepeats(int count) { m_repeats = count; }
    // The first count messages come with the first listener.
    void setHeadStart(int count) { m_headStart = count; }

    void join(QObject *listener, const std::function<void(const QJsonObject &)> &send);
    void leave(QObject *listener);

private:
    struct Listener
    {
        QObject *who;
        std::function<void(const QJsonObject &)> send;
    };

    void next();

    Content m_content;
    QTimer m_timer{this}; // it moves to the thread of its stream
    QList<Listener> m_listeners;
    QList<QJsonObject> m_sent; // the last m_repeats
    int m_repeats = 0;
    int m_headStart = 0;
    int m_step = 0;
};

} // namespace Everwire::Demo
