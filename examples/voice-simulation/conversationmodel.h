// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/TurnModel>

#include <QIdentityProxyModel>
#include <QJsonObject>
#include <QtQml/qqmlregistration.h>
#include <QVariantMap>

// A session's turns as the library has them, and what this app knows beyond: how a spoken turn looked and
// what the server measured in it, and what the coach said to it.
class ConversationModel : public QIdentityProxyModel
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(Everwire::TurnModel *turns READ turns WRITE setTurns NOTIFY turnsChanged FINAL)
    // The goal of the scenario that is next, as the server's last feedback says; empty before.
    Q_PROPERTY(QString beat READ beat NOTIFY beatChanged FINAL)
    // It is past that goal already.
    Q_PROPERTY(bool beatIsDone READ beatIsDone NOTIFY beatChanged FINAL)

public:
    enum Role {
        SecondsRole = Qt::UserRole + 100, // length of a spoken turn
        LevelsRole,                       // its loudness, 0 to 1, every 100 ms
        CaptionRole,                      // what the recording says; empty for a microphone
        MeasuresRole,                     // the server's, empty until it answered
        OutageRole,                       // milliseconds without a connection during the turn
        ArrivalRole,                      // the server's word on the turn: "processed", "incomplete" …
        CoachingRole,                     // feedback, with the answer that it came with
        FindingsRole,                     // "good", "too_fast" …
    };
    Q_ENUM(Role)

    explicit ConversationModel(QObject *parent = nullptr);

    [[nodiscard]] Everwire::TurnModel *turns() const { return m_turns; }
    void setTurns(Everwire::TurnModel *turns);
    [[nodiscard]] QString beat() const { return m_beat; }
    [[nodiscard]] bool beatIsDone() const { return m_beatIsDone; }

    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

    // About the user's last turn:
    Q_INVOKABLE void addSpeech(qreal seconds, qreal level, const QString &caption);
    Q_INVOKABLE void addOutage(int milliseconds);
    Q_INVOKABLE void setArrival(const QString &status);
    // About the last answer and the turn before it; feedback as the server's last ai_response has it.
    Q_INVOKABLE void setFeedback(const QJsonObject &feedback);
    Q_INVOKABLE void setCoaching(const QString &coaching);

Q_SIGNALS:
    void turnsChanged();
    void beatChanged();

private:
    struct Extra
    {
        qreal seconds = 0;
        QList<qreal> levels;
        QString caption;
        QVariantMap measures;
        int outage = 0;
        QString arrival;
        QString coaching;
        QStringList findings;
    };

    [[nodiscard]] int lastUserRow(int below) const;
    void changed(int row, const QList<int> &roles);
    void setBeat(const QString &beat, bool isDone);

    Everwire::TurnModel *m_turns = nullptr;
    QHash<int, Extra> m_extras; // by row: turns are only ever added
    QString m_beat;
    bool m_beatIsDone = false;
};
