// SPDX-License-Identifier: MIT
#include "auth/tokenprovider.h"

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

void TokenRequest::resolveNone() const
{
    State::answer(d, {});
}

TokenProvider::TokenProvider(QObject *parent) : QObject(parent) {}

TokenProvider::~TokenProvider()
{
    if (m_current)
        m_current->forgetProvider();
}

void TokenProvider::request(QObject *context, Callback callback)
{
    const bool first = !m_current;
    if (first) {
        m_current = std::make_shared<TokenRequest::State>();
        m_current->provider = this;
    }
    m_current->waiters.push_back({context, std::move(callback)});
    if (first)
        fetch(TokenRequest(m_current));
}

void TokenProvider::abandon(QObject *context)
{
    if (m_answered)
        removeWaiter(*m_answered, context);
    if (!m_current)
        return;
    removeWaiter(*m_current, context);
    auto &waiters = m_current->waiters;
    if (std::none_of(waiters.begin(), waiters.end(), [](const auto &waiter) { return waiter.context; })) {
        m_current->forgetProvider();
        m_current.reset();
    }
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
    if (self)
        m_answered.reset();
}

} // namespace Everwire
