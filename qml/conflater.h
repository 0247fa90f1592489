// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>

#include <QObject>
#include <QTimer>

#include <chrono>
#include <optional>

namespace Everwire {

// Lets through at most one message per interval, on the whole: the newest. The first one after a pause of an interval goes
// through at once, and the last one of a burst always goes through. No timer runs unless a message waits.
class Conflater final : public QObject
{
    Q_OBJECT

public:
    explicit Conflater(QObject *parent = nullptr);

    // Milliseconds; 0: every message, at once. What waits goes through now.
    void setInterval(int interval);
    [[nodiscard]] int interval() const { return m_interval; }

    void push(const Message &message);
    // Forgets what waits.
    void clear();
    [[nodiscard]] bool isIdle() const { return !m_timer.isActive(); }

Q_SIGNALS:
    // Whoever hears it may delete the conflater.
    void due(const Everwire::Message &message);

private:
    using Clock = std::chrono::steady_clock;

    void tick();
    void letThrough(const Message &message, Clock::duration earlier = {});

    QTimer m_timer; // active: m_waiting waits for it
    std::optional<Message> m_waiting;
    Clock::time_point m_next;  // when another may go through
    Clock::duration m_spare{}; // in which others might have gone through and did not; an interval at most
    bool m_replaced = false;   // what waits is not the first that does
    int m_interval = 0;
};

} // namespace Everwire
