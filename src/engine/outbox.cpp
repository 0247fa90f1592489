// SPDX-License-Identifier: MIT
#include "engine/outbox.h"

#include <algorithm>
#include <cstring>

namespace Everwire {

namespace {

constexpr qsizetype SmallestBlock = 1024;
constexpr qsizetype LargestBlock = 16 * 1024;
// Of a lot: so that a transport is asked often enough whether it takes more, and the spare ones are small.
constexpr size_t MostInLot = 128;
constexpr qint64 MostBytesInLot = 64 * 1024;
// Whoever takes what comes may wait for more of it, but not for more than this: bytes.
constexpr qint64 MuchToTake = 256 * 1024;

} // namespace

void OutgoingQueue::push(Outgoing message)
{
    copyToBlock(&message);
    if (m_lots.empty() || m_lots.back().messages.size() >= MostInLot || m_lots.back().bytes >= MostBytesInLot)
        addLot();
    m_lots.back().add(std::move(message));
}

void OutgoingQueue::Lot::add(Outgoing message)
{
    count += message.count();
    bytes += message.size();
    messages.push_back(std::move(message));
}

void OutgoingQueue::addLot()
{
    Lot lot;
    lot.messages = std::exchange(m_spare, {});
    if (!m_lots.empty()) // and they come faster than they go
        lot.messages.reserve(MostInLot);
    m_lots.push_back(std::move(lot));
}

void OutgoingQueue::copyToBlock(Outgoing *message)
{
    const qsizetype size = message->bytes.size();
    if (size == 0 || size > MostCopied || message->block)
        return;
    if (size > m_blockSize - m_blockUsed) {
        m_blockSize = std::max(size, std::clamp(2 * m_blockSize, SmallestBlock, LargestBlock));
        m_block = std::shared_ptr<char[]>(new char[size_t(m_blockSize)]);
        m_blockUsed = 0;
    }
    char *const to = m_block.get() + m_blockUsed;
    std::memcpy(to, message->bytes.constData(), size_t(size));
    m_blockUsed += size;
    message->bytes = QByteArray::fromRawData(to, size);
    message->block = m_block;
}

void OutgoingQueue::pushFront(std::vector<Outgoing> messages)
{
    if (messages.empty())
        return;
    Lot lot;
    lot.messages.reserve(messages.size());
    for (Outgoing &message : messages)
        lot.add(std::move(message));
    m_lots.push_front(std::move(lot));
}

void OutgoingQueue::popFront()
{
    Lot &lot = m_lots.front();
    lot.count -= front().count();
    lot.bytes -= front().size();
    lot.messages[lot.first] = {};
    if (++lot.first == lot.messages.size())
        m_lots.pop_front();
}

OutgoingQueue::Lot OutgoingQueue::takeLot(std::vector<Outgoing> spare)
{
    if (spare.capacity() > 0 && spare.capacity() <= MostInLot)
        m_spare = std::move(spare);
    if (m_lots.empty())
        return {};
    Lot lot = std::move(m_lots.front());
    m_lots.pop_front();
    lot.messages.erase(lot.messages.begin(),
                       lot.messages.begin() + std::ptrdiff_t(std::exchange(lot.first, 0)));
    return lot;
}

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
