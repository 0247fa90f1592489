// SPDX-License-Identifier: MIT
#include "engine/outbox.h"

#include <algorithm>
#include <utility>

namespace Everwire {

namespace {

// Whoever takes what comes may wait for more of it, but not for more than this: bytes.
constexpr qint64 MuchToTake = 256 * 1024;

std::chrono::milliseconds steadyTime()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
}

} // namespace

void Outbox::setWake(std::function<void()> wake)
{
    const QMutexLocker lock(&m_mutex);
    m_wake = std::move(wake);
    m_woken = false;
    if (!m_commands.empty())
        this->wake();
}

Outbox::Pushed Outbox::push(Outgoing message)
{
    const QMutexLocker lock(&m_mutex);
    return add(std::move(message));
}

Outbox::Pushed Outbox::add(Outgoing message)
{
    Pushed result;
    result.refusal = refusalOf(message);
    if (!result.refusal.isEmpty())
        return result;
    Lane &to = lane();
    if (message.speech == Outgoing::Speech::Chunk && !to.isInTurn)
        message.speech = Outgoing::Speech::First;
    else if (message.speech == Outgoing::Speech::End && !to.isInTurn)
        message.speech = Outgoing::Speech::None; // not part of a turn
    if (m_limits.queueOverflow() == ConnectionConfig::QueueOverflow::DropOldest)
        result.dropped = makeRoomFor(message);
    if (!hasRoomFor(message)) {
        result.refusal = fullQueue();
        return result;
    }
    result.accepted = true;
    result.user = m_user;
    if (message.isSpeech())
        noteSpeech(message);
    to.amount += OutgoingAmount::of(message);
    to.queue.push(std::move(message));
    result.counters = count();
    if (m_draining && (!m_taking || m_now.amount.bytes >= MuchToTake))
        wake();
    return result;
}

// Drops older messages until the new one fits. Returns how many were dropped. Nothing is dropped
// for a message that would not fit even then.
int Outbox::makeRoomFor(const Outgoing &message)
{
    int dropped = 0;
    Lane &from = lane();
    if (isEndOfTurn(message) || hasRoomFor(message) || (message.isSpeech() && isSpeechLate()))
        return dropped;
    const bool hasSpeech = from.amount.count > from.amount.limited;
    const OutgoingAmount stays = hasSpeech ? from.queue.undroppable() : OutgoingAmount();
    if (!countFits(message, stays.limited) || !bytesFit(message, stays.bytes))
        return dropped;
    for (;;) {
        const bool isCountFull = !countFits(message, from.amount.limited);
        if (!isCountFull && bytesFit(message, from.amount.bytes))
            break;
        const OutgoingAmount oldest = from.queue.dropOldest(
            isCountFull, [this](quint64 ticket) { m_requests.set(ticket, RequestTickets::State::Dropped); });
        if (oldest.count == 0)
            break;
        dropped += oldest.count;
        from.amount -= oldest;
    }
    return dropped;
}

QString Outbox::fullQueue() const
{
    if (isSpeechLate())
        return QStringLiteral("speech has waited for a connection for %1 s, and more of it is not kept")
            .arg(std::chrono::seconds(LongestSpeech).count());
    return QStringLiteral("the queue is full: %1 messages and %2 bytes wait already "
                          "(maxQueuedMessages %3, maxQueuedBytes %4)")
        .arg(lane().amount.count)
        .arg(lane().amount.bytes + heldOutside())
        .arg(m_limits.maxQueuedMessages())
        .arg(m_limits.maxQueuedBytes());
}

// Called after a speech message was accepted.
void Outbox::noteSpeech(const Outgoing &message)
{
    Lane &to = lane();
    to.isInTurn = message.speech != Outgoing::Speech::End;
    if ((m_isNextOpen || !m_draining) && !to.speechSince && to.isInTurn)
        to.speechSince = m_clock ? m_clock() : steadyTime();
}

bool Outbox::isSpeechLate() const
{
    const auto &since = lane().speechSince;
    return since && (m_clock ? m_clock() : steadyTime()) - *since > LongestSpeech;
}

QString Outbox::refusalOf(const Outgoing &message) const
{
    if (!m_accepting)
        return QStringLiteral("the connection is not open; call open() first");
    if ((message.isBinary || message.attachment) && !m_limits.binarySupported())
        return QStringLiteral("the server takes no binary messages (binarySupported is false); send text");
    const qint64 largest =
        std::max<qint64>(message.bytes.size(), message.attachment ? message.attachment->size() : 0);
    if (largest > m_limits.maxMessageSize())
        return QStringLiteral("the message has %1 bytes, and maxMessageSize is %2")
            .arg(largest)
            .arg(m_limits.maxMessageSize());
    return {};
}

