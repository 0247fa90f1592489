// SPDX-License-Identifier: MIT
#include "client/events.h"

namespace Everwire::Events {

const QSet<QString> &reserved()
{
    static const QSet<QString> names{StateChange,
                                     Connected,
                                     Disconnected,
                                     ConnectionFailed,
                                     AuthenticationFailed,
                                     AuthenticationTimeout,
                                     Reconnecting,
                                     MaxReconnectAttemptsReached,
                                     Message,
                                     AnyMessage,
                                     BinaryMessage,
                                     ParseError};
    return names;
}

bool isReserved(const QString &type)
{
    return reserved().contains(type);
}

QVariantMap toMap(const SessionInfo &session)
{
    return {{QStringLiteral("sessionId"), session.sessionId()},
            {QStringLiteral("userId"), session.userId()},
            {QStringLiteral("timestamp"), session.timestamp()}};
}

QVariantMap toMap(const ConnectionError &error)
{
    return {{QStringLiteral("code"), int(error.code())},
            {QStringLiteral("message"), error.message()},
            {QStringLiteral("closeCode"), error.closeCode()},
            {QStringLiteral("isFinal"), error.isFinal()}};
}

} // namespace Everwire::Events
