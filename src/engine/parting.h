// SPDX-License-Identifier: MIT
#pragma once

#include "engine/link.h"
#include "engine/scheduler.h"

#include <chrono>
#include <functional>
#include <optional>

namespace Everwire {

// Closes a connection from the client's side: it flushes sent messages, sends the Close frame and a
// half-close, and reads until the peer ends or the time is over. Then the fate of each message is
// known. The engine uses it for every Close frame that it sends ("Endings" in
// docs/architecture.md).
//
// Must not be deleted inside its callbacks, because the transport may be their caller.
class EVERWIRE_EXPORT Parting final : private TransportListener
{
public:
    struct Outcome
    {
        std::vector<Outgoing> unsent; // not accepted completely by the system, so they never arrive
        int unconfirmed = 0;          // accepted by the system, but not known to have arrived
    };
    struct Callbacks
    {
        std::function<void(qint64 bytes)> settled; // bytes of messages that the system has accepted
        std::function<void(Parting &)> over;
    };

    Parting(Link link, Scheduler &scheduler, Callbacks callbacks);
    ~Parting();
    Q_DISABLE_COPY_MOVE(Parting)

    // incoming: receives the messages that arrive before the peer ends; nullptr: they are dropped.
    // The parting may be over before begin() returns.
    void begin(int code, const QString &reason, std::chrono::milliseconds timeout,
               TransportListener *incoming = nullptr);
    void stopDelivering();
    // Pauses reading, because the app is behind, or goes on. In a pause the time stands still, so
    // that no message in front of the peer's end is lost.
    void setPaused(bool paused);
    // Nobody can open the connection again: ends at this time of the scheduler at the latest, and
    // 250 ms after this call or the last confirmation of a message. Before or after begin().
    void endBy(std::chrono::milliseconds time);
    // Ends at once, because nothing depends on it.
    void abandon();
    // Ends at once with a reset, so that unconfirmed bytes are not sent any more. Waits at most 200
    // ms for confirmations in flight.
    void cut();

    [[nodiscard]] Link &link() { return m_link; }
    // Whether messages were sent here. If so, later messages must wait for its end, so that none
    // overtakes them.
    [[nodiscard]] bool hasMessages() const { return m_link.hasMessages; }
    // Whether messages were sent here whose arrival is not confirmed yet.
    [[nodiscard]] bool awaitsMessages() const;
    // Unsent messages must not be sent on another connection, which is another user's.
    void setOfFormerUser() { m_isOfFormerUser = true; }
    [[nodiscard]] bool isOfFormerUser() const { return m_isOfFormerUser; }
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
    void lookLater();
    void hurry();
    void shorten(std::chrono::milliseconds time);
    void finish(const Transport::Confirmed &confirmed);

    Link m_link;
    Scheduler &m_scheduler;
    Callbacks m_callbacks;
    TransportListener *m_incoming = nullptr;
    // The scheduler's times: when to half-close the connection, and when to end it.
    std::optional<std::chrono::milliseconds> m_halfCloseAt;
    std::chrono::milliseconds m_deadline{};
    std::optional<std::chrono::milliseconds> m_endsBy;
    std::optional<std::chrono::milliseconds> m_pausedSince;
    Scheduler::Timer m_timer;
    bool m_hasBegun = false;
    bool m_hasEnded = false; // the transport has ended
    bool m_isOver = false;
    bool m_isOfFormerUser = false;
    int m_looks = 0; // checks since the deadline
    int m_unconfirmed = 0;
};

} // namespace Everwire
