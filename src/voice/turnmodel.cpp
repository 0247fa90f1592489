// SPDX-License-Identifier: MIT
#include "voice/turnmodel.h"

#include <QPointer>

namespace Everwire {

TurnModel::TurnModel(QObject *parent) : QAbstractListModel(parent) {}

int TurnModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : count();
}

QVariant TurnModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const Turn &turn = m_turns.at(index.row());
    switch (role) {
    case WhoRole: return turn.who;
    case Qt::DisplayRole:
    case ContentRole: return turn.content;
    case TimestampRole: return turn.timestamp;
    case IsFinalRole: return turn.isFinal;
    case IsCompleteRole: return turn.isComplete;
    default: return {};
    }
}

QHash<int, QByteArray> TurnModel::roleNames() const
{
    return {{WhoRole, "who"},
            {ContentRole, "content"},
            {TimestampRole, "timestamp"},
            {IsFinalRole, "isFinal"},
            {IsCompleteRole, "isComplete"}};
}

int TurnModel::lastOf(Who who) const
{
    for (int row = count() - 1; row >= 0; --row) {
        if (m_turns.at(row).who == who)
            return row;
    }
    return -1;
}

int TurnModel::lastFinishedOf(Who who) const
{
    for (int row = count() - 1; row >= 0; --row) {
        if (m_turns.at(row).who == who && m_turns.at(row).isComplete)
            return row;
    }
    return lastOf(who);
}

int TurnModel::openTurn(Who who)
{
    const QPointer<TurnModel> self(this); // a slot may clear the model, or delete it
    const int last = lastOf(who);
    if (last >= 0 && !m_turns.at(last).isFinal) {
        const int spoken = lastOf(User);
        if (who == User || spoken < last || !m_turns.at(spoken).isFinal)
            return last;
        end(last, false);
        if (!self)
            return -1;
    }
    const int row = count();
    beginInsertRows({}, row, row);
    m_turns.append({who, {}, QDateTime::currentDateTimeUtc()});
    endInsertRows();
    if (self)
        Q_EMIT countChanged();
    return self && isRow(row) ? row : -1;
}

void TurnModel::addContent(int row, const QString &content)
{
    if (!isRow(row))
        return;
    m_turns[row].content += content;
    Q_EMIT dataChanged(index(row), index(row), {ContentRole, Qt::DisplayRole});
}

void TurnModel::finish(int row)
{
    end(row, true);
}

void TurnModel::cutOff(Who who)
{
    if (const int last = lastOf(who); last >= 0 && !m_turns.at(last).isFinal)
        end(last, false);
}

void TurnModel::end(int row, bool isComplete)
{
    if (!isRow(row))
        return;
    m_turns[row].isFinal = true;
    m_turns[row].isComplete = isComplete;
    Q_EMIT dataChanged(index(row), index(row), {IsFinalRole, IsCompleteRole});
}

void TurnModel::clear()
{
    if (m_turns.isEmpty())
        return;
    const QPointer<TurnModel> self(this); // a slot may delete it
    beginResetModel();
    m_turns.clear();
    endResetModel();
    if (self)
        Q_EMIT countChanged();
}

} // namespace Everwire
