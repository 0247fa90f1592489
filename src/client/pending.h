// SPDX-License-Identifier: MIT
#pragma once

#include "engine/outbox.h"

#include <Everwire/ConnectionException>
#include <Everwire/Message>
#include <Everwire/SessionInfo>

#include <QFuture>
#include <QFutureWatcher>
#include <QJsonObject>
#include <QPromise>
#include <QTimer>

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <vector>

namespace Everwire {

// Somebody's wait for one answer: a future that is settled once, with a result or a ConnectionError.
template<typename Result>
class Deferred
{
public:
    Deferred() { m_promise.start(); }

    [[nodiscard]] QFuture<Result> future() { return m_promise.future(); }
    void resolve(const Result &result)
    {
        m_promise.addResult(result);
        m_promise.finish();
    }
    void reject(const ConnectionError &error)
    {
        m_promise.setException(ConnectionException(error));
        m_promise.finish();
    }
    // Whoever waited has cancelled the future.
    void finish() { m_promise.finish(); }

private:
    QPromise<Result> m_promise;
};

// Whoever called openAsync() and waits for Connected.
class EVERWIRE_EXPORT PendingOpens
{
public:
    [[nodiscard]] QFuture<SessionInfo> add();
    // Both may run the app's code, which may add more, or delete this.
    void resolve(const SessionInfo &session);
    void reject(const ConnectionError &error);

private:
    std::list<Deferred<SessionInfo>> m_waiting;
};

// Requests that were sent, or are queued, and have no reply yet. Belongs to the connection's thread.
//
// A request is known by the key of its id, and by a ticket to the outbox, in which its message
// waits. When a request ends without a reply, its message is taken out of the queue, if it is still
// there (rule Q11).
class EVERWIRE_EXPORT PendingRequests
{
public:
    struct Added
    {
        QFuture<QJsonObject> future;
        quint64 ticket = 0; // of its message
    };
    using Tickets = RequestTickets::Tickets;

    // queueChanged: a message may have left the queue with its request. It may run the app's code.
    PendingRequests(std::shared_ptr<Outbox> outbox, std::function<void()> queueChanged);
    Q_DISABLE_COPY_MOVE(PendingRequests)

    // By which a request and its reply are told to belong together. The key of a text is never that
    // of a number; 5 and 5.0 have the same. Empty where there is no id: an empty text, null,
    // nothing.
    [[nodiscard]] static QString keyOf(const QJsonValue &id);
    // Whether an app may give its request such an id: one that has a key, or none.
    [[nodiscard]] static bool isUsable(const QJsonValue &id);

    [[nodiscard]] QString makeId();
    [[nodiscard]] bool isEmpty() const { return m_waiting.empty(); }
    // What no error may quote of a reply.
    void setSecrets(const QStringList &secrets) { m_secrets = secrets; }
    [[nodiscard]] bool contains(const QString &key) const { return m_waiting.count(key) > 0; }
    [[nodiscard]] Added add(const QString &key, std::chrono::milliseconds timeout);

    // If this message is a reply, whoever waits for it gets it. These may run the app's code, which may delete this.
    void take(const Message &message, const QString &idField);
    void fail(const QString &key, const ConnectionError &error);

    // These (sorted), or all, wait no more, and their messages are out of the queue. rejectDoomed()
    // tells whoever waits.
    void doom(const Tickets &tickets, const ConnectionError &error);
    void doomAll(const ConnectionError &error);
    [[nodiscard]] bool hasDoomed() const { return !m_doomed.empty(); }
    // May run the app's code, which may delete this.
    void rejectDoomed();

private:
    // The timer is a child of the watcher, which may be the one that calls while its request goes.
    struct Request
    {
        Request() { timeout->setSingleShot(true); }
        ~Request()
        {
            stop();
            watcher->deleteLater();
        }
        Q_DISABLE_COPY_MOVE(Request)

        void stop()
        {
            timeout->stop();
            watcher->disconnect();
        }

        Deferred<QJsonObject> deferred;
        quint64 ticket = 0;
        QFutureWatcher<QJsonObject> *const watcher = new QFutureWatcher<QJsonObject>;
        QTimer *const timeout = new QTimer(watcher);
    };
    struct Doomed
    {
        std::unique_ptr<Request> request;
        ConnectionError error;
    };

    [[nodiscard]] std::unique_ptr<Request> remove(const QString &key);
    void expire(const QString &key, std::chrono::milliseconds timeout);
    void forget(const QString &key);

    std::shared_ptr<Outbox> m_outbox;
    std::function<void()> m_queueChanged;
    std::map<QString, std::unique_ptr<Request>> m_waiting;
    std::vector<Doomed> m_doomed;
    QString m_idPrefix; // so that no late reply to another connection's request is taken for ours
    quint64 m_lastId = 0;
    quint64 m_lastTicket = 0;
    QStringList m_secrets;
};

} // namespace Everwire
