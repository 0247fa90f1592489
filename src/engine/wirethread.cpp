// SPDX-License-Identifier: MIT
#include "engine/wirethread.h"

#include <QCoreApplication>
#include <QEvent>

#include <algorithm>
#include <atomic>

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
    : m_outbox(surroundings.outbox), m_engine(with(m_scheduler, std::move(surroundings)))
{
}

EngineHost::~EngineHost()
{
    m_engine.shutdown();
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

WireThread::~WireThread()
{
    for (EngineHost *host : m_hosts)
        host->detach();
    const auto onTheThread = [this](const auto &call) {
        QMetaObject::invokeMethod(m_context.get(), call, Qt::BlockingQueuedConnection);
    };
    onTheThread([this] {
        for (EngineHost *host : m_hosts)
            delete host;
    });
    onTheThread([] {}); // comes behind what the engines have left to be deleted later
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
    host->deleteLater();
}

} // namespace Everwire
