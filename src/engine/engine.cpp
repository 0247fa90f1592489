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
    if (m_endsBy)
        return;
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
    if (m_endsBy || std::holds_alternative<Phase::Closing>(m_phase))
        return;
    const bool asks = std::holds_alternative<Phase::FetchingToken>(m_phase) ||
                      std::holds_alternative<Phase::Preparing>(m_phase);
    if (!link() && !asks) {
        Command::Open open{command.config, command.url, command.prepares};
        handle(open);
        return;
    }
    m_nextConfig = Command::Configure{command.config, command.url, command.prepares};
    endLink(leaveLink(), m_state == ConnectionState::Connected ? Farewell::Close : Farewell::Abort,
            CloseCode::Normal, QStringLiteral("Client reconnect"));
    startAttempt();
}

void Engine::handle(Command::NetworkBack &)
{
    if (m_endsBy)
        return;
    if (auto *waiting = std::get_if<Phase::Waiting>(&m_phase)) {
        // All of a network's clients hear of it at the same time.
        const double spread = m_around.random() * m_config.reconnectJitter();
        const milliseconds delay(qint64(spread * double(m_config.initialReconnectDelay().count())));
        const milliseconds now = m_around.scheduler->now();
        // The server's Retry-After still applies: a network hint must not shorten it.
        const milliseconds due = std::max(now + delay, waiting->notBefore);
        if (due < waiting->due) { // a further hint must not postpone the attempt
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
    if (!open || !open->paused)
        return;
    everwireTrace(lcWire) << "reading goes on";
    if (!open->next)
        open->heartbeat->resume();
    setReadingPaused(false);
}

void Engine::setReadingPaused(bool paused)
{
    auto &open = std::get<Phase::Established>(m_phase);
    open.paused = paused;
    if (open.next)
        open.next->parting->setPaused(paused);
    else
        open.link.transport->setPaused(paused);
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
    Phase::Opening opening;
    opening.link.token = token;
    opening.link.secrets = PeerText::secretsOf(m_config.headers());
    if (!token.isEmpty())
        opening.link.secrets.append(token);
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
    transport.setSecrets(opening.link.secrets);
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
    target.hasCredentials = !token.isEmpty() || !m_config.headers().isEmpty();
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
        fetchFreshToken(); // it expired while the connection was being opened
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
                if (m_config.heartbeat() == ConnectionConfig::Heartbeat::Message)
                    link()->transport->sendText(link()->protocol->heartbeat());
                else
                    link()->transport->ping();
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
    // The transport ended while it was being given the last messages.
    if (auto *closing = std::get_if<Phase::Closing>(&m_phase)) {
        abortLink(std::exchange(closing->link, {}));
        finishClosing();
        return;
    }
    const ConnectionError &error = end.error;
    const QString &reason = end.reason;
    if (std::holds_alternative<Phase::Authenticating>(m_phase)) {
        if (isRefusal(error)) {
            refusedByClosing(reason, error.closeCode());
            return;
        }
        const bool late = error.closeCode() == CloseCode::AuthenticationTimeout;
        fail({late ? ConnectionError::AuthenticationTimeout : error.code(), error.message(),
              error.closeCode(), error.isFinal()},
             Farewell::Abort, reason);
        return;
    }
    // The server may end a live connection because the token has expired.
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
    Link old = leaveLink();
    // Queues unsent messages again, also those of requests (rule Q11).
    if (farewell == Farewell::Abort)
        abortLink(std::exchange(old, {}));

    const ReconnectPolicy policy(m_config);
    const bool retried = policy.retries(error);
    // An attempt that a network hint started does not count, because the scheduled attempt is still
    // to come.
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
        endLink(std::move(old), farewell, error.closeCode(), reason);
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
    // A new token may belong to another user, who must not send messages of this user (rule A3).
    if (error.code() == ConnectionError::AuthenticationFailed) {
        discardQueue(QStringLiteral("authentication failed"));
        m_user.clear(); // no message of this user is queued any more
    }
    enter(Phase::Failed{retried && isAboutTheNetwork(error.code())}, ConnectionState::Error, next);
    endLink(std::move(old), farewell, error.closeCode(), reason);
    tellOfRest();
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
    transition.lostRequests = m_around.outbox->takeLostRequests(from == ConnectionState::Connected);
    report(std::move(transition));
}

void Engine::report(Inbox::Event event)
{
    m_around.inbox->push(m_generation, std::move(event));
}

// While a switch to another connection is under way, the Parting owns the link.
Link *Engine::link()
{
    return std::visit(
        [](auto &phase) -> Link * {
            using P = std::decay_t<decltype(phase)>;
            if constexpr (std::is_same_v<P, Phase::Established>) {
                if (phase.next)
                    return &phase.next->parting->link();
            }
            if constexpr (std::is_same_v<P, Phase::Opening> || std::is_same_v<P, Phase::Authenticating> ||
                          std::is_same_v<P, Phase::Established> || std::is_same_v<P, Phase::Closing>)
                return phase.link.transport ? &phase.link : nullptr;
            else
                return nullptr;
        },
        m_phase);
}

// Returns an empty link if a Parting owns it.
Link Engine::takeLink()
{
    if (const auto *open = std::get_if<Phase::Established>(&m_phase); open && open->next)
        return {};
    Link *current = link();
    return current ? std::exchange(*current, {}) : Link();
}

} // namespace Everwire
