// SPDX-License-Identifier: MIT
#include "jshandler.h"

#include "collectorballast.h"

#include <QJSManagedValue>
#include <QLoggingCategory>
#include <QQmlEngine>

namespace Everwire {

namespace {

Q_LOGGING_CATEGORY(lcConnection, "everwire.connection")

// The engine that the function lives in. A QJSValue does not tell, and qjsEngine() of an object that several
// engines share is the first of them; the global object "Qt" belongs to one engine.
QJSEngine *engineOf(const QJSValue &function)
{
    const QJSValue getQt =
        function.property(QStringLiteral("constructor")).call({QStringLiteral("return Qt")});
    return qjsEngine(getQt.call().toQObject());
}

} // namespace

JsHandler::JsHandler(QJSEngine *engine, const QString &event, const QJSValue &function)
    : QObject(engine), m_engine(engine), m_event(event), m_function(function)
{
}

void JsHandler::install()
{
    Connection::s_subscribeFunction = &JsHandler::subscribe;
}

QVariant JsHandler::subscribe(Connection *connection, const QString &event, const QVariant &variant)
{
    const auto function = variant.value<QJSValue>();
    QJSEngine *engine = function.isCallable() ? engineOf(function) : nullptr;
    if (!engine || event.isEmpty()) {
        qCWarning(lcConnection).noquote()
            << connection->type()
            << "- subscribe(event, function) needs an event's name and a function; nothing was subscribed";
        return {};
    }
    CollectorBallast::load(engine);
    auto *handler = new JsHandler(engine, event, function);
    connect(connection, &QObject::destroyed, handler, &QObject::deleteLater);
    Detail::Wanted payload;
    payload.form = Detail::Wanted::Json;
    handler->m_subscription = connection->addSubscription(
        event, handler, [handler](const Message &message) { handler->call(message); }, payload);
    const QJSValue end = engine->newQObject(handler).property(QStringLiteral("end"));
    return QVariant::fromValue(engine->evaluate(QStringLiteral("(end => () => { end() })")).call({end}));
}

void JsHandler::end()
{
    m_subscription.unsubscribe();
    deleteLater(); // it may be the function that called us
}

// What it throws ends here: the other subscribers do not notice (rule M6).
void JsHandler::call(const Message &message)
{
    const QVariant payload = message.payload();
    QJSManagedValue function(m_function, m_engine);
    function.call({payload.isValid() ? m_engine->toScriptValue(payload) : QJSValue()});
    if (!m_engine->hasError())
        return;
    const QJSValue error = m_engine->catchError();
    qCWarning(lcConnection).noquote().nospace()
        << error.property(QStringLiteral("fileName")).toString() << ":"
        << error.property(QStringLiteral("lineNumber")).toInt() << ": a handler of \"" << m_event
        << "\" threw: " << error.toString();
}

} // namespace Everwire
