// SPDX-License-Identifier: MIT
#pragma once

#include "engine/link.h"
#include "engine/scheduler.h"

#include <chrono>
#include <functional>

namespace Everwire {

// The end of a connection that the client itself ends: what was sent leaves, then the Close frame and a half-close,
// and reading goes on until the peer ends or the time is over. Then it is known what has become of each message. All
// of the engine's own endings go through here ("Endings" in docs/architecture.md).
//
// Not to be deleted inside its callback, which may be called from the transport.
class EVERWIRE_EXPORT Parting final : private TransportListener
{
public:
    struct Outcome
    {
        std::vector<Outgoing> unsent; // the system has not taken them whole, so they never arrive
        int unconfirmed = 0; // messages that it has taken, but of which nobody can know that they arrived
    };
    struct Callbacks
    {
        std::function<void(qint64 bytes)> settled; // of messages that the system has taken
        std::function<void(Parting &)> over;
    };

    Parting(Link link, Scheduler &scheduler, Callbacks callbacks);
    ~Parting();
    Q_DISABLE_COPY_MOVE(Parting)

    // incoming: who gets the messages that arrive before the peer's end; nullptr: nobody. May be over inside.
    void begin(int code, const QString &reason, std::chrono::milliseconds timeout,
               TransportListener *incoming = nullptr);
    void stopDelivering() { m_incoming = nullptr; }
    // Ends at once: nothing depends on it.
    void abandon();
    // Ends at once, with a reset: nothing that has not been confirmed is sent any more. Waits for confirmations
    // that are under way, 50 ms at most.
    void cut();

    [[nodiscard]] Link &link() { return m_link; }
    // Whether it has to be waited for, so that no message overtakes those that were sent here.
    [[nodiscard]] bool hasMessages() const { return m_link.hasMessages; }
    [[nodiscard]] Outcome takeOutcome();

private:
    void transportOpened() override {}
    void transportTextReceived(PaddedView utf8) override;
    void transportBinaryReceived(QByteArray bytes) override;
    void transportAlive() override {}
    void transportWritten() override { settle(); }
    void transportEnded(const TransportEnd &end) override;

    void settle();
    void look();
    void lookAgain();
    void finish(const Transport::Confirmed &confirmed);

    Link m_link;
    Scheduler &m_scheduler;
    Callbacks m_callbacks;
    TransportListener *m_incoming = nullptr;
    std::chrono::milliseconds m_deadline{}; // the scheduler's time
    Scheduler::Timer m_timer;
    bool m_hasEnded = false; // the transport has
    bool m_isOver = false;
    int m_looks = 0; // since the time was over
    int m_unconfirmed = 0;
};

} // namespace Everwire
