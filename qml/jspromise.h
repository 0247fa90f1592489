// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionError>

#include <QFuture>
#include <QJSEngine>
#include <QJSValue>
#include <QObject>
#include <QVariant>

namespace Everwire {

// What Connection::opened() and request() give JavaScript: a thenable. A connection is shared by several engines and
// does not know which one calls it; this object does once that engine has it, and makes a promise of that engine's when
// its then or catch is first asked for.
class JsPromise final : public QObject
{
    Q_OBJECT
    Q_PROPERTY(QJSValue then READ thenFunction CONSTANT FINAL)
    Q_PROPERTY(QJSValue catch READ catchFunction CONSTANT FINAL)

public:
    // From here on Connection::opened() and request() work.
    static void install();

    [[nodiscard]] QJSValue thenFunction() { return method(QStringLiteral("then")); }
    [[nodiscard]] QJSValue catchFunction() { return method(QStringLiteral("catch")); }

private:
    explicit JsPromise(const QFuture<QVariant> &future) : m_future(future) {}
    [[nodiscard]] QJSValue method(const QString &name);

    QFuture<QVariant> m_future;
    QJSValue m_promise;
};

} // namespace Everwire
