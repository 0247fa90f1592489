// SPDX-License-Identifier: MIT
#pragma once

#include "core/connectionerror.h"
#include "core/connectionstate.h"
#include "core/message.h"
#include "core/sessioninfo.h"

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

// The crossing from the wire thread to the app: messages and state changes in one order. Wakes the app once
// when it turns non-empty.
class EVERWIRE_EXPORT Inbox
{
public:
    using Event = std::variant<Message, Transition, Notice::TokenNeeded, Notice::TokenAbandoned,
                               Notice::PreparationNeeded, Notice::SessionRenewed, Notice::ParseError,
                               Notice::Discarded, Notice::Rejected, Notice::Overloaded>;
    // Small, for a burst is tens of thousands of them: nearly all are messages.
    struct Entry
    {
        quint32 generation = 0;
        Message message;              // or
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

    // Called from any thread, with the inbox locked: it must only post an event. Empty: nobody to wake.
    void setWake(std::function<void()> wake);

    // ---- any thread ----
    void push(quint32 generation, Event event);
    // A message that this user sent, for the history; the user stands in for a generation. The newest *most* of them at least are kept (rule M8).
    void record(quint32 user, Message sent, int most);
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

    // ---- the app's thread ----
    [[nodiscard]] std::vector<Entry> takeAll();
    // The app comes by itself and needs no wake before.
    void hold();
    // Messages that nobody needs any more, for the wire thread to free with the next that it pushes: it has made them,
    // and no frame waits for it. Small ones only, so that they may lie here for long.
    void recycle(std::vector<Message> &&messages);
    // Says that the app is done with what has cost so much.
    void handled(qint64 cost);
    // And with what is no message.
    void handled(const Event &other);
    // Whether there is the room that was asked for; once for each time.
    [[nodiscard]] bool takeRoomAgain();

    // What counts of it as pending, in bytes.
    [[nodiscard]] static qint64 costOf(const Event &event);
    [[nodiscard]] static qint64 costOf(const Entry &entry);
    // record()'s.
    [[nodiscard]] static bool isRecord(const Entry &entry);

    static constexpr int MostTold = 1000;

private:
    void wake();
    void dropOldestRecords(int most);
    template<typename T>
    void tell(T notice, T *&last);

    QMutex m_mutex;
    std::function<void()> m_wake;
    std::vector<Entry> m_entries;
    std::vector<Message> m_recycled;
    qint64 m_recycledBytes = 0;
    int m_records = 0;          // of m_entries
    std::atomic<int> m_told{0}; // notices of those kinds that the app is not done with
    // The last of m_entries that were told; null where there is none.
    Notice::Rejected *m_lastRejected = nullptr;
    Notice::Discarded *m_lastDiscarded = nullptr;
    std::atomic<qint64> m_pendingBytes{0};
    static constexpr qint64 NoRoomWanted = -1;
    std::atomic<qint64> m_roomWanted{NoRoomWanted};
    bool m_woken = false;
};

} // namespace Everwire
