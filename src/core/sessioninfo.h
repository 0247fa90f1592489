// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QMetaType>
#include <QString>

class QDebug;

namespace Everwire {

// What the server says of the session in auth_success (rule A5). All empty while not connected.
class EVERWIRE_EXPORT SessionInfo
{
    Q_GADGET
    Q_PROPERTY(QString sessionId READ sessionId CONSTANT)
    Q_PROPERTY(QString userId READ userId CONSTANT)
    Q_PROPERTY(QString timestamp READ timestamp CONSTANT)

public:
    SessionInfo() = default;
    SessionInfo(QString sessionId, QString userId, QString timestamp)
        : m_sessionId(std::move(sessionId)), m_userId(std::move(userId)), m_timestamp(std::move(timestamp))
    {
    }

    [[nodiscard]] QString sessionId() const { return m_sessionId; }
    [[nodiscard]] QString userId() const { return m_userId; }
    // As the server sent it, ISO 8601.
    [[nodiscard]] QString timestamp() const { return m_timestamp; }

    friend bool operator==(const SessionInfo &a, const SessionInfo &b)
    {
        return a.m_sessionId == b.m_sessionId && a.m_userId == b.m_userId && a.m_timestamp == b.m_timestamp;
    }
    friend bool operator!=(const SessionInfo &a, const SessionInfo &b) { return !(a == b); }
    friend EVERWIRE_EXPORT QDebug operator<<(QDebug debug, const SessionInfo &session);

private:
    QString m_sessionId;
    QString m_userId;
    QString m_timestamp;
};

} // namespace Everwire

Q_DECLARE_METATYPE(Everwire::SessionInfo)
