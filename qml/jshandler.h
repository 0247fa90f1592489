// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Connection>
#include <Everwire/Subscription>

#include <QJSEngine>
#include <QJSValue>
#include <QObject>
#include <QVariant>

namespace Everwire {

// A JavaScript function that is subscribed to an event. Lives until it has ended, the connection is gone or
// the function's engine is.
class JsHandler final : public QObject
{
    Q_OBJECT

public:
    // From here on Connection::subscribe(event, function) works.
    static void install();

    Q_INVOKABLE void end();

private:
    JsHandler(QJSEngine *engine, const QString &event, const QJSValue &function);
    static QVariant subscribe(Connection *connection, const QString &event, const QVariant &variant);
    void call(const Message &message);

    QJSEngine *const m_engine; // our parent
    const QString m_event;
    QJSValue m_function;
    Subscription m_subscription;
};

} // namespace Everwire
