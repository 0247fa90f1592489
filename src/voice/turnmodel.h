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
        QDateTime timestamp;     // when the turn began, UTC
        bool isFinal = false;    // nothing is added to the turn any more
        bool isComplete = false; // the turn is final and was not cut off
    };

    explicit TurnModel(QObject *parent = nullptr);

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

    [[nodiscard]] int count() const { return int(m_turns.size()); }
    [[nodiscard]] const QList<Turn> &turns() const { return m_turns; }

    // Returns the row of this side's last turn if it is not final, or of a new one. If the user has
    // finished another turn since an answer began, that answer is cut off: it becomes final without
    // being complete, because the next content answers the new turn. Returns -1 if a slot cleared
    // or deleted the model meanwhile.
    int openTurn(Who who);
    // These two ignore a row that is not in the model, because a slot may have cleared it.
    void addContent(int row, const QString &content);
    void finish(int row);
    // Makes the last turn of this side final without being complete, if it is not final yet.
    // Nothing more of it will come.
    void cutOff(Who who);
    // The last turn of this side, final or not; -1 where there is none.
    [[nodiscard]] int lastOf(Who who) const;
    // This side's last complete turn. If there is none, its last turn of any kind, or -1.
    [[nodiscard]] int lastFinishedOf(Who who) const;
    void clear();

Q_SIGNALS:
    void countChanged();

private:
    [[nodiscard]] bool isRow(int row) const { return row >= 0 && row < count(); }
    void end(int row, bool isComplete);

    QList<Turn> m_turns;
};

} // namespace Everwire
