// SPDX-License-Identifier: MIT
#pragma once

#include "auth/preparation.h"
#include "auth/tokenprovider.h"
#include "core/connectionconfig.h"
#include "engine/outgoingqueue.h"

#include <QMutex>

#include <chrono>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

namespace Everwire {

// What the app tells the engine.
namespace Command {

struct Open
{
    ConnectionConfig config;
    QUrl url;              // empty where a preparation has yet to make it
    bool prepares = false; // there is a Preparation
};

struct Close
{
    // Everything that the engine reports from here on belongs to this generation; the app ignores what was
    // reported in an older one (rule O2).
    quint32 generation = 0;
};

struct Reconnect
{
    ConnectionConfig config;
    QUrl url;
    bool prepares = false;
};

struct AnswerToken
{
    quint64 request = 0;
    TokenResult result;
};

struct ResumeReading // the app has caught up (rule M8)
{
};

struct Configure // for the next attempt (rule C5)
{
    ConnectionConfig config;
    QUrl url;
    bool prepares = false;
};

struct AnswerPreparation
{
    quint64 request = 0;
    PreparationResult result;
    QUrl url; // where the result is Ready
};

struct NetworkBack // or the machine is awake again (rule R7)
{
};

struct SetDebug
{
    bool on = false;
};

using Any = std::variant<Open, Close, Reconnect, AnswerToken, ResumeReading, Configure, AnswerPreparation,
                         NetworkBack, SetDebug>;

} // namespace Command

// The crossing from the app to the wire thread: commands, and the one bounded FIFO of messages (rules Q1 to
// Q10). Wakes the engine once when there is something to do, not once a message.
class EVERWIRE_EXPORT Outbox
{
public:
    struct Counters
    {
        int messages = 0; // waiting in the queue
        qint64 bytes = 0; // of those, and of those that the socket holds
    };
    struct Pushed
    {
        bool accepted = false;
        QString refusal;   // why not, for a person
        int dropped = 0;   // older messages that made room (queueOverflow: DropOldest)
        Counters counters; // with it
    };

    // A turn of speech that has waited for so long for a connection takes no more: whoever speaks has to be told.
    static constexpr std::chrono::minutes LongestSpeech{1};

    // Called from any thread, with the outbox locked: it must only post an event. Empty: nobody to wake.
    void setWake(std::function<void()> wake);
    // Steady. Default: the machine's.
    void setClock(std::function<std::chrono::milliseconds()> clock);

    // ---- any thread ----
    [[nodiscard]] Pushed push(Outgoing message);
    [[nodiscard]] Counters counters() const;
    // Whether a turn of speech has begun and not ended.
    [[nodiscard]] bool isInTurn() const;

    // ---- the app's thread ----
    void post(Command::Any command);
    void setLimits(const ConnectionConfig &config);
    // Whether push() may accept at all (rule Q2).
    void setAccepting(bool accepting);
    [[nodiscard]] bool isAccepting() const;

    // ---- the wire thread ----
    [[nodiscard]] std::vector<Command::Any> takeCommands();
    // Some of the next messages; none where there are none. They count as held by the socket until settle() or
    // giveBack(). spare: what came of the last call, done with.
    [[nodiscard]] std::vector<Outgoing> take(std::vector<Outgoing> spare = {});
    void settle(qint64 bytes);
    // Messages that were taken but never left: they go to the front again, in their order.
    void giveBack(std::vector<Outgoing> messages);
    // Drops what waits; returns how many messages that were.
    [[nodiscard]] int clear();
    // Draining: connected, and the socket takes more. While it does not drain, maxQueuedMessages applies. From here
    // until rest() says so, the wire thread comes to take what there is, and no message wakes it.
    void setDraining(bool draining);
    // Whether nothing is left to take.
    [[nodiscard]] bool rest();

private:
    [[nodiscard]] QString refusalOf(const Outgoing &message) const;
    [[nodiscard]] Counters count() const { return {m_queuedMessages, m_queuedBytes + m_takenBytes}; }
    [[nodiscard]] bool hasRoomFor(const Outgoing &message) const;
    [[nodiscard]] bool countFits(const Outgoing &message, int limitedMessages) const;
    [[nodiscard]] bool bytesFit(const Outgoing &message, qint64 queuedBytes) const;
    [[nodiscard]] int makeRoomFor(const Outgoing &message);
    [[nodiscard]] bool isEndOfTurn(const Outgoing &message) const;
    [[nodiscard]] bool isSpeechLate() const;
    [[nodiscard]] QString fullQueue() const;
    void noteSpeech(const Outgoing &message);
    void wake();

    mutable QMutex m_mutex;
    std::function<void()> m_wake;
    std::vector<Command::Any> m_commands;
    OutgoingQueue m_queue;
    ConnectionConfig m_limits;
    std::function<std::chrono::milliseconds()> m_clock;
    int m_queuedMessages = 0;
    int m_limitedMessages = 0; // of those, what maxQueuedMessages counts: no speech
    qint64 m_queuedBytes = 0;
    qint64 m_takenBytes = 0;
    std::optional<std::chrono::milliseconds> m_speechSince; // speech waits for a connection, by the clock
    bool m_isInTurn = false;
    bool m_accepting = false;
    bool m_draining = false;
    bool m_taking = false; // the wire thread is
    bool m_woken = false;
};

} // namespace Everwire
