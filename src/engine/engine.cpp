// SPDX-License-Identifier: MIT
#include "engine/engine.h"

#include "core/closecode.h"
#include "core/logging.h"
#include "engine/trace.h"

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// A server may ask for more than the back-off would wait (HTTP's Retry-After), within reason.
constexpr milliseconds LongestAskedWait = std::chrono::hours(1);

TlsOptions tlsOptions(const ConnectionConfig &config)
{
    TlsOptions options;
    options.caCertificates = config.caCertificates();
    options.clientCertificate = config.clientCertificate();
    options.clientKey = config.clientKey();
    options.pinnedPublicKeys = config.pinnedPublicKeys();
    options.ignoreTlsErrors = config.ignoreTlsErrors();
    return options;
}

} // namespace

Engine::Engine(Surroundings surroundings) : m_around(std::move(surroundings)) {}

Engine::~Engine()
{
    for (const auto &transport : m_retired)
        transport->setListener(nullptr);
    if (Link *current = link())
        current->transport->setListener(nullptr);
}

// ---- Commands ----

void Engine::processOutbox()
{
    for (auto &command : m_around.outbox->takeCommands())
        std::visit([this](auto &which) { handle(which); }, command);
    pump();
}

void Engine::handle(Command::Open &command)
{
    if (std::holds_alternative<Phase::Idle>(m_phase) || std::holds_alternative<Phase::Failed>(m_phase)) {
        startAfresh(std::move(command));
    } else if (std::holds_alternative<Phase::Waiting>(m_phase)) {
        m_nextConfig = Command::Configure{command.config, command.url, command.prepares};
        startAttempt();
    }
    // Otherwise an attempt is under way or has succeeded already (rule O1), or a close(), behind which the app
    // asks again.
}

void Engine::handle(Command::Reconnect &command)
{
    const bool asks = std::holds_alternative<Phase::FetchingToken>(m_phase) ||
                      std::holds_alternative<Phase::Preparing>(m_phase);
    if (!link() && !asks) {
        Command::Open open{command.config, command.url, command.prepares};
        handle(open);
        return;
    }
    if (std::holds_alternative<Phase::Closing>(m_phase))
        return;
    m_nextConfig = Command::Configure{command.config, command.url, command.prepares};
    leaveLink(m_state == ConnectionState::Connected ? Farewell::Close : Farewell::Abort);
    startAttempt();
}

void Engine::leaveLink(Farewell farewell)
{
    Link old = takeLink();
    if (!old.transport)
        return;
    keepUnsent(old);
    retire(std::move(old), farewell, CloseCode::Normal, QStringLiteral("Client reconnect"));
}

void Engine::handle(Command::Close &command)
{
    m_generation = command.generation;
    m_attempt = 0;
    m_user.clear();
    if (std::holds_alternative<Phase::Closing>(m_phase))
        return;
    if (std::holds_alternative<Phase::Established>(m_phase)) {
        startClosing();
        return;
    }
    reportDiscarded(m_around.outbox->clear(), QStringLiteral("close() was called before they could be sent"));
    if (std::holds_alternative<Phase::Authenticating>(m_phase)) {
        startClosing();
        return;
    }
    if (Link old = takeLink(); old.transport)
        retire(std::move(old), Farewell::Abort, 0, {});
    Transition done;
    done.closeCode = CloseCode::Normal;
    if (m_state == ConnectionState::Disconnected) {
        // The app saw an error that never reached us (rule O4) and left it by close().
        done.to = ConnectionState::Disconnected;
        report(done);
        return;
    }
    enter(Phase::Closing(), ConnectionState::Disconnecting);
    enter(Phase::Idle(), ConnectionState::Disconnected, done);
}

void Engine::handle(Command::NetworkBack &)
{
    if (auto *waiting = std::get_if<Phase::Waiting>(&m_phase)) {
        // All of a network's clients hear of it at the same time.
        const double spread = m_around.random() * m_config.reconnectJitter();
        const milliseconds delay(qint64(spread * double(m_config.initialReconnectDelay().count())));
        const milliseconds now = m_around.scheduler->now();
        // What the server asked for (Retry-After) stands: the network is no reason to come earlier.
        const milliseconds due = std::max(now + delay, waiting->notBefore);
        if (due < waiting->due) { // another hint must not put it off
            waiting->due = due;
            waiting->retry = m_around.scheduler->after(due - now, [this] {
                m_attemptIsFree = true;
                startAttempt();
            });
        }
    } else if (const auto *failed = std::get_if<Phase::Failed>(&m_phase)) {
        if (failed->gaveUpForTheNetwork) {
            m_attempt = 0;
            startAttempt();
        }
    } else if (auto *open = std::get_if<Phase::Established>(&m_phase)) {
        open->heartbeat->checkNow();
        checkRenewal();
    }
}

