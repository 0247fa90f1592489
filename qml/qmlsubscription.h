// SPDX-License-Identifier: MIT
#pragma once

#include "conflater.h"

#include <Everwire/Connection>
#include <Everwire/Subscription>

#include <QJSValue>
#include <QObject>
#include <QPointer>
#include <QQmlParserStatus>
#include <QtQmlIntegration>

namespace Everwire {

// Listens to an event of a connection for as long as the element lives.
//
//     Subscription {
//         connection: WebSocketProvider.connection("simulation")
//         event: "ai_response"
//         onReceived: payload => console.log(payload.content)
//     }
class QmlSubscription : public QObject, public QQmlParserStatus
{
    Q_OBJECT
    Q_INTERFACES(QQmlParserStatus)
    QML_NAMED_ELEMENT(Subscription)
    Q_PROPERTY(
        Everwire::Connection *connection READ connection WRITE setConnection NOTIFY connectionChanged FINAL)
    // A message's type, "*" for every message, or one of the lifecycle events.
    Q_PROPERTY(QString event READ eventName WRITE setEvent NOTIFY eventChanged FINAL)
    Q_PROPERTY(bool enabled READ isEnabled WRITE setEnabled NOTIFY enabledChanged FINAL)
    // The payload that was received last; undefined before the first.
    Q_PROPERTY(QVariant latest READ latest NOTIFY latestChanged FINAL)
    Q_PROPERTY(Delivery delivery READ delivery WRITE setDelivery NOTIFY deliveryChanged FINAL)
    // The members of the object that are wanted, ["content", "timestamp"] for instance: the payload then has these alone
    // (undefined where the message has none of that name), and is made without the rest. Empty: all of it.
    Q_PROPERTY(QStringList fields READ fields WRITE setFields NOTIFY fieldsChanged FINAL)
    // Milliseconds between two deliveries when they are Sampled.
    Q_PROPERTY(double interval READ interval WRITE setInterval NOTIFY intervalChanged FINAL)

public:
    enum Delivery {
        Each,    // every message, in order
        Latest,  // at most one per frame, the newest
        Sampled, // at most one per interval, the newest
    };
    Q_ENUM(Delivery)

    explicit QmlSubscription(QObject *parent = nullptr);

    [[nodiscard]] Connection *connection() const { return m_connection; }
    void setConnection(Connection *connection);
    [[nodiscard]] QString eventName() const { return m_event; }
    void setEvent(const QString &event);
    [[nodiscard]] bool isEnabled() const { return m_enabled; }
    void setEnabled(bool enabled);
    [[nodiscard]] QVariant latest() const;
    [[nodiscard]] Delivery delivery() const { return m_delivery; }
    void setDelivery(Delivery delivery);
    [[nodiscard]] QStringList fields() const { return m_fields; }
    void setFields(const QStringList &named);
    [[nodiscard]] int interval() const { return m_interval; }
    void setInterval(double ms);

    void classBegin() override { m_complete = false; }
    void componentComplete() override;

Q_SIGNALS:
    void received(const QVariant &payload);
    void connectionChanged();
    void eventChanged();
    void enabledChanged();
    void latestChanged();
    void deliveryChanged();
    void fieldsChanged();
    void intervalChanged();

private:
    void resubscribe();
    void applyDelivery();
    void forget();
    void deliver(const Message &message);
    [[nodiscard]] Detail::Wanted wanted() const;
    [[nodiscard]] QVariant payloadOf(const Message &message) const;
    [[nodiscard]] QJSValue objectOf(QJSEngine *engine, const Detail::Fields &fields) const;

    QPointer<Connection> m_connection;
    QString m_event;
    Subscription m_subscription;
    Conflater m_conflater;
    Message m_latest;
    quint64 m_deliveries = 0;
    mutable QVariant m_latestPayload; // made when it is first asked for
    QStringList m_fields;
    std::shared_ptr<const QList<QByteArray>> m_fieldNames; // the same as UTF-8; null where there are none
    mutable QJSValue m_makeObject;                         // a function of the fields' values
    mutable QJSValueList m_arguments;                      // none, but room for its
    Delivery m_delivery = Each;
    int m_interval = 100;
    bool m_enabled = true;
    bool m_complete = true;
};

} // namespace Everwire
