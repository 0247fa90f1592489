// SPDX-License-Identifier: MIT
#pragma once

#include "serveroptions.h"

#include <QJsonObject>
#include <QString>

/// The messages that the server sends, one function each.
namespace Everwire::Demo::Messages {

/// The current time as ISO 8601 in UTC, with milliseconds.
[[nodiscard]] QString timestamp();

[[nodiscard]] QJsonObject authSuccess(const QString &sessionId, const QString &userId);
[[nodiscard]] QJsonObject authFailure(AuthErrorForm form, bool expired);
[[nodiscard]] QJsonObject pong(const QString &sessionId);
[[nodiscard]] QJsonObject error(const QString &sessionId, const QString &text);
[[nodiscard]] QJsonObject status(const QString &sessionId, const QString &state, const QString &text);
[[nodiscard]] QJsonObject audioProcessed(const QString &sessionId, const QJsonObject &payload);
[[nodiscard]] QJsonObject complete(const QString &sessionId, const QString &text);
[[nodiscard]] QJsonObject aiResponse(const QString &sessionId, const QString &content, bool isFinal);

} // namespace Everwire::Demo::Messages
