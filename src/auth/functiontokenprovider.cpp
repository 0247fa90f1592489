// SPDX-License-Identifier: MIT
#include "auth/functiontokenprovider.h"

#include <QFutureWatcher>

#include <exception>

namespace Everwire {

namespace {

void answerFrom(const QFuture<QString> &future, const TokenRequest &request)
{
    if (future.isCanceled() && future.resultCount() == 0) {
        try {
            QFuture<QString>(future).waitForFinished(); // finished already: only rethrows what it holds
            request.reject(QStringLiteral("the token request was cancelled"));
        } catch (const std::exception &error) {
            request.reject(QString::fromUtf8(error.what()));
        } catch (...) {
            request.reject(QStringLiteral("the token function threw something that is no std::exception"));
        }
        return;
    }
    request.resolve(future.resultCount() > 0 ? future.resultAt(0) : QString());
}

} // namespace

FunctionTokenProvider::FunctionTokenProvider(std::function<QString()> function, QObject *parent)
    : TokenProvider(parent)
    , m_fetch([function = std::move(function)](const TokenRequest &request) { request.resolve(function()); })
{
}

FunctionTokenProvider::FunctionTokenProvider(std::function<QFuture<QString>()> function, QObject *parent)
    : TokenProvider(parent)
{
    m_fetch = [this, function = std::move(function)](const TokenRequest &request) {
        auto *watcher = new QFutureWatcher<QString>(this);
        connect(watcher, &QFutureWatcherBase::finished, this, [watcher, request] {
            answerFrom(watcher->future(), request);
            watcher->deleteLater();
        });
        watcher->setFuture(function());
    };
}

void FunctionTokenProvider::fetch(const TokenRequest &request)
{
    try {
        m_fetch(request);
    } catch (const std::exception &error) {
        request.reject(QString::fromUtf8(error.what()));
    } catch (...) {
        request.reject(QStringLiteral("the token function threw something that is no std::exception"));
    }
}

} // namespace Everwire
