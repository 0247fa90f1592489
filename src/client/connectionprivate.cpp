// SPDX-License-Identifier: MIT
#include "client/connection_p.h"

#include "auth/tokenprovider.h"
#include "client/environment.h"
#include "client/events.h"
#include "client/messagemodel.h"
#include "client/networkmonitor.h"
#include "client/websocketprovider.h"
#include "core/closecode.h"
#include "core/logging.h"
#include "core/loopback.h"
#include "engine/wirethread.h"
#include "protocol/jsoneventprotocol.h"
#include "transport/transportfactory.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QEvent>
#include <QRandomGenerator>
#include <QThread>

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// How long handlers may run before painting and input get their turn, and how many messages are handled
// between two looks at the clock.
constexpr qint64 DrainBudgetMs = 4;
constexpr size_t DrainChunk = 64;
// Often enough for a countdown in seconds that never skips one.
constexpr milliseconds CountdownTick{200};

} // namespace

ConnectionPrivate::ConnectionPrivate(Connection *connection, const QString &type, WebSocketProvider *provider)
    : q(connection)
    , m_type(type)
    , m_provider(provider)
    , m_messages(new MessageModel(type, connection))
    , m_signals(connection)
{
    m_continueDraining.setSingleShot(true);
    QObject::connect(&m_continueDraining, &QTimer::timeout, q, [this] { drain(); });
    m_countdownTick.setInterval(CountdownTick);
    QObject::connect(&m_countdownTick, &QTimer::timeout, q, [this] {
        set(m_nextRetryIn, int(m_retryAt.remainingTime()), &Connection::nextRetryInChanged);
        m_signals.flush();
    });
    m_linger.setSingleShot(true);
    QObject::connect(&m_linger, &QTimer::timeout, q, [this] { close(); });
    m_inbox->setWake([this] { QCoreApplication::postEvent(q, new QEvent(QEvent::User)); });

    Engine::Surroundings around;
    around.name = type;
    around.transports = makeTransport;
    around.protocols = [] { return std::make_unique<JsonEventProtocol>(); };
    around.random = [] { return QRandomGenerator::global()->generateDouble(); };
    around.inbox = m_inbox;
    around.outbox = m_outbox;
    m_engine = provider->wireThread().add(std::move(around));
}

ConnectionPrivate::~ConnectionPrivate()
{
    m_inbox->setWake({});
    abandonToken();
    if (m_provider)
        m_provider->forget(q, m_engine);
    const ConnectionError gone(ConnectionError::ConnectionLost,
                               QStringLiteral("The connection object is gone"), 0, true);
    m_pendingOpens.reject(gone);
    m_pendingRequests.failAll(gone);
}

// ---- What the app says ----

ConnectionConfig ConnectionPrivate::configWith(const ConnectionConfig &openConfig) const
{
    const ConnectionConfig base = m_provider ? m_provider->configuration(m_type) : ConnectionConfig();
    ConnectionConfig config = base.mergedWith(openConfig);
    if (m_prepared) {
        QVariantMap options = config.options();
        options.insert(*m_prepared);
        config.setOptions(options);
    }
    return config;
}

