// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionException>
#include <Everwire/Message>
#include <Everwire/SessionInfo>

#include <QFuture>
#include <QJsonObject>
#include <QPromise>
#include <QTimer>

#include <chrono>
#include <list>
#include <map>
#include <memory>

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
class EVERWIRE_EXPORT PendingRequests
{
public:
    PendingRequests();
    Q_DISABLE_COPY_MOVE(PendingRequests)

    [[nodiscard]] QString makeId();
    [[nodiscard]] bool isEmpty() const { return m_waiting.empty(); }
    [[nodiscard]] bool contains(const QString &id) const { return m_waiting.count(id) > 0; }
    // What no error may quote of a reply.
    void setSecrets(const QStringList &secrets) { m_secrets = secrets; }
    [[nodiscard]] QFuture<QJsonObject> add(const QString &id, std::chrono::milliseconds timeout);
    // If this message is a reply, whoever waits for it gets it. These may run the app's code, which may delete this.
    void take(const Message &message, const QString &idField);
    void fail(const QString &id, const ConnectionError &error);
    void failAll(const ConnectionError &error);

private:
    struct Request
    {
        Request() { timeout->setSingleShot(true); }
        ~Request()
        {
            timeout->stop();
            timeout->deleteLater(); // it may be the one that calls
        }
        Q_DISABLE_COPY_MOVE(Request)

        Deferred<QJsonObject> deferred;
        QTimer *const timeout = new QTimer;
    };

    [[nodiscard]] std::unique_ptr<Request> remove(const QString &id);

    std::map<QString, std::unique_ptr<Request>> m_waiting;
    QString m_idPrefix; // so that no late reply to another connection's request is taken for ours
    quint64 m_lastId = 0;
    QStringList m_secrets;
};

} // namespace Everwire
