// SPDX-License-Identifier: MIT
//
// The engine's tokens, what is prepared with them, and the authentication. What else it does is in engine.cpp.
#include "engine/engine.h"

#include "core/closecode.h"
#include "engine/trace.h"

#include <QCryptographicHash>

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// Against a provider that alternates between bad tokens (rule A3), and without end against one that makes
// them up.
constexpr qsizetype RefusedTokensKept = 64;

QByteArray fingerprint(const QString &token)
{
    return QCryptographicHash::hash(token.toUtf8(), QCryptographicHash::Sha256);
}

// A sentence about the first character that cannot be in a token; empty where there is none.
QString controlProblem(const QString &token)
{
    for (qsizetype i = 0; i < token.size(); ++i) {
        const ushort unit = token.at(i).unicode();
        if (unit < 0x20 || unit == 0x7f)
            return QStringLiteral(
                       "The token holds a control character (U+%1 at position %2); a line end that was "
                       "read along with it is the usual cause, and QString::trimmed() the remedy")
                .arg(unit, 4, 16, QLatin1Char('0'))
                .arg(i);
    }
    return {};
}

} // namespace

void Engine::fetchToken(bool fresh, const Transition &begun)
{
    Phase::FetchingToken fetching;
    fetching.request = ++m_lastRequest;
    fetching.fresh = fresh;
    fetching.timeout = m_around.scheduler->after(m_config.tokenTimeout(), [this] {
        report(Notice::TokenAbandoned{});
        fail({ConnectionError::TokenTimeout,
              QStringLiteral("The token provider did not answer within %1 ms (tokenTimeout)")
                  .arg(m_config.tokenTimeout().count())},
             Farewell::Abort);
    });
    enter(std::move(fetching), ConnectionState::Connecting, begun);
    report(Notice::TokenNeeded{m_lastRequest, fresh});
}

// The token at hand has expired or was refused before. Restarts the attempt with a fresh one. This
// is not a failure: the queue is kept. It cannot loop, because it is not called for a token that was
// requested as fresh.
void Engine::fetchFreshToken()
{
    everwireTrace(lcAuth) << "the token has expired or was refused before; asking for a fresh one";
    abortLink(takeLink());
    fetchToken(true, {});
}

void Engine::handle(Command::AnswerToken &command)
{
    const TokenResult &result = command.result;
    m_isClockTrusted =
        m_isClockTrusted || (tokenTimes(result.token).expiresAt && isGoodByOurClock(result.token));
    if (const auto *open = std::get_if<Phase::Established>(&m_phase);
        open && open->renewal.request != 0 && open->renewal.request == command.request) {
        takeRenewal(result);
        return;
    }
    const auto *fetching = std::get_if<Phase::FetchingToken>(&m_phase);
    if (!fetching || fetching->request != command.request)
        return;
    everwireTrace(lcAuth) << "token request answered:"
                          << (result.kind == TokenResult::Token  ? "a token"
                              : result.kind == TokenResult::None ? "none"
                                                                 : "failed");
    if (result.kind == TokenResult::Failed) {
        fail({ConnectionError::TokenFailed,
              QStringLiteral("No token could be had: %1").arg(PeerText::shown(result.reason))},
             Farewell::Abort);
    } else if (result.kind == TokenResult::None) {
        fail({ConnectionError::NoToken,
              !result.reason.isEmpty()
                  ? QStringLiteral("There is no token to authenticate with: %1")
                        .arg(PeerText::shown(result.reason))
                  : QStringLiteral(
                        "There is no token to authenticate with. Set WebSocketProvider's token or token "
                        "provider, or "
                        "authentication: None for a server that wants none"),
              0, true},
             Farewell::Abort);
    } else if (const QString problem = problemOf(result.token); !problem.isEmpty()) {
        fail({ConnectionError::InvalidToken, problem, 0, true}, Farewell::Abort);
    } else if (!fetching->fresh && (wasRefused(result.token) || hasExpired(result.token))) {
        fetchFreshToken();
    } else if (wasRefused(result.token)) {
        fail({ConnectionError::AuthenticationFailed,
              QStringLiteral(
                  "The server refused this token before, and the token provider has no other. Sign in again"),
              CloseCode::AuthenticationFailed, true},
             Farewell::Abort);
    } else {
        m_tokenIsFresh = fetching->fresh;
        m_needsFreshToken = false;
        takeToken(result.token);
        proceed(result.token);
    }
}

// Queued messages were written by the previous token's user, and must not be sent as another
// user's.
void Engine::takeToken(const QString &token)
{
    const QString user = tokenSubject(token);
    if (user.isEmpty())
        return;
    if (const QString before = std::exchange(m_user, user); !before.isEmpty() && before != user)
        discardQueue(QStringLiteral("the token is another user's now"));
}

void Engine::rememberRefused(const QString &token)
{
    m_refusedTokens.append(fingerprint(token));
    if (m_refusedTokens.size() > RefusedTokensKept)
        m_refusedTokens.removeFirst();
    m_needsFreshToken = true;
}

// Judged by the server's clock if it is known. If every token so far has looked expired, our clock
// may be wrong. Then only the server can tell, so the token is sent.
bool Engine::hasExpired(const QString &token) const
{
    return m_isClockTrusted && !isGoodByOurClock(token);
}

bool Engine::isGoodByOurClock(const QString &token) const
{
    const std::optional<qint64> end = tokenTimes(token).expiresAt;
    return !end || *end > m_around.wallClock() + m_serverAhead;
}

