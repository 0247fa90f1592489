// SPDX-License-Identifier: MIT
#include "engine/wirethread.h"

#include "core/logging.h"

#include <QCoreApplication>
#include <QEvent>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

namespace Everwire {

namespace {

// Qt's event queue hands a new host over under a lock of its own, which ThreadSanitizer does not see. This it does.
std::atomic<quint64> hostsHandedOver{0};

QEvent::Type wakeType()
{
    static const auto type = static_cast<QEvent::Type>(QEvent::registerEventType());
    return type;
}

std::function<std::unique_ptr<EngineRoom>()> &roomMaker()
{
    static std::function<std::unique_ptr<EngineRoom>()> maker;
    return maker;
}

Engine::Surroundings with(Scheduler &scheduler, Engine::Surroundings surroundings)
{
    if (!surroundings.scheduler)
        surroundings.scheduler = &scheduler;
    return surroundings;
}

} // namespace

EngineHost::EngineHost(Engine::Surroundings surroundings)
    : m_name(surroundings.name)
    , m_outbox(surroundings.outbox)
    , m_engine(with(m_scheduler, std::move(surroundings)))
{
}

EngineHost::~EngineHost()
{
    if (const int lost = m_engine.shutdown(); lost > 0)
        qCWarning(lcConnection).noquote()
            << m_name << "-" << lost
            << "messages did not arrive, or may not have, before the connection was destroyed";
}

void EngineHost::whenAtRest(std::function<void()> callback)
{
    m_waiting.push_back(std::move(callback));
    m_engine.whenAtRest([this] {
        for (const auto &waiting : std::exchange(m_waiting, {}))
            waiting();
    });
}

void EngineHost::detach()
{
    m_outbox->setWake({});
}

bool EngineHost::event(QEvent *event)
{
    if (event->type() != wakeType())
        return QObject::event(event);
    (void)hostsHandedOver.load(std::memory_order_acquire);
    m_engine.processOutbox();
    return true;
}

EngineRoom::~EngineRoom() = default;

std::unique_ptr<EngineRoom> EngineRoom::make()
{
    return roomMaker() ? roomMaker()() : std::make_unique<WireThread>();
}

void EngineRoom::setMaker(std::function<std::unique_ptr<EngineRoom>()> maker)
{
    roomMaker() = std::move(maker);
}

WireThread::WireThread() : m_context(std::make_unique<QObject>())
{
    m_thread.setObjectName(QStringLiteral("everwire"));
    m_context->moveToThread(&m_thread);
    m_thread.start();
}

template<typename Function>
void WireThread::callAndWait(Function &&function)
{
    QMetaObject::invokeMethod(m_context.get(), std::forward<Function>(function),
                              Qt::BlockingQueuedConnection);
}

WireThread::~WireThread()
{
    for (EngineHost *host : m_hosts)
        host->detach();
    callAndWait([this] {
        qDeleteAll(m_hosts);
        qDeleteAll(m_context->children());
    });
    callAndWait([] {}); // runs after the engines' deleteLater() calls
    // From here: a thread that ended by an event might do so before postEvent() has returned, which then wakes an event
    // dispatcher that is gone.
    m_thread.quit();
    m_thread.wait();
}

EngineHost *WireThread::add(Engine::Surroundings surroundings)
{
    const std::shared_ptr<Outbox> outbox = surroundings.outbox;
    auto *host = new EngineHost(std::move(surroundings));
    host->moveToThread(&m_thread);
    m_hosts.push_back(host);
    hostsHandedOver.fetch_add(1, std::memory_order_release);
    outbox->setWake([host] { QCoreApplication::postEvent(host, new QEvent(wakeType())); });
    return host;
}

void WireThread::remove(EngineHost *host)
{
    m_hosts.erase(std::remove(m_hosts.begin(), m_hosts.end(), host), m_hosts.end());
    host->detach();
    QMetaObject::invokeMethod(host, [this, host] {
        host->setParent(m_context.get());
        host->whenAtRest([host] { host->deleteLater(); });
    });
}

void WireThread::processNow(EngineHost *host)
{
    callAndWait([host] { host->processOutbox(); });
}

void WireThread::waitForRest()
{
    std::mutex mutex; // not Qt's, which ThreadSanitizer cannot see
    std::condition_variable oneRests;
    int awaited = 0;
    std::unique_lock<std::mutex> lock(mutex);
    lock.unlock();
    callAndWait([&] {
        std::vector<EngineHost *> hosts;
        {
            const std::lock_guard<std::mutex> counting(mutex);
            hosts = m_hosts;
            for (QObject *leaving : m_context->children())
                hosts.push_back(static_cast<EngineHost *>(leaving));
            awaited = int(hosts.size());
        }
        for (EngineHost *host : hosts) {
            host->whenAtRest([&] {
                const std::lock_guard<std::mutex> counting(mutex);
                --awaited;
                // While locked, because afterwards waitForRest() may have returned.
                oneRests.notify_one();
            });
        }
    });
    lock.lock();
    oneRests.wait(lock, [&] { return awaited == 0; });
}

} // namespace Everwire
