// SPDX-License-Identifier: MIT
#include "auth/tokenprovider.h"

#include "core/exceptions.h"

#include <QMutex>
#include <QPointer>

#include <algorithm>
#include <vector>

namespace Everwire {

struct TokenRequest::State
{
    struct Waiter
    {
        QPointer<QObject> context;
        TokenProvider::Callback callback;
    };

    QMutex mutex; // guards provider: an answer may come from any thread while the provider goes
    TokenProvider *provider = nullptr; // null once answered or abandoned
    std::vector<Waiter> waiters;       // the provider's thread only
    bool fresh = false;

    static void answer(const std::shared_ptr<State> &self, const TokenResult &result)
    {
        const QMutexLocker lock(&self->mutex);
        TokenProvider *provider = std::exchange(self->provider, nullptr);
        if (!provider)
            return;
        QMetaObject::invokeMethod(
            provider, [provider, self, result] { provider->answer(self, result); }, Qt::QueuedConnection);
    }

    void forgetProvider()
    {
        const QMutexLocker lock(&mutex);
        provider = nullptr;
    }
};

void TokenRequest::resolve(const QString &token) const
{
    State::answer(d, token.isEmpty() ? TokenResult{} : TokenResult{TokenResult::Token, token, {}});
}

void TokenRequest::reject(const QString &reason) const
{
    State::answer(d,
                  {TokenResult::Failed, {}, reason.isEmpty() ? QStringLiteral("no reason given") : reason});
}

void TokenRequest::resolveNone(const QString &reason) const
{
    State::answer(d, {TokenResult::None, {}, reason});
}

bool TokenRequest::wantsFresh() const
{
    return d->fresh;
}

TokenProvider::TokenProvider(QObject *parent) : QObject(parent) {}

TokenProvider::~TokenProvider()
{
    if (m_current)
        m_current->forgetProvider();
    for (const auto &request : {m_current, m_next}) {
        if (request)
            tellThatItIsGone(*request);
    }
}

// Whoever waits need not wait for tokenTimeout.
void TokenProvider::tellThatItIsGone(TokenRequest::State &request)
{
    for (const auto &waiter : std::exchange(request.waiters, {})) {
        if (!waiter.context)
            continue;
        QMetaObject::invokeMethod(
            waiter.context,
            [callback = waiter.callback] {
                callback({TokenResult::Failed, {}, QStringLiteral("the token provider is gone")});
            },
            Qt::QueuedConnection);
    }
}

void TokenProvider::request(QObject *context, Callback callback, bool fresh)
{
    const bool joins = m_current && (m_current->fresh || !fresh);
    std::shared_ptr<TokenRequest::State> &request = m_current && !joins ? m_next : m_current;
    if (request) {
        request->waiters.push_back({context, std::move(callback)});
        return;
    }
    request = std::make_shared<TokenRequest::State>();
    request->fresh = fresh;
    request->waiters.push_back({context, std::move(callback)});
    if (request == m_current)
        start(m_current);
}

void TokenProvider::start(std::shared_ptr<TokenRequest::State> request)
{
    m_current = std::move(request);
    m_current->provider = this;
    const TokenRequest asked(m_current);
    try {
        fetch(asked);
    } catch (...) { // treated like a rejection, so it is retried
        asked.reject(whatWasThrown());
    }
}

void TokenProvider::startNext()
{
    if (auto next = std::exchange(m_next, nullptr); next && isWaitedFor(*next))
        start(std::move(next));
}

void TokenProvider::abandon(QObject *context)
{
    for (const auto &request : {m_answered, m_current, m_next}) {
        if (request)
            removeWaiter(*request, context);
    }
    if (!m_current || isWaitedFor(*m_current))
        return;
    m_current->forgetProvider();
    m_current.reset();
    startNext();
}

bool TokenProvider::isWaitedFor(const TokenRequest::State &request)
{
    return std::any_of(request.waiters.begin(), request.waiters.end(),
                       [](const auto &waiter) { return waiter.context; });
}

// Its place stays: the list may be on its way through.
void TokenProvider::removeWaiter(TokenRequest::State &request, QObject *context)
{
    for (auto &waiter : request.waiters) {
        if (waiter.context == context)
            waiter.context.clear();
    }
}

void TokenProvider::answer(const std::shared_ptr<TokenRequest::State> &request, const TokenResult &result)
{
    if (request != m_current)
        return; // abandoned meanwhile
    const QPointer<TokenProvider> self(this);
    m_answered = std::exchange(m_current, nullptr);
    for (const auto &waiter : request->waiters) {
        if (waiter.context)
            waiter.callback(result);
    }
    if (!self)
        return;
    m_answered.reset();
    if (!m_current)
        startNext();
}

} // namespace Everwire