bool Outbox::hasRoomFor(const Outgoing &message) const
{
    const OutgoingAmount &waiting = lane().amount;
    return isEndOfTurn(message) || (countFits(message, waiting.limited) && bytesFit(message, waiting.bytes) &&
                                    !(message.isSpeech() && isSpeechLate()));
}

// The end of a turn is always accepted: there is only one for each turn, and without it the turn
// would be useless.
bool Outbox::isEndOfTurn(const Outgoing &message) const
{
    return message.speech == Outgoing::Speech::End && lane().isInTurn;
}

bool Outbox::countFits(const Outgoing &message, int limitedMessages) const
{
    const bool isSentAtOnce = m_draining && !m_isNextOpen;
    const int most = m_limits.maxQueuedMessages();
    if (message.isSpeech()) // speech is some 50 pairs a second, so only bytes and time limit it
        return isSentAtOnce || most > 0;
    return isSentAtOnce || limitedMessages + message.count() <= most;
}

bool Outbox::bytesFit(const Outgoing &message, qint64 queuedBytes) const
{
    return queuedBytes + heldOutside() + message.size() <= m_limits.maxQueuedBytes();
}

void Outbox::wake()
{
    if (m_wake && !std::exchange(m_woken, true))
        m_wake();
}

Outbox::Counters Outbox::counters() const
{
    const QMutexLocker lock(&m_mutex);
    return count();
}

bool Outbox::isInTurn() const
{
    const QMutexLocker lock(&m_mutex);
    return m_now.isInTurn;
}

void Outbox::setClock(std::function<std::chrono::milliseconds()> clock)
{
    const QMutexLocker lock(&m_mutex);
    m_clock = std::move(clock);
}

void Outbox::post(Command::Any command)
{
    const QMutexLocker lock(&m_mutex);
    m_commands.push_back(std::move(command));
    wake();
}

void Outbox::setLimits(const ConnectionConfig &config)
{
    const QMutexLocker lock(&m_mutex);
    m_limits = config;
}

void Outbox::setAccepting(bool accepting)
{
    const QMutexLocker lock(&m_mutex);
    m_accepting = accepting;
}

bool Outbox::isAccepting() const
{
    const QMutexLocker lock(&m_mutex);
    return m_accepting;
}

std::vector<Command::Any> Outbox::takeCommands()
{
    const QMutexLocker lock(&m_mutex);
    m_woken = false;
    return std::exchange(m_commands, {});
}

std::vector<Outgoing> Outbox::take(std::vector<Outgoing> spare)
{
    spare.clear(); // not under the lock
    const QMutexLocker lock(&m_mutex);
    OutgoingQueue::Lot lot;
    do {
        lot = m_now.queue.takeLot(std::exchange(spare, {}));
        m_now.amount -= lot.amount;
        if (!m_requests.isEmpty())
            dropEnded(&lot);
        m_takenBytes += lot.amount.bytes;
    } while (lot.messages.empty() && !m_now.queue.isEmpty());
    return std::move(lot.messages);
}

void Outbox::settle(qint64 bytes)
{
    const QMutexLocker lock(&m_mutex);
    m_takenBytes -= bytes;
}

bool Outbox::setHeldBySystem(qint64 bytes)
{
    const QMutexLocker lock(&m_mutex);
    return std::exchange(m_systemBytes, bytes) != bytes;
}

void Outbox::giveBack(std::vector<Outgoing> messages)
{
    const QMutexLocker lock(&m_mutex);
    removeEnded(&messages);
    for (const Outgoing &message : messages) {
        m_now.amount += OutgoingAmount::of(message);
        m_takenBytes -= message.size();
    }
    m_now.queue.pushFront(std::move(messages));
}

int Outbox::discard(std::vector<Outgoing> messages)
{
    const QMutexLocker lock(&m_mutex);
    removeEnded(&messages);
    int count = 0;
    for (const Outgoing &message : messages) {
        m_takenBytes -= message.size();
        m_requests.set(message.ticket, RequestTickets::State::Lost);
        count += message.count();
    }
    return count;
}