std::optional<QUrl> ConnectionPrivate::resolve(const ConnectionConfig &config, ConnectionError *error) const
{
    const auto refuse = [error](ConnectionError::Code code, const QString &message) {
        *error = ConnectionError(code, message, 0, true);
        return std::nullopt;
    };
    if (const QStringList problems = config.problems(); !problems.isEmpty())
        return refuse(ConnectionError::InvalidConfiguration,
                      QStringLiteral("The configuration of \"%1\" cannot be used: %2")
                          .arg(m_type, problems.join(QStringLiteral("; "))));
    if (config.url().isEmpty())
        return refuse(ConnectionError::NotConfigured,
                      QStringLiteral("There is no URL for \"%1\". Set %2 in the environment, or call "
                                     "WebSocketProvider::configure(\"%1\", { url: \"wss://…\" })")
                          .arg(m_type, Environment::variableFor(m_type)));
    QString problem;
    const bool prepares = this->prepares();
    // What the preparation will fill is not yet to be seen.
    const QUrl url = prepares ? QUrl(config.url()) : config.resolvedUrl(&problem);
    if (!problem.isEmpty())
        return refuse(ConnectionError::NotConfigured,
                      QStringLiteral("The URL of \"%1\" cannot be used: %2").arg(m_type, problem));
    const bool plain = url.scheme().compare(QLatin1String("ws"), Qt::CaseInsensitive) == 0;
    if (plain && config.authentication() != ConnectionConfig::Authentication::None &&
        !config.allowInsecureAuth() && !isLoopback(url.host()))
        return refuse(
            ConnectionError::InsecureTransport,
            QStringLiteral(
                "The token would travel to %1 unencrypted. Use a wss:// URL, or set allowInsecureAuth "
                "for a network that you trust")
                .arg(url.host()));
    return prepares ? QUrl() : url;
}

void ConnectionPrivate::open(const ConnectionConfig *config)
{
    m_openedByHandle = false; // an app's word holds whatever handles there are (rule O7)
    m_linger.stop();
    openNow(config);
}

void ConnectionPrivate::openNow(const ConnectionConfig *config)
{
    const ConnectionState now = state();
    if (now == ConnectionState::Disconnecting) {
        m_reopenConfig = config ? *config : m_openConfig;
        return;
    }
    m_reopenConfig.reset();
    const bool busy = now == ConnectionState::Connecting || now == ConnectionState::Authenticating ||
                      now == ConnectionState::Connected;
    if (now == ConnectionState::Disconnected || now == ConnectionState::Error)
        m_prepared.reset();
    const ConnectionConfig effective = configWith(config ? *config : m_openConfig);
    if (busy) {
        if (config && effective != effectiveConfig())
            qCWarning(lcConnection).noquote()
                << m_type << "- open() with another configuration does nothing while the connection is"
                << toString(now) << "; call close() first, or configure() and reconnect()";
        return;
    }
    ConnectionError error;
    const std::optional<QUrl> url = resolve(effective, &error);
    if (!url) {
        failAtOnce(error);
        return;
    }
    if (config)
        m_openConfig = *config;
    start(*url, Command::Open{effective, *url, prepares()});
    if (now == ConnectionState::Disconnected || now == ConnectionState::Error) {
        QMetaObject::invokeMethod(
            q, [this] { askTokenAhead(); }, Qt::QueuedConnection);
        Transition transition;
        transition.to = ConnectionState::Connecting;
        apply(transition); // last: a handler may delete the connection
    } else {
        m_signals.flush();
    }
}

// The open() of while it was Disconnecting.
void ConnectionPrivate::reopen()
{
    if (state() != ConnectionState::Disconnected)
        return;
    if (const auto config = std::exchange(m_reopenConfig, std::nullopt))
        openNow(&*config);
}

void ConnectionPrivate::start(const QUrl &url, Command::Any command)
{
    set(m_url, url, &Connection::urlChanged);
    m_outbox->post(std::move(command));
}

void ConnectionPrivate::openWithMap(const QVariantMap &map)
{
    QStringList problems;
    const ConnectionConfig config = ConnectionConfig::fromVariantMap(map, &problems);
    if (problems.isEmpty()) {
        open(&config);
        return;
    }
    failAtOnce({ConnectionError::InvalidConfiguration,
                QStringLiteral("open() was given a configuration for \"%1\" that cannot be used: %2")
                    .arg(m_type, problems.join(QStringLiteral("; "))),
                0, true});
}

