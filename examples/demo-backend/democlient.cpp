// SPDX-License-Identifier: MIT
#include "democlient.h"

#include "clientchannel.h"
#include "jsonwebtoken.h"
#include "messages.h"
#include "stream.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QUuid>
#include <QWebSocket>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

DemoClient::DemoClient(QWebSocket *socket, Stream *stream, const QByteArray &secret, QObject *parent)
    : QObject(parent)
    , m_channel(new ClientChannel(socket, nullptr, ServerOptions(), this))
    , m_stream(stream)
    , m_secret(secret)
    , m_sessionId(QUuid::createUuid().toString(QUuid::WithoutBraces))
{
    connect(m_channel, &ClientChannel::textReceived, this, &DemoClient::onText);
    connect(m_channel, &ClientChannel::binaryReceived, this,
            [this] { m_channel->close(1003, u"No binary messages here"_s); });
    connect(m_channel, &ClientChannel::closed, this, &DemoClient::closed);
    m_authDeadline.setSingleShot(true);
    connect(&m_authDeadline, &QTimer::timeout, this,
            [this] { m_channel->close(4002, u"Authentication timeout"_s); });
    m_authDeadline.start(5s);
}

DemoClient::~DemoClient()
{
    if (m_admitted)
        m_stream->leave(this);
}

void DemoClient::close(quint16 code, const QString &reason)
{
    m_channel->close(code, reason);
}

void DemoClient::drop()
{
    m_channel->drop();
}

void DemoClient::onText(const QString &text)
{
    const QJsonObject message = QJsonDocument::fromJson(text.toUtf8()).object();
    if (m_admitted)
        answer(message);
    else
        authenticate(message);
}

void DemoClient::authenticate(const QJsonObject &message)
{
    const QByteArray token = message.value(u"token"_s).toString().toUtf8();
    const bool asks = message.value(u"type"_s) == QJsonValue(u"auth"_s);
    const TokenCheck check = verifyToken(token, m_secret, QDateTime::currentSecsSinceEpoch());
    const QString user = check.claims.value(u"sub"_s).toString();
    m_authDeadline.stop();
    if (asks && check.isValid() && !user.isEmpty()) {
        admit(user);
        return;
    }
    const bool expired = check.status == TokenCheck::Status::Expired;
    m_channel->sendJson(Messages::authFailure(AuthErrorForm::AuthError, expired));
    m_channel->close(4001, u"Authentication failed"_s);
}

void DemoClient::admit(const QString &user)
{
    m_channel->sendJson(Messages::authSuccess(m_sessionId, user));
    if (!m_stream) {
        m_channel->sendJson(Messages::error(m_sessionId, u"there is nothing at this path"_s));
        m_channel->close(1008, u"Unknown path"_s);
        return;
    }
    m_admitted = true;
    m_stream->join(this, [this](const QJsonObject &message) { m_channel->sendJson(message); });
}

void DemoClient::answer(const QJsonObject &message)
{
    if (message.value(u"type"_s) == QJsonValue(u"ping"_s))
        m_channel->sendJson(Messages::pong(m_sessionId));
}

} // namespace Everwire::Demo
