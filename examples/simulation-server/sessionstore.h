// SPDX-License-Identifier: MIT
#pragma once

#include "responder.h"
#include "turnbuffer.h"

#include <QElapsedTimer>
#include <QHash>
#include <QJsonObject>
#include <QList>

#include <chrono>
#include <memory>

namespace Everwire::Demo {

/// What the server knows about a session, whichever connection it is reached over.
struct SessionState
{
    QString id;
    QString user; ///< The `sub` of the token that began it; nobody else gets in.
    QString scenarioId;
    QString roleId;
    Conversation conversation;
    TurnBuffer turn;
    QList<QJsonObject> outbox;         ///< What is still to be said, in order.
    const void *deliveredBy = nullptr; ///< The connection that sends the outbox.
    int connections = 0;
    QElapsedTimer idle; ///< Runs while there is no connection.
};

/// Keeps sessions by their id, for a time after their last connection and up to a number.
class SessionStore
{
public:
    SessionStore(int maxSessions, std::chrono::milliseconds lifetime);

    struct Entry
    {
        std::shared_ptr<SessionState> session; ///< Null on failure.
        bool isNew = false;
        quint16 closeCode = 0; ///< What to close with on failure.
        QString error;
    };

    /// Finds or begins the session \a id for \a user and counts a connection to it.
    [[nodiscard]] Entry acquire(const QString &id, const QString &user);

    /// Ends the connection that acquire() counted.
    void release(const std::shared_ptr<SessionState> &session);

    /// Forgets the sessions whose time is over.
    void expire();

    [[nodiscard]] int count() const { return int(m_sessions.size()); }
    [[nodiscard]] qint64 bufferedBytes() const;

private:
    [[nodiscard]] bool makeRoom();

    int m_maxSessions;
    std::chrono::milliseconds m_lifetime;
    QHash<QString, std::shared_ptr<SessionState>> m_sessions;
};

} // namespace Everwire::Demo