// An open() that cannot start. Where something runs already it goes on: only the log hears of the bad call.
void ConnectionPrivate::failAtOnce(const ConnectionError &error)
{
    if (state() != ConnectionState::Disconnected && state() != ConnectionState::Error) {
        qCWarning(lcConnection).noquote() << m_type << "-" << error.message();
        return;
    }
    Transition transition;
    transition.to = ConnectionState::Error;
    transition.error = error;
    if (state() != ConnectionState::Error) {
        apply(transition);
        return;
    }
    const QPointer<Connection> self(q);
    Qt::beginPropertyUpdateGroup();
    showError(error);
    announceFailure(transition, false);
    Qt::endPropertyUpdateGroup();
    if (self)
        m_signals.flush();
}

void ConnectionPrivate::close()
{
    m_openedByHandle = false;
    m_linger.stop();
    m_reopenConfig.reset();
    const ConnectionState now = state();
    if (now == ConnectionState::Disconnected)
        return;
    abandonToken();
    m_preparationRequest.reset();
    m_outbox->setAccepting(false);
    m_outbox->post(Command::Close{++m_generation});
    m_signals.silence(); // of the attempt that this ends, nothing more is heard (rule O2)
    if (now == ConnectionState::Disconnecting)
        return;
    Transition transition;
    transition.to = ConnectionState::Disconnecting;
    apply(transition);
}

void ConnectionPrivate::reconnect()
{
    const ConnectionState now = state();
    if (now == ConnectionState::Disconnected || now == ConnectionState::Error ||
        now == ConnectionState::Disconnecting) {
        openNow(nullptr);
        return;
    }
    const ConnectionConfig config = effectiveConfig();
    ConnectionError error;
    const std::optional<QUrl> url = resolve(config, &error);
    if (!url) {
        failAtOnce(error);
        return;
    }
    start(*url, Command::Reconnect{config, *url, prepares()});
    m_signals.flush();
}

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

QFuture<QJsonObject> ConnectionPrivate::request(QJsonObject message, milliseconds timeout)
{
    const auto failed = [](const QString &why) {
        Deferred<QJsonObject> deferred;
        deferred.reject({ConnectionError::RequestFailed, why});
        return deferred.future();
    };
    QString id = message.value(m_requestIdField).toString();
    if (id.isEmpty()) {
        id = m_pendingRequests.makeId();
        message.insert(m_requestIdField, id);
    }
    if (m_pendingRequests.contains(id))
        return failed(QStringLiteral("A request with the %1 \"%2\" waits for its reply already")
                          .arg(m_requestIdField, id));
    // Before it is sent: a handler of what sending changes may run an event loop.
    const QFuture<QJsonObject> future = m_pendingRequests.add(id, timeout);
    const QPointer<Connection> self(q);
    if (!q->sendJson(message) && self)
        m_pendingRequests.fail(id, {ConnectionError::RequestFailed,
                                    QStringLiteral("The request was not accepted: %1").arg(m_refusal)});
    return future;
}

void ConnectionPrivate::forget()
{
    const QPointer<Connection> self(q);
    close();
    if (!self)
        return;
    ++m_user;
    m_openConfig = {};
    m_prepared.reset();
    showError({});
    set(m_closeCode, 0, &Connection::closeCodeChanged);
    m_signals.push([this] { Q_EMIT q->forgotten(); });
    m_messages->clear();
    if (self)
        m_signals.flush();
}

// Rule R7.
void ConnectionPrivate::networkBack()
{
    // An error that the engine knows nothing of (rule O4) is not over with it.
    if (state() != ConnectionState::Error || isAboutTheNetwork(m_errorCode))
        m_outbox->post(Command::NetworkBack{});
}

void ConnectionPrivate::configured()
{
    const ConnectionConfig config = effectiveConfig();
    m_historyLimit = config.historyLimit();
    applyDebug();
    const ConnectionState now = state();
    const bool open = now != ConnectionState::Disconnected && now != ConnectionState::Error &&
                      now != ConnectionState::Disconnecting;
    ConnectionError error;
    if (const std::optional<QUrl> url = open ? resolve(config, &error) : std::nullopt)
        m_outbox->post(Command::Configure{config, *url, prepares()});
    else if (open)
        qCWarning(lcConnection).noquote()
            << m_type << "- the next attempt keeps the old configuration:" << error.message();
    m_messages->setLimit(config.historyLimit()); // last: a slot may delete the connection
}

