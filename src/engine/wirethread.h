// SPDX-License-Identifier: MIT
#pragma once

#include "engine/engine.h"
#include "engine/qtscheduler.h"

#include <QObject>
#include <QThread>

namespace Everwire {

// An engine in its thread. Wakes when its outbox does; says goodbye to the server when it is deleted.
class EngineHost final : public QObject
{
    Q_OBJECT

public:
    explicit EngineHost(Engine::Surroundings surroundings);
    ~EngineHost() override;

    // From here on nothing wakes it. Called on the app's thread, before it is deleted on its own.
    void detach();

protected:
    bool event(QEvent *event) override;

private:
    QtScheduler m_scheduler;
    std::shared_ptr<Outbox> m_outbox;
    Engine m_engine;
};

// The one thread on which all connections of a provider do their work (design: two threads, two crossings).
// Used from the provider's thread.
class EVERWIRE_EXPORT WireThread final
{
public:
    WireThread();
    // Closes every connection without waiting for answers, ends the thread and waits for that.
    ~WireThread();
    Q_DISABLE_COPY_MOVE(WireThread)

    // An engine for these surroundings, whose scheduler is the thread's. It runs until remove() or the end.
    [[nodiscard]] EngineHost *add(Engine::Surroundings surroundings);
    void remove(EngineHost *host);
    // Of what all of them make their messages.
    [[nodiscard]] const std::shared_ptr<MessagePool> &messagePool() const { return m_messagePool; }

private:
    const std::shared_ptr<MessagePool> m_messagePool = std::make_shared<MessagePool>();
    QThread m_thread;
    std::unique_ptr<QObject> m_context; // lives in the thread
    std::vector<EngineHost *> m_hosts;
};

} // namespace Everwire