bool Engine::wasRefused(const QString &token) const
{
    return m_refusedTokens.contains(fingerprint(token));
}

// Why the token cannot be sent, in a sentence. Empty if it can.
QString Engine::problemOf(const QString &token) const
{
    const QString problem = controlProblem(token);
    constexpr qint64 mostPerCharacter = 6; // bytes of JSON for one UTF-16 unit
    constexpr qint64 mostAround = 1024;    // bytes of the message besides the token
    if (!problem.isEmpty() || token.size() * mostPerCharacter + mostAround <= m_config.maxMessageSize())
        return problem;
    const qsizetype size = m_around.protocols()->authenticate(token).size();
    if (size <= m_config.maxMessageSize())
        return {};
    return QStringLiteral(
               "The message with the token has %1 bytes, and maxMessageSize is %2. Is it a token? If so, "
               "raise maxMessageSize to what the server takes")
        .arg(size)
        .arg(m_config.maxMessageSize());
}

void Engine::proceed(const QString &token)
{
    if (m_prepares && m_url.isEmpty())
        prepare(token);
    else
        openTransport(token);
}

void Engine::prepare(const QString &token)
{
    Phase::Preparing preparing;
    preparing.request = ++m_lastRequest;
    preparing.token = token;
    preparing.timeout = m_around.scheduler->after(m_config.preparationTimeout(), [this] {
        fail({ConnectionError::PreparationFailed,
              QStringLiteral("The connection could not be prepared within %1 ms (preparationTimeout)")
                  .arg(m_config.preparationTimeout().count())},
             Farewell::Abort);
    });
    enter(std::move(preparing), ConnectionState::Connecting);
    report(Notice::PreparationNeeded{m_lastRequest, token});
}

void Engine::handle(Command::AnswerPreparation &command)
{
    const auto *preparing = std::get_if<Phase::Preparing>(&m_phase);
    if (!preparing || preparing->request != command.request)
        return;
    const QString token = preparing->token;
    const QString reason = command.result.isShown ? command.result.reason : shown(command.result.reason);
    switch (command.result.kind) {
    case PreparationResult::Ready:
        m_url = command.url;
        if (!m_tokenIsFresh && hasExpired(token))
            fetchFreshToken();
        else
            openTransport(token);
        return;
    case PreparationResult::TokenRefused: refused(reason, CloseCode::None, Farewell::Abort); return;
    case PreparationResult::Refused:
    case PreparationResult::Failed: break;
    }
    const bool isFinal = command.result.kind == PreparationResult::Refused;
    fail({ConnectionError::PreparationFailed,
          QStringLiteral("The connection could not be prepared: %1").arg(reason), 0, isFinal},
         Farewell::Abort);
}

void Engine::authenticate()
{
    Phase::Authenticating authenticating;
    authenticating.link = takeLink();
    authenticating.timeout = m_around.scheduler->after(m_config.authTimeout(), [this] {
        fail({ConnectionError::AuthenticationTimeout,
              QStringLiteral("The server did not answer the token within %1 ms (authTimeout)")
                  .arg(m_config.authTimeout().count()),
              CloseCode::AuthenticationTimeout},
             Farewell::Close, QStringLiteral("Authentication timeout"));
    });
    Transport &transport = *authenticating.link.transport;
    const QByteArray message = authenticating.link.protocol->authenticate(authenticating.link.token);
    Transition next;
    next.attempt = m_attempt;
    enter(std::move(authenticating), ConnectionState::Authenticating, next);
    transport.sendSecretText(message);
}

// reason: already made safe by shown().
void Engine::refused(const QString &reason, int closeCode, Farewell farewell, bool isFinal)
{
    rememberRefused(currentToken());
    fail({ConnectionError::AuthenticationFailed,
          QStringLiteral("The server refused the token: %1").arg(reason), closeCode, isFinal},
         farewell, QStringLiteral("Authentication failed"));
}

// A close code says less than auth_error: the server may have refused the user, so that no token
// would help. Therefore only one fresh token is tried.
void Engine::refusedByClosing(const QString &reason, int closeCode)
{
    const bool isFinal = m_refusedByClosing++ > 0;
    refused(reason.isEmpty() ? QStringLiteral("it closed the connection with %1").arg(closeCode) : reason,
            closeCode, Farewell::Close, isFinal);
}

// Whether the server ended the connection because it refused the token.
bool Engine::isRefusal(const ConnectionError &error) const
{
    if (error.code() == ConnectionError::ProtocolViolation) // we closed the connection
        return false;
    const bool isAuthenticating = std::holds_alternative<Phase::Authenticating>(m_phase);
    return m_config.authFailureCloseCodes().contains(error.closeCode()) ||
           (isAuthenticating && error.closeCode() == CloseCode::PolicyViolation);
}

QString Engine::shown(const QString &text, qsizetype limit)
{
    return PeerText::shown(text, secrets(), limit);
}

QStringList Engine::secrets()
{
    if (const auto *preparing = std::get_if<Phase::Preparing>(&m_phase))
        return {preparing->token};
    const Link *current = link();
    return current ? current->secrets : QStringList();
}

QString Engine::currentToken()
{
    if (const auto *preparing = std::get_if<Phase::Preparing>(&m_phase))
        return preparing->token;
    const Link *current = link();
    return current ? current->token : QString();
}

} // namespace Everwire
