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
// confirmations by 40 ms.
constexpr int MostLooks = 30;
constexpr milliseconds ShortConfirmationWait{50};

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
    m_timeout = timeout;
    m_deadline = m_scheduler.now() + timeout;
    // A peer that has not answered by then may not know Close frames.
    m_timer = m_scheduler.after(timeout / 2, [this, timeout] {
        m_timer = m_scheduler.after(timeout - timeout / 2, [this] { look(); });
        m_link.transport->finishWriting();
    });
    m_link.transport->setListener(this);
    m_link.transport->close(code, reason,
                            incoming ? Transport::WhileClosing::Deliver : Transport::WhileClosing::Discard);
    settle(); // count what the system has accepted during close()
}

void Parting::stopDelivering()
{
    m_incoming = nullptr;
    setPaused(false); // the peer's Close is to be read
}

void Parting::setPaused(bool paused)
{
    m_isPaused = paused;
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
    const Transport::Confirmed confirmed = m_link.transport->confirmed();
    const bool isAllConfirmed = confirmed.position >= m_link.transport->takenPosition();
    if (m_scheduler.now() >= m_deadline && m_isPaused) {
        const milliseconds more = std::max(m_timeout, LookInterval);
        m_deadline = m_scheduler.now() + more;
        m_timer = m_scheduler.after(more, [this] { look(); });
    } else if (m_scheduler.now() >= m_deadline) {
        if (!confirmed.isSettled && m_looks++ < MostLooks) {
            m_link.transport->holdBack();
            lookAgain();
            return;
        }
        // Reset the connection, unless everything has arrived.
        if (isAllConfirmed && m_link.transport->bytesToWrite() == 0)
            m_link.transport->abort();
        else
            m_link.transport->cut();
        finish(confirmed);
    } else if (m_hasEnded) {
        if (isAllConfirmed || confirmed.isDead)
            finish(confirmed);
        else
            lookAgain();
    }
}

void Parting::lookAgain()
{
    m_timer = m_scheduler.after(LookInterval, [this] { look(); });
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
    m_link.transport->holdBack();
    Transport::Confirmed confirmed = m_link.transport->confirmed();
    for (milliseconds waited{0}; !confirmed.isSettled && waited < ShortConfirmationWait; ++waited) {
        std::this_thread::sleep_for(milliseconds(1));
        confirmed = m_link.transport->confirmed();
    }
    m_link.transport->cut();
    finish(confirmed);
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
