// SPDX-License-Identifier: MIT
//
// What openAsync(), opened() and request() wait for. The rest of ConnectionPrivate is in connectionprivate.cpp.
#include "client/connection_p.h"

namespace Everwire {

using std::chrono::milliseconds;

QFuture<SessionInfo> ConnectionPrivate::openAsync(const ConnectionConfig *config)
{
    if (state() == ConnectionState::Connected) {
        const QFuture<SessionInfo> future = sessionNow();
        open(config); // says so where the configuration is another one
        return future;
    }
    const QFuture<SessionInfo> future = m_pendingOpens.add();
    open(config);
    return future;
}

QFuture<SessionInfo> ConnectionPrivate::opened()
{
    const ConnectionState now = state();
    if (now == ConnectionState::Connected)
        return sessionNow();
    const bool opens = now == ConnectionState::Connecting || now == ConnectionState::Authenticating ||
                       now == ConnectionState::Reconnecting || m_reopenConfig;
    return opens ? m_pendingOpens.add() : openAsync(nullptr);
}

QFuture<SessionInfo> ConnectionPrivate::sessionNow() const
{
    Deferred<SessionInfo> deferred;
    deferred.resolve(m_sessionInfo);
    return deferred.future();
}

QFuture<QJsonObject> ConnectionPrivate::request(QJsonObject message, milliseconds timeout)
{
    const auto failed = [](const QString &why) {
        Deferred<QJsonObject> deferred;
        deferred.reject({ConnectionError::RequestFailed, why});
        return deferred.future();
    };
    QString id = message.value(m_requestIdField).toString();
    if (id.isEmpty()) {
        id = m_pendingRequests.makeId();
        message.insert(m_requestIdField, id);
    }
    if (m_pendingRequests.contains(id))
        return failed(QStringLiteral("A request with the %1 \"%2\" waits for its reply already")
                          .arg(m_requestIdField, id));
    // Before it is sent: a handler of what sending changes may run an event loop.
    const QFuture<QJsonObject> future = m_pendingRequests.add(id, timeout);
    const QPointer<Connection> self(q);
    if (!q->sendJson(message) && self)
        m_pendingRequests.fail(id, {ConnectionError::RequestFailed,
                                    QStringLiteral("The request was not accepted: %1").arg(m_refusal)});
    return future;
}

// What openAsync() and request() wait for.
void ConnectionPrivate::settle(const Transition &transition, bool wasConnected)
{
    if (transition.to == ConnectionState::Connected)
        m_signals.push([this, session = transition.session] { m_pendingOpens.resolve(session); });
    const bool closes =
        transition.to == ConnectionState::Disconnecting || transition.to == ConnectionState::Disconnected;
    // Behind an authentication that failed the queue is empty (rule A3).
    const bool lost =
        wasConnected || closes || transition.error.code() == ConnectionError::AuthenticationFailed;
    if (!lost || m_reopenConfig)
        return;
    ConnectionError error = transition.error;
    if (error.code() == ConnectionError::NoError)
        error = {ConnectionError::RequestFailed,
                 QStringLiteral("The connection was closed before the reply came")};
    m_signals.push([this, error] { m_pendingRequests.failAll(error); });
    if (closes)
        m_signals.push([this] {
            m_pendingOpens.reject({ConnectionError::ConnectionLost,
                                   QStringLiteral("The connection was closed before it was open"), 0, true});
        });
}

} // namespace Everwire
