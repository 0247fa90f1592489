// SPDX-License-Identifier: MIT
#include "engine/parting.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// Interval between checks of what the peer's system has confirmed. No event reports confirmations.
constexpr milliseconds LookInterval{10};
// The most checks after the deadline, in case a confirmation is still in flight. Linux delays its
// confirmations by 40 ms, or by up to 200 ms.
constexpr int MostLooks = 30;
constexpr milliseconds LongestDelay{200};
// How long we wait for the server's answer to a Close frame if nobody can open the connection again
// and no message depends on the answer.
constexpr milliseconds LastGoodbye{250};

} // namespace

Parting::Parting(Link link, Scheduler &scheduler, Callbacks callbacks)
    : m_link(std::move(link)), m_scheduler(scheduler), m_callbacks(std::move(callbacks))
{
}

Parting::~Parting()
{
    m_link.transport->setListener(nullptr);
}

void Parting::begin(int code, const QString &reason, milliseconds timeout, TransportListener *incoming)
{
    m_incoming = incoming;
    m_hasBegun = true;
    const milliseconds now = m_scheduler.now();
    // A peer that has not answered by then may not know Close frames.
    m_halfCloseAt = now + timeout / 2;
    m_deadline = now + timeout;
    hurry();
    lookLater();
    m_link.transport->setListener(this);
    m_link.transport->close(code, reason,
                            incoming ? Transport::WhileClosing::Deliver : Transport::WhileClosing::Discard);
    settle(); // count what the system has accepted during close()
}

void Parting::endBy(milliseconds time)
{
    m_endsBy = time;
    hurry();
    lookLater();
}

void Parting::hurry()
{
    if (!m_endsBy)
        return;
    shorten(*m_endsBy);
    if (!awaitsMessages())
        shorten(m_scheduler.now() + LastGoodbye);
}

void Parting::shorten(milliseconds time)
{
    m_deadline = std::min(m_deadline, time);
    if (m_halfCloseAt)
        m_halfCloseAt = std::min(*m_halfCloseAt, (m_scheduler.now() + m_deadline) / 2);
}

void Parting::stopDelivering()
{
    m_incoming = nullptr;
    setPaused(false); // the peer's Close is to be read
}

void Parting::setPaused(bool paused)
{
    const milliseconds now = m_scheduler.now();
    if (paused && !m_pausedSince) {
        m_pausedSince = now;
    } else if (!paused && m_pausedSince) {
        const milliseconds away = now - *std::exchange(m_pausedSince, std::nullopt);
        if (m_halfCloseAt)
            *m_halfCloseAt += away;
        m_deadline += away;
        hurry();
    }
    lookLater();
    m_link.transport->setPaused(paused);
}

bool Parting::awaitsMessages() const
{
    return !m_link.unsettled.isEmpty() || m_link.takenBehind(m_link.transport->confirmed().position) > 0;
}

void Parting::settle()
{
    if (const std::optional<qint64> bytes = m_link.settle())
        m_callbacks.settled(*bytes);
}

void Parting::transportTextReceived(PaddedView utf8)
{
    if (m_incoming)
        m_incoming->transportTextReceived(utf8);
}

void Parting::transportBinaryReceived(QByteArray bytes)
{
    if (m_incoming)
        m_incoming->transportBinaryReceived(std::move(bytes));
}

void Parting::transportEnded(const TransportEnd &)
{
    m_hasEnded = true;
    look();
}

// The peer may end before its system has confirmed the last bytes, and our system keeps sending
// what it has accepted. So we check until everything is confirmed, until the connection is dead, or
// until the deadline.
void Parting::look()
{
    if (m_isOver)
        return;
    hurry();
    const milliseconds now = m_scheduler.now();
    const Transport::Confirmed confirmed = m_link.transport->confirmed();
    const bool isAllConfirmed = confirmed.position >= m_link.transport->takenPosition();
    if (now >= m_deadline && (m_hasEnded || !m_pausedSince)) {
        if (isAllConfirmed && m_link.transport->bytesToWrite() == 0) {
            m_link.transport->abort();
            finish(confirmed);
            return;
        }
        // Reset the connection, because not everything has arrived.
        const Transport::Confirmed last = m_link.transport->holdBack();
        if (!last.isSettled && m_looks++ < MostLooks) {
            lookLater();
            return;
        }
        m_link.transport->cut();
        finish(last);
    } else if (m_hasEnded && (isAllConfirmed || confirmed.isDead)) {
        finish(confirmed);
    } else if (m_halfCloseAt && now >= *m_halfCloseAt && !m_hasEnded && !m_pausedSince) {
        m_halfCloseAt.reset();
        lookLater();
        m_link.transport->finishWriting(); // the transport may end in this call
    } else {
        lookLater();
    }
}

void Parting::lookLater()
{
    m_timer.reset();
    if (!m_hasBegun || m_isOver || (m_pausedSince && !m_hasEnded))
        return;
    const milliseconds now = m_scheduler.now();
    milliseconds wait = std::min(m_deadline, m_halfCloseAt.value_or(m_deadline)) - now;
    if (m_hasEnded || wait <= milliseconds(0))
        wait = LookInterval;
    else if (m_endsBy && awaitsMessages())
        wait = std::min(wait, LookInterval);
    m_timer = m_scheduler.after(wait, [this] { look(); });
}

void Parting::abandon()
{
    if (m_isOver)
        return;
    m_link.transport->setListener(nullptr);
    m_link.transport->abort();
    finish({m_link.transport->takenPosition(), true, true});
}

void Parting::cut()
{
    if (m_isOver)
        return;
    m_link.transport->setListener(nullptr);
    Transport::Confirmed last = m_link.transport->holdBack();
    const auto until = std::chrono::steady_clock::now() + LongestDelay;
    while (!last.isSettled && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(milliseconds(1));
        last = m_link.transport->holdBack();
    }
    m_link.transport->cut();
    finish(last);
}

void Parting::finish(const Transport::Confirmed &confirmed)
{
    m_isOver = true;
    m_timer.reset();
    m_link.transport->setListener(nullptr);
    settle();
    m_unconfirmed = m_link.takenBehind(confirmed.position);
    m_callbacks.over(*this);
}

Parting::Outcome Parting::takeOutcome()
{
    return {m_link.takeUnsettled(), std::exchange(m_unconfirmed, 0)};
}

} // namespace Everwire
