// SPDX-License-Identifier: MIT
#include "client/filteredmessages.h"

#include <algorithm>
#include <utility>

namespace Everwire {

FilteredMessages::FilteredMessages(QObject *parent) : QAbstractListModel(parent) {}

// ---- What is shown ----

void FilteredMessages::setSource(MessageModel *source)
{
    if (source == m_source || !finish())
        return;
    announceReset();
    if (m_source)
        disconnect(m_source, nullptr, this, nullptr);
    m_source = source;
    follow();
    if (finish())
        Q_EMIT sourceChanged();
}

void FilteredMessages::setTypes(const QStringList &types)
{
    if (types == m_types || !finish())
        return;
    announceReset();
    m_types = types;
    if (finish())
        Q_EMIT typesChanged();
}

void FilteredMessages::setDirection(Direction direction)
{
    if (direction == m_direction || !finish())
        return;
    announceReset();
    m_direction = direction;
    if (finish())
        Q_EMIT directionChanged();
}

bool FilteredMessages::passes(const Message &message) const
{
    const bool directionFits =
        m_direction == AnyDirection ||
        m_direction == (message.direction() == Message::Outgoing ? Outgoing : Incoming);
    return directionFits && (m_types.isEmpty() || m_types.contains(message.type()));
}

// ---- The model ----

int FilteredMessages::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : count();
}

int FilteredMessages::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : MessageModel::ContentColumn + 1;
}

QVariant FilteredMessages::headerData(int section, Qt::Orientation orientation, int role) const
{
    return m_source ? m_source->headerData(section, orientation, role)
                    : QAbstractListModel::headerData(section, orientation, role);
}

QVariant FilteredMessages::data(const QModelIndex &index, int role) const
{
    if (!m_source || !checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    return m_source->index(sourceRow(index.row()), index.column()).data(role);
}

QHash<int, QByteArray> FilteredMessages::roleNames() const
{
    return MessageModel::names(); // there before the source is
}

Message FilteredMessages::at(int row) const
{
    return m_source && row >= 0 && row < count() ? m_source->at(sourceRow(row)) : Message();
}

// None of the source's, for a moment, where a slot of the source comes before ours.
int FilteredMessages::sourceRow(int row) const
{
    return int(qint64(m_rows[size_t(row)] - m_source->m_firstNumber));
}

// ---- What the source does ----
//
// A slot of the source that comes before ours may change the source again: clear it, or run an event loop in
// which messages arrive. So a change may be told of late, after those that came behind it. Whatever is under
// way is finished first, and what the source's numbers say goes.

void FilteredMessages::follow()
{
    if (!m_source)
        return;
    connect(m_source, &MessageModel::rowsAboutToBeRemoved, this,
            [this](const QModelIndex &, int, int last) { announceRemoval(last + 1); });
    connect(m_source, &MessageModel::rowsRemoved, this, [this] {
        if (!finish())
            return;
        announceRemoval(0); // what a filter that was set in between has seen, and is gone all the same
        static_cast<void>(finish());
    });
    connect(m_source, &MessageModel::rowsInserted, this, [this] { takeInsertion(); });
    connect(m_source, &MessageModel::modelAboutToBeReset, this, [this] {
        if (finish())
            announceReset();
    });
    connect(m_source, &MessageModel::modelReset, this, [this] { static_cast<void>(finish()); });
    connect(m_source, &QObject::destroyed, this, [this] {
        if (!finish())
            return;
        announceReset();
        if (finish())
            Q_EMIT sourceChanged();
    });
}

// Of that many rows at the source's front.
void FilteredMessages::announceRemoval(int rows)
{
    if (!finish() || !m_source)
        return;
    const auto end = std::lower_bound(m_rows.begin(), m_rows.end(), m_source->m_firstNumber + quint64(rows));
    const int leaving = int(end - m_rows.begin());
    if (leaving == 0)
        return;
    beginRemoveRows({}, 0, leaving - 1);
    m_leaving = leaving;
}

void FilteredMessages::takeInsertion()
{
    if (!finish() || !m_source)
        return;
    const std::vector<quint64> added = takeUnseen();
    if (added.empty())
        return;
    const QPointer<FilteredMessages> self(this);
    beginInsertRows({}, count(), count() + int(added.size()) - 1);
    m_rows.insert(m_rows.end(), added.begin(), added.end());
    endInsertRows();
    if (self)
        Q_EMIT countChanged();
}

// The numbers of those that pass among the rows that came since.
std::vector<quint64> FilteredMessages::takeUnseen()
{
    std::vector<quint64> passing;
    const QList<Detail::CountedMessage> &messages = m_source->m_messages;
    const quint64 first = m_source->m_firstNumber;
    const quint64 end = first + quint64(messages.size());
    for (quint64 number = std::max(m_seen, first); number < end; ++number) {
        if (passes(messages.at(qsizetype(number - first)).message))
            passing.push_back(number);
    }
    m_seen = end;
    return passing;
}

void FilteredMessages::announceReset()
{
    beginResetModel();
    m_isResetting = true;
}

// False: a slot has deleted us.
bool FilteredMessages::finish()
{
    if (m_leaving > 0)
        return finishRemoval();
    return !m_isResetting || finishReset();
}

bool FilteredMessages::finishRemoval()
{
    const QPointer<FilteredMessages> self(this);
    m_rows.erase(m_rows.begin(), m_rows.begin() + std::exchange(m_leaving, 0));
    endRemoveRows();
    if (self)
        Q_EMIT countChanged();
    return self;
}

bool FilteredMessages::finishReset()
{
    const QPointer<FilteredMessages> self(this);
    const int before = count();
    m_isResetting = false;
    m_rows.clear();
    m_seen = 0;
    if (m_source) {
        const std::vector<quint64> rows = takeUnseen();
        m_rows.assign(rows.begin(), rows.end());
    }
    endResetModel();
    if (self && count() != before)
        Q_EMIT countChanged();
    return self;
}

} // namespace Everwire
