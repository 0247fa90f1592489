// SPDX-License-Identifier: MIT
#include "sessionstore.h"

#include <algorithm>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

SessionStore::SessionStore(int maxSessions, std::chrono::milliseconds lifetime)
    : m_maxSessions(maxSessions), m_lifetime(lifetime)
{
}

SessionStore::Entry SessionStore::acquire(const QString &id, const QString &user)
{
    expire();
    std::shared_ptr<SessionState> session = m_sessions.value(id);
    const bool isNew = session == nullptr;
    if (!isNew && session->user != user)
        return {nullptr, false, 1008,
                u"this session belongs to somebody else; use a session_id of your own"_s};
    if (isNew) {
        if (!makeRoom())
            return {nullptr, false, 1011, u"the server holds as many sessions as it can; try again later"_s};
        session = std::make_shared<SessionState>();
        session->id = id;
        session->user = user;
        m_sessions.insert(id, session);
    }
    ++session->connections;
    return {session, isNew, 0, {}};
}

void SessionStore::release(const std::shared_ptr<SessionState> &session)
{
    --session->connections;
    if (session->connections == 0)
        session->idle.start();
}

void SessionStore::expire()
{
    for (auto it = m_sessions.begin(); it != m_sessions.end();) {
        const SessionState &session = **it;
        const bool over = session.connections == 0 && session.idle.hasExpired(m_lifetime.count());
        it = over ? m_sessions.erase(it) : std::next(it);
    }
}

qint64 SessionStore::bufferedBytes() const
{
    qint64 bytes = 0;
    for (const auto &session : m_sessions)
        bytes += session->turn.bytes();
    return bytes;
}

// The session that was left longest ago goes first.
bool SessionStore::makeRoom()
{
    if (m_sessions.size() < m_maxSessions)
        return true;
    auto oldest = m_sessions.end();
    for (auto it = m_sessions.begin(); it != m_sessions.end(); ++it) {
        if ((*it)->connections > 0)
            continue;
        if (oldest == m_sessions.end() || (*it)->idle.elapsed() > (*oldest)->idle.elapsed())
            oldest = it;
    }
    if (oldest == m_sessions.end())
        return false;
    m_sessions.erase(oldest);
    return true;
}

} // namespace Everwire::Demo
