// SPDX-License-Identifier: MIT
#include "client/messagemodel.h"

#include "core/exceptions.h"
#include "core/message_p.h"
#include "engine/inbox.h"
#include "transport/utf8.h"

#include <QDateTime>
#include <QLocale>
#include <QMetaMethod>
#include <QPointer>
#include <QSignalBlocker>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace Everwire {

MessageModel::MessageModel(const QString &connectionType, QObject *parent)
    : QAbstractListModel(parent), m_connectionType(connectionType)
{
}

int MessageModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : count();
}

int MessageModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ContentColumn + 1;
}

QVariant MessageModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return QAbstractListModel::headerData(section, orientation, role);
    switch (section) {
    case TypeColumn: return tr("Type");
    case DirectionColumn: return tr("Direction");
    case TimeColumn: return tr("Time");
    case SizeColumn: return tr("Size");
    case ContentColumn: return tr("Content");
    default: return {};
    }
}

// The content is a line's worth of it, so that a view of megabytes stays quick.
QString MessageModel::text(const Message &message, int column)
{
    constexpr qsizetype most = 200; // bytes
    switch (column) {
    case TypeColumn: return message.type();
    case DirectionColumn: return message.direction() == Message::Incoming ? tr("in") : tr("out");
    case TimeColumn: return message.timestamp().toLocalTime().toString(QStringLiteral("HH:mm:ss.zzz"));
    case SizeColumn: return QLocale().toString(message.bytes().size());
    case ContentColumn: break;
    default: return {};
    }
    if (message.isBinary())
        return tr("%1 bytes").arg(QLocale().toString(message.bytes().size()));
    const QByteArray &utf8 = message.bytes();
    const qsizetype end = utf8.size() > most ? cutAtCodePoint(utf8, most) : utf8.size();
    QString line = QString::fromUtf8(utf8.constData(), end).simplified();
    if (end < utf8.size())
        line += QChar(0x2026);
    return line;
}

QVariant MessageModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const Message &message = rows().at(index.row()).message;
    switch (role) {
    case MessageIdRole: return message.messageId();
    case Qt::DisplayRole: return text(message, index.column());
    case Qt::TextAlignmentRole:
        return index.column() == SizeColumn ? QVariant::fromValue(Qt::AlignRight | Qt::AlignVCenter)
                                            : QVariant();
    case TypeRole: return message.type();
    case ConnectionTypeRole: return m_connectionType;
    case PayloadRole: return message.payload();
    case TimestampRole: return message.timestamp();
    case DirectionRole: return message.direction();
    case IsBinaryRole: return message.isBinary();
    default: return {};
    }
}

QHash<int, QByteArray> MessageModel::roleNames() const
{
    return names();
}

QHash<int, QByteArray> MessageModel::names()
{
    return {
        {MessageIdRole, "messageId"}, {TypeRole, "type"},           {ConnectionTypeRole, "connectionType"},
        {PayloadRole, "payload"},     {TimestampRole, "timestamp"}, {DirectionRole, "direction"},
        {IsBinaryRole, "isBinary"}};
}

Message MessageModel::at(int row) const
{
    return row >= 0 && row < count() ? rows().at(row).message : Message();
}

void MessageModel::clear()
{
    if (rows().isEmpty())
        return;
    const QPointer<MessageModel> self(this);
    AllSteps steps;
    steps.run([&] { beginResetModel(); });
    if (self) {
        m_firstNumber += quint64(m_messages.size());
        m_messages.clear();
        m_bytes = 0;
        steps.run([&] { endResetModel(); });
    }
    steps.finish();
    if (self)
        Q_EMIT countChanged();
}

void MessageModel::setLimit(int limit)
{
    if (limit == m_limit)
        return;
    const int before = count(); // with those that have come so far
    m_limit = limit;
    const QPointer<MessageModel> self(this);
    dropFirst(before - limit);
    if (self && count() < before)
        m_messages.squeeze();
    if (self)
        Q_EMIT limitChanged();
    if (self && count() != before)
        Q_EMIT countChanged();
}

void MessageModel::setByteLimit(qint64 bytes)
{
    if (bytes == m_byteLimit)
        return;
    const int before = count(); // includes the messages that catchUp() appends
    m_byteLimit = bytes;
    const QPointer<MessageModel> self(this);
    dropFirst(rowsBeyond(m_limit, bytes));
    if (self && count() != before)
        Q_EMIT countChanged();
}

void MessageModel::setLimits(int limit, qint64 bytes)
{
    const QPointer<MessageModel> self(this);
    setByteLimit(bytes);
    if (self)
        setLimit(limit);
}

// How many of the oldest rows must be removed to meet these limits.
int MessageModel::rowsBeyond(int limit, qint64 bytes) const
{
    int gone = std::max(0, int(m_messages.size()) - limit);
    qint64 left = m_bytes;
    for (int i = 0; i < gone; ++i)
        left -= m_messages[i].cost;
    for (; gone < int(m_messages.size()) && left > bytes; ++gone)
        left -= m_messages[gone].cost;
    return gone;
}

