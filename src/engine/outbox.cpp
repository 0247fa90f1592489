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
    Pushed result;
    result.refusal = refusalOf(message);
    if (!result.refusal.isEmpty())
        return result;
    // Nothing is dropped for a message that would not fit even then.
    if (m_limits.queueOverflow() == ConnectionConfig::QueueOverflow::DropOldest && fits(message, 0, 0)) {
        while (!m_queue.isEmpty() && !hasRoomFor(message)) {
            result.dropped += m_queue.front().count();
            dropFront();
        }
    }
    if (!hasRoomFor(message)) {
        result.refusal = QStringLiteral("the queue is full: %1 messages and %2 bytes wait already "
                                        "(maxQueuedMessages %3, maxQueuedBytes %4)")
                             .arg(m_queuedMessages)
                             .arg(m_queuedBytes + m_takenBytes)
                             .arg(m_limits.maxQueuedMessages())
                             .arg(m_limits.maxQueuedBytes());
        return result;
    }
    result.accepted = true;
    result.user = m_user;
    m_queuedMessages += message.count();
    m_queuedBytes += message.size();
    m_queue.push(std::move(message));
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
    return fits(message, m_queuedMessages, m_queuedBytes);
}

bool Outbox::fits(const Outgoing &message, int queuedMessages, qint64 queuedBytes) const
{
    const bool countFits = m_draining || queuedMessages + message.count() <= m_limits.maxQueuedMessages();
    return countFits && queuedBytes + m_takenBytes + message.size() <= m_limits.maxQueuedBytes();
}

void Outbox::dropFront()
{
    m_queuedMessages -= m_queue.front().count();
    m_queuedBytes -= m_queue.front().size();
    m_queue.popFront();
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
    OutgoingQueue::Lot lot = m_queue.takeLot(std::move(spare));
    m_queuedMessages -= lot.count;
    m_queuedBytes -= lot.bytes;
    m_takenBytes += lot.bytes;
    return std::move(lot.messages);
}

void Outbox::settle(qint64 bytes)
{
    const QMutexLocker lock(&m_mutex);
    m_takenBytes -= bytes;
}

void Outbox::giveBack(std::vector<Outgoing> messages)
{
    const QMutexLocker lock(&m_mutex);
    for (const Outgoing &message : messages) {
        m_queuedMessages += message.count();
        m_queuedBytes += message.size();
        m_takenBytes -= message.size();
    }
    m_queue.pushFront(std::move(messages));
}

int Outbox::changeUser()
{
    const QMutexLocker lock(&m_mutex);
    ++m_user;
    m_accepting = false;
    m_queue.clear();
    m_queuedBytes = 0;
    return std::exchange(m_queuedMessages, 0);
}

quint32 Outbox::user() const
{
    const QMutexLocker lock(&m_mutex);
    return m_user;
}

int Outbox::clear()
{
    const QMutexLocker lock(&m_mutex);
    m_queue.clear();
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

} // namespace Everwire