void Engine::handle(Command::ResumeReading &)
{
    auto *open = std::get_if<Phase::Established>(&m_phase);
    if (!open || !std::exchange(open->paused, false))
        return;
    everwireTrace(lcWire) << "reading goes on";
    open->heartbeat->resume();
    open->link.transport->setPaused(false);
}

void Engine::handle(Command::SetDebug &command)
{
    m_debug = command.on;
}

void Engine::handle(Command::Configure &command)
{
    m_nextConfig = std::move(command);
}

// ---- An attempt, step by step ----

void Engine::startAfresh(Command::Open command)
{
    m_nextConfig = Command::Configure{std::move(command.config), std::move(command.url), command.prepares};
    m_attempt = 0;
    m_refusedByClosing = 0;
    startAttempt();
}

Transition Engine::beginAttempt()
{
    if (m_nextConfig) {
        m_config = m_nextConfig->config;
        m_url = m_nextConfig->url;
        m_prepares = m_nextConfig->prepares;
        m_nextConfig.reset();
    }
    m_around.outbox->setDraining(false);
    Transition begun;
    begun.attempt = m_attempt;
    begun.url = m_url;
    if (m_state == ConnectionState::Connected)
        begun.closeCode = CloseCode::Normal;
    return begun;
}

void Engine::startAttempt()
{
    const Transition begun = beginAttempt();
    if (m_config.authentication() == ConnectionConfig::Authentication::None) {
        enter(Phase::Opening(), ConnectionState::Connecting, begun);
        proceed({});
        return;
    }
    fetchToken(m_needsFreshToken, begun);
}

void Engine::openTransport(const QString &token)
{
    // One socket at a time (rule O1). They stay objects for now: one of them may be on the stack.
    for (const auto &retired : m_retired)
        retired->abort();
    if (!m_retired.empty())
        buryRetired(milliseconds(0));
    Phase::Opening opening;
    opening.link.token = token;
    opening.link.transport = m_around.transports(m_config);
    opening.link.protocol = m_around.protocols();
    opening.timeout = m_around.scheduler->after(m_config.connectTimeout(), [this] {
        fail({ConnectionError::ConnectTimeout,
              QStringLiteral("No connection to %1 within %2 ms (connectTimeout)")
                  .arg(m_url.host())
                  .arg(m_config.connectTimeout().count())},
             Farewell::Abort);
    });
    Transport &transport = *opening.link.transport;
    transport.setListener(this);
    enter(std::move(opening), ConnectionState::Connecting);
    TransportTarget target;
    target.url = m_url;
    target.protocols = m_config.protocols();
    target.headers = m_config.headers();
    target.maxFrameSize = m_config.maxFrameSize();
    target.maxIncomingSize = m_config.maxPendingBytes();
    target.compress = m_config.compression() == ConnectionConfig::Compression::Auto;
    target.compressionThreshold = m_config.compressionThreshold();
    target.followRedirects = m_config.followRedirects();
    target.tls = tlsOptions(m_config);
    target.proxy = m_config.proxy();
    transport.open(target);
}

void Engine::transportOpened()
{
    if (!std::holds_alternative<Phase::Opening>(m_phase))
        return;
    if (m_config.authentication() == ConnectionConfig::Authentication::None)
        establish({});
    else if (!m_tokenIsFresh && hasExpired(link()->token))
        fetchFreshToken(); // it has expired while the connection was made
    else
        authenticate();
}

void Engine::establish(const SessionInfo &session)
{
    Phase::Established open;
    open.link = takeLink();
    open.heartbeat = std::make_unique<Heartbeat>(
        *m_around.scheduler, m_config,
        Heartbeat::Callbacks{
            [this] {
                everwireTrace(lcWire) << "sending a ping";
                Transport *const transport = link()->transport.get();
                if (m_config.heartbeat() == ConnectionConfig::Heartbeat::Message)
                    countOwn(transport, transport->sendText(link()->protocol->heartbeat()));
                else
                    transport->ping();
            },
            [this] {
                fail({ConnectionError::HeartbeatTimeout,
                      QStringLiteral("The server gave no sign of life for %1 ms (pongTimeout)")
                          .arg(m_config.pongTimeout().count()),
                      CloseCode::Abnormal},
                     Farewell::Abort);
            }});
    open.stable = m_around.scheduler->after(m_config.stableAfter(), [this] {
        m_attempt = 0;
        std::get<Phase::Established>(m_phase).stable.reset();
    });
    m_attemptIsFree = false;
    m_refusedByClosing = 0;
    Transition connected;
    connected.session = session;
    enter(std::move(open), ConnectionState::Connected, connected);
    learnServerTime(session);
    scheduleRenewal();
    pump();
}

