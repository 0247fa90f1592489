// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Connection>

#include <QElapsedTimer>
#include <QPointer>
#include <QTimer>
#include <QtQml/qqmlregistration.h>

// Asks {"type":"ping"} every other second while connected and measures how long {"type":"pong"} takes, from
// this app's call to this app's handler: what a user of the connection feels.
class RoundTrip : public QObject
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(
        Everwire::Connection *connection READ connection WRITE setConnection NOTIFY connectionChanged FINAL)
    // Milliseconds, oldest first, at most 60.
    Q_PROPERTY(QList<qreal> samples READ samples NOTIFY samplesChanged FINAL)
    Q_PROPERTY(qreal last READ last NOTIFY samplesChanged FINAL)
    Q_PROPERTY(qreal median READ median NOTIFY samplesChanged FINAL)

public:
    explicit RoundTrip(QObject *parent = nullptr);

    [[nodiscard]] Everwire::Connection *connection() const;
    void setConnection(Everwire::Connection *connection);
    [[nodiscard]] QList<qreal> samples() const { return m_samples; }
    [[nodiscard]] qreal last() const { return m_samples.isEmpty() ? 0 : m_samples.last(); }
    [[nodiscard]] qreal median() const;

Q_SIGNALS:
    void connectionChanged();
    void samplesChanged();

private:
    void followState();
    void ask();
    void takeAnswer();

    QPointer<Everwire::Connection> m_connection;
    Everwire::Subscription m_answers;
    QList<qreal> m_samples;
    QElapsedTimer m_asked; // valid while a ping waits for its pong
    QTimer m_timer;
};
