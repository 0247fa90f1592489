// SPDX-License-Identifier: MIT
#pragma once

#include "core/connectionerror.h"
#include "core/connectionstate.h"
#include "core/messagepool.h"
#include "core/sessioninfo.h"
#include "engine/recentmessages.h"
#include "engine/requesttickets.h"

#include <QMutex>
#include <QUrl>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <type_traits>
#include <variant>
#include <vector>

namespace Everwire {

// One step of the engine's state machine with all that belongs to it, so that the app's properties can change
// together (rule S6).
struct Transition
{
    ConnectionState to = ConnectionState::Disconnected;
    ConnectionError error; // why, where something failed
    SessionInfo session;   // Connected only
    QUrl url; // Connecting only, where it is known: a configuration may have changed it (rule C5)
    QString closeReason;
    int closeCode = 0;
    int attempt = 0;                        // which attempt this is, or waits for; 0: the first try
    std::chrono::milliseconds retryDelay{}; // Reconnecting only
    int gaveUpAfter = -1;                   // attempts, where they ran out (rule R3)
    RequestTickets::Tickets lostRequests;   // requests that cannot be answered any more (rule Q11)
};

// What the engine tells the app besides messages and transitions.
namespace Notice {

struct TokenNeeded
{
    quint64 request = 0;
    bool fresh = false; // one that was fetched before will not do
};

struct TokenAbandoned // the request timed out or its attempt is over
{
};

struct PreparationNeeded
{
    quint64 request = 0;
    QString token;
};

struct SessionRenewed // the server has accepted another token on the live connection
{
    SessionInfo session;
};

struct ParseError
{
    QByteArray text;
    QString reason;
};

struct Discarded
{
    int count = 0;
    QString reason;
};

struct Rejected // a message that the app sent from another thread than the connection's
{
    QString reason;
    int count = 1; // more: so many of them, and why the last one was
};

struct Overloaded
{
    ConnectionError error;
};

} // namespace Notice

// The crossing from the wire thread to the app: messages and state changes in one order, and beside them the newest
// messages of both directions for the history. Wakes the app once when it turns non-empty.
class EVERWIRE_EXPORT Inbox
{
public:
    using Event = std::variant<Transition, Notice::TokenNeeded, Notice::TokenAbandoned,
                               Notice::PreparationNeeded, Notice::SessionRenewed, Notice::ParseError,
                               Notice::Discarded, Notice::Rejected, Notice::Overloaded>;
    // What is to be handled. Small, for a burst is tens of thousands of them, nearly all messages.
    struct Entry
    {
        qint64 cost = 0; // what counts of it as pending, in bytes
        quint32 generation = 0;
        quint32 interest = 0; // by which audience was found
        Audience audience = Audience::Each;
        Message message;              // received; or
        std::unique_ptr<Event> other; // what else happened

        template<typename T>
        [[nodiscard]] const T *as() const
        {
            if constexpr (std::is_same_v<T, Message>)
                return other ? nullptr : &message;
            else
                return other ? std::get_if<T>(other.get()) : nullptr;
        }
    };
    using Record = RecentMessages::Record; // what is to be shown in the history
    struct Contents
    {
        std::vector<Entry> entries;
        std::vector<Record> records;    // the newest, no more than the history keeps
        bool isHistoryOutdated = false; // so many are left here that it keeps nothing else any more
        qint64 leftBytes = 0;           // cost of the history's messages that are left here
    };

    // pool: of which received messages are made, and where they go when nobody needs them any more; none: nowhere.
    explicit Inbox(std::shared_ptr<MessagePool> pool = {});

    // Called from any thread, with the inbox locked: it must only post an event. Empty: nobody to wake.
    void setWake(std::function<void()> wake);

    // ---- whoever makes messages of the pool: the wire thread; any where there is none ----
    void push(quint32 generation, Message received);

