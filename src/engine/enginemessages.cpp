// SPDX-License-Identifier: MIT
//
// The engine's messages, out and in. What else it does is in engine.cpp.
#include "engine/engine.h"

#include "core/closecode.h"
#include "engine/trace.h"

#include <algorithm>

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// What the socket may hold before messages wait in the outbox instead (rule Q7).
constexpr qint64 HighWater = 1024 * 1024;

// After a go of so many messages the next one is so much later: to meet the app at the outbox for every few, and to write
// them one by one, costs both threads more than the messages do.
constexpr size_t ManyMessages = 32;
constexpr milliseconds Pace{1};
// Interval at which the system's send buffer is checked. The system does not report when it has
// sent bytes.
constexpr milliseconds SystemLook{50};

template<typename... Functions>
struct Overloaded : Functions...
{
    using Functions::operator()...;
};
template<typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

} // namespace

// As long as the socket takes what the app sends, but for a turn of the event loop now and then.
void Engine::pump()
{
    m_pumpAgain.reset();
    auto *open = std::get_if<Phase::Established>(&m_phase);
    if (!open || !open->link.transport || m_pumping || mustWait())
        return;
    m_pumping = true;
    const Transport *const transport = open->link.transport.get();
    Outbox &outbox = *m_around.outbox;
    outbox.setDraining(true);
    const auto pumpAgain = [this](milliseconds delay) {
        m_pumpAgain = m_around.scheduler->after(delay, [this] { pump(); });
    };
    qint64 leftOfTurn = HighWater; // bytes that may be sent before the next turn of the event loop
    size_t taken = 0;
    while (Link *current = linkOf(transport)) {
        if (transport->bytesToWrite() >= HighWater) {
            current->transport->flush();
            if (transport->bytesToWrite() >= HighWater) {
                outbox.setDraining(false);
                break;
            }
        }
        if (const TakenLot lot = takeSome(*current); lot.count > 0) {
            taken += lot.count;
            leftOfTurn -= lot.bytes;
            sendTaken(transport);
        } else {
            current->transport->flush();
            if (taken >= ManyMessages) {
                pumpAgain(Pace);
                break;
            }
            if (outbox.rest())
                break;
        }
        // Where the socket is full it is what says when to go on.
        if (leftOfTurn <= 0 && linkOf(transport) && transport->bytesToWrite() < HighWater) {
            pumpAgain(milliseconds(0));
            break;
        }
    }
    if (Link *current = linkOf(transport)) {
        settle(*current);
        current->backlog = current->transport->bytesToWrite();
        if (taken > 0)
            current->lastSent = m_around.scheduler->now();
    }
    m_pumping = false;
    lookAtSystem();
}

// Whether messages sent on an earlier connection are still on their way. No message may overtake
// them (rule Q4).
bool Engine::mustWait() const
{
    return std::any_of(m_partings.begin(), m_partings.end(),
                       [](const auto &parting) { return parting->hasMessages(); });
}

// Counts bytes in the system's buffer, because messages also wait there on a slow line (rule Q7).
void Engine::lookAtSystem()
{
    const Link *const current = std::holds_alternative<Phase::Established>(m_phase) ? link() : nullptr;
    const qint64 held = current ? current->transport->bytesInSystem() : 0;
    if (m_around.outbox->setHeldBySystem(held))
        m_around.inbox->poke();
    if (held == 0)
        m_systemLook.reset();
    else if (!m_systemLook)
        m_systemLook = m_around.scheduler->after(SystemLook, [this] {
            m_systemLook.reset();
            lookAtSystem();
        });
}

// The present link, if it is still that of this transport, which may end inside any call.
Link *Engine::linkOf(const Transport *transport)
{
    Link *current = link();
    return current && current->transport.get() == transport ? current : nullptr;
}

Engine::TakenLot Engine::takeSome(Link &link)
{
    TakenLot lot;
    m_taken = m_around.outbox->take(std::move(m_taken));
    lot.count = m_taken.size();
    link.unsent += qsizetype(lot.count);
    link.hasMessages = link.hasMessages || lot.count > 0;
    for (Outgoing &message : m_taken) {
        lot.bytes += message.size();
        link.unsettled.push_back({std::move(message)});
    }
    return lot;
}

void Engine::sendTaken(const Transport *transport)
{
    for (Link *current = linkOf(transport); current && current->unsent > 0; current = linkOf(transport)) {
        // A copy, for what is unsettled may go with the link.
        const Outgoing message = current->unsettled[current->unsettled.size() - current->unsent].message;
        everwireTrace(lcWire) << "sending" << message.size() << "bytes"
                              << (message.isBinary ? "of binary" : "of text")
                              << (message.attachment ? "with a binary frame" : "");
        qint64 end = message.isBinary ? current->transport->sendBinary(message.bytes)
                                      : current->transport->sendText(message.bytes);
        if (current = linkOf(transport); current && message.attachment) {
            end = current->transport->sendBinary(*message.attachment);
            current = linkOf(transport);
        }
        if (!current)
            return;
        current->unsettled[current->unsettled.size() - current->unsent].end = end;
        --current->unsent;
    }
}

