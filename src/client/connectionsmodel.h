// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QAbstractListModel>

namespace Everwire {

class Connection;

// The connections of a provider, in the order in which they were first asked for.
//
//     Repeater { model: WebSocketProvider.connections; delegate: Label { text: model.type + ": " +
//     model.state } }
class EVERWIRE_EXPORT ConnectionsModel : public QAbstractListModel
{
    Q_OBJECT
    // Rows in the model.
    Q_PROPERTY(int count READ count NOTIFY countChanged FINAL)

public:
    enum Role { TypeRole = Qt::UserRole + 1, ConnectionRole, StateRole, IsConnectedRole };
    Q_ENUM(Role)

    explicit ConnectionsModel(QObject *parent = nullptr);

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

    [[nodiscard]] int count() const { return int(m_connections.size()); }
    [[nodiscard]] const QList<Connection *> &list() const { return m_connections; }
    void append(Connection *connection);
    // Also for one that is being destroyed.
    void remove(Connection *connection);

Q_SIGNALS:
    void countChanged();

private:
    void stateOf(Connection *connection);

    QList<Connection *> m_connections;
};

} // namespace Everwire
