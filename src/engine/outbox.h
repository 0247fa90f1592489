// SPDX-License-Identifier: MIT
#pragma once

#include "auth/preparation.h"
#include "auth/tokenprovider.h"
#include "core/connectionconfig.h"
#include "engine/outgoingqueue.h"
#include "engine/requesttickets.h"

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
    enum class Why {
        Asked,     // close()
        SignedOut, // unsent messages of the user are discarded
        ForGood,   // nobody can open it again, so that the wait for the server's answer is short
    };
    Why why = Why::Asked;
};

// From now on nobody receives reports. Messages that are discarded are only counted, for the log.
struct Leave
{
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

using Any = std::variant<Open, Close, Leave, Reconnect, AnswerToken, ResumeReading, Configure,
                         AnswerPreparation, NetworkBack, SetDebug>;

} // namespace Command

// The crossing from the app to the wire thread: commands, and the one bounded FIFO of messages (rules Q1 to
// Q10). Wakes the engine once when there is something to do, not once a message.
class EVERWIRE_EXPORT Outbox
{
public:
    struct Counters
    {
        int messages = 0; // waiting in the queue
        qint64 bytes = 0; // of those messages, and of those in the socket and the operating system
    };
    struct Pushed
    {
        bool accepted = false;
        QString refusal;   // why not, for a person
        int dropped = 0;   // older messages that made room (queueOverflow: DropOldest)
        quint32 user = 0;  // the user to whom the message belongs
        Counters counters; // with it
    };

    // The longest that a turn of speech is kept without a connection. After that, its chunks are
    // refused, so that the speaker learns of it.
    static constexpr std::chrono::minutes LongestSpeech{1};

    // Called from any thread, with the outbox locked: it must only post an event. Empty: nobody to wake.
    void setWake(std::function<void()> wake);
    // A steady clock. Default: the machine's.
    void setClock(std::function<std::chrono::milliseconds()> clock);

    // ---- any thread ----
    [[nodiscard]] Pushed push(Outgoing message);
    [[nodiscard]] Counters counters() const;
    // Requests whose message was dropped for a newer one. Each is returned once.
    [[nodiscard]] RequestTickets::Tickets takeDropped();
    // Whether a turn of speech has begun and has not ended.
    [[nodiscard]] bool isInTurn() const;

    // ---- the app's thread ----
    // Pushes the message of a request (its ticket is not 0). Before the message is handed over,
    // *isCancelled* is called, on any thread and with the outbox locked.
    [[nodiscard]] Pushed pushRequest(Outgoing message, RequestTickets::IsCancelled isCancelled);
    // Called when requests have ended. Their queued messages are removed. Messages that the engine
    // has taken are not queued again if they are given back. Returns how many were removed (rule
    // Q11).
    int withdraw(const RequestTickets::Tickets &tickets);
    // Called for open() during the goodbye. Messages pushed from now on wait for the next
    // connection, under its limits, and the engine does not see them (rule Q2).
    void beginNext(const ConnectionConfig &limits);
    // The next connection begins: its messages become the queue.
    void startNext();
    // Called if close() revokes that open(). Returns how many messages were discarded.
    [[nodiscard]] int discardNext();
    void post(Command::Any command);
    void setLimits(const ConnectionConfig &config);
    // Whether push() may accept at all (rule Q2).
    void setAccepting(bool accepting);
    [[nodiscard]] bool isAccepting() const;
    // Starts the messages of another user. In the same step it stops accepting messages and drops
    // those that are queued. Returns how many were dropped.
    [[nodiscard]] int changeUser();
    // The user to whom accepted messages belong. Each changeUser() changes the number.
    [[nodiscard]] quint32 user() const;

    // ---- the wire thread ----
    [[nodiscard]] std::vector<Command::Any> takeCommands();
    // Some of the next messages; none where there are none. They count as held by the socket until settle() or
    // giveBack(). spare: what came of the last call, done with.
    [[nodiscard]] std::vector<Outgoing> take(std::vector<Outgoing> spare = {});
    void settle(qint64 bytes);
    // bytes: accepted by the operating system but not sent. Returns whether the value has changed.
    bool setHeldBySystem(qint64 bytes);
    // Messages that were taken but never left: they go to the front again, in their order.
    void giveBack(std::vector<Outgoing> messages);
    // The same, but they are discarded. Returns their number.
    [[nodiscard]] int discard(std::vector<Outgoing> messages);
    // Drops what waits; returns how many messages that were.
    [[nodiscard]] int clear();
    // Requests whose message is lost: dropped by clear(), or, if connectionEnded, handed to the
    // connection and not given back. Each is returned once.
    [[nodiscard]] RequestTickets::Tickets takeLostRequests(bool connectionEnded);
    // Draining: connected, and the socket takes more. While it does not drain, maxQueuedMessages applies. From here
    // until rest() says so, the wire thread comes to take what there is, and no message wakes it.
    void setDraining(bool draining);
    // Whether nothing is left to take.
    [[nodiscard]] bool rest();

private:
    // The queue for one connection.
    struct Lane
    {
        OutgoingQueue queue;
        OutgoingAmount amount;
        // Since when speech waits for a connection.
        std::optional<std::chrono::milliseconds> speechSince;
        bool isInTurn = false;
    };

    // The lane to which push() adds.
    [[nodiscard]] Lane &lane() { return m_isNextOpen ? m_next : m_now; }
    [[nodiscard]] const Lane &lane() const { return m_isNextOpen ? m_next : m_now; }
    [[nodiscard]] Pushed add(Outgoing message);
    [[nodiscard]] QString refusalOf(const Outgoing &message) const;
    // Bytes that the present connection holds outside of its queue. They do not count for the next
    // connection.
    [[nodiscard]] qint64 heldOutside() const { return m_isNextOpen ? 0 : m_takenBytes + m_systemBytes; }
    [[nodiscard]] Counters count() const
    {
        return {m_now.amount.count + m_next.amount.count,
                m_now.amount.bytes + m_next.amount.bytes + m_takenBytes + m_systemBytes};
    }
    [[nodiscard]] bool hasRoomFor(const Outgoing &message) const;
    [[nodiscard]] bool countFits(const Outgoing &message, int limitedMessages) const;
    [[nodiscard]] bool bytesFit(const Outgoing &message, qint64 queuedBytes) const;
    [[nodiscard]] int makeRoomFor(const Outgoing &message);
    [[nodiscard]] bool isEndOfTurn(const Outgoing &message) const;
    [[nodiscard]] bool isSpeechLate() const;
    [[nodiscard]] QString fullQueue() const;
    void noteSpeech(const Outgoing &message);
    int drop(Lane &lane, RequestTickets::State state);
    void dropEnded(OutgoingQueue::Lot *lot);
    void removeEnded(std::vector<Outgoing> *messages);
    void wake();

    mutable QMutex m_mutex;
    std::function<void()> m_wake;
    std::vector<Command::Any> m_commands;
    Lane m_now;
    Lane m_next; // for the connection after a goodbye
    bool m_isNextOpen = false;
    ConnectionConfig m_limits;
    std::function<std::chrono::milliseconds()> m_clock;
    qint64 m_takenBytes = 0;
    qint64 m_systemBytes = 0;
    RequestTickets m_requests;
    quint32 m_user = 0;
    bool m_accepting = false;
    bool m_draining = false;
    bool m_taking = false; // the wire thread is
    bool m_woken = false;
};

} // namespace Everwire
