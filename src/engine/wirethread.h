// SPDX-License-Identifier: MIT
#pragma once

#include "engine/engine.h"
#include "engine/qtscheduler.h"

#include <QObject>
#include <QThread>

namespace Everwire {

// An engine in its thread. The outbox wakes it.
class EVERWIRE_EXPORT EngineHost final : public QObject
{
    Q_OBJECT

public:
    // Surroundings without a scheduler get one of real time.
    explicit EngineHost(Engine::Surroundings surroundings);
    ~EngineHost() override;

    void processOutbox() { m_engine.processOutbox(); }
    // Looks at what the outbox holds, and calls back once, as soon as the engine is at rest. That
    // may be at once.
    void whenAtRest(std::function<void()> callback);
    // From here on nothing wakes it. Called on the app's thread, before it is deleted on its own.
    void detach();

protected:
    bool event(QEvent *event) override;

private:
    QtScheduler m_scheduler;
    const QString m_name;
    const std::shared_ptr<Outbox> m_outbox;
    std::vector<std::function<void()>> m_waiting; // callbacks for the engine's rest
    Engine m_engine;
};

// Where all connections of a provider do their work. Used from the provider's thread.
class EVERWIRE_EXPORT EngineRoom
{
public:
    EngineRoom() = default;
    virtual ~EngineRoom();
    Q_DISABLE_COPY_MOVE(EngineRoom)

    // An engine for these surroundings, with the room's scheduler. It runs until remove() or the end.
    [[nodiscard]] virtual EngineHost *add(Engine::Surroundings surroundings) = 0;
    // Removes an engine that was told to end. It is deleted when it is at rest.
    virtual void remove(EngineHost *host) = 0;
    // Lets the engine process its outbox, and waits until it has.
    virtual void processNow(EngineHost *host) = 0;
    // Waits until every engine is at rest. All must have been told to end. Takes closeTimeout at
    // most, and less than a second for confirmations that are late.
    virtual void waitForRest() = 0;
    // What the app's half of a connection waits by.
    [[nodiscard]] virtual Scheduler &appScheduler() = 0;
    // Of what all of them make their messages.
    [[nodiscard]] const std::shared_ptr<MessagePool> &messagePool() const { return m_messagePool; }

    // A WireThread, or what a test that turns the clock itself has put in its place.
    [[nodiscard]] static std::unique_ptr<EngineRoom> make();
    static void setMaker(std::function<std::unique_ptr<EngineRoom>()> maker);

private:
    const std::shared_ptr<MessagePool> m_messagePool = std::make_shared<MessagePool>();
};

// The one thread on which they do (design: two threads, two crossings).
class EVERWIRE_EXPORT WireThread final : public EngineRoom
{
public:
    WireThread();
    // Ends the thread and waits for it. Connections that have not ended are cut.
    ~WireThread() override;

    [[nodiscard]] EngineHost *add(Engine::Surroundings surroundings) override;
    void remove(EngineHost *host) override;
    void processNow(EngineHost *host) override;
    void waitForRest() override;
    [[nodiscard]] Scheduler &appScheduler() override { return m_appScheduler; }

private:
    QtScheduler m_appScheduler;
    template<typename Function>
    void callAndWait(Function &&function);

    QThread m_thread;
    std::unique_ptr<QObject> m_context; // lives in the thread, as parent of the removed hosts
    std::vector<EngineHost *> m_hosts;
};

} // namespace Everwire
