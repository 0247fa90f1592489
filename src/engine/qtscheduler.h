// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include "engine/scheduler.h"

#include <QElapsedTimer>

namespace Everwire {

// Real time by QTimer, precise to the millisecond; belongs to the thread that uses it.
class EVERWIRE_EXPORT QtScheduler final : public Scheduler
{
public:
    QtScheduler();

    [[nodiscard]] std::chrono::milliseconds now() const override;
    [[nodiscard]] Timer after(std::chrono::milliseconds delay, std::function<void()> callback) override;

private:
    QElapsedTimer m_clock;
};

} // namespace Everwire
