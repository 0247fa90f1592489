// SPDX-License-Identifier: MIT
//
// What a connection's engine asks of the app: tokens, and what a Preparation finds. The rest of ConnectionPrivate is in
// connectionprivate.cpp.
#include "client/connection_p.h"

#include "auth/tokenprovider.h"
#include "client/websocketprovider.h"
#include "core/peertext.h"

namespace Everwire {

void ConnectionPrivate::handle(const Notice::TokenNeeded &notice)
{
    TokenProvider *provider = currentTokenProvider();
    if (!notice.fresh && m_tokenAhead) {
        answerToken(notice.request, *std::exchange(m_tokenAhead, {}));
        return;
    }
    // Asked ahead. A provider that has gone meanwhile has an answer under way that says so.
    if (!notice.fresh && m_ask && !m_tokenRequest && (!m_askedProvider || m_askedProvider == provider)) {
        m_tokenRequest = notice.request;
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
    if (!provider || state() != ConnectionState::Connecting || m_ask || m_tokenAhead ||
        effectiveConfig().authentication() == ConnectionConfig::Authentication::None)
        return;
    askToken(provider, false);
}

void ConnectionPrivate::askToken(TokenProvider *provider, bool fresh)
{
    m_askedProvider = provider;
    m_ask = ++m_lastAsk;
    provider->request(
        &m_tokenContext,
        [this, ask = m_lastAsk](const TokenResult &result) {
            if (m_ask != ask)
                return; // abandoned
            m_ask = 0;
            m_askedProvider.clear();
            if (const auto request = std::exchange(m_tokenRequest, {}))
                answerToken(*request, result);
            else
                m_tokenAhead = result;
        },
        fresh);
}

void ConnectionPrivate::handle(const Notice::TokenAbandoned &)
{
    abandonToken();
}

void ConnectionPrivate::answerToken(quint64 request, const TokenResult &result)
{
    if (result.kind == TokenResult::Token && !m_secrets.startsWith(result.token)) {
        // Keep the previous token, too: during a renewal it is still in use.
        m_secrets = QStringList{result.token} + m_secrets.mid(0, 1);
        m_secrets += PeerText::secretsOf(effectiveConfig().headers());
        m_pendingRequests.setSecrets(m_secrets);
    }
    m_outbox->post(Command::AnswerToken{request, result});
}

void ConnectionPrivate::abandonToken()
{
    if (m_askedProvider)
        m_askedProvider->abandon(&m_tokenContext);
    m_askedProvider.clear();
    m_ask = 0;
    m_tokenRequest.reset();
    m_tokenAhead.reset();
}

TokenProvider *ConnectionPrivate::currentTokenProvider() const
{
    if (m_tokenProvider)
        return m_tokenProvider;
    return m_provider ? m_provider->tokenProvider() : nullptr;
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
                result = {PreparationResult::Refused, {}, error.message(), true};
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
        answer({PreparationResult::Failed, {}, QStringLiteral("its Preparation object is gone"), true});
}

void ConnectionPrivate::handle(const Notice::SessionRenewed &notice)
{
    if (state() == ConnectionState::Connected && notice.session != SessionInfo())
        set(m_sessionInfo, notice.session, &Connection::sessionInfoChanged);
    m_signals.flush();
}

} // namespace Everwire
