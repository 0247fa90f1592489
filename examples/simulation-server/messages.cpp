// SPDX-License-Identifier: MIT
#include "messages.h"

#include <QDateTime>

namespace Everwire::Demo::Messages {

using namespace Qt::StringLiterals;

QString timestamp()
{
    return QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs);
}

QJsonObject authSuccess(const QString &sessionId, const QString &userId)
{
    return {{u"type"_s, u"auth_success"_s},
            {u"session_id"_s, sessionId},
            {u"user_id"_s, userId},
            {u"timestamp"_s, timestamp()}};
}

QJsonObject authFailure(AuthErrorForm form, bool expired)
{
    if (form == AuthErrorForm::AuthError)
        return {{u"type"_s, u"auth_error"_s}, {u"error"_s, u"Invalid token"_s}};
    const QJsonObject payload{{u"error"_s, expired ? u"token expired"_s : u"invalid token"_s},
                              {u"code"_s, u"auth_failed"_s}};
    return {{u"type"_s, u"error"_s}, {u"payload"_s, payload}, {u"timestamp"_s, timestamp()}};
}

QJsonObject pong(const QString &sessionId)
{
    return {{u"type"_s, u"pong"_s}, {u"session_id"_s, sessionId}, {u"timestamp"_s, timestamp()}};
}

QJsonObject error(const QString &sessionId, const QString &text)
{
    return {{u"type"_s, u"error"_s},
            {u"session_id"_s, sessionId},
            {u"payload"_s, QJsonObject{{u"error"_s, text}}},
            {u"timestamp"_s, timestamp()}};
}

QJsonObject status(const QString &sessionId, const QString &state, const QString &text)
{
    return {{u"type"_s, u"status"_s}, {u"state"_s, state}, {u"message"_s, text}, {u"sessionId"_s, sessionId}};
}

QJsonObject audioProcessed(const QString &sessionId, const QJsonObject &payload)
{
    return {{u"type"_s, u"audio_processed"_s},
            {u"session_id"_s, sessionId},
            {u"payload"_s, payload},
            {u"timestamp"_s, timestamp()}};
}

QJsonObject complete(const QString &sessionId, const QString &text)
{
    return {{u"type"_s, u"complete"_s},
            {u"session_id"_s, sessionId},
            {u"message"_s, text},
            {u"timestamp"_s, timestamp()}};
}

QJsonObject aiResponse(const QString &sessionId, const QString &content, bool isFinal)
{
    return {{u"type"_s, u"ai_response"_s},
            {u"content"_s, content},
            {u"timestamp"_s, timestamp()},
            {u"isFinal"_s, isFinal},
            {u"sessionId"_s, sessionId}};
}

} // namespace Everwire::Demo::Messages