    // ---- any thread ----
    void push(quint32 generation, Event event);
    // A message that this user sent.
    void record(quint32 user, Message sent);
    // The same of a text of no type, whose bytes are only lent.
    void recordText(quint32 user, QByteArrayView utf8);
    // Messages that the history takes; 0: none.
    void setHistoryLimit(int limit) { m_historyLimit.store(limit, std::memory_order_relaxed); }
    [[nodiscard]] int historyLimit() const { return m_historyLimit.load(std::memory_order_relaxed); }
    // The most bytes that these messages may cost together.
    void setHistoryBytes(qint64 bytes) { m_historyBytes.store(bytes, std::memory_order_relaxed); }
    [[nodiscard]] qint64 historyBytes() const { return m_historyBytes.load(std::memory_order_relaxed); }
    // What has become of messages that the app has sent. However many they are while the app does not look, they cost
    // no more than MostTold of them: behind those each is added to the last of its kind.
    void tell(Notice::Rejected notice);
    void tell(Notice::Discarded notice);
    // Wakes the app to look at the outbox's counters.
    void poke();
    // Bytes, with what a message costs beside its own, were received and the app has not handled yet.
    [[nodiscard]] qint64 pendingBytes() const { return m_pendingBytes.load(std::memory_order_relaxed); }
    // Reading has paused, to go on when no more than so many bytes are pending. Asked before the event that
    // did not fit is pushed, so the app's next look at the inbox comes after it (rule M8).
    void askForRoom(qint64 pendingBytes) { m_roomWanted.store(pendingBytes, std::memory_order_release); }

    // Another thread than the app's holds as much of what was received; handled() says that it does no more.
    void pend(qint64 cost) { m_pendingBytes.fetch_add(cost, std::memory_order_relaxed); }
    // What was reported in another generation than the present is not to be handled (rule O2).
    [[nodiscard]] quint32 generation() const { return m_generation.load(std::memory_order_acquire); }

    // ---- the app's thread ----
    // What was received before is not for the history any more.
    quint32 beginGeneration();
    // Calls *change*, and passes the messages that wait here to *newcomer*. From then on, every
    // pushed message is passed to *all*. All are called with the inbox locked, on any thread, so
    // they must not call back. An empty *all* ends this.
    void divert(TakeMessage all, const TakeMessage &newcomer, const std::function<void()> &change = {});
    // Left: the history's stay here, and what is sent wakes nobody until they are taken.
    enum class Records { Taken, Left };
    [[nodiscard]] Contents takeAll(Records records = Records::Taken);
    [[nodiscard]] std::vector<Record> takeRecords();
    // What has been taken and handled, with the messages that are left in it, for the next ones.
    void giveBack(std::vector<Entry> entries);
    // The app comes by itself and needs no wake before: for nothing, or for no message but one that is heard by somebody
    // who takes each.
    enum class Hold { Everything, WhatCanWait };
    void hold(Hold what);
    // Says that the app is done with what has cost so much.
    void handled(qint64 cost);
    // And with what is no message.
    void handled(const Event &other);
    // Whether reading is paused until there is room. Cheaper than takeRoomAgain().
    [[nodiscard]] bool isRoomWanted() const
    {
        return m_roomWanted.load(std::memory_order_relaxed) != NoRoomWanted;
    }
    // Whether there is the room that was asked for; once for each time.
    [[nodiscard]] bool takeRoomAgain();

    // What it will count as.
    [[nodiscard]] static qint64 costOf(const Message &message);
    [[nodiscard]] static qint64 costOf(const QByteArray &unreadable);

    static constexpr int MostTold = 1000;

private:
    void wake();
    void takeBack();
    void supersede(const MessageData &message, quint32 generation);

    template<typename T>
    void tell(T notice, T *&last);

    void wakeForRecord();

    QMutex m_mutex;
    std::function<void()> m_wake;
    const std::shared_ptr<MessagePool> m_pool;
    TakeMessage m_take;
    std::atomic<quint32> m_generation{0};
    std::vector<Entry> m_entries;
    RecentMessages m_recent;
    std::vector<Entry> m_givenBack;
    std::atomic<bool> m_hasGivenBack{false};
    std::vector<Entry> m_spareEntries; // none, but room for some
    // Of m_entries, the last of each type that is heard by those alone who take the newest.
    std::vector<std::pair<const QString *, size_t>> m_newest;
    std::atomic<int> m_historyLimit{0};
    std::atomic<qint64> m_historyBytes{RecentMessages::AnyBytes};
    std::atomic<int> m_told{0}; // notices of those kinds that the app is not done with
    // The last of m_entries that were told; null where there is none.
    Notice::Rejected *m_lastRejected = nullptr;
    Notice::Discarded *m_lastDiscarded = nullptr;
    std::atomic<qint64> m_pendingBytes{0};
    static constexpr qint64 NoRoomWanted = -1;
    std::atomic<qint64> m_roomWanted{NoRoomWanted};
    bool m_woken = false;
    bool m_onlyWhatCanWait = false; // is held
    bool m_areRecordsAwaited = true;
};

} // namespace Everwire
