// SPDX-License-Identifier: MIT
#include "engine/outbox.h"

#include <algorithm>
#include <utility>

namespace Everwire {

namespace {

// Whoever takes what comes may wait for more of it, but not for more than this: bytes.
constexpr qint64 MuchToTake = 256 * 1024;

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
    OutgoingQueue &queue = m_next.isOpen ? m_next.queue : m_queue;
    int &queuedMessages = m_next.isOpen ? m_next.messages : m_queuedMessages;
    qint64 &queuedBytes = m_next.isOpen ? m_next.bytes : m_queuedBytes;
    // Nothing is dropped for a message that would not fit even then.
    if (m_limits.queueOverflow() == ConnectionConfig::QueueOverflow::DropOldest && fits(message, 0, 0)) {
        while (!queue.isEmpty() && !hasRoomFor(message)) {
            result.dropped += queue.front().count();
            dropFront();
        }
    }
    if (!hasRoomFor(message)) {
        result.refusal = QStringLiteral("the queue is full: %1 messages and %2 bytes wait already "
                                        "(maxQueuedMessages %3, maxQueuedBytes %4)")
                             .arg(queuedMessages)
                             .arg(m_next.isOpen ? queuedBytes : heldBytes())
                             .arg(m_limits.maxQueuedMessages())
                             .arg(m_limits.maxQueuedBytes());
        return result;
    }
    result.accepted = true;
    result.user = m_user;
    queuedMessages += message.count();
    queuedBytes += message.size();
    queue.push(std::move(message));
    result.counters = count();
    if (m_draining && (!m_taking || m_queuedBytes >= MuchToTake))
        wake();
    return result;
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
    return m_next.isOpen ? fits(message, m_next.messages, m_next.bytes)
                         : fits(message, m_queuedMessages, m_queuedBytes);
}

// What the old connection still holds is no matter of the next one's.
bool Outbox::fits(const Outgoing &message, int queuedMessages, qint64 queuedBytes) const
{
    const bool isSentAtOnce = m_draining && !m_next.isOpen;
    const qint64 held = m_next.isOpen ? 0 : m_takenBytes + m_systemBytes;
    const bool countFits = isSentAtOnce || queuedMessages + message.count() <= m_limits.maxQueuedMessages();
    return countFits && queuedBytes + held + message.size() <= m_limits.maxQueuedBytes();
}

void Outbox::dropFront()
{
    OutgoingQueue &queue = m_next.isOpen ? m_next.queue : m_queue;
    const Outgoing &front = queue.front();
    (m_next.isOpen ? m_next.messages : m_queuedMessages) -= front.count();
    (m_next.isOpen ? m_next.bytes : m_queuedBytes) -= front.size();
    m_requests.set(front.ticket, RequestTickets::State::Dropped);
    queue.popFront();
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
        lot = m_queue.takeLot(std::exchange(spare, {}));
        m_queuedMessages -= lot.count;
        m_queuedBytes -= lot.bytes;
        if (!m_requests.isEmpty())
            dropEnded(&lot);
        m_takenBytes += lot.bytes;
    } while (lot.messages.empty() && !m_queue.isEmpty());
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
    requeue(&messages);
    for (const Outgoing &message : messages) {
        m_queuedMessages += message.count();
        m_queuedBytes += message.size();
        m_takenBytes -= message.size();
    }
    m_queue.pushFront(std::move(messages));
}

int Outbox::changeUser()
{
    int dropped = discardNext();
    const QMutexLocker lock(&m_mutex);
    ++m_user;
    m_accepting = false;
    dropped += dropQueue();
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
    return dropQueue();
}

int Outbox::dropQueue()
{
    m_queue.clear();
    m_requests.change(RequestTickets::State::Queued, RequestTickets::State::Lost);
    m_queuedBytes = 0;
    return std::exchange(m_queuedMessages, 0);
}

void Outbox::setDraining(bool draining)
{
    const QMutexLocker lock(&m_mutex);
    m_draining = draining;
    m_taking = draining;
}

bool Outbox::rest()
{
    const QMutexLocker lock(&m_mutex);
    m_taking = m_taking && !m_queue.isEmpty();
    return !m_taking;
}

// ---- Requests (rule Q11) ----

Outbox::Pushed Outbox::pushRequest(Outgoing message, RequestTickets::IsCancelled isCancelled)
{
    using State = RequestTickets::State;
    const QMutexLocker lock(&m_mutex);
    const quint64 ticket = message.ticket;
    m_requests.add(ticket, m_next.isOpen ? State::Next : State::Queued, std::move(isCancelled));
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
    const OutgoingQueue::Removed now = m_queue.remove(queued);
    m_queuedMessages -= now.count;
    m_queuedBytes -= now.bytes;
    const OutgoingQueue::Removed next = m_next.queue.remove(queued);
    m_next.messages -= next.count;
    m_next.bytes -= next.bytes;
    return now.count + next.count;
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

// Of what the engine takes: the messages of requests that were cancelled meanwhile.
void Outbox::dropEnded(OutgoingQueue::Lot *lot)
{
    lot->remove([this](quint64 ticket) {
        if (!m_requests.isWanted(ticket))
            return true;
        m_requests.set(ticket, RequestTickets::State::HandedOver);
        return false;
    });
}

// Of what comes back: the messages of requests that have failed meanwhile.
void Outbox::requeue(std::vector<Outgoing> *messages)
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

// ---- The connection behind a goodbye (rule Q2) ----

void Outbox::beginNext(const ConnectionConfig &limits)
{
    const QMutexLocker lock(&m_mutex);
    m_limits = limits;
    m_accepting = true;
    m_next.isOpen = true;
}

void Outbox::startNext()
{
    const QMutexLocker lock(&m_mutex);
    m_queuedMessages += std::exchange(m_next.messages, 0);
    m_queuedBytes += std::exchange(m_next.bytes, 0);
    m_queue.append(std::exchange(m_next.queue, {}));
    m_next.isOpen = false;
    m_requests.change(RequestTickets::State::Next, RequestTickets::State::Queued);
}

int Outbox::discardNext()
{
    const QMutexLocker lock(&m_mutex);
    m_next.queue.clear();
    m_next.bytes = 0;
    m_next.isOpen = false;
    m_requests.change(RequestTickets::State::Next, RequestTickets::State::Lost);
    return std::exchange(m_next.messages, 0);
}

} // namespace Everwire
