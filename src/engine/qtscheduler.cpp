// SPDX-License-Identifier: MIT
#include "engine/qtscheduler.h"

#include <QTimer>

#include <algorithm>
#include <limits>

namespace Everwire {

namespace {

using std::chrono::milliseconds;

// The longest interval of a QTimer, which counts milliseconds in 31 bits (24 days). With a longer
// one it would never fire.
constexpr milliseconds Longest{std::numeric_limits<int>::max()};

class PendingQTimer final : public Scheduler::Pending
{
public:
    PendingQTimer(std::chrono::milliseconds delay, std::function<void()> callback) : m_timer(new QTimer)
    {
        m_timer->setSingleShot(true);
        m_timer->setTimerType(Qt::PreciseTimer);
        // The callback may destroy this object, and with it the lambda that runs: the call goes to a copy.
        QObject::connect(m_timer, &QTimer::timeout, m_timer, [this, callback = std::move(callback)] {
            if (m_left > std::chrono::milliseconds(0)) {
                startNext();
                return;
            }
            const auto running = callback;
            running();
        });
        m_left = std::max(delay, std::chrono::milliseconds(0));
        startNext();
    }

    ~PendingQTimer() override
    {
        m_timer->disconnect();
        m_timer->stop();
        m_timer->deleteLater();
    }

    Q_DISABLE_COPY_MOVE(PendingQTimer)

private:
    // A delay above Longest is split into several intervals.
    void startNext()
    {
        const milliseconds part = std::min(m_left, Longest);
        m_left -= part;
        m_timer->start(part);
    }

    QTimer *m_timer;
    std::chrono::milliseconds m_left{}; // the delay that remains after the current interval
};

} // namespace

QtScheduler::QtScheduler()
{
    m_clock.start();
}

std::chrono::milliseconds QtScheduler::now() const
{
    return std::chrono::milliseconds(m_clock.elapsed());
}

Scheduler::Timer QtScheduler::after(std::chrono::milliseconds delay, std::function<void()> callback)
{
    return std::make_unique<PendingQTimer>(delay, std::move(callback));
}

} // namespace Everwire
