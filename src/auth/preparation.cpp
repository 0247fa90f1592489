// SPDX-License-Identifier: MIT
#include "auth/preparation.h"

#include "core/exceptions.h"

namespace Everwire {

struct PreparationRequest::State
{
    QString type;
    ConnectionConfig config;
    QString token;
    QPointer<QObject> context;
    Preparation::Callback callback; // empty once answered
};

QString PreparationRequest::type() const
{
    return d->type;
}

ConnectionConfig PreparationRequest::configuration() const
{
    return d->config;
}

QString PreparationRequest::token() const
{
    return d->token;
}

void PreparationRequest::resolve(const QVariantMap &options) const
{
    answer({PreparationResult::Ready, options, {}, false});
}

void PreparationRequest::reject(const QString &reason) const
{
    answer({PreparationResult::Failed, {}, reason, false});
}

void PreparationRequest::refuse(const QString &reason) const
{
    answer({PreparationResult::Refused, {}, reason, false});
}

void PreparationRequest::refuseToken(const QString &reason) const
{
    answer({PreparationResult::TokenRefused, {}, reason, false});
}

void PreparationRequest::answer(PreparationResult result) const
{
    const Preparation::Callback callback = std::exchange(d->callback, {});
    if (!callback || !d->context)
        return;
    QMetaObject::invokeMethod(
        d->context, [callback, result = std::move(result)] { callback(result); }, Qt::QueuedConnection);
}

Preparation::Preparation(QObject *parent) : QObject(parent) {}

Preparation::~Preparation() = default;

void Preparation::run(const QString &type, const ConnectionConfig &config, const QString &token,
                      QObject *context, Callback callback)
{
    auto state = std::make_shared<PreparationRequest::State>();
    state->type = type;
    state->config = config;
    state->token = token;
    state->context = context;
    state->callback = std::move(callback);
    const PreparationRequest request(std::move(state));
    try {
        prepare(request);
    } catch (...) { // treated like a rejection, so it is retried
        request.reject(whatWasThrown());
    }
}

} // namespace Everwire