void ConnectionPrivate::applyDebug()
{
    const bool on = m_debug || effectiveConfig().debug() || (m_provider && m_provider->debug());
    m_outbox->post(Command::SetDebug{on});
}

void ConnectionPrivate::sayGoodbye()
{
    m_outbox->setAccepting(false);
    // While connected the engine sends what it can before it goes.
    const int lost = state() == ConnectionState::Connected ? 0 : m_outbox->clear();
    if (lost > 0)
        handle(Notice::Discarded{lost, QStringLiteral("the application ended before they could be sent")});
}

bool ConnectionPrivate::push(Outgoing message, const QString &type)
{
    const Outgoing record = message; // shares its bytes
    const Outbox::Pushed pushed = m_outbox->push(std::move(message));
    if (pushed.dropped > 0)
        m_inbox->push(0, Notice::Discarded{
                             pushed.dropped,
                             QStringLiteral("newer messages took their place (queueOverflow: DropOldest)")});
    if (!pushed.accepted)
        return reject(pushed.refusal);
    if (const int limit = m_historyLimit.load(std::memory_order_relaxed); limit > 0) {
        m_inbox->record(m_user,
                        record.isBinary ? Message::fromBinary(record.bytes, Message::Outgoing)
                                        : Message::fromText(record.bytes, type, Message::Outgoing),
                        limit);
        if (record.attachment)
            m_inbox->record(m_user, Message::fromBinary(*record.attachment, Message::Outgoing), limit);
    }
    if (QThread::currentThread() == q->thread())
        showCounters();
    else
        m_inbox->poke();
    return true;
}

bool ConnectionPrivate::reject(const QString &reason)
{
    qCWarning(lcConnection).noquote() << m_type << "- a message was not accepted:" << reason;
    if (QThread::currentThread() == q->thread()) {
        m_refusal = reason;
        m_signals.push([this, reason] { Q_EMIT q->messageRejected(reason); });
        m_signals.flush();
    } else {
        QMetaObject::invokeMethod(
            q, [this, reason] { Q_EMIT q->messageRejected(reason); }, Qt::QueuedConnection);
    }
    return false;
}

// ---- Handles ----

void ConnectionPrivate::openForHandle(ConnectionHandle *handle)
{
    m_handles.insert(handle);
    m_linger.stop();
    const ConnectionState now = state();
    if (now != ConnectionState::Disconnected && now != ConnectionState::Error &&
        now != ConnectionState::Disconnecting)
        return;
    if (m_reopenConfig)
        return;              // it will open again by the app's word
    m_openedByHandle = true; // before the signals, in which the app may say otherwise
    openNow(nullptr);
}

// After another user has signed in.
void ConnectionPrivate::openForHandles()
{
    if (!m_handles.isEmpty())
        openForHandle(*m_handles.cbegin());
}

void ConnectionPrivate::releaseHandle(ConnectionHandle *handle)
{
    if (m_handles.remove(handle) && m_handles.isEmpty() && m_openedByHandle)
        m_linger.start(effectiveConfig().linger());
}

// ---- What the engine reports ----

