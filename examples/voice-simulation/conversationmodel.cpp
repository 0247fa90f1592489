// SPDX-License-Identifier: MIT
#include "conversationmodel.h"

#include <QJsonArray>

using namespace Qt::StringLiterals;
using Everwire::TurnModel;

ConversationModel::ConversationModel(QObject *parent) : QIdentityProxyModel(parent)
{
    connect(this, &QAbstractItemModel::modelReset, this, [this] {
        m_extras.clear();
        setBeat({}, false);
    });
}

void ConversationModel::setTurns(TurnModel *turns)
{
    if (turns == m_turns)
        return;
    m_turns = turns;
    setSourceModel(turns);
    Q_EMIT turnsChanged();
}

QVariant ConversationModel::data(const QModelIndex &index, int role) const
{
    if (role < SecondsRole)
        return QIdentityProxyModel::data(index, role);
    const Extra extra = m_extras.value(index.row());
    switch (role) {
    case SecondsRole: return extra.seconds;
    case LevelsRole: return QVariant::fromValue(extra.levels);
    case CaptionRole: return extra.caption;
    case MeasuresRole: return extra.measures;
    case OutageRole: return extra.outage;
    case ArrivalRole: return extra.arrival;
    case CoachingRole: return extra.coaching;
    case FindingsRole: return extra.findings;
    default: return {};
    }
}

QHash<int, QByteArray> ConversationModel::roleNames() const
{
    QHash<int, QByteArray> names = QIdentityProxyModel::roleNames();
    names.insert({{SecondsRole, "seconds"},
                  {LevelsRole, "levels"},
                  {CaptionRole, "caption"},
                  {MeasuresRole, "measures"},
                  {OutageRole, "outage"},
                  {ArrivalRole, "arrival"},
                  {CoachingRole, "coaching"},
                  {FindingsRole, "findings"}});
    return names;
}

void ConversationModel::addSpeech(qreal seconds, qreal level, const QString &caption)
{
    const int row = lastUserRow(rowCount());
    if (row < 0)
        return;
    Extra &extra = m_extras[row];
    extra.seconds += seconds;
    extra.levels.append(level);
    extra.caption = caption;
    changed(row, {SecondsRole, LevelsRole, CaptionRole});
}

void ConversationModel::addOutage(int milliseconds)
{
    const int row = lastUserRow(rowCount());
    if (row < 0)
        return;
    m_extras[row].outage += milliseconds;
    changed(row, {OutageRole});
}

void ConversationModel::setArrival(const QString &status)
{
    const int row = lastUserRow(rowCount());
    if (row < 0)
        return;
    m_extras[row].arrival = status;
    changed(row, {ArrivalRole});
}

void ConversationModel::setFeedback(const QJsonObject &feedback)
{
    const int answer = m_turns ? m_turns->lastOf(TurnModel::Ai) : -1;
    if (answer < 0 || feedback.isEmpty())
        return;
    QStringList findings;
    const QJsonArray array = feedback.value("findings"_L1).toArray();
    for (const auto &finding : array)
        findings.append(finding.toString());
    m_extras[answer].findings = findings;
    changed(answer, {FindingsRole});
    setCoaching(feedback.value("message"_L1).toString());

    if (const int spoken = lastUserRow(answer); spoken >= 0) {
        m_extras[spoken].measures = feedback.value("measures"_L1).toObject().toVariantMap();
        changed(spoken, {MeasuresRole});
    }
    setBeat(feedback.value("beat"_L1).toString(),
            feedback.value("advanced"_L1).toBool() || feedback.value("complete"_L1).toBool());
}

void ConversationModel::setCoaching(const QString &coaching)
{
    const int answer = m_turns ? m_turns->lastOf(TurnModel::Ai) : -1;
    if (answer < 0 || m_extras.value(answer).coaching == coaching)
        return;
    m_extras[answer].coaching = coaching;
    changed(answer, {CoachingRole});
}

// An answer's row is behind the turn that it answers, even where the user speaks again already.
int ConversationModel::lastUserRow(int below) const
{
    if (!m_turns)
        return -1;
    for (int row = qMin(below, m_turns->count()) - 1; row >= 0; --row) {
        if (m_turns->turns().at(row).who == TurnModel::User)
            return row;
    }
    return -1;
}

void ConversationModel::changed(int row, const QList<int> &roles)
{
    Q_EMIT dataChanged(index(row, 0), index(row, 0), roles);
}

void ConversationModel::setBeat(const QString &beat, bool isDone)
{
    if (beat == m_beat && isDone == m_beatIsDone)
        return;
    m_beat = beat;
    m_beatIsDone = isDone;
    Q_EMIT beatChanged();
}
