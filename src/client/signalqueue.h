// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QObject>
#include <QPointer>

#include <deque>
#include <functional>

namespace Everwire {

// An object's signals in the order of what happened, also where a handler makes the next thing happen, or runs an
// event loop of its own (rule S7). A handler may delete the object meanwhile, and this queue with it.
class EVERWIRE_EXPORT SignalQueue
{
public:
    using Signal = std::function<void()>;
    enum class Heard { Always, UntilSilenced };

    // While a Hold exists, flush() does nothing, except in an event loop that was started after it.
    // A Hold may outlive the queue.
    class EVERWIRE_EXPORT Hold
    {
    public:
        explicit Hold(SignalQueue &queue);
        ~Hold();
        Q_DISABLE_COPY_MOVE(Hold)

    private:
        SignalQueue &m_queue;
        const QPointer<QObject> m_owner;
        const int m_outer;
    };

    explicit SignalQueue(QObject *owner) : m_owner(owner) {}

    void push(Signal signal, Heard heard = Heard::Always)
    {
        m_entries.push_back({std::move(signal), heard, nullptr});
    }
    // A signal of the owner's that has no argument: a property's, which may change with every message.
    template<typename Owner>
    void push(void (Owner::*changed)())
    {
        m_entries.push_back({{}, Heard::Always, static_cast<void (QObject::*)()>(changed)});
    }
    // Forgets what waits and is heard only until now.
    void silence();
    // Emits what waits. Called from inside a handler it does nothing: whoever called the handler goes on.
    // If a slot throws, flush() lets the exception through, and the event loop emits the remaining
    // signals.
    void flush();
    // Emits the queued signals from the event loop.
    void flushLater();

    // Whether the queue is empty and nothing is being emitted.
    [[nodiscard]] bool isIdle() const { return m_entries.empty() && m_level == Nowhere; }
    // Whether signals are being emitted, or held, further up the stack in the current event loop.
    // If so, the caller runs inside one of their handlers, directly or through processEvents().
    [[nodiscard]] bool isEmittingHere() const;

private:
    struct Entry
    {
        Signal signal;
        Heard heard;
        void (QObject::*changed)() = nullptr; // instead of signal
    };

    static constexpr int Nowhere = -1;

    QObject *const m_owner;
    std::deque<Entry> m_entries;
    int m_level = Nowhere; // event loop level at which signals are being emitted, or held
};

} // namespace Everwire
