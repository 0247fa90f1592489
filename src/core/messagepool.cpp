// SPDX-License-Identifier: MIT
#include "core/messagepool.h"

#include <QtAlgorithms>

#include <iterator>
#include <new>
#include <utility>

namespace Everwire {

namespace {

// What may lie here for as long as nothing comes, in bytes.
constexpr qint64 MostGiven = 4 * 1024 * 1024;
constexpr qint64 MostSpare = 4 * 1024 * 1024;
constexpr qint64 MostBuffers = 2 * 1024 * 1024;

// A buffer serves any size of its class, and then wastes less than half of itself.
size_t sizeClass(qsizetype bytes)
{
    return size_t(63 - qCountLeadingZeroBits(quint64(bytes)));
}

} // namespace

void MessagePool::give(std::vector<CountedMessage> &&messages)
{
    qint64 cost = 0;
    for (const CountedMessage &message : messages)
        cost += message.cost;
    const QMutexLocker lock(&m_mutex);
    if (m_givenCost + cost > MostGiven)
        return;
    m_givenCost += cost;
    if (m_given.empty())
        m_given = std::move(messages);
    else
        m_given.insert(m_given.end(), std::make_move_iterator(messages.begin()),
                       std::make_move_iterator(messages.end()));
    m_hasGiven.store(true, std::memory_order_relaxed);
}

void MessagePool::takeIn()
{
    std::vector<CountedMessage> given;
    {
        const QMutexLocker lock(&m_mutex);
        given.swap(m_given);
        m_givenCost = 0;
        m_hasGiven.store(false, std::memory_order_relaxed);
    }
    constexpr size_t far = 8;
    for (size_t i = 0; i < given.size(); ++i) {
        if (i + far < given.size())
            MessageData::prefetch(given[i + far].message);
        keep(std::move(given[i]));
    }
}

void MessagePool::keep(CountedMessage spare)
{
    MessageData *data = spare.message.d.data();
    if (!data || data->ref.loadAcquire() != 1)
        return;
    keep(std::exchange(data->bytes, {}));
    if (m_spareCost + spare.cost > MostSpare)
        return;
    m_spareCost += spare.cost;
    data->payload = {};
    data->moreDecoded = {};
    m_spare.push_back(std::move(spare));
}

void MessagePool::keep(QByteArray bytes)
{
    const qsizetype capacity = bytes.capacity();
    if (capacity == 0 || !bytes.isDetached() || m_bufferBytes + capacity > MostBuffers)
        return;
    const size_t size = sizeClass(capacity);
    if (size >= m_buffers.size())
        return;
    bytes.resize(0);
    m_bufferBytes += capacity;
    m_buffers[size].push_back(std::move(bytes));
}

QByteArray MessagePool::copy(QByteArrayView bytes)
{
    if (m_hasGiven.load(std::memory_order_relaxed))
        takeIn();
    const size_t size = bytes.isEmpty() ? m_buffers.size() : sizeClass(bytes.size());
    if (size >= m_buffers.size() || m_buffers[size].empty())
        return bytes.toByteArray();
    auto &buffers = m_buffers[size];
    QByteArray buffer = std::move(buffers.back());
    buffers.pop_back();
    if (!buffers.empty()) // which is the next one's, most likely
        MessageData::prefetchAt(buffers.back().constData());
    m_bufferBytes -= buffer.capacity();
    if (buffer.capacity() < bytes.size())
        return bytes.toByteArray();
    return buffer.append(bytes.data(), bytes.size());
}

// New but for what it was decoded to.
MessageData *MessagePool::takeData()
{
    if (m_spare.empty())
        return new MessageData;
    m_spareCost -= m_spare.back().cost;
    MessageData *data = m_spare.back().message.d.take();
    m_spare.pop_back();
    if (!m_spare.empty())
        MessageData::prefetchDecoded(m_spare.back().message);
    Decoded decoded = std::move(data->decoded);
    data->~MessageData(); // for its once_flag cannot be assigned to
    new (data) MessageData;
    data->decoded = std::move(decoded);
    return data;
}

Message MessagePool::text(QByteArrayView utf8, const QString *sharedType, Decoded *former)
{
    QByteArray bytes = copy(utf8);
    MessageData *data = takeData();
    *former = std::exchange(data->decoded, {});
    data->sharedType = sharedType;
    data->bytes = std::move(bytes);
    return Message::received(data);
}

Message MessagePool::binary(QByteArray bytes)
{
    MessageData *data = takeData();
    data->decoded = {};
    data->bytes = std::move(bytes);
    data->isBinary = true;
    return Message::received(data);
}

} // namespace Everwire
