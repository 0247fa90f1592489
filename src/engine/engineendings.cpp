// SPDX-License-Identifier: MIT
//
// How the engine ends a connection ("Endings" in docs/architecture.md). The rest of the engine is
// in engine.cpp and the other engine*.cpp files.
#include "engine/engine.h"

#include "core/closecode.h"
#include "core/logging.h"
#include "engine/trace.h"

#include <algorithm>
#include <iterator>

namespace Everwire {

using std::chrono::milliseconds;

namespace {

bool hasUnsent(const Transport &transport)
{
    return transport.bytesToWrite() > 0 || transport.bytesInSystem() > 0;
}

} // namespace

// ---- close() ----

void Engine::handle(Command::Close &command)
{
    m_generation = command.generation;
    m_attempt = 0;
    m_user.clear();
    if (command.why == Command::Close::Why::ForGood && !m_endsBy) {
        m_endsBy = m_around.scheduler->now() + m_config.closeTimeout();
        for (const auto &parting : m_partings)
            parting->endBy(*m_endsBy);
    }
    if (command.why == Command::Close::Why::SignedOut && forgetUser())
        return;
    if (std::holds_alternative<Phase::Closing>(m_phase))
        return;
    if (std::holds_alternative<Phase::Established>(m_phase)) {
        startClosing();
        return;
    }
    reportDiscarded(m_around.outbox->clear(), QStringLiteral("close() was called before they could be sent"));
    if (m_state == ConnectionState::Disconnected) {
        // The engine never saw this error (rule O4). The app left it by close().
        Transition done;
        done.closeCode = CloseCode::Normal;
        done.to = ConnectionState::Disconnected;
        report(done);
        return;
    }
    // The link goes at once, because nothing may be sent on it without auth_success (rule A1).
    const bool isOpen = std::holds_alternative<Phase::Authenticating>(m_phase);
    Link old = takeLink();
    abandonGoodbyes();
    enter(Phase::Closing(), ConnectionState::Disconnecting);
    endLink(std::move(old), isOpen ? Farewell::Close : Farewell::Abort, CloseCode::Normal,
            QStringLiteral("Client disconnect"));
    finishClosing();
}

void Engine::startClosing()
{
    Phase::Closing closing;
    closing.link = leaveLink();
    if (!closing.link.transport) // a switch is under way: the Close frame was sent already
        reportDiscarded(m_around.outbox->clear(),
                        QStringLiteral("close() was called before they could be sent"));
    m_around.outbox->setDraining(false);
    enter(std::move(closing), ConnectionState::Disconnecting);
    continueClosing();
}

// Sends the messages that were accepted while connected, then the Close frame. If messages of an
// earlier connection are still on their way, it first waits for them. A transport may end inside
// any call.
void Engine::continueClosing()
{
    auto *closing = std::get_if<Phase::Closing>(&m_phase);
    if (!closing || mustWait())
        return;
    const Transport *const transport = closing->link.transport.get();
    for (Link *current = linkOf(transport); current && takeSome(*current).count > 0;
         current = linkOf(transport))
        sendTaken(transport);
    if (Link rest = takeLink(); rest.transport)
        endLink(std::move(rest), Farewell::Close, CloseCode::Normal, QStringLiteral("Client disconnect"));
    else
        finishClosing();
}

// Enters Disconnected after the last Parting is over.
void Engine::finishClosing()
{
    if (!std::holds_alternative<Phase::Closing>(m_phase) || link() || !m_partings.empty())
        return;
    Transition done;
    done.closeCode = CloseCode::Normal;
    done.closeReason = QStringLiteral("Client disconnect");
    reportDiscarded(m_around.outbox->clear(),
                    QStringLiteral("the server did not take them before closeTimeout"));
    enter(Phase::Idle(), ConnectionState::Disconnected, done);
    tellOfRest();
}

// The user has signed out, so that unsent messages are discarded. Connections with unsent bytes are
// cut. Returns true if the engine is closing, so that handle(Close) is done.
bool Engine::forgetUser()
{
    int lost = m_around.outbox->clear();
    const Parting *last = nullptr; // is cut, although the system may send its bytes meanwhile
    if (Link *current = link()) {
        settle(*current);
        if (hasUnsent(*current->transport)) {
            Link rest = leaveLink();
            if (!std::holds_alternative<Phase::Closing>(m_phase))
                enter(Phase::Closing(), ConnectionState::Disconnecting);
            if (rest.transport)
                last = &addParting(std::move(rest));
        }
    }
    const auto unsent =
        std::stable_partition(m_partings.begin(), m_partings.end(), [last](const auto &parting) {
            return parting.get() != last && !hasUnsent(*parting->link().transport);
        });
    std::vector<std::unique_ptr<Parting>> cutOff;
    std::move(unsent, m_partings.end(), std::back_inserter(cutOff));
    m_partings.erase(unsent, m_partings.end());
    for (const auto &parting : cutOff)
        parting->link().transport->holdBack(); // all of them, before cut() waits for one
    for (const auto &parting : cutOff)
        lost += cut(*parting);
    lost += m_around.outbox->clear();
    reportDiscarded(lost, QStringLiteral("the user signed out before they were sent"));
    if (!std::holds_alternative<Phase::Closing>(m_phase))
        return false;
    continueClosing();
    return true;
}

// ---- The end of the application ----

bool Engine::isAtRest() const
{
    return m_partings.empty() &&
           (std::holds_alternative<Phase::Idle>(m_phase) || std::holds_alternative<Phase::Failed>(m_phase));
}

void Engine::handle(Command::Leave &)
{
    m_lost = m_lost.value_or(0);
}

void Engine::whenAtRest(std::function<void()> atRest)
{
    processOutbox(); // a Close may still wait there
    m_atRest = std::move(atRest);
    tellOfRest();
}

void Engine::tellOfRest()
{
    if (m_atRest && isAtRest())
        std::exchange(m_atRest, {})();
}

int Engine::shutdown()
{
    m_atRest = {};
    m_lost = m_lost.value_or(0);
    if (!isAtRest()) {
        Command::Close last{m_generation, Command::Close::Why::ForGood};
        handle(last);
    }
    for (const auto &parting : std::exchange(m_partings, {}))
        *m_lost += cut(*parting);
    *m_lost += m_around.outbox->clear();
    m_endedTransports.clear();
    m_endedPartings.clear();
    m_burial.reset();
    m_phase = Phase::Idle();
    m_state = ConnectionState::Disconnected;
    return std::exchange(*m_lost, 0);
}

// ---- Links ----

// Takes the link of the present phase, so that endLink() can end it. If a switch is under way, its
// old connection still closes in order, but messages that it receives are no longer delivered.
Link Engine::leaveLink()
{
    if (const auto *open = std::get_if<Phase::Established>(&m_phase); open && open->next)
        open->next->parting->stopDelivering();
    return takeLink();
}

void Engine::endLink(Link link, Farewell farewell, int code, const QString &reason)
{
    if (!link.transport)
        return;
    if (const qint64 saved = link.transport->bytesSaved(); saved != 0) {
        everwireTrace(lcWire) << "compression saved" << saved << "bytes on this connection";
    }
    if (farewell == Farewell::Close)
        beginParting(addParting(std::move(link)), code, reason);
    else
        abortLink(std::move(link));
}

Parting &Engine::addParting(Link link)
{
    Parting::Callbacks callbacks;
    callbacks.settled = [this](qint64 bytes) {
        m_around.outbox->settle(bytes);
        m_around.inbox->poke();
    };
    callbacks.over = [this](Parting &parting) { partingIsOver(parting); };
    m_partings.push_back(
        std::make_unique<Parting>(std::move(link), *m_around.scheduler, std::move(callbacks)));
    Parting &parting = *m_partings.back();
    abandonGoodbyes(&parting);
    return parting;
}

void Engine::beginParting(Parting &parting, int code, const QString &reason, TransportListener *incoming)
{
    if (m_endsBy)
        parting.endBy(*m_endsBy);
    parting.begin(code, reason, m_config.closeTimeout(), incoming);
}

void Engine::partingIsOver(Parting &parting)
{
    const auto found = std::find_if(m_partings.begin(), m_partings.end(),
                                    [&](const auto &each) { return each.get() == &parting; });
    if (found == m_partings.end())
        return; // cut() handles the rest
    m_endedPartings.push_back(std::move(*found));
    m_partings.erase(found);
    buryLater();
    Parting::Outcome outcome = parting.takeOutcome();
    reportDiscarded(
        outcome.unconfirmed,
        QStringLiteral("the connection ended before the server's system had confirmed them, so they may "
                       "not have arrived"));
    if (parting.isOfFormerUser()) {
        reportDiscarded(m_around.outbox->discard(std::move(outcome.unsent)),
                        QStringLiteral("the token of the user who wrote them is no longer used"));
        m_around.inbox->poke();
    } else {
        requeue(std::move(outcome.unsent));
    }
    continueClosing();
    auto *open = std::get_if<Phase::Established>(&m_phase);
    if (open && open->next && open->next->parting == &parting)
        finishSwitch(std::exchange(open->next, std::nullopt)->token);
    else
        pump();
    tellOfRest();
}

// Abandons all other goodbyes, because only one may run at a time (rule O1). Those that carry
// messages continue.
void Engine::abandonGoodbyes(const Parting *but)
{
    for (size_t i = m_partings.size(); i-- > 0;) {
        if (m_partings[i].get() != but && !m_partings[i]->hasMessages())
            m_partings[i]->abandon();
    }
}

// Cuts the connection and queues unsent messages again. Returns how many messages may not have
// arrived.
int Engine::cut(Parting &parting)
{
    parting.cut();
    Parting::Outcome outcome = parting.takeOutcome();
    requeue(std::move(outcome.unsent));
    return outcome.unconfirmed;
}

// For a connection that is lost or was never open. A message that the system has not accepted
// completely cannot have arrived, so it is queued again.
void Engine::abortLink(Link link)
{
    if (!link.transport)
        return;
    link.transport->setListener(nullptr);
    settle(link);
    link.transport->abort();
    requeue(link.takeUnsettled());
    m_endedTransports.push_back(std::move(link.transport));
    buryLater();
}

// Destroys ended objects later, because they may be on the stack.
void Engine::buryLater()
{
    if (m_burial)
        return;
    m_burial = m_around.scheduler->after(milliseconds(0), [this] {
        m_burial.reset();
        m_endedTransports.clear();
        m_endedPartings.clear();
    });
}

// Queues the messages again, before all that were accepted later.
void Engine::requeue(std::vector<Outgoing> unsent)
{
    m_around.outbox->giveBack(std::move(unsent));
    m_around.inbox->poke();
}

// Discards the queue of a user whose token is no longer used. Messages that the operating system
// has accepted may still arrive.
void Engine::discardQueue(const QString &reason)
{
    for (const auto &parting : m_partings)
        parting->setOfFormerUser();
    reportDiscarded(m_around.outbox->clear(), reason);
}

void Engine::reportDiscarded(int count, const QString &reason)
{
    if (count <= 0)
        return;
    if (m_lost)
        *m_lost += count;
    report(Notice::Discarded{count, reason});
}

} // namespace Everwire
