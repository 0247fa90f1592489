// SPDX-License-Identifier: MIT
#include "client/connection_p.h"

#include "client/environment.h"
#include "client/messagemodel.h"
#include "client/websocketprovider.h"
#include "core/effective.h"
#include "core/exceptions.h"
#include "core/logging.h"
#include "core/loopback.h"
#include "engine/wirethread.h"
#include "protocol/jsoneventprotocol.h"
#include "transport/proxy.h"
#include "transport/transportfactory.h"

#include <QCoreApplication>
#include <QEvent>
#include <QRandomGenerator>
#include <QStringEncoder>
#include <QThread>

#include <array>
#include <iterator>

namespace Everwire {

using std::chrono::milliseconds;

ConnectionPrivate::ConnectionPrivate(Connection *connection, const QString &type, WebSocketProvider *provider)
    : q(connection)
    , m_type(type)
    , m_provider(provider)
    , m_messages(new MessageModel(type, connection))
    , m_messagePool(provider->engineRoom().messagePool())
    , m_scheduler(provider->engineRoom().appScheduler())
    , m_signals(connection)
{
    m_continueDraining.setSingleShot(true);
    QObject::connect(&m_continueDraining, &QTimer::timeout, q, [this] { continueDraining(); });
    m_inbox->setWake([this] { QCoreApplication::postEvent(q, new QEvent(QEvent::User)); });

    m_router.setSource(messagesForOtherThreads());

    Engine::Surroundings around;
    around.name = type;
    around.transports = makeTransport;
    around.messagePool = m_messagePool;
    around.protocols = [interest = m_interest, pool = m_messagePool] {
        return std::make_unique<JsonEventProtocol>(interest, pool);
    };
    around.random = [] { return QRandomGenerator::global()->generateDouble(); };
    around.inbox = m_inbox;
    around.outbox = m_outbox;
    m_engine = provider->engineRoom().add(std::move(around));
}

namespace {

ConnectionError gone()
{
    return {ConnectionError::ConnectionLost, QStringLiteral("The connection object is gone"), 0, true};
}

} // namespace

ConnectionPrivate::~ConnectionPrivate()
{
    m_inbox->setWake({});
    m_inbox->divert({}, {});
    hearNothingMore();
    abandonToken();
    m_outbox->post(Command::Leave{}); // before Close, which may discard messages
    sayGoodbye();
    q->setParent(
        nullptr); // whoever hears of our end may delete the provider, which would delete us once more
    if (m_provider)
        containExceptions(m_type + QStringLiteral(" - a slot that was told of the connection's end"),
                          [this] { m_provider->forget(q, m_engine); });
    m_pendingOpens.reject(gone());
    m_pendingRequests.doomAll(gone()); // requests that the app made during the destruction
    m_pendingRequests.rejectDoomed();
    hearNothingMore();
    m_messages->fallBehind({});
}

// They get them from the wire thread. What they hold counts as pending, and the one that is done may be the one for whom
// reading waits (rule M8).
Router::Source ConnectionPrivate::messagesForOtherThreads()
{
    const auto account = std::make_shared<RelayAccount>();
    account->name = m_type;
    account->taken = [inbox = m_inbox](qint64 cost) { inbox->pend(cost); };
    account->done = [inbox = m_inbox, outbox = m_outbox](qint64 cost) {
        inbox->handled(cost);
        if (inbox->takeRoomAgain())
            outbox->post(Command::ResumeReading{});
    };
    account->isCurrent = [inbox = m_inbox](quint32 generation) { return generation == inbox->generation(); };
    const auto divert = [this](const std::function<void()> &change, TakeMessage all,
                               const TakeMessage &newcomer) {
        for (size_t i = m_handled; newcomer && i < m_backlog.size(); ++i) {
            const Inbox::Entry &entry = m_backlog[i];
            if (!entry.other)
                newcomer(entry.message, entry.cost, entry.generation);
        }
        m_inbox->divert(std::move(all), newcomer, change);
    };
    return {divert, account, m_interest};
}

// Who hears of our end may run an event loop, and the Connection is an object for longer than we are.
void ConnectionPrivate::hearNothingMore()
{
    m_continueDraining.stop();
    m_countdownTick.reset();
    m_linger.reset();
    QCoreApplication::removePostedEvents(q);
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
    if (const QStringList problems = Effective::problems(config, url); !problems.isEmpty())
        return refuse(ConnectionError::InvalidConfiguration,
                      QStringLiteral("The configuration of \"%1\" cannot be used: %2")
                          .arg(m_type, problems.join(QStringLiteral("; "))));
    const bool plain = url.scheme().compare(QLatin1String("ws"), Qt::CaseInsensitive) == 0;
    if (plain && config.authentication() != ConnectionConfig::Authentication::None &&
        !config.allowInsecureAuth() && (!isLoopback(url.host()) || Proxy::isElsewhere(config.proxy())))
        return refuse(
            ConnectionError::InsecureTransport,
            QStringLiteral(
                "The token would travel to %1 unencrypted. Use a wss:// URL, or set allowInsecureAuth "
                "for a network that you trust")
                .arg(isLoopback(url.host()) ? Proxy::nameOf(config.proxy()) : url.host()));
    return prepares ? QUrl() : url;
}

void ConnectionPrivate::open(const ConnectionConfig *config)
{
    m_openedByHandle = false; // an app's word holds whatever handles there are (rule O7)
    m_linger.reset();
    openNow(config);
}

void ConnectionPrivate::openNow(const ConnectionConfig *config)
{
    if (m_isGone)
        return;
    const ConnectionState now = state();
    if (now == ConnectionState::Disconnecting) {
        openBehindGoodbye(config ? *config : m_openConfig);
        return;
    }
    m_reopenConfig.reset();
    if (now == ConnectionState::Disconnected)
        m_outbox->startNext();
    const bool busy = now == ConnectionState::Connecting || now == ConnectionState::Authenticating ||
                      now == ConnectionState::Connected;
    if (now == ConnectionState::Disconnected || now == ConnectionState::Error)
        m_prepared.reset();
    const ConnectionConfig effective = configWith(config ? *config : m_openConfig);
    if (busy) {
        if (config && effective != effectiveConfig())
            qCWarning(lcConnection).noquote()
                << m_type << "- open() with another configuration does nothing while the connection is"
                << toString(now) << "; call reconnect() with that configuration, or close() first";
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
    warnOf(Effective::warnings(effective));
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

// From now on messages are accepted for the connection that follows the goodbye (rule Q2).
void ConnectionPrivate::openBehindGoodbye(const ConnectionConfig &config)
{
    m_reopenConfig = config;
    const ConnectionConfig coming = effectiveConfig();
    m_outbox->beginNext(coming);
    applyLimits(coming);
    m_messages->setLimits(coming.historyLimit(),
                          coming.historyBytes()); // last, because a slot may delete the connection
}

// Undoes openBehindGoodbye(), because close() was called after it.
void ConnectionPrivate::takeBackOpen()
{
    if (!std::exchange(m_reopenConfig, std::nullopt))
        return;
    m_outbox->setAccepting(false);
    failRequests(
        {ConnectionError::RequestFailed, QStringLiteral("The connection was closed before the reply came")});
    if (const int lost = m_outbox->discardNext(); lost > 0)
        lineUp(Notice::Discarded{lost, QStringLiteral("close() was called before they could be sent")});
    lineUpCounters(m_outbox->counters());
}

// Logs the same warnings only once, however often the connection is opened.
void ConnectionPrivate::warnOf(const QStringList &warnings)
{
    if (warnings != std::exchange(m_warnings, warnings) && !warnings.isEmpty())
        qCWarning(lcConfig).noquote() << m_type << "-" << warnings.join(QStringLiteral("; "));
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
    if (const auto config = readMap(map, "open()"))
        open(&*config);
}

void ConnectionPrivate::reconnectWithMap(const QVariantMap &map)
{
    if (const auto config = readMap(map, "reconnect()"))
        reconnect(&*config);
}

// Returns nothing if the map is invalid. The failure is reported already.
std::optional<ConnectionConfig> ConnectionPrivate::readMap(const QVariantMap &map, const char *call)
{
    QStringList problems;
    const ConnectionConfig config = ConnectionConfig::fromVariantMap(map, &problems);
    if (problems.isEmpty())
        return config;
    failAtOnce({ConnectionError::InvalidConfiguration,
                QStringLiteral("%1 was given a configuration for \"%2\" that cannot be used: %3")
                    .arg(QLatin1String(call), m_type, problems.join(QStringLiteral("; "))),
                0, true});
    return std::nullopt;
}

// An open() that cannot start. Where something runs already it goes on: only the log hears of the bad call.
void ConnectionPrivate::failAtOnce(const ConnectionError &error)
{
    if (m_isGone)
        return;
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
    AllSteps steps;
    {
        const SignalQueue::Hold hold(m_signals);
        Qt::beginPropertyUpdateGroup();
        showError(error);
        announceFailure(transition, false);
        steps.run([] { Qt::endPropertyUpdateGroup(); });
    }
    if (self)
        steps.run([&] { m_signals.flush(); });
    steps.finish();
}

void ConnectionPrivate::close(Command::Close::Why why)
{
    m_openedByHandle = false;
    m_linger.reset();
    takeBackOpen();
    const ConnectionState now = state();
    if (now == ConnectionState::Disconnected) {
        m_signals.flush();
        return;
    }
    // Before the engine receives Close, because it then sends the messages that were accepted while
    // connected (rule Q11).
    m_pendingRequests.doomAll(
        {ConnectionError::RequestFailed, QStringLiteral("The connection was closed before the reply came")});
    abandonToken();
    m_preparationRequest.reset();
    m_outbox->setAccepting(false);
    m_messages->catchUp(); // while it is this generation
    m_outbox->post(Command::Close{m_inbox->beginGeneration(), why});
    if (why == Command::Close::Why::SignedOut && m_provider)
        m_provider->engineRoom().processNow(m_engine);
    m_signals.silence(); // of the attempt that this ends, nothing more is heard (rule O2)
    if (now == ConnectionState::Disconnecting) {
        m_signals.flush();
        return;
    }
    Transition transition;
    transition.to = ConnectionState::Disconnecting;
    apply(transition);
}

// config: replaces the configuration of open(config) from now on. null: that one stays.
void ConnectionPrivate::reconnect(const ConnectionConfig *config)
{
    if (m_isGone)
        return;
    const ConnectionState now = state();
    if (now == ConnectionState::Disconnected || now == ConnectionState::Error ||
        now == ConnectionState::Disconnecting) {
        openNow(config);
        return;
    }
    const std::optional<QVariantMap> prepared = m_prepared;
    if (config && *config != m_openConfig)
        m_prepared.reset(); // it was prepared for the other configuration
    const ConnectionConfig effective = configWith(config ? *config : m_openConfig);
    ConnectionError error;
    const std::optional<QUrl> url = resolve(effective, &error);
    if (!url) {
        m_prepared = prepared;
        failAtOnce(error);
        return;
    }
    if (config)
        m_openConfig = *config;
    start(*url, Command::Reconnect{effective, *url, prepares()});
    m_signals.flush();
}

void ConnectionPrivate::forget()
{
    const QPointer<Connection> self(q);
    AllSteps steps; // every step runs even if a slot throws, so that nothing of the user remains
    // changeUser() comes first: it refuses what other threads send from now on, so that no message
    // of this user is sent as the next user's.
    const int dropped = m_outbox->changeUser();
    if (dropped > 0)
        lineUp(Notice::Discarded{dropped, QStringLiteral("the connection was told to forget its user")});
    steps.run([&] { close(Command::Close::Why::SignedOut); });
    if (self) {
        m_openConfig = {};
        m_secrets.clear();
        m_prepared.reset();
        showError({});
        set(m_closeCode, 0, &Connection::closeCodeChanged);
        m_signals.push([this] { Q_EMIT q->forgotten(); });
        steps.run([&] { m_messages->clear(); });
    }
    if (self)
        steps.run([&] { m_signals.flush(); });
    steps.finish();
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
    m_inbox->setHistoryLimit(config.historyLimit());
    m_inbox->setHistoryBytes(config.historyBytes());
    if (m_reopenConfig)
        applyLimits(config);
    applyDebug();
    const ConnectionState now = state();
    const bool open = now != ConnectionState::Disconnected && now != ConnectionState::Error &&
                      now != ConnectionState::Disconnecting;
    // A network that comes back leads out of Error as well (rule R7).
    const bool mayTry = open || now == ConnectionState::Error;
    ConnectionError error;
    if (const std::optional<QUrl> url = mayTry ? resolve(config, &error) : std::nullopt)
        m_outbox->post(Command::Configure{config, *url, prepares()});
    else if (open)
        qCWarning(lcConnection).noquote()
            << m_type << "- the next attempt keeps the old configuration:" << error.message();
    m_messages->setLimits(config.historyLimit(),
                          config.historyBytes()); // last, because a slot may delete the connection
}

void ConnectionPrivate::applyDebug()
{
    const bool on = m_debug || effectiveConfig().debug() || (m_provider && m_provider->debug());
    m_outbox->post(Command::SetDebug{on});
}

void ConnectionPrivate::sayGoodbye()
{
    m_isGone = true;
    m_outbox->setAccepting(false);
    // Before Close, because the engine then sends queued messages.
    m_pendingRequests.doomAll(gone());
    if (const int lost = m_outbox->discardNext(); lost > 0)
        m_inbox->tell(
            Notice::Discarded{lost, QStringLiteral("the connection was opened anew and ended before "
                                                   "they could be sent")});
    m_outbox->post(Command::Close{m_inbox->beginGeneration(), Command::Close::Why::ForGood});
}

// Called when the engine is at rest after sayGoodbye(). Reports the messages that were lost.
void ConnectionPrivate::tellWhatWasLost()
{
    const QPointer<Connection> self(q);
    std::vector<Inbox::Entry> entries = std::exchange(m_backlog, {});
    entries.erase(entries.begin(), entries.begin() + std::ptrdiff_t(std::exchange(m_handled, 0)));
    Inbox::Contents rest = m_inbox->takeAll();
    std::move(rest.entries.begin(), rest.entries.end(), std::back_inserter(entries));
    for (const Inbox::Entry &entry : entries) {
        if (const auto *discarded = entry.as<Notice::Discarded>(); discarded && self)
            handle(*discarded);
    }
}

bool ConnectionPrivate::sendText(const QString &text)
{
    Outgoing message;
    constexpr qsizetype most = OutgoingQueue::MostCopied / 3; // UTF-8 has up to three bytes of one QChar
    if (text.size() <= most) {
        std::array<char, 3 * most> utf8; // NOLINT(cppcoreguidelines-pro-type-member-init): it is written next
        QStringEncoder encoder(QStringEncoder::Utf8, QStringEncoder::Flag::Stateless);
        const char *const end = encoder.appendToBuffer(utf8.data(), text);
        message.bytes = QByteArray::fromRawData(utf8.data(), end - utf8.data());
        return push(std::move(message), {}, true);
    }
    message.bytes = text.toUtf8(); // which takes three times the room for what is ASCII
    if (message.bytes.capacity() - message.bytes.size() > 1024)
        message.bytes.squeeze();
    return push(std::move(message), {});
}

bool ConnectionPrivate::push(Outgoing message, const QString &type, bool isLent,
                             const RequestTickets::IsCancelled *isCancelled)
{
    const QByteArray bytes = message.bytes; // shared, or copied there
    const bool isBinary = message.isBinary;
    const std::optional<QByteArray> attachment = message.attachment;
    const Outbox::Pushed pushed = isCancelled ? m_outbox->pushRequest(std::move(message), *isCancelled)
                                              : m_outbox->push(std::move(message));
    if (pushed.dropped > 0)
        m_inbox->tell(Notice::Discarded{
            pushed.dropped, QStringLiteral("newer messages took their place (queueOverflow: DropOldest)")});
    if (!pushed.accepted)
        return reject(pushed.refusal);
    if (isLent) {
        m_inbox->recordText(pushed.user, bytes);
    } else if (m_inbox->historyLimit() > 0) {
        m_inbox->record(pushed.user, isBinary ? Message::fromBinary(bytes, Message::Outgoing)
                                              : Message::fromText(bytes, type, Message::Outgoing));
        if (attachment)
            m_inbox->record(pushed.user, Message::fromBinary(*attachment, Message::Outgoing));
    }
    if (QThread::currentThread() == q->thread()) {
        ++m_lately.sent;
        showCounters(pushed.counters);
    } else {
        m_inbox->poke();
    }
    return true;
}

bool ConnectionPrivate::reject(const QString &reason)
{
    qCWarning(lcConnection).noquote() << m_type << "- a message was not accepted:" << reason;
    if (QThread::currentThread() == q->thread()) {
        m_refusal = reason;
        handle(Notice::Rejected{reason});
    } else {
        m_inbox->tell(Notice::Rejected{reason});
    }
    return false;
}

// ---- Handles ----

void ConnectionPrivate::openForHandle(ConnectionHandle *handle)
{
    m_handles.insert(handle);
    m_linger.reset();
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
        m_linger = m_scheduler.after(effectiveConfig().linger(), [this] { close(); });
}

} // namespace Everwire
