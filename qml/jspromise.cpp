// SPDX-License-Identifier: MIT
#include "jspromise.h"

#include <Everwire/Connection>
#include <Everwire/ConnectionException>

#include <QFutureWatcher>
#include <QJsonObject>
#include <QQmlEngine>

namespace Everwire {

namespace {

const auto MakePromise = QStringLiteral(R"((() => {
    const made = {}
    made.promise = new Promise((resolve, reject) => { made.resolve = resolve; made.reject = reject })
    return made
})())");

const auto BindMethod = QStringLiteral("((object, name) => object[name].bind(object))");

QJSValue toJs(QJSEngine *engine, const QVariant &value)
{
    if (value.typeId() == QMetaType::QJsonObject)
        return engine->toScriptValue(value.toJsonObject().toVariantMap());
    return engine->toScriptValue(value);
}

// The watcher, and with it the functions, goes when it is settled or its engine goes.
QJSValue promiseIn(QJSEngine *engine, const QFuture<QVariant> &future)
{
    const QJSValue made = engine->evaluate(MakePromise);
    auto *watcher = new QFutureWatcher<QVariant>(engine);
    QObject::connect(watcher, &QFutureWatcherBase::finished, watcher, [watcher, engine, made] {
        watcher->deleteLater();
        try {
            made.property(QStringLiteral("resolve")).call({toJs(engine, watcher->future().result())});
        } catch (const ConnectionException &failure) {
            made.property(QStringLiteral("reject"))
                .call({engine->toScriptValue(QVariant::fromValue(failure.error()))});
        }
    });
    watcher->setFuture(future);
    return made.property(QStringLiteral("promise"));
}

QVariant toPromise(QObject *promise)
{
    QJSEngine::setObjectOwnership(promise, QJSEngine::JavaScriptOwnership);
    return QVariant::fromValue(promise);
}

} // namespace

void JsPromise::install()
{
    Connection::s_toPromise = [](const QFuture<QVariant> &future) {
        return toPromise(new JsPromise(future));
    };
}

QJSValue JsPromise::method(const QString &name)
{
    QJSEngine *engine = qjsEngine(this);
    if (!engine)
        return {};
    if (m_promise.isUndefined())
        m_promise = promiseIn(engine, m_future);
    return engine->evaluate(BindMethod).call({m_promise, name});
}

} // namespace Everwire
