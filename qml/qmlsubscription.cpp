// SPDX-License-Identifier: MIT
#include "qmlsubscription.h"

#include "collectorballast.h"

#include <QJSEngine>
#include <QJsonArray>
#include <QJsonDocument>
#include <QMetaMethod>
#include <QQmlEngine>
#include <QQmlInfo>

#include <limits>

namespace Everwire {

namespace {

constexpr int FrameMs = 16;

// QVariant::fromValue() copies, and to JavaScript's collector each copy is one more to keep.
QVariant toVariant(QJSValue &&value)
{
    QVariant variant(QMetaType::fromType<QJSValue>());
    *static_cast<QJSValue *>(variant.data()) = std::move(value);
    return variant;
}

QJSValue toScript(QJSEngine *engine, const Detail::Fields &fields, qsizetype at)
{
    switch (fields.kind(at)) {
    case Detail::Fields::Absent: return {};
    case Detail::Fields::Null: return {QJSValue::NullValue};
    case Detail::Fields::Integer:
    case Detail::Fields::Number: return {fields.number(at)};
    case Detail::Fields::Text: return {fields.text(at)};
    case Detail::Fields::Truth:
    case Detail::Fields::Other: break;
    }
    return engine->toScriptValue(fields.value(at));
}

} // namespace

QmlSubscription::QmlSubscription(QObject *parent) : QObject(parent)
{
    connect(&m_conflater, &Conflater::due, this, &QmlSubscription::deliver);
}

void QmlSubscription::setConnection(Connection *connection)
{
    if (connection == m_connection)
        return;
    if (m_connection)
        m_connection->disconnect(this);
    m_connection = connection;
    if (connection) {
        connect(connection, &QObject::destroyed, this, [this] {
            m_connection.clear();
            resubscribe();
            Q_EMIT connectionChanged();
        });
        connect(connection, &Connection::forgotten, this, [this] {
            m_conflater.clear();
            forget();
        });
    }
    forget();
    resubscribe();
    Q_EMIT connectionChanged();
}

void QmlSubscription::setEvent(const QString &event)
{
    if (event == m_event)
        return;
    m_event = event;
    forget();
    resubscribe();
    Q_EMIT eventChanged();
}

void QmlSubscription::setEnabled(bool enabled)
{
    if (enabled == m_enabled)
        return;
    m_enabled = enabled;
    resubscribe();
    Q_EMIT enabledChanged();
}

void QmlSubscription::setDelivery(Delivery delivery)
{
    if (delivery == m_delivery)
        return;
    m_delivery = delivery;
    m_subscription.setWanted(wanted());
    Q_EMIT deliveryChanged();
    applyDelivery(); // last: what waited is delivered
}

void QmlSubscription::setFields(const QStringList &named)
{
    QStringList fields = named;
    fields.removeDuplicates();
    if (fields == m_fields)
        return;
    m_fields = fields;
    m_fieldNames.reset();
    m_makeObject = {};
    m_latestPayload.clear();
    if (!fields.isEmpty()) {
        QList<QByteArray> names;
        for (const QString &field : std::as_const(fields))
            names.append(field.toUtf8());
        m_fieldNames = std::make_shared<const QList<QByteArray>>(names);
    }
    m_subscription.setWanted(wanted());
    const QPointer<QmlSubscription> self(this);
    Q_EMIT fieldsChanged();
    if (self && !m_latest.isNull())
        Q_EMIT latestChanged();
}

void QmlSubscription::setInterval(double ms)
{
    if (!(ms >= 0 && ms <= std::numeric_limits<int>::max())) {
        qmlWarning(this) << "interval: " << ms << " is not between 0 and 2147483647 ms";
        return;
    }
    const int interval = int(ms);
    if (interval == m_interval)
        return;
    m_interval = interval;
    m_subscription.setWanted(wanted());
    Q_EMIT intervalChanged();
    applyDelivery();
}

void QmlSubscription::componentComplete()
{
    m_complete = true;
    resubscribe();
}

void QmlSubscription::applyDelivery()
{
    switch (m_delivery) {
    case Each: m_conflater.setInterval(0); break;
    case Latest: m_conflater.setInterval(FrameMs); break;
    case Sampled: m_conflater.setInterval(m_interval); break;
    }
}

void QmlSubscription::resubscribe()
{
    m_subscription.unsubscribe();
    m_conflater.clear();
    if (!m_complete || !m_enabled || !m_connection || m_event.isEmpty())
        return;
    m_subscription = m_connection->addSubscription(
        m_event, this,
        [this](const Message &message) {
            if (m_conflater.interval() > 0)
                m_conflater.push(message);
            else // with no signal in between
                deliver(message);
        },
        wanted());
    if (QJSEngine *engine = qjsEngine(this))
        CollectorBallast::load(engine);
}

// Of those that are conflated only a few are looked at.
Detail::Wanted QmlSubscription::wanted() const
{
    Detail::Wanted wanted;
    wanted.onlyNewest = m_delivery == Latest || (m_delivery == Sampled && m_interval > 0);
    if (m_delivery == Each) {
        wanted.form = m_fieldNames ? Detail::Wanted::Fields : Detail::Wanted::Json;
        wanted.fields = m_fieldNames;
    }
    return wanted;
}

// What another event or another connection sent is not this one's latest.
void QmlSubscription::forget()
{
    if (m_latest.isNull())
        return;
    m_latest = {};
    m_latestPayload.clear();
    Q_EMIT latestChanged();
}

void QmlSubscription::deliver(const Message &message)
{
    static const QMetaMethod receivedSignal = QMetaMethod::fromSignal(&QmlSubscription::received);
    const QPointer<QmlSubscription> self(this);
    const quint64 number = ++m_deliveries;
    m_latest = message;
    m_latestPayload.clear();
    Q_EMIT latestChanged();
    // Whoever heard of the latest may have chosen another event or connection.
    if (self && isSignalConnected(receivedSignal) && number == m_deliveries && !m_latest.isNull())
        Q_EMIT received(latest()); // a copy: its handlers may make another the latest, or none
}

// Converted for JavaScript once, however many bindings read it, and not at all where none does.
QVariant QmlSubscription::latest() const
{
    if (!m_latestPayload.isValid() && !m_latest.isNull())
        m_latestPayload = payloadOf(m_latest);
    return m_latestPayload;
}

QVariant QmlSubscription::payloadOf(const Message &message) const
{
    QJSEngine *engine = qjsEngine(this);
    if (engine && m_fieldNames) {
        if (const void *ready = message.decodedAs(m_fieldNames.get()))
            return toVariant(objectOf(engine, *static_cast<const Detail::Fields *>(ready)));
        return toVariant(objectOf(engine, Detail::fieldsOf(message, *m_fieldNames)));
    }
    const QVariant payload = message.payload();
    return engine && payload.isValid() ? toVariant(engine->toScriptValue(payload)) : payload;
}

// By a function that JavaScript compiles once: cheaper than naming each member of each object.
QJSValue QmlSubscription::objectOf(QJSEngine *engine, const Detail::Fields &fields) const
{
    if (m_makeObject.isUndefined()) {
        QStringList members;
        QStringList parameters;
        for (const QString &field : m_fields) {
            const QString parameter = QStringLiteral("v%1").arg(parameters.size());
            // ["name"] is quoted as JavaScript wants it; with its brackets it is a computed name, which only this needs.
            QString name = QString::fromUtf8(QJsonDocument(QJsonArray{field}).toJson(QJsonDocument::Compact));
            if (field != QLatin1String("__proto__"))
                name = name.mid(1, name.size() - 2);
            members.append(name + QLatin1Char(':') + parameter);
            parameters.append(parameter);
        }
        m_makeObject = engine->evaluate(QStringLiteral("(function(%1) { return { %2 } })")
                                            .arg(parameters.join(u','), members.join(u',')));
    }
    for (qsizetype i = 0; i < fields.size(); ++i)
        m_arguments.append(toScript(engine, fields, i));
    const QJSValue object = m_makeObject.call(m_arguments);
    m_arguments.clear();
    return object;
}

} // namespace Everwire