// A handler may run an event loop of its own (a dialog); what arrives meanwhile is handled from in there, in
// order.
void ConnectionPrivate::drain()
{
    const QPointer<Connection> self(q);
    QElapsedTimer budget;
    budget.start();
    for (auto &entry : m_inbox->takeAll())
        m_backlog.push_back(std::move(entry));
    if (m_backlog.size() > 1)
        m_continueDraining.start(0); // for an event loop in a handler: nothing else may wake it
    for (size_t count = 1; !m_backlog.empty(); ++count) {
        if (m_recorded == 0) {
            recordNext();
            if (!self)
                return;
        }
        const Inbox::Entry entry = std::move(m_backlog.front());
        m_backlog.pop_front();
        --m_recorded;
        m_inbox->handled(entry.event);
        if (!isStale(entry))
            std::visit([this](const auto &event) { handle(event); }, entry.event);
        if (!self)
            return;
        if (count % DrainChunk == 0 && budget.elapsed() >= DrainBudgetMs)
            break;
    }
    if (m_backlog.empty())
        m_continueDraining.stop();
    else
        m_continueDraining.start(0); // a timer, not an event: painting and input come first
    if (m_inbox->takeRoomAgain())
        m_outbox->post(Command::ResumeReading{});
    showCounters();
}

// Puts the messages of the next chunk into the history by one insertion.
void ConnectionPrivate::recordNext()
{
    m_recorded = std::min(DrainChunk, m_backlog.size());
    QList<Message> messages;
    for (size_t i = 0; i < m_recorded; ++i) {
        if (const auto *message = std::get_if<Message>(&m_backlog[i].event);
            message && !isStale(m_backlog[i]))
            messages.append(*message);
    }
    m_messages->append(messages); // last: a slot may delete the connection
}

// What close() came before is over (rule O2). What was sent, and what was lost, stays true.
bool ConnectionPrivate::isStale(const Inbox::Entry &entry) const
{
    const auto *message = std::get_if<Message>(&entry.event);
    if (message && message->direction() == Message::Outgoing)
        return entry.generation != m_user;
    return !std::holds_alternative<Notice::Discarded>(entry.event) && entry.generation != m_generation;
}

void ConnectionPrivate::handle(const Message &message)
{
    if (message.direction() == Message::Outgoing)
        return;
    const QPointer<Connection> self(q);
    if (message.isBinary()) {
        Q_EMIT q->binaryMessageReceived(message.bytes());
        if (self)
            m_router.dispatch(Events::BinaryMessage, message);
        return;
    }
    Q_EMIT q->messageReceived(message);
    if (!self || !m_router.dispatch(Events::Message, message) ||
        !m_router.dispatch(Events::AnyMessage, message))
        return;
    const QString type = message.type();
    if (type.isEmpty())
        return;
    if (Events::isReserved(type))
        qCWarning(lcConnection).noquote()
            << m_type << "- the server sent a message of type" << type
            << ", which is the name of a lifecycle event; only \"message\" hears it";
    else
        m_router.dispatch(type, message);
    if (self)
        m_pendingRequests.take(message, m_replyIdField);
}

void ConnectionPrivate::handle(const Notice::TokenNeeded &notice)
{
    TokenProvider *provider = currentTokenProvider();
    if (!notice.fresh && m_tokenAhead) {
        answerToken(notice.request, *std::exchange(m_tokenAhead, {}));
        return;
    }
    if (!notice.fresh && m_askedProvider && m_askedProvider == provider && !m_tokenRequest) {
        m_tokenRequest = notice.request; // asked ahead
        return;
    }
    abandonToken();
    if (!provider) {
        answerToken(notice.request, {});
        return;
    }
    m_tokenRequest = notice.request;
    askToken(provider, notice.fresh);
}

// In the turn of the event loop behind an open(), and not when the engine comes round to it: connections that are opened
// together ask for their tokens before any answer can come, and so share one.
void ConnectionPrivate::askTokenAhead()
{
    TokenProvider *provider = currentTokenProvider();
    if (!provider || state() != ConnectionState::Connecting || m_askedProvider || m_tokenAhead ||
        effectiveConfig().authentication() == ConnectionConfig::Authentication::None)
        return;
    askToken(provider, false);
}

