// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionError>
#include <Everwire/Global>
#include <Everwire/SessionInfo>

#include <QSet>
#include <QString>
#include <QVariant>

// The guide's names of lifecycle events, for subscribe() (rule M5), and what their handlers are given.
namespace Everwire::Events {

inline const QString StateChange = QStringLiteral("stateChange");
inline const QString Connected = QStringLiteral("connected");
inline const QString Disconnected = QStringLiteral("disconnected");
inline const QString Error = QStringLiteral("error");
inline const QString ConnectionFailed = QStringLiteral("connectionError");
inline const QString AuthenticationFailed = QStringLiteral("authenticationError");
inline const QString AuthenticationTimeout = QStringLiteral("authenticationTimeout");
inline const QString Reconnecting = QStringLiteral("reconnecting");
inline const QString MaxReconnectAttemptsReached = QStringLiteral("maxReconnectAttemptsReached");
inline const QString Message = QStringLiteral("message");
inline const QString AnyMessage = QStringLiteral("*"); // the same
inline const QString BinaryMessage = QStringLiteral("binaryMessage");
inline const QString ParseError = QStringLiteral("parseError");

// Whether a server's message of this type must not reach the event's subscribers. "error" may: the backends
// use it.
[[nodiscard]] EVERWIRE_EXPORT bool isReserved(const QString &type);
[[nodiscard]] EVERWIRE_EXPORT const QSet<QString> &reserved();

[[nodiscard]] EVERWIRE_EXPORT QVariantMap toMap(const SessionInfo &session);
[[nodiscard]] EVERWIRE_EXPORT QVariantMap toMap(const ConnectionError &error);

} // namespace Everwire::Events