int Outbox::changeUser()
{
    int dropped = discardNext();
    const QMutexLocker lock(&m_mutex);
    ++m_user;
    m_accepting = false;
    dropped += drop(m_now, RequestTickets::State::Queued);
    return dropped;
}

quint32 Outbox::user() const
{
    const QMutexLocker lock(&m_mutex);
    return m_user;
}

int Outbox::clear()
{
    const QMutexLocker lock(&m_mutex);
    return drop(m_now, RequestTickets::State::Queued);
}

// state: the state of requests whose messages are in this lane.
int Outbox::drop(Lane &lane, RequestTickets::State state)
{
    m_requests.change(state, RequestTickets::State::Lost);
    return std::exchange(lane, {}).amount.count;
}

void Outbox::setDraining(bool draining)
{
    const QMutexLocker lock(&m_mutex);
    m_draining = draining;
    m_taking = draining;
    if (draining)
        m_now.speechSince.reset();
}

bool Outbox::rest()
{
    const QMutexLocker lock(&m_mutex);
    m_taking = m_taking && !m_now.queue.isEmpty();
    return !m_taking;
}

// ---- Requests (rule Q11) ----

Outbox::Pushed Outbox::pushRequest(Outgoing message, RequestTickets::IsCancelled isCancelled)
{
    using State = RequestTickets::State;
    const QMutexLocker lock(&m_mutex);
    const quint64 ticket = message.ticket;
    m_requests.add(ticket, m_isNextOpen ? State::Next : State::Queued, std::move(isCancelled));
    Pushed pushed = add(std::move(message));
    if (!pushed.accepted)
        m_requests.end(ticket);
    return pushed;
}

int Outbox::withdraw(const RequestTickets::Tickets &tickets)
{
    const QMutexLocker lock(&m_mutex);
    QSet<quint64> queued;
    for (const quint64 ticket : tickets) {
        if (m_requests.end(ticket))
            queued.insert(ticket);
    }
    if (queued.isEmpty())
        return 0;
    int count = 0;
    for (Lane *lane : {&m_now, &m_next}) {
        const OutgoingAmount removed = lane->queue.remove(queued);
        lane->amount -= removed;
        count += removed.count;
    }
    return count;
}

RequestTickets::Tickets Outbox::takeDropped()
{
    const QMutexLocker lock(&m_mutex);
    return m_requests.take(RequestTickets::State::Dropped);
}

RequestTickets::Tickets Outbox::takeLostRequests(bool connectionEnded)
{
    const QMutexLocker lock(&m_mutex);
    if (connectionEnded)
        m_requests.change(RequestTickets::State::HandedOver, RequestTickets::State::Lost);
    return m_requests.take(RequestTickets::State::Lost);
}

// Removes messages of requests that have ended before the engine takes the lot.
void Outbox::dropEnded(OutgoingQueue::Lot *lot)
{
    lot->remove([this](quint64 ticket) {
        if (!m_requests.isWanted(ticket))
            return true;
        m_requests.set(ticket, RequestTickets::State::HandedOver);
        return false;
    });
}

// Removes messages of requests that have ended. The others belong to the queue again.
void Outbox::removeEnded(std::vector<Outgoing> *messages)
{
    const auto isEnded = [this](const Outgoing &message) {
        if (message.ticket == 0)
            return false;
        if (m_requests.isWanted(message.ticket)) {
            m_requests.set(message.ticket, RequestTickets::State::Queued);
            return false;
        }
        m_takenBytes -= message.size();
        return true;
    };
    messages->erase(std::remove_if(messages->begin(), messages->end(), isEnded), messages->end());
}

// ---- The connection after a goodbye (rule Q2) ----

void Outbox::beginNext(const ConnectionConfig &limits)
{
    const QMutexLocker lock(&m_mutex);
    m_limits = limits;
    m_accepting = true;
    m_isNextOpen = true;
}

void Outbox::startNext()
{
    const QMutexLocker lock(&m_mutex);
    Lane next = std::exchange(m_next, {});
    m_isNextOpen = false;
    m_now.amount += next.amount;
    m_now.queue.append(std::move(next.queue));
    m_now.isInTurn = next.isInTurn;
    if (!m_now.speechSince)
        m_now.speechSince = next.speechSince;
    m_requests.change(RequestTickets::State::Next, RequestTickets::State::Queued);
}

int Outbox::discardNext()
{
    const QMutexLocker lock(&m_mutex);
    m_isNextOpen = false;
    return drop(m_next, RequestTickets::State::Next);
}

} // namespace Everwire
