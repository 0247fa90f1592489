// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>

#include <QDeadlineTimer>
#include <QObject>
#include <QTimer>

#include <optional>

namespace Everwire {

// Lets through at most one message per interval: the newest. The first one after a pause of an interval goes
// through at once, and the last one of a burst always goes through. No timer runs unless a message waits.
class Conflater final : public QObject
{
    Q_OBJECT

public:
    explicit Conflater(QObject *parent = nullptr);

    // 0: every message, at once. What waits goes through now.
    void setInterval(int milliseconds);
    [[nodiscard]] int interval() const { return m_interval; }

    void push(const Message &message);
    // Forgets what waits.
    void clear();
    [[nodiscard]] bool isIdle() const { return !m_timer.isActive(); }

Q_SIGNALS:
    // Whoever hears it may delete the conflater.
    void due(const Everwire::Message &message);

private:
    void tick();
    void letThrough(const Message &message, int next);

    QTimer m_timer; // active: m_waiting waits for it
    std::optional<Message> m_waiting;
    QDeadlineTimer m_next;   // when another may go through
    bool m_replaced = false; // what waits is not the first that does
    int m_interval = 0;
};

} // namespace Everwire