void Engine::settle(Link &link)
{
    if (const std::optional<qint64> bytes = link.settle()) {
        m_around.outbox->settle(*bytes);
        m_around.inbox->poke();
    }
}

void Engine::transportWritten()
{
    if (Link *current = link()) {
        // The system takes of a backlog as the peer takes: a large message on a slow line is life, too (rule H1).
        const qint64 left = current->transport->bytesToWrite();
        if (left < std::exchange(current->backlog, left))
            transportAlive();
        settle(*current);
    }
    if (!m_pumpAgain)
        pump();
}

void Engine::transportAlive()
{
    if (auto *open = std::get_if<Phase::Established>(&m_phase))
        open->heartbeat->alive();
}

void Engine::transportTextReceived(PaddedView utf8)
{
    const bool open = std::holds_alternative<Phase::Established>(m_phase);
    if (!open && !std::holds_alternative<Phase::Authenticating>(m_phase))
        return;
    Link *current = link();
    const qsizetype size = utf8.size();
    Received::Outcome outcome = current->protocol->receiveText(utf8);
    std::visit(Overloaded{
                   [&](Message &message) {
                       everwireTrace(lcWire) << "received" << size << "bytes of text, type"
                                             << shown(message.type(), PeerText::LongestName);
                       deliver(Inbox::costOf(message), std::move(message));
                   },
                   [&](Received::Authenticated &answer) {
                       everwireTrace(lcAuth) << "authenticated";
                       if (open)
                           renewed(answer.session);
                       else
                           establish(answer.session);
                   },
                   [&](Received::AuthenticationFailed &answer) {
                       // What the server says to a second token says nothing of a first one.
                       if (open)
                           renewalRefused();
                       else
                           refused(shown(answer.reason), CloseCode::AuthenticationFailed, Farewell::Close);
                   },
                   [&](Received::HeartbeatAnswer &) { everwireTrace(lcWire) << "received a pong"; },
                   [&](Received::Ignored &ignored) {
                       ignoreEarly(QStringLiteral("a message of type ") +
                                   shown(ignored.type, PeerText::LongestName));
                   },
                   [&](Received::Malformed &malformed) {
                       everwireTrace(lcWire)
                           << "received" << size << "bytes that are no message:" << malformed.reason;
                       if (open)
                           deliver(Inbox::costOf(malformed.text),
                                   Inbox::Event(Notice::ParseError{malformed.text, malformed.reason}));
                       else
                           ignoreEarly(QStringLiteral("a text that is not JSON"));
                   },
               },
               outcome);
}

void Engine::transportBinaryReceived(QByteArray bytes)
{
    if (!std::holds_alternative<Phase::Established>(m_phase)) {
        if (std::holds_alternative<Phase::Authenticating>(m_phase))
            ignoreEarly(QStringLiteral("a binary message"));
        return;
    }
    everwireTrace(lcWire) << "received" << bytes.size() << "bytes of binary";
    Message message = m_around.messagePool->binary(std::move(bytes));
    deliver(Inbox::costOf(message), std::move(message));
}

// Rule A6.
void Engine::ignoreEarly(const QString &what)
{
    qCWarning(lcAuth).noquote() << m_around.name << "- ignored" << what
                                << "that arrived before the answer to the token";
}

template<typename Received>
void Engine::deliver(qint64 cost, Received &&received)
{
    auto &open = std::get<Phase::Established>(m_phase);
    const qint64 pending = m_around.inbox->pendingBytes();
    // One message may always wait, however large: it has passed the transport's own limit.
    if (pending > 0 && pending + cost > m_config.maxPendingBytes()) {
        if (!link()->transport->canPause()) {
            overflow();
            return;
        }
        if (!open.paused) {
            everwireTrace(lcWire) << "the app is" << pending << "bytes behind; reading pauses";
            // The peer feels it, and what it sends to show life is not seen either.
            open.heartbeat->pause();
            m_around.inbox->askForRoom(m_config.maxPendingBytes() / 2);
            setReadingPaused(true);
        }
    }
    reportDiscarded(std::exchange(m_overflowed, 0),
                    QStringLiteral("received while the app was maxPendingBytes behind"));
    m_around.inbox->push(m_generation, std::forward<Received>(received));
}

void Engine::overflow()
{
    const ConnectionError error(
        ConnectionError::Overloaded,
        QStringLiteral("The app is %1 bytes behind (maxPendingBytes), and this transport cannot pause. "
                       "Do less in the handlers, or raise maxPendingBytes")
            .arg(m_around.inbox->pendingBytes()),
        CloseCode::GoingAway);
    const bool first = m_overflowed++ == 0;
    if (m_config.pendingOverflow() == ConnectionConfig::PendingOverflow::Discard) {
        if (first)
            report(Notice::Overloaded{error});
        return;
    }
    reportDiscarded(std::exchange(m_overflowed, 0), error.message());
    fail(error, Farewell::Close, QStringLiteral("Client overloaded"));
}

} // namespace Everwire
