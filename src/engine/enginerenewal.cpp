// SPDX-License-Identifier: MIT
//
// How the engine replaces the token of a live connection before it expires. What else it does is in engine.cpp.
#include "engine/engine.h"

#include "core/closecode.h"
#include "core/timestamp.h"
#include "engine/trace.h"

#include <algorithm>
#include <cstdlib>

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// How long before its end a token is renewed: enough for a slow provider and a clock that is somewhat off.
constexpr milliseconds LongestMargin = std::chrono::minutes(1);
constexpr int LargestShare = 4; // of what is left, for tokens that live shortly
constexpr milliseconds ShortestWait = std::chrono::seconds(1);
constexpr milliseconds RetryWait = std::chrono::seconds(5);
// The quiet reconnect waits until nothing was sent or received for IdleTime. It checks every
// IdleCheck.
constexpr milliseconds IdleTime = std::chrono::seconds(1);
constexpr milliseconds IdleCheck = std::chrono::milliseconds(100);
// The wait ends this long before the token expires. If a quarter of the time left is shorter, it
// ends that long before.
constexpr milliseconds LongestReserve = std::chrono::seconds(5);
// No clock is off by more, or TLS would fail; a timestamp that is, is none of now.
constexpr qint64 LargestSkew = qint64(24) * 3600 * 1000; // ms

// The server judges by its own clock, and mostly tells it.
std::optional<qint64> serverTime(const SessionInfo &session, qint64 ours)
{
    const QDateTime theirs = Timestamp::fromText(session.timestamp());
    const bool isNow = theirs.isValid() && std::abs(theirs.toMSecsSinceEpoch() - ours) <= LargestSkew;
    return isNow ? std::optional(theirs.toMSecsSinceEpoch()) : std::nullopt;
}

} // namespace

// Called when the server has just accepted the present token.
void Engine::learnServerTime(const SessionInfo &session)
{
    const qint64 ours = m_around.wallClock();
    if (const std::optional<qint64> theirs = serverTime(session, ours)) {
        m_serverAhead = *theirs - ours;
        m_isClockTrusted = true;
        return;
    }
    // If our clock says that the token has expired, the clock is wrong. Assume that the token is
    // new.
    if (isGoodByOurClock(link()->token))
        return;
    const std::optional<qint64> issuedAt = tokenTimes(link()->token).issuedAt;
    m_isClockTrusted = issuedAt.has_value();
    if (issuedAt)
        m_serverAhead = *issuedAt - ours;
}

void Engine::scheduleRenewal()
{
    auto *open = std::get_if<Phase::Established>(&m_phase);
    if (!open || m_config.tokenRenewal() == ConnectionConfig::TokenRenewal::Off)
        return;
    const std::optional<milliseconds> left =
        timeLeft(tokenTimes(open->link.token), m_around.wallClock() + m_serverAhead);
    if (!left)
        return;
    open->renewal.until = m_around.scheduler->now() + *left;
    armRenewal();
}

void Engine::armRenewal()
{
    auto &renewal = std::get<Phase::Established>(m_phase).renewal;
    const milliseconds left = renewal.until - m_around.scheduler->now();
    const milliseconds margin = std::min(LongestMargin, left / LargestShare);
    renewal.timer =
        m_around.scheduler->after(std::max(left - margin, ShortestWait), [this] { renewToken(); });
}

// The scheduler's clock stops while the machine sleeps, so the token may expire earlier than
// scheduled.
void Engine::checkRenewal()
{
    auto *open = std::get_if<Phase::Established>(&m_phase);
    const bool waits = open && open->renewal.timer && open->renewal.request == 0 &&
                       open->renewal.offered.isEmpty() && open->renewal.next.isEmpty();
    const std::optional<qint64> end = waits ? tokenTimes(open->link.token).expiresAt : std::nullopt;
    if (!end)
        return;
    const milliseconds left(*end - m_around.wallClock() - m_serverAhead);
    if (m_around.scheduler->now() + left >= open->renewal.until)
        return;
    open->renewal.until = m_around.scheduler->now() + left;
    armRenewal();
}

void Engine::renewToken()
{
    auto &renewal = std::get<Phase::Established>(m_phase).renewal;
    everwireTrace(lcAuth) << "the token is about to expire; asking for another";
    renewal.request = ++m_lastRequest;
    renewal.timer = m_around.scheduler->after(m_config.tokenTimeout(), [this] {
        report(Notice::TokenAbandoned{});
        retryRenewal();
    });
    report(Notice::TokenNeeded{renewal.request, true});
}

void Engine::takeRenewal(const TokenResult &result)
{
    const QString old = std::get<Phase::Established>(m_phase).link.token;
    const auto expiry = [](const QString &token) { return tokenTimes(token).expiresAt; };
    const bool isLater = !expiry(result.token) || expiry(result.token) > expiry(old);
    // A token of another user cannot be used: this connection and its queued messages belong to the
    // old user.
    const bool isOfThisUser =
        m_user.isEmpty() || tokenSubject(result.token).isEmpty() || tokenSubject(result.token) == m_user;
    const QString problem =
        result.kind == TokenResult::Token && result.token != old ? problemOf(result.token) : QString();
    if (!problem.isEmpty())
        qCWarning(lcAuth).noquote() << m_around.name << "- the new token cannot be used:" << problem;
    if (result.kind != TokenResult::Token || result.token == old || !isLater || !isOfThisUser ||
        result.token.isEmpty() || !problem.isEmpty() || wasRefused(result.token)) {
        everwireTrace(lcAuth) << "the token provider has no later token";
        retryRenewal();
    } else if (m_config.tokenRenewal() == ConnectionConfig::TokenRenewal::Reauthenticate) {
        offerToken(result.token);
    } else {
        switchWhenIdle(result.token);
    }
}

