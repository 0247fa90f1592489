// SPDX-License-Identifier: MIT
#include "client/connectionsmodel.h"

#include "client/connection.h"
#include "core/exceptions.h"

#include <QPointer>

namespace Everwire {

ConnectionsModel::ConnectionsModel(QObject *parent) : QAbstractListModel(parent) {}

int ConnectionsModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : count();
}

QVariant ConnectionsModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    Connection *connection = m_connections.at(index.row());
    switch (role) {
    case Qt::DisplayRole:
    case TypeRole: return connection->type();
    case ConnectionRole: return QVariant::fromValue(connection);
    case StateRole: return connection->state();
    case IsConnectedRole: return connection->isConnected();
    default: return {};
    }
}

QHash<int, QByteArray> ConnectionsModel::roleNames() const
{
    return {{TypeRole, "type"},
            {ConnectionRole, "connection"},
            {StateRole, "state"},
            {IsConnectedRole, "isConnected"}};
}

void ConnectionsModel::append(Connection *connection)
{
    connect(connection, &Connection::stateChanged, this, [this, connection] { stateOf(connection); });
    const QPointer<ConnectionsModel> self(this); // a slot may delete the connection, or all of them
    changeRows(
        self, [&] { beginInsertRows({}, count(), count()); }, [&] { m_connections.append(connection); },
        [&] { endInsertRows(); }, [&](bool begins) { begins ? beginResetModel() : endResetModel(); });
    if (self)
        Q_EMIT countChanged();
}

void ConnectionsModel::remove(Connection *connection)
{
    const int row = int(m_connections.indexOf(connection));
    if (row < 0)
        return;
    const QPointer<ConnectionsModel> self(this);
    changeRows(
        self, [&] { beginRemoveRows({}, row, row); }, [&] { m_connections.removeOne(connection); },
        [&] { endRemoveRows(); }, [&](bool begins) { begins ? beginResetModel() : endResetModel(); });
    if (self)
        Q_EMIT countChanged();
}

void ConnectionsModel::stateOf(Connection *connection)
{
    const QModelIndex row = index(int(m_connections.indexOf(connection)));
    Q_EMIT dataChanged(row, row, {StateRole, IsConnectedRole});
}

} // namespace Everwire
