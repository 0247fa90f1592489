// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QAbstractListModel>
#include <QDateTime>

namespace Everwire {

// The conversation of a SimulationSession, oldest first.
class EVERWIRE_EXPORT TurnModel : public QAbstractListModel
{
    Q_OBJECT
    // Rows in the model.
    Q_PROPERTY(int count READ count NOTIFY countChanged FINAL)

public:
    enum Who { User, Ai };
    Q_ENUM(Who)
    enum Role { WhoRole = Qt::UserRole + 1, ContentRole, TimestampRole, IsFinalRole, IsCompleteRole };
    Q_ENUM(Role)

    struct Turn
    {
        Who who = User;
        QString content;         // empty for speech that the server has not transcribed
        QDateTime timestamp;     // when it began, UTC
        bool isFinal = false;    // nothing is added to it any more
        bool isComplete = false; // it is final, and has come to its end: nothing has cut it off
    };

    explicit TurnModel(QObject *parent = nullptr);

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

    [[nodiscard]] int count() const { return int(m_turns.size()); }
    [[nodiscard]] const QList<Turn> &turns() const { return m_turns; }

    // The row of the last turn of this side where it is not final, else of a new one. An answer that was cut off
    // is final, and not complete, once the user has finished another turn: what comes then answers that one.
    int openTurn(Who who);
    void addContent(int row, const QString &content);
    void finish(int row);
    // The last turn of this side, if it is not final, becomes so without being complete: nothing more of it will come.
    void cutOff(Who who);
    // The last turn of this side, final or not; -1 where there is none.
    [[nodiscard]] int lastOf(Who who) const;
    // The last turn of this side that is complete, or that is not where none is; -1 where there is none.
    [[nodiscard]] int lastFinishedOf(Who who) const;
    void clear();

Q_SIGNALS:
    void countChanged();

private:
    void end(int row, bool isComplete);

    QList<Turn> m_turns;
};

} // namespace Everwire
