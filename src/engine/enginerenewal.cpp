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
constexpr milliseconds LongestWait = std::chrono::hours(24 * 20); // timers count in 31 bits
constexpr milliseconds RetryWait = std::chrono::seconds(5);
// No clock is off by more, or TLS would fail; a timestamp that is, is none of now.
constexpr qint64 LargestSkew = qint64(24) * 3600 * 1000; // ms

// The server judges by its own clock, and mostly tells it.
qint64 serverTime(const SessionInfo &session, qint64 ours)
{
    const QDateTime theirs = Timestamp::fromText(session.timestamp());
    const bool isNow = theirs.isValid() && std::abs(theirs.toMSecsSinceEpoch() - ours) <= LargestSkew;
    return isNow ? theirs.toMSecsSinceEpoch() : ours;
}

} // namespace

void Engine::scheduleRenewal(const SessionInfo &session)
{
    auto *open = std::get_if<Phase::Established>(&m_phase);
    if (!open || m_config.tokenRenewal() == ConnectionConfig::TokenRenewal::Off)
        return;
    const qint64 now = serverTime(session, m_around.wallClock());
    const std::optional<milliseconds> left = timeLeft(tokenTimes(open->link.token), now);
    if (!left)
        return;
    const milliseconds margin = std::min(LongestMargin, *left / LargestShare);
    open->renewal.until = m_around.scheduler->now() + *left;
    open->renewal.timer = m_around.scheduler->after(std::clamp(*left - margin, ShortestWait, LongestWait),
                                                    [this] { renewToken(); });
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
    const QString problem =
        result.kind == TokenResult::Token && result.token != old ? problemOf(result.token) : QString();
    if (!problem.isEmpty())
        qCWarning(lcAuth).noquote() << m_around.name << "- the new token cannot be used:" << problem;
    if (result.kind != TokenResult::Token || result.token == old || !isLater || !problem.isEmpty() ||
        wasRefused(result.token)) {
        everwireTrace(lcAuth) << "the token provider has no later token";
        retryRenewal();
    } else if (m_config.tokenRenewal() == ConnectionConfig::TokenRenewal::Reauthenticate) {
        offerToken(result.token);
    } else {
        reconnectWith(result.token);
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
        m_around.scheduler->after(m_config.authTimeout(), [this, token] { reconnectWith(token); });
    open.link.transport->sendSecretText(open.link.protocol->reauthenticate(token));
}

void Engine::renewed(const SessionInfo &session)
{
    auto &open = std::get<Phase::Established>(m_phase);
    open.link.token = std::exchange(open.renewal.offered, {});
    report(Notice::SessionRenewed{session});
    scheduleRenewal(session);
}

// Quietly: nothing has failed, and what is queued stays queued. First the live connection is finished: what was
// sent arrives there, and what the server has sent meanwhile is received.
void Engine::reconnectWith(const QString &newToken)
{
    auto &open = std::get<Phase::Established>(m_phase);
    if (open.next)
        return;
    everwireTrace(lcAuth) << "finishing the connection, to open another with the new token";
    const QString token = newToken; // it may lie in what is reset here
    open.renewal = {};
    open.stable.reset();
    open.heartbeat->pause();
    m_around.outbox->setDraining(false);
    Parting &parting = addParting(std::exchange(open.link, {}));
    open.next = Phase::Switch{&parting, token};
    beginParting(parting, CloseCode::Normal, QStringLiteral("Client reconnect"), this);
}

void Engine::finishSwitch(const QString &token)
{
    enter(Phase::Opening(), ConnectionState::Connecting, beginAttempt());
    proceed(token);
}

} // namespace Everwire