// Until it has expired; then it is for the server to say so.
void Engine::retryRenewal()
{
    auto &renewal = std::get<Phase::Established>(m_phase).renewal;
    renewal.request = 0;
    renewal.timer.reset();
    if (m_around.scheduler->now() + RetryWait < renewal.until)
        renewal.timer = m_around.scheduler->after(RetryWait, [this] { renewToken(); });
}

void Engine::offerToken(const QString &token)
{
    auto &open = std::get<Phase::Established>(m_phase);
    everwireTrace(lcAuth) << "sending it on the live connection";
    open.renewal.request = 0;
    open.renewal.offered = token;
    open.link.secrets.append(token);
    open.link.transport->setSecrets(open.link.secrets);
    open.renewal.timer =
        m_around.scheduler->after(m_config.authTimeout(), [this, token] { switchWhenIdle(token); });
    open.link.transport->sendSecretText(open.link.protocol->reauthenticate(token));
}

void Engine::renewed(const SessionInfo &session)
{
    auto &open = std::get<Phase::Established>(m_phase);
    if (open.next)
        return; // too late: the next connection authenticates with this token
    auto &renewal = open.renewal;
    link()->token = std::exchange(renewal.offered, {});
    renewal.next.clear(); // in case the answer came after authTimeout
    renewal.timer.reset();
    report(Notice::SessionRenewed{session});
    learnServerTime(session);
    scheduleRenewal();
}

// The server has refused the offered token. It may say nothing more on this connection, so open
// another one with a fresh token.
void Engine::renewalRefused()
{
    auto &open = std::get<Phase::Established>(m_phase);
    if (open.next) { // a late answer: the next connection must not use this token
        if (const QString refused = std::exchange(open.next->token, {}); !refused.isEmpty())
            rememberRefused(refused);
        return;
    }
    auto &renewal = open.renewal;
    rememberRefused(renewal.offered);
    renewal.offered.clear();
    renewal.next.clear();
    trySwitch(renewal.until);
}

// Waits for a quiet moment. While the present token is valid, a turn of speech or an answer is not
// interrupted.
void Engine::switchWhenIdle(const QString &token)
{
    auto &renewal = std::get<Phase::Established>(m_phase).renewal;
    renewal.request = 0;
    renewal.next = token;
    const milliseconds left = renewal.until - m_around.scheduler->now();
    trySwitch(renewal.until - std::min(LongestReserve, left / LargestShare));
}

// latest: the scheduler's time at which it stops waiting. If renewal.next is empty, a token is
// fetched.
void Engine::trySwitch(milliseconds latest)
{
    auto &open = std::get<Phase::Established>(m_phase);
    const milliseconds now = m_around.scheduler->now();
    // While reading is paused the connection only looks idle, and it could not be closed in time.
    if (open.paused || (now < latest && isBusy(open))) {
        const milliseconds delay = now < latest ? std::min(IdleCheck, latest - now) : IdleCheck;
        open.renewal.timer = m_around.scheduler->after(delay, [this, latest] { trySwitch(latest); });
        return;
    }
    reconnectWith(open.renewal.next);
}

bool Engine::isBusy(const Phase::Established &open) const
{
    if (m_around.outbox->isInTurn())
        return true;
    const milliseconds since = m_around.scheduler->now() - IdleTime;
    // Then the refusal was the last thing received.
    const bool wasRefused = open.renewal.next.isEmpty();
    return !wasRefused && (open.link.lastSent > since || open.heartbeat->lastSign() > since);
}

// Switches to a new connection quietly: nothing has failed, and queued messages stay queued. First
// the live connection is closed in order, so that sent messages arrive and the server's last
// messages are received. token: empty if it must be fetched.
void Engine::reconnectWith(QString token)
{
    auto &open = std::get<Phase::Established>(m_phase);
    if (open.next)
        return;
    everwireTrace(lcAuth) << "finishing the connection, to open another with another token";
    open.renewal = {};
    open.stable.reset();
    open.heartbeat->pause();
    m_around.outbox->setDraining(false);
    Parting &parting = addParting(std::exchange(open.link, {}));
    open.next = Phase::Switch{&parting, std::move(token)};
    beginParting(parting, CloseCode::Normal, QStringLiteral("Client reconnect"), this);
}

void Engine::finishSwitch(const QString &token)
{
    if (token.isEmpty()) {
        startAttempt();
        return;
    }
    m_tokenIsFresh = true;
    enter(Phase::Opening(), ConnectionState::Connecting, beginAttempt());
    takeToken(token);
    proceed(token);
}

} // namespace Everwire
