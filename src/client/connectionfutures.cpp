// SPDX-License-Identifier: MIT
//
// What openAsync(), opened() and request() wait for. The rest of ConnectionPrivate is in connectionprivate.cpp.
#include "client/connection_p.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// The longest interval that a QTimer supports.
constexpr milliseconds LongestTimeout{std::numeric_limits<int>::max()};

QFuture<QJsonObject> failed(ConnectionError::Code code, const QString &why)
{
    Deferred<QJsonObject> deferred;
    deferred.reject({code, why});
    return deferred.future();
}

} // namespace

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

// ---- Requests (rules Q11 to Q13) ----

QFuture<QJsonObject> ConnectionPrivate::request(const QJsonObject &message, double timeoutMs)
{
    if (std::isnan(timeoutMs))
        return failed(
            ConnectionError::RequestFailed,
            QStringLiteral("The request's timeout is not a number; give milliseconds, or leave it out"));
    const double most = double(LongestTimeout.count());
    return request(message, milliseconds(qint64(std::clamp(timeoutMs, 0.0, most))));
}

QFuture<QJsonObject> ConnectionPrivate::request(QJsonObject message, milliseconds timeout)
{
    const QJsonValue given = message.value(m_requestIdField);
    if (!PendingRequests::isUsable(given))
        return failed(
            ConnectionError::RequestFailed,
            QStringLiteral("The request's %1 has to be a text or a number; leave it out to have one made")
                .arg(m_requestIdField));
    QString key = PendingRequests::keyOf(given);
    if (key.isEmpty()) {
        const QString id = m_pendingRequests.makeId();
        message.insert(m_requestIdField, id);
        key = PendingRequests::keyOf(id);
    }
    if (m_pendingRequests.contains(key))
        return failed(ConnectionError::RequestFailed,
                      QStringLiteral("A request with the %1 \"%2\" waits for its reply already")
                          .arg(m_requestIdField, given.toVariant().toString()));
    if (timeout <= milliseconds(0))
        return failed(
            ConnectionError::RequestTimeout,
            QStringLiteral("A timeout of %1 ms leaves no time for a reply; the request was not sent")
                .arg(timeout.count()));
    // Before it is sent: a handler of what sending changes may run an event loop.
    const PendingRequests::Added added = m_pendingRequests.add(key, std::min(timeout, LongestTimeout));
    const QPointer<Connection> self(q);
    if (!sendRequest(message, added) && self)
        m_pendingRequests.fail(key, {ConnectionError::RequestFailed,
                                     QStringLiteral("The request was not accepted: %1").arg(m_refusal)});
    return added.future;
}

bool ConnectionPrivate::sendRequest(const QJsonObject &message, const PendingRequests::Added &request)
{
    const QString type = message.value(QLatin1String("type")).toString();
    if (const QString problem = jsonProblem(message, type); !problem.isEmpty())
        return reject(problem);
    Outgoing outgoing = toOutgoing(message, type);
    outgoing.ticket = request.ticket;
    const RequestTickets::IsCancelled isCancelled = [future = request.future] { return future.isCanceled(); };
    return push(std::move(outgoing), type, false, &isCancelled);
}

// Fails all pending requests. They stop waiting at once.
// Their futures fail with the next signals.
void ConnectionPrivate::failRequests(const ConnectionError &error)
{
    m_pendingRequests.doomAll(error);
    tellDoomed();
}

void ConnectionPrivate::failRequests(const PendingRequests::Tickets &tickets, const ConnectionError &error)
{
    m_pendingRequests.doom(tickets, error);
    tellDoomed();
}

void ConnectionPrivate::tellDoomed()
{
    if (!m_pendingRequests.hasDoomed())
        return;
    lineUpCounters(m_outbox->counters());
    m_signals.push([this] { m_pendingRequests.rejectDoomed(); });
}

// Settles what openAsync() and request() wait for. If the connection fails for good,
// announceFailure() does so.
void ConnectionPrivate::settle(const Transition &transition)
{
    if (transition.to == ConnectionState::Connected)
        m_signals.push([this, session = transition.session] { m_pendingOpens.resolve(session); });
    ConnectionError error = transition.error;
    if (error.code() == ConnectionError::NoError)
        error = {ConnectionError::RequestFailed,
                 QStringLiteral("The connection was closed before the reply came")};
    failRequests(transition.lostRequests, error);
    const bool closes =
        transition.to == ConnectionState::Disconnecting || transition.to == ConnectionState::Disconnected;
    if (!closes || m_reopenConfig)
        return;
    failRequests(error);
    m_signals.push([this] {
        m_pendingOpens.reject({ConnectionError::ConnectionLost,
                               QStringLiteral("The connection was closed before it was open"), 0, true});
    });
}

} // namespace Everwire