void ConnectionPrivate::askToken(TokenProvider *provider, bool fresh)
{
    m_askedProvider = provider;
    provider->request(
        &m_tokenContext,
        [this](const TokenResult &result) {
            m_askedProvider.clear();
            if (const auto request = std::exchange(m_tokenRequest, {}))
                answerToken(*request, result);
            else
                m_tokenAhead = result;
        },
        fresh);
}

void ConnectionPrivate::handle(const Notice::PreparationNeeded &notice)
{
    m_preparationRequest = notice.request;
    const auto answer = [this, request = notice.request](PreparationResult result) {
        if (m_preparationRequest != request)
            return;
        m_preparationRequest.reset();
        std::optional<QUrl> url;
        if (result.kind == PreparationResult::Ready) {
            m_prepared = result.options;
            ConnectionError error;
            url = resolve(effectiveConfig(), &error);
            if (!url) {
                m_prepared.reset();
                result = {PreparationResult::Refused, {}, error.message()};
            }
        }
        if (url)
            set(m_url, *url, &Connection::urlChanged);
        m_outbox->post(Command::AnswerPreparation{request, result, url.value_or(QUrl())});
        m_signals.flush();
    };
    if (m_preparation)
        m_preparation->run(m_type, effectiveConfig(), notice.token, &m_preparationContext, answer);
    else
        answer({PreparationResult::Failed, {}, QStringLiteral("its Preparation object is gone")});
}

void ConnectionPrivate::handle(const Notice::SessionRenewed &notice)
{
    if (state() == ConnectionState::Connected && notice.session != SessionInfo())
        set(m_sessionInfo, notice.session, &Connection::sessionInfoChanged);
    m_signals.flush();
}

void ConnectionPrivate::handle(const Notice::TokenAbandoned &)
{
    abandonToken();
}

void ConnectionPrivate::answerToken(quint64 request, const TokenResult &result)
{
    m_outbox->post(Command::AnswerToken{request, result});
}

void ConnectionPrivate::abandonToken()
{
    if (m_askedProvider)
        m_askedProvider->abandon(&m_tokenContext);
    m_askedProvider.clear();
    m_tokenRequest.reset();
    m_tokenAhead.reset();
}

TokenProvider *ConnectionPrivate::currentTokenProvider() const
{
    if (m_tokenProvider)
        return m_tokenProvider;
    return m_provider ? m_provider->tokenProvider() : nullptr;
}

void ConnectionPrivate::handle(const Notice::ParseError &notice)
{
    const QString text = QString::fromUtf8(notice.text);
    say(
        Heard::Always, [this, text, reason = notice.reason] { Q_EMIT q->parseError(text, reason); },
        Events::ParseError,
        QVariantMap{{QStringLiteral("text"), text}, {QStringLiteral("reason"), notice.reason}});
    m_signals.flush();
}

void ConnectionPrivate::handle(const Notice::Discarded &notice)
{
    qCWarning(lcConnection).noquote()
        << m_type << "-" << notice.count << "messages were discarded:" << notice.reason;
    m_signals.push([this, notice] { Q_EMIT q->messagesDiscarded(notice.count, notice.reason); });
    m_signals.flush();
}

void ConnectionPrivate::handle(const Notice::Overloaded &notice)
{
    qCWarning(lcConnection).noquote() << m_type << "-" << notice.error.message();
    say(
        Heard::Always, [this, error = notice.error] { tellError(error); }, Events::Error,
        Events::toMap(notice.error));
    m_signals.flush();
}

void ConnectionPrivate::tellError(const ConnectionError &error)
{
    const QPointer<Connection> self(q);
    Q_EMIT q->errorOccurred(error);
    if (self && m_provider)
        Q_EMIT m_provider->errorOccurred(q, error);
}

// ---- State ----

