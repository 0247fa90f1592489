// SPDX-License-Identifier: MIT
#include "client/networkmonitor.h"

#include "core/logging.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QNetworkInformation>
#include <QTimer>

#include <chrono>
#include <ctime>
#include <utility>

namespace Everwire {

namespace {

constexpr std::chrono::seconds LookEvery{5};
// What the clocks may be apart for other reasons: a step of the wall clock by NTP costs a ping.
constexpr qint64 Nap = 2000; // ms

// How much longer the machine has existed than it was awake, from an arbitrary beginning, in ms.
qint64 sleptSoFar()
{
#ifdef CLOCK_BOOTTIME
    const auto read = [](clockid_t clock) {
        timespec time{};
        clock_gettime(clock, &time);
        return qint64(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
    };
    return read(CLOCK_BOOTTIME) - read(CLOCK_MONOTONIC);
#else
    const auto awake = std::chrono::steady_clock::now().time_since_epoch();
    return QDateTime::currentMSecsSinceEpoch() -
           std::chrono::duration_cast<std::chrono::milliseconds>(awake).count();
#endif
}

} // namespace

SystemNetworkMonitor::SystemNetworkMonitor(QObject *parent)
    : NetworkMonitor(parent), m_timer(new QTimer(this)), m_slept(sleptSoFar())
{
    connect(m_timer, &QTimer::timeout, this, &SystemNetworkMonitor::look);
    m_timer->setTimerType(Qt::VeryCoarseTimer);
    m_timer->start(LookEvery);
}

void SystemNetworkMonitor::watch()
{
    if (std::exchange(m_isWatching, true) ||
        !QNetworkInformation::loadBackendByFeatures(QNetworkInformation::Feature::Reachability))
        return;
    const auto isOnline = [](QNetworkInformation::Reachability reachability) {
        return reachability == QNetworkInformation::Reachability::Online ||
               reachability == QNetworkInformation::Reachability::Site;
    };
    const QNetworkInformation *information = QNetworkInformation::instance();
    m_isReachable = isOnline(information->reachability());
    connect(information, &QNetworkInformation::reachabilityChanged, this,
            [this, isOnline](auto reachability) {
                const bool was = std::exchange(m_isReachable, isOnline(reachability));
                qCDebug(lcConnection) << "the network is" << (m_isReachable ? "reachable" : "not reachable");
                if (m_isReachable && !was)
                    Q_EMIT networkBack();
            });
}

void SystemNetworkMonitor::look()
{
    const qint64 before = std::exchange(m_slept, sleptSoFar());
    if (m_slept - before < Nap)
        return;
    qCDebug(lcConnection) << "the machine was suspended for" << m_slept - before << "ms";
    Q_EMIT networkBack();
}

} // namespace Everwire
