// SPDX-License-Identifier: MIT
#include "engine/heartbeat.h"

namespace Everwire {

using std::chrono::milliseconds;

Heartbeat::Heartbeat(Scheduler &scheduler, const ConnectionConfig &config, Callbacks callbacks)
    : m_scheduler(scheduler)
    , m_interval(config.pingInterval())
    , m_timeout(config.pongTimeout())
    , m_isOn(config.heartbeat() != ConnectionConfig::Heartbeat::Off)
    , m_callbacks(std::move(callbacks))
    , m_lastSign(scheduler.now())
{
    if (m_isOn)
        watch(m_interval);
}

void Heartbeat::alive()
{
    m_lastSign = m_scheduler.now();
    if (!m_asked)
        return;
    m_asked = false;
    watch(m_interval);
}

void Heartbeat::checkNow()
{
    if (m_timer && !m_asked)
        ask();
}

void Heartbeat::pause()
{
    m_timer.reset();
    m_asked = false;
}

void Heartbeat::resume()
{
    m_lastSign = m_scheduler.now();
    if (m_isOn)
        watch(m_interval);
}

void Heartbeat::watch(milliseconds delay)
{
    m_timer = m_scheduler.after(delay, [this] { check(); });
}

void Heartbeat::check()
{
    if (m_asked) {
        const auto dead = m_callbacks.dead; // it may destroy this object
        dead();
        return;
    }
    const milliseconds silence = m_scheduler.now() - m_lastSign;
    if (silence < m_interval) {
        watch(m_interval - silence);
        return;
    }
    ask();
}

void Heartbeat::ask()
{
    const auto ping = m_callbacks.ping; // it may destroy this object
    m_asked = true;
    watch(m_timeout);
    ping();
}

} // namespace Everwire