void ConnectionPrivate::apply(const Transition &transition)
{
    const ConnectionState from = state();
    if (transition.to == from)
        return; // open() and close() have shown it already
    Q_ASSERT(isTransitionAllowed(from, transition.to));
    const bool connected = transition.to == ConnectionState::Connected;
    const bool keepsError =
        transition.to == ConnectionState::Connecting || transition.to == ConnectionState::Authenticating;
    const bool failed = transition.error.code() != ConnectionError::NoError;

    const QPointer<Connection> self(q); // a binding or a slot may delete the connection
    Qt::beginPropertyUpdateGroup();
    m_state = static_cast<Connection::State>(transition.to);
    set(m_isConnected, connected, &Connection::isConnectedChanged);
    set(m_sessionInfo, transition.session, &Connection::sessionInfoChanged);
    set(m_reconnectAttempt, transition.attempt, &Connection::reconnectAttemptChanged);
    set(m_nextRetryIn, int(transition.retryDelay.count()), &Connection::nextRetryInChanged);
    if (failed || !keepsError)
        showError(transition.error);
    if (failed || connected || transition.closeCode != CloseCode::None)
        set(m_closeCode, transition.closeCode, &Connection::closeCodeChanged);
    // All that belongs to the transition comes before the bindings, for what they call comes behind it (rule O5).
    startCountdown(transition.retryDelay);
    const bool opens =
        transition.to == ConnectionState::Connecting || transition.to == ConnectionState::Error;
    if (opens) {
        m_outbox->setAccepting(true); // rule Q2
        applyLimits(effectiveConfig());
    } else if (transition.to == ConnectionState::Disconnected) {
        m_outbox->setAccepting(false);
    }
    announce(transition);
    Qt::endPropertyUpdateGroup();

    if (self)
        m_signals.flush();
    if (self && opens)
        m_messages->setLimit(m_historyLimit);
    if (self && transition.to == ConnectionState::Disconnected)
        reopen();
}

void ConnectionPrivate::applyLimits(const ConnectionConfig &config)
{
    m_outbox->setLimits(config);
    m_historyLimit = config.historyLimit();
    m_requestIdField = config.requestIdField();
    m_replyIdField = config.replyIdField();
}

void ConnectionPrivate::showError(const ConnectionError &error)
{
    set(m_error, error.message(), &Connection::errorChanged);
    set(m_errorCode, error.code(), &Connection::errorCodeChanged);
}

// Lines up a signal and the lifecycle event of the same meaning; m_signals.flush() emits them.
void ConnectionPrivate::say(Heard heard, Signal signal, const QString &event, const QVariant &value)
{
    const auto both = [this, signal = std::move(signal), event, value] {
        const QPointer<Connection> self(q);
        signal();
        if (self && m_router.hasSubscribers(event))
            m_router.dispatch(event, Message::fromEvent(event, value));
    };
    m_signals.push(both, heard);
}

void ConnectionPrivate::announce(const Transition &transition)
{
    const auto name = QString::fromLatin1(toString(transition.to));
    const auto state = static_cast<Connection::State>(transition.to);
    say(
        Heard::Always, [this, state] { Q_EMIT q->stateChanged(state); }, Events::StateChange, name);
    if (transition.to == ConnectionState::Connected)
        say(
            Heard::Always, [this, session = transition.session] { Q_EMIT q->connected(session); },
            Events::Connected, Events::toMap(transition.session));
    // One for each connected(), whatever the app has or has not seen in between.
    const bool ended = m_saidConnected && transition.to != ConnectionState::Disconnecting;
    m_saidConnected = transition.to == ConnectionState::Connected || (m_saidConnected && !ended);
    if (ended)
        say(
            Heard::Always,
            [this, code = transition.closeCode, reason = transition.closeReason] {
                Q_EMIT q->disconnected(code, reason);
            },
            Events::Disconnected,
            QVariantMap{{QStringLiteral("code"), transition.closeCode},
                        {QStringLiteral("reason"), transition.closeReason}});
    if (transition.to == ConnectionState::Reconnecting || transition.to == ConnectionState::Error)
        announceFailure(transition, ended);
    settle(transition, ended);
}

