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
    // Finishes the promise after its future was cancelled: there is nobody to tell.
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
// A request is identified by the key of its id, and in the outbox by its ticket. If a request ends
// without a reply and its message is still queued, the message is removed from the queue (rule
// Q11).
class EVERWIRE_EXPORT PendingRequests
{
public:
    struct Added
    {
        QFuture<QJsonObject> future;
        quint64 ticket = 0; // of the request's message
    };
    using Tickets = RequestTickets::Tickets;

    // queueChanged: called when ending a request may have removed a message from the queue. It may
    // run the app's code.
    PendingRequests(std::shared_ptr<Outbox> outbox, std::function<void()> queueChanged);
    Q_DISABLE_COPY_MOVE(PendingRequests)

    // The key by which a reply is matched to its request. A string and a number never have the same
    // key, but 5 and 5.0 do. Empty if there is no id: an empty string, null or undefined.
    [[nodiscard]] static QString keyOf(const QJsonValue &id);
    // Whether an app may set this id in its request: one that has a key, or an empty one.
    [[nodiscard]] static bool isUsable(const QJsonValue &id);

    [[nodiscard]] QString makeId();
    [[nodiscard]] bool isEmpty() const { return m_waiting.empty(); }
    // Secrets that errors mask when they quote a reply.
    void setSecrets(const QStringList &secrets) { m_secrets = secrets; }
    [[nodiscard]] bool contains(const QString &key) const { return m_waiting.count(key) > 0; }
    [[nodiscard]] Added add(const QString &key, std::chrono::milliseconds timeout);

    // If this message is a reply, whoever waits for it gets it. These may run the app's code, which may delete this.
    void take(const Message &message, const QString &idField);
    void fail(const QString &key, const ConnectionError &error);

    // Ends these requests (sorted tickets), or all: they wait no longer, and their messages are
    // removed from the queue. Their futures fail in rejectDoomed().
    void doom(const Tickets &tickets, const ConnectionError &error);
    void doomAll(const ConnectionError &error);
    [[nodiscard]] bool hasDoomed() const { return !m_doomed.empty(); }
    // May run the app's code, which may delete this.
    void rejectDoomed();

private:
    // The timer is a child of the watcher. The watcher is deleted later, because the request may be
    // destroyed inside a signal of either.
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