// ---- Its end ----

void Engine::transportEnded(const TransportEnd &end)
{
    if (std::holds_alternative<Phase::Closing>(m_phase)) {
        finishClosing();
        return;
    }
    const QString reason = withoutToken(end.reason);
    const ConnectionError error(end.error.code(), withoutToken(end.error.message()), end.error.closeCode(),
                                end.error.isFinal());
    if (std::holds_alternative<Phase::Authenticating>(m_phase)) {
        if (isRefusal(end.error)) {
            refusedByClosing(reason, end.error.closeCode());
            return;
        }
        const bool late = end.error.closeCode() == CloseCode::AuthenticationTimeout;
        fail({late ? ConnectionError::AuthenticationTimeout : error.code(), error.message(),
              error.closeCode(), error.isFinal()},
             Farewell::Abort, reason);
        return;
    }
    // The server may end a live connection because its token has expired.
    m_needsFreshToken = m_needsFreshToken || isRefusal(end.error);
    fail(error, Farewell::Abort, reason, std::min(end.retryAfter, LongestAskedWait));
}

void Engine::fail(const ConnectionError &error, Farewell farewell, const QString &reason, milliseconds wait)
{
    Transition next;
    next.error = error;
    next.closeCode = error.closeCode();
    next.closeReason = reason;
    m_around.outbox->setDraining(false);
    if (Link old = takeLink(); old.transport) {
        keepUnsent(old);
        retire(std::move(old), farewell, error.closeCode(), reason);
    }

    const ReconnectPolicy policy(m_config);
    const bool retried = policy.retries(error);
    // An attempt that a hint of the network began does not count: the one that was waited for is still to come.
    const bool isFree = std::exchange(m_attemptIsFree, false) && m_attempt > 0;
    m_freeAttempts = m_attempt == 0 ? 0 : m_freeAttempts + (isFree ? 1 : 0);
    const int counted = m_attempt + 1 - m_freeAttempts;
    if (retried && policy.allows(counted)) {
        next.attempt = ++m_attempt;
        next.retryDelay = policy.delay(counted, m_around.random(), wait);
        const milliseconds now = m_around.scheduler->now();
        Phase::Waiting waiting;
        waiting.retry = m_around.scheduler->after(next.retryDelay, [this] { startAttempt(); });
        waiting.due = now + next.retryDelay;
        waiting.notBefore = wait > milliseconds(0) ? now + wait : milliseconds(0);
        enter(std::move(waiting), ConnectionState::Reconnecting, next);
        return;
    }
    if (retried) {
        next.gaveUpAfter = counted - 1;
        next.error =
            error.asFinal(QStringLiteral("Gave up after %1 attempts to reconnect. The last error: %2")
                              .arg(counted - 1)
                              .arg(error.message()));
    } else {
        next.error = error.asFinal();
    }
    // Another token would be another user's, perhaps, who must not send what this one wrote (rule A3).
    if (error.code() == ConnectionError::AuthenticationFailed) {
        reportDiscarded(m_around.outbox->clear(), QStringLiteral("authentication failed"));
        m_user.clear(); // nothing of this user's waits any more
    }
    enter(Phase::Failed{retried && isAboutTheNetwork(error.code())}, ConnectionState::Error, next);
}

void Engine::startClosing()
{
    Phase::Closing closing;
    closing.link = takeLink();
    closing.timeout = m_around.scheduler->after(m_config.closeTimeout(), [this] { finishClosing(); });
    m_around.outbox->setDraining(false);
    Transport &transport = *closing.link.transport;
    enter(std::move(closing), ConnectionState::Disconnecting);
    // What was accepted while connected goes out before the Close frame.
    while (Link *current = link()) {
        if (takeSome(*current) > 0) {
            sendTaken(&transport);
            continue;
        }
        transport.close(CloseCode::Normal, QStringLiteral("Client disconnect"));
        // It has taken along what it could, and if it is lost now, that is not to be discarded as well.
        if (current = link(); current)
            settle(*current);
        return;
    }
}