// What openAsync() and request() wait for.
void ConnectionPrivate::settle(const Transition &transition, bool wasConnected)
{
    if (transition.to == ConnectionState::Connected)
        m_signals.push([this, session = transition.session] { m_pendingOpens.resolve(session); });
    const bool closes =
        transition.to == ConnectionState::Disconnecting || transition.to == ConnectionState::Disconnected;
    // Behind an authentication that failed the queue is empty (rule A3).
    const bool lost =
        wasConnected || closes || transition.error.code() == ConnectionError::AuthenticationFailed;
    if (!lost || m_reopenConfig)
        return;
    ConnectionError error = transition.error;
    if (error.code() == ConnectionError::NoError)
        error = {ConnectionError::RequestFailed,
                 QStringLiteral("The connection was closed before the reply came")};
    m_signals.push([this, error] { m_pendingRequests.failAll(error); });
    if (closes)
        m_signals.push([this] {
            m_pendingOpens.reject({ConnectionError::ConnectionLost,
                                   QStringLiteral("The connection was closed before it was open"), 0, true});
        });
}

void ConnectionPrivate::announceFailure(const Transition &transition, bool wasConnected)
{
    const ConnectionError &error = transition.error;
    qCWarning(lcConnection).noquote() << m_type << "-" << error.message();
    if (NetworkMonitor *monitor = m_provider ? m_provider->networkMonitor() : nullptr)
        monitor->watch();
    say(
        Heard::UntilSilenced, [this, error] { tellError(error); }, Events::Error, Events::toMap(error));
    if (error.code() == ConnectionError::AuthenticationFailed)
        say(
            Heard::UntilSilenced, [this, error] { Q_EMIT q->authenticationError(error.message()); },
            Events::AuthenticationFailed, error.message());
    else if (error.code() == ConnectionError::AuthenticationTimeout)
        say(Heard::UntilSilenced, [this] { Q_EMIT q->authenticationTimeout(); },
            Events::AuthenticationTimeout, {});
    if (!wasConnected)
        say(
            Heard::UntilSilenced, [this, error] { Q_EMIT q->connectionError(error.message()); },
            Events::ConnectionFailed, error.message());
    if (transition.to == ConnectionState::Reconnecting) {
        const int delay = int(transition.retryDelay.count());
        say(
            Heard::UntilSilenced,
            [this, attempt = transition.attempt, delay] { Q_EMIT q->reconnecting(attempt, delay); },
            Events::Reconnecting,
            QVariantMap{{QStringLiteral("attempt"), transition.attempt}, {QStringLiteral("delay"), delay}});
    }
    if (transition.gaveUpAfter >= 0)
        say(
            Heard::UntilSilenced,
            [this, attempts = transition.gaveUpAfter] { Q_EMIT q->maxReconnectAttemptsReached(attempts); },
            Events::MaxReconnectAttemptsReached, transition.gaveUpAfter);
    if (transition.to == ConnectionState::Error)
        m_signals.push([this, error] { m_pendingOpens.reject(error); });
}

void ConnectionPrivate::startCountdown(milliseconds delay)
{
    m_retryAt.setRemainingTime(delay);
    if (state() == ConnectionState::Reconnecting)
        m_countdownTick.start();
    else
        m_countdownTick.stop();
}

void ConnectionPrivate::showCounters()
{
    const Outbox::Counters counters = m_outbox->counters();
    set(m_queuedMessages, counters.messages, &Connection::queuedMessagesChanged);
    set(m_bytesToWrite, counters.bytes, &Connection::bytesToWriteChanged);
    m_signals.flush();
}

template<typename T>
void ConnectionPrivate::set(QProperty<T> &property, const T &value, void (Connection::*changed)())
{
    if (property.value() == value)
        return;
    property = value;
    m_signals.push([this, changed] {
        std::invoke(changed, q); // a signal
    });
}

} // namespace Everwire