namespace {

// By which somebody learns that rows come and go.
const std::array<QMetaMethod, 5> &tellsOfRows()
{
    static const std::array<QMetaMethod, 5> all = {
        QMetaMethod::fromSignal(&MessageModel::rowsInserted),
        QMetaMethod::fromSignal(&MessageModel::rowsRemoved),
        QMetaMethod::fromSignal(&MessageModel::countChanged),
        QMetaMethod::fromSignal(&MessageModel::rowsAboutToBeInserted),
        QMetaMethod::fromSignal(&MessageModel::rowsAboutToBeRemoved),
    };
    return all;
}

} // namespace

bool MessageModel::isWatched() const
{
    const auto &all = tellsOfRows();
    return std::any_of(all.begin(), all.end(), [this](const auto &one) { return isSignalConnected(one); });
}

// Whoever connects finds the rows that there are by now, and is told of those that come after.
void MessageModel::connectNotify(const QMetaMethod &signal)
{
    const auto &all = tellsOfRows();
    if (std::find(all.begin(), all.end(), signal) != all.end())
        QMetaObject::invokeMethod(this, &MessageModel::catchUp);
}

void MessageModel::drop()
{
    const QSignalBlocker nobodyKnowsThem(this);
    auto catchUp = std::exchange(m_catchUp, nullptr);
    dropFirst(int(m_messages.size()));
    m_catchUp = std::move(catchUp);
}

void MessageModel::catchUp()
{
    if (!m_catchUp)
        return;
    const QSignalBlocker nobodyKnowsOthers(this);
    std::exchange(m_catchUp, nullptr)();
}

// Recounts the costs, because some messages were decoded after they were counted.
void MessageModel::recount()
{
    m_lateCosts = MessageData::allLateCosts();
    m_bytes = 0;
    for (CountedMessage &counted : m_messages) {
        if (!counted.message.isNull())
            counted.cost = std::max(counted.cost, Inbox::costOf(counted.message));
        m_bytes += counted.cost;
    }
}

void MessageModel::makeRoom(qint64 bytes)
{
    if (m_bytes <= m_byteLimit - bytes)
        return;
    const QSignalBlocker nobodyKnowsThem(this);
    auto catchUp = std::exchange(m_catchUp, nullptr);
    dropFirst(rowsBeyond(m_limit, m_byteLimit - bytes));
    m_catchUp = std::move(catchUp);
}

void MessageModel::append(const QList<Message> &batch)
{
    std::vector<CountedMessage> counted;
    for (const Message &message : batch)
        counted.push_back({message, message.isNull() ? 0 : Inbox::costOf(message)});
    append(std::move(counted), nullptr);
}

void MessageModel::append(std::vector<CountedMessage> batch, std::vector<CountedMessage> *dropped)
{
    batch.erase(std::remove_if(batch.begin(), batch.end(),
                               [this](const CountedMessage &one) { return one.cost > m_byteLimit; }),
                batch.end());
    // Append only the newest messages that fit.
    qint64 bytes = 0;
    auto first = batch.end();
    const auto fits = [&](const CountedMessage &one) { return bytes + one.cost <= m_byteLimit; };
    while (first != batch.begin() && batch.end() - first < m_limit && fits(*std::prev(first)))
        bytes += (--first)->cost;
    const int added = int(batch.end() - first);
    if (added == 0)
        return;
    const int before = count();
    if (MessageData::allLateCosts() - m_lateCosts > MessageData::WorthARecount)
        recount();
    const QPointer<MessageModel> self(this); // a slot may delete the connection, and us with it
    AllSteps steps;                          // if a slot throws, no message is lost
    steps.run([&] { dropFirst(rowsBeyond(m_limit - added, m_byteLimit - bytes), dropped); });
    if (self)
        steps.run([&] {
            changeRows(
                self, [&] { beginInsertRows({}, count(), count() + added - 1); },
                [&] {
                    std::move(first, batch.end(), std::back_inserter(m_messages));
                    m_bytes += bytes;
                },
                [&] { endInsertRows(); }, [&](bool begins) { begins ? beginResetModel() : endResetModel(); });
        });
    steps.finish();
    if (self && count() != before)
        Q_EMIT countChanged();
}

void MessageModel::dropFirst(int rows, std::vector<CountedMessage> *dropped)
{
    if (rows <= 0)
        return;
    rows = std::min(rows, count());
    const auto drop = [&] {
        const auto end = m_messages.begin() + std::min<qsizetype>(rows, m_messages.size());
        for (auto it = m_messages.begin(); it != end; ++it)
            m_bytes -= it->cost;
        if (dropped)
            dropped->assign(std::make_move_iterator(m_messages.begin()), std::make_move_iterator(end));
        m_messages.erase(m_messages.begin(), end);
        m_firstNumber += quint64(rows);
    };
    changeRows(
        QPointer(this), [&] { beginRemoveRows({}, 0, rows - 1); }, drop, [&] { endRemoveRows(); },
        [&](bool begins) { begins ? beginResetModel() : endResetModel(); });
}

} // namespace Everwire