void Engine::finishClosing()
{
    Transition done;
    done.closeCode = CloseCode::Normal;
    done.closeReason = QStringLiteral("Client disconnect");
    Link old = takeLink();
    keepUnsent(old);
    reportDiscarded(m_around.outbox->clear(),
                    QStringLiteral("the server did not take them before closeTimeout"));
    retire(std::move(old), Farewell::Abort, 0, {});
    enter(Phase::Idle(), ConnectionState::Disconnected, done);
}

void Engine::shutdown()
{
    if (std::holds_alternative<Phase::Established>(m_phase))
        startClosing();
    int lost = m_around.outbox->clear();
    if (Link old = takeLink(); old.transport) {
        old.transport->setListener(nullptr);
        old.transport->flush();
        settle(old);
        old.transport->abort();
        for (const auto &sent : old.unsettled)
            lost += sent.message.count();
    }
    if (lost > 0)
        qCWarning(lcConnection).noquote()
            << m_around.name << "-" << lost << "messages could not be sent before the application ended";
    m_retired.clear();
    m_phase = Phase::Idle();
    m_state = ConnectionState::Disconnected;
}

// The transport may be on the stack, so it is let go of later, at the earliest from the event loop.
void Engine::retire(Link link, Farewell farewell, int code, const QString &reason)
{
    link.transport->setListener(nullptr);
    if (const qint64 saved = link.transport->bytesSaved(); saved != 0) {
        everwireTrace(lcWire) << "compression saved" << saved << "bytes on this connection";
    }
    // A goodbye would be sent behind messages that are in our queue again, so they would arrive twice.
    const bool close = farewell == Farewell::Close && link.transport->bytesToWrite() == 0;
    if (close)
        link.transport->close(code, reason);
    else
        link.transport->abort();
    m_retired.push_back(std::move(link.transport));
    if (close || !m_retirement)
        buryRetired(close ? m_config.closeTimeout() : milliseconds(0));
}

void Engine::buryRetired(milliseconds delay)
{
    m_retirement = m_around.scheduler->after(delay, [this] {
        m_retired.clear();
        m_retirement.reset();
    });
}

// A message of which the system has not taken every byte cannot have arrived whole: it stays ours.
void Engine::keepUnsent(Link &link)
{
    std::vector<Outgoing> unsent;
    for (auto &sent : link.unsettled)
        unsent.push_back(std::move(sent.message));
    link.unsettled.clear();
    link.unsent = 0;
    m_around.outbox->giveBack(std::move(unsent));
    m_around.inbox->poke();
}

void Engine::reportDiscarded(int count, const QString &reason)
{
    if (count > 0)
        report(Notice::Discarded{count, reason});
}

// ---- State ----

void Engine::enter(Phase::Any phase, ConnectionState to, Transition transition)
{
    const ConnectionState from = m_state;
    Q_ASSERT(from == to ? to == ConnectionState::Connecting : isTransitionAllowed(from, to));
    reportDiscarded(from == ConnectionState::Connected ? std::exchange(m_overflowed, 0) : 0,
                    QStringLiteral("received while the app was maxPendingBytes behind"));
    const Phase::Any old = std::exchange(m_phase, std::move(phase)); // ends its timers when it goes
    m_state = to;
    if (from == to)
        return;
    everwireTrace(lcConnection) << toString(from) << "->" << toString(to)
                                << (transition.error.code() != ConnectionError::NoError
                                        ? transition.error.message()
                                        : QString());
    transition.to = to;
    report(std::move(transition));
}

void Engine::report(Inbox::Event event)
{
    m_around.inbox->push(m_generation, std::move(event));
}

Link *Engine::link()
{
    return std::visit(
        [](auto &phase) -> Link * {
            using P = std::decay_t<decltype(phase)>;
            if constexpr (std::is_same_v<P, Phase::Opening> || std::is_same_v<P, Phase::Authenticating> ||
                          std::is_same_v<P, Phase::Established> || std::is_same_v<P, Phase::Closing>)
                return phase.link.transport ? &phase.link : nullptr;
            else
                return nullptr;
        },
        m_phase);
}

Link Engine::takeLink()
{
    Link *current = link();
    return current ? std::exchange(*current, {}) : Link();
}

} // namespace Everwire
