// SPDX-License-Identifier: MIT
#include "client/connection_p.h"

#include "client/messagemodel.h"
#include "client/websocketprovider.h"
#include "core/jsondepth.h"
#include "core/logging.h"
#include "core/peertext.h"

#include <QEvent>
#include <QJsonDocument>
#include <QMetaMethod>

#include <algorithm>

namespace Everwire {

static_assert(int(Connection::Disconnected) == int(ConnectionState::Disconnected) &&
              int(Connection::Connecting) == int(ConnectionState::Connecting) &&
              int(Connection::Authenticating) == int(ConnectionState::Authenticating) &&
              int(Connection::Connected) == int(ConnectionState::Connected) &&
              int(Connection::Reconnecting) == int(ConnectionState::Reconnecting) &&
              int(Connection::Disconnecting) == int(ConnectionState::Disconnecting) &&
              int(Connection::Error) == int(ConnectionState::Error));

Connection::Connection(const QString &type, WebSocketProvider *provider)
    : QObject(provider), d(std::make_unique<ConnectionPrivate>(this, type, provider))
{
}

Connection::~Connection() = default;

QString Connection::type() const
{
    return d->m_type;
}
QUrl Connection::url() const
{
    return d->m_url;
}
Connection::State Connection::state() const
{
    return d->m_state;
}
bool Connection::isConnected() const
{
    return d->m_isConnected;
}
MessageModel *Connection::messages() const
{
    return d->m_messages;
}
QString Connection::error() const
{
    return d->m_error;
}
ConnectionError::Code Connection::errorCode() const
{
    return d->m_errorCode;
}
int Connection::closeCode() const
{
    return d->m_closeCode;
}
SessionInfo Connection::sessionInfo() const
{
    return d->m_sessionInfo;
}
int Connection::reconnectAttempt() const
{
    return d->m_reconnectAttempt;
}
int Connection::nextRetryIn() const
{
    return d->m_nextRetryIn;
}
int Connection::queuedMessages() const
{
    return d->m_queuedMessages;
}
qint64 Connection::bytesToWrite() const
{
    return d->m_bytesToWrite;
}
bool Connection::debug() const
{
    return d->m_debug;
}

// A QBindable of a const property can only be read.
QBindable<QUrl> Connection::bindableUrl() const
{
    return &std::as_const(d->m_url);
}
QBindable<Connection::State> Connection::bindableState() const
{
    return &std::as_const(d->m_state);
}
QBindable<bool> Connection::bindableIsConnected() const
{
    return &std::as_const(d->m_isConnected);
}
QBindable<QString> Connection::bindableError() const
{
    return &std::as_const(d->m_error);
}
QBindable<ConnectionError::Code> Connection::bindableErrorCode() const
{
    return &std::as_const(d->m_errorCode);
}
QBindable<int> Connection::bindableCloseCode() const
{
    return &std::as_const(d->m_closeCode);
}
QBindable<SessionInfo> Connection::bindableSessionInfo() const
{
    return &std::as_const(d->m_sessionInfo);
}
QBindable<int> Connection::bindableReconnectAttempt() const
{
    return &std::as_const(d->m_reconnectAttempt);
}
QBindable<int> Connection::bindableNextRetryIn() const
{
    return &std::as_const(d->m_nextRetryIn);
}
QBindable<int> Connection::bindableQueuedMessages() const
{
    return &std::as_const(d->m_queuedMessages);
}
QBindable<qint64> Connection::bindableBytesToWrite() const
{
    return &std::as_const(d->m_bytesToWrite);
}

void Connection::setDebug(bool debug)
{
    if (debug == d->m_debug)
        return;
    d->m_debug = debug;
    d->applyDebug();
    Q_EMIT debugChanged();
}

void Connection::setTokenProvider(TokenProvider *provider)
{
    if (provider == d->m_tokenProvider)
        return;
    d->m_tokenProvider = provider;
    Q_EMIT tokenProviderChanged();
}

TokenProvider *Connection::tokenProvider() const
{
    return d->m_tokenProvider;
}

void Connection::setPreparation(Preparation *preparation)
{
    if (preparation == d->m_preparation)
        return;
    d->m_preparation = preparation;
    Q_EMIT preparationChanged();
}

Preparation *Connection::preparation() const
{
    return d->m_preparation;
}

ConnectionConfig Connection::configuration() const
{
    return d->effectiveConfig();
}

void Connection::open()
{
    d->open(nullptr);
}

void Connection::open(const ConnectionConfig &config)
{
    d->open(&config);
}

void Connection::open(const QVariantMap &config)
{
    d->openWithMap(config);
}

QFuture<SessionInfo> Connection::openAsync()
{
    return d->openAsync(nullptr);
}

QFuture<SessionInfo> Connection::openAsync(const ConnectionConfig &config)
{
    return d->openAsync(&config);
}

namespace {

template<typename T>
QFuture<QVariant> toVariants(QFuture<T> future)
{
    return future.then([](const T &result) { return QVariant::fromValue(result); });
}

constexpr double DefaultRequestTimeout = 10'000; // ms, for JavaScript

} // namespace

QVariant (*Connection::s_toPromise)(const QFuture<QVariant> &) = nullptr;

QVariant Connection::opened()
{
    return s_toPromise ? s_toPromise(toVariants(d->opened())) : QVariant();
}

QFuture<QJsonObject> Connection::request(const QJsonObject &message, std::chrono::milliseconds timeout)
{
    return d->request(message, timeout);
}

QVariant Connection::request(const QJsonObject &message)
{
    return request(message, DefaultRequestTimeout);
}

QVariant Connection::request(const QJsonObject &message, double timeoutMs)
{
    return s_toPromise ? s_toPromise(toVariants(d->request(message, timeoutMs))) : QVariant();
}

QString Connection::shown(const QString &peerText) const
{
    return PeerText::shown(peerText, d->secrets());
}

void Connection::forget()
{
    d->forget();
}

void Connection::close()
{
    d->close();
}

void Connection::reconnect()
{
    d->reconnect(nullptr);
}

void Connection::reconnect(const ConnectionConfig &config)
{
    d->reconnect(&config);
}

void Connection::reconnect(const QVariantMap &config)
{
    d->reconnectWithMap(config);
}

bool Connection::send(const QString &text)
{
    return d->sendText(text);
}

bool Connection::send(const QByteArray &bytes)
{
    Outgoing message;
    message.bytes = bytes;
    message.isBinary = true;
    return d->push(std::move(message), {});
}

// type: empty if "type" is not a string.
QString jsonProblem(const QJsonObject &message, const QString &type)
{
    if (type.isEmpty())
        return QStringLiteral(
            "a JSON message needs a \"type\" that is a non-empty string; add one, or use send()");
    if (isTooDeep(message))
        return QStringLiteral("the message is nested deeper than %1 levels").arg(MostJsonLevels);
    return {};
}

namespace {

// Recognizes a turn of speech by the wire protocol's type names.
Outgoing::Speech speechOf(const QString &type)
{
    if (type == QLatin1String("audio_chunk"))
        return Outgoing::Speech::Chunk;
    return type == QLatin1String("audio_complete") ? Outgoing::Speech::End : Outgoing::Speech::None;
}

} // namespace

Outgoing toOutgoing(const QJsonObject &message, const QString &type)
{
    Outgoing outgoing;
    outgoing.speech = speechOf(type);
    outgoing.bytes = QJsonDocument(message).toJson(QJsonDocument::Compact);
    return outgoing;
}

bool Connection::sendJson(const QJsonObject &message)
{
    const QString type = message.value(QLatin1String("type")).toString();
    if (const QString problem = jsonProblem(message, type); !problem.isEmpty())
        return d->reject(problem);
    return d->push(toOutgoing(message, type), type);
}

bool Connection::sendJson(const QJsonObject &message, const QByteArray &attachment)
{
    const QString type = message.value(QLatin1String("type")).toString();
    if (const QString problem = jsonProblem(message, type); !problem.isEmpty())
        return d->reject(problem);
    Outgoing pair = toOutgoing(message, type);
    pair.attachment = attachment;
    return d->push(std::move(pair), type);
}

Subscription Connection::addSubscription(const QString &event, QObject *context,
                                         std::function<void(const Message &)> handler,
                                         const Detail::Wanted &wanted)
{
    if (event.isEmpty() || !context) {
        qCWarning(lcConnection).noquote()
            << d->m_type
            << "- subscribe() needs an event's name and a context object; nothing was subscribed";
        return {};
    }
    return d->m_router.add(event, context, std::move(handler), wanted);
}

QVariant (*Connection::s_subscribeFunction)(Connection *, const QString &, const QVariant &) = nullptr;

QVariant Connection::subscribe(const QString &event, const QVariant &function)
{
    return s_subscribeFunction ? s_subscribeFunction(this, event, function) : QVariant();
}

void Connection::connectNotify(const QMetaMethod &signal)
{
    static const QMetaMethod received = QMetaMethod::fromSignal(&Connection::messageReceived);
    if (signal == received)
        d->messagesAreHeard();
}

bool Connection::event(QEvent *event)
{
    if (event->type() == QEvent::User) {
        d->wakened();
        return true;
    }
    return QObject::event(event);
}

} // namespace Everwire
