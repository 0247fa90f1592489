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

void Outbox::setClock(std::function<std::chrono::milliseconds()> clock)
{
    const QMutexLocker lock(&m_mutex);
    m_clock = std::move(clock);
}

Outbox::Pushed Outbox::push(Outgoing message)
{
    const QMutexLocker lock(&m_mutex);
    Pushed result;
    result.refusal = refusalOf(message);
    if (!result.refusal.isEmpty())
        return result;
    if (message.speech == Outgoing::Speech::Chunk && !m_isInTurn)
        message.speech = Outgoing::Speech::First;
    else if (message.speech == Outgoing::Speech::End && !m_isInTurn)
        message.speech = Outgoing::Speech::None; // a message like any other
    if (m_limits.queueOverflow() == ConnectionConfig::QueueOverflow::DropOldest)
        result.dropped = makeRoomFor(message);
    if (!hasRoomFor(message)) {
        result.refusal = fullQueue();
        return result;
    }
    result.accepted = true;
    if (message.isSpeech())
        noteSpeech(message);
    m_queuedMessages += message.count();
    m_limitedMessages += message.limited();
    m_queuedBytes += message.size();
    m_queue.push(std::move(message));
    result.counters = count();
    if (m_draining && (!m_taking || m_queuedBytes >= MuchToTake))
        wake();
    return result;
}

// Returns how many messages it took. Nothing is dropped for a message that would not fit even then.
int Outbox::makeRoomFor(const Outgoing &message)
{
    int dropped = 0;
    if (isEndOfTurn(message) || !countFits(message, 0) || !bytesFit(message, 0))
        return dropped;
    for (;;) {
        const bool isCountFull = !countFits(message, m_limitedMessages);
        if (!isCountFull && bytesFit(message, m_queuedBytes))
            break;
        const OutgoingQueue::Dropped oldest = m_queue.dropOldest(isCountFull);
        if (oldest.count == 0)
            break;
        dropped += oldest.count;
        m_queuedMessages -= oldest.count;
        m_limitedMessages -= oldest.limited;
        m_queuedBytes -= oldest.bytes;
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
        .arg(m_queuedMessages)
        .arg(m_queuedBytes + m_takenBytes)
        .arg(m_limits.maxQueuedMessages())
        .arg(m_limits.maxQueuedBytes());
}

// It has been accepted.
void Outbox::noteSpeech(const Outgoing &message)
{
    m_isInTurn = message.speech != Outgoing::Speech::End;
    if (!m_draining && !m_speechSince && m_isInTurn)
        m_speechSince = m_clock ? m_clock() : steadyTime();
}

bool Outbox::isSpeechLate() const
{
    return m_speechSince && (m_clock ? m_clock() : steadyTime()) - *m_speechSince > LongestSpeech;
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
    return isEndOfTurn(message) ||
           (countFits(message, m_limitedMessages) && bytesFit(message, m_queuedBytes) &&
            !(message.isSpeech() && isSpeechLate()));
}

// It always fits: without it the turn was in vain, and there is but one for each turn.
bool Outbox::isEndOfTurn(const Outgoing &message) const
{
    return message.speech == Outgoing::Speech::End && m_isInTurn;
}

bool Outbox::countFits(const Outgoing &message, int limitedMessages) const
{
    const int most = m_limits.maxQueuedMessages();
    if (message.isSpeech()) // some 50 pairs a second: bytes and time limit it
        return m_draining || most > 0;
    return m_draining || limitedMessages + message.count() <= most;
}

bool Outbox::bytesFit(const Outgoing &message, qint64 queuedBytes) const
{
    return queuedBytes + m_takenBytes + message.size() <= m_limits.maxQueuedBytes();
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
    return m_isInTurn;
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
    m_limitedMessages -= lot.limited;
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
        m_limitedMessages += message.limited();
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
    m_limitedMessages = 0;
    m_speechSince.reset();
    m_isInTurn = false;
    return std::exchange(m_queuedMessages, 0);
}

void Outbox::setDraining(bool draining)
{
    const QMutexLocker lock(&m_mutex);
    m_draining = draining;
    m_taking = draining;
    if (draining)
        m_speechSince.reset();
}

bool Outbox::rest()
{
    const QMutexLocker lock(&m_mutex);
    m_taking = m_taking && !m_queue.isEmpty();
    return !m_taking;
}

} // namespace Everwire
