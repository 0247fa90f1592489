// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>

#include <QAbstractListModel>
#include <QList>

#include <functional>
#include <vector>

namespace Everwire {

// The last messages of a connection, oldest first (rule M7), bounded by historyLimit and
// historyBytes. A whole batch of messages is one insertion of rows. While nothing is connected to
// the signals that announce rows, the model fetches messages only when it is read. Until then they
// cost the provider's thread nothing. Belongs to that thread.
//
//     ListView { model: connection.messages; delegate: Label { required property string type; text: type } }
//
// A QTableView shows it as it is: each Column as text. The roles are the same in every column.
class EVERWIRE_EXPORT MessageModel : public QAbstractListModel
{
    Q_OBJECT
    // Rows in the model.
    Q_PROPERTY(int count READ count NOTIFY countChanged FINAL)
    // Rows kept at most. 0 keeps none. ConnectionConfig::historyBytes bounds their bytes, too.
    Q_PROPERTY(int limit READ limit NOTIFY limitChanged FINAL)

public:
    enum Role {
        MessageIdRole = Qt::UserRole + 1,
        TypeRole,
        ConnectionTypeRole,
        PayloadRole,
        TimestampRole,
        DirectionRole,
        IsBinaryRole,
    };
    Q_ENUM(Role)

    enum Column { TypeColumn, DirectionColumn, TimeColumn, SizeColumn, ContentColumn };
    Q_ENUM(Column)

    explicit MessageModel(const QString &connectionType, QObject *parent = nullptr);

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

    [[nodiscard]] int count() const { return int(rows().size()); }
    [[nodiscard]] int limit() const { return m_limit; }
    // The message of a row; a null one outside of the model.
    Q_INVOKABLE [[nodiscard]] Everwire::Message at(int row) const;
    // Forgets all of them.
    Q_INVOKABLE void clear();

    void setLimit(int limit);
    // Bytes that all rows occupy, including what was decoded for subscribers.
    [[nodiscard]] qint64 bytes() const
    {
        (void)rows();
        return m_bytes;
    }
    // The most bytes that the rows may occupy. A larger message is not kept. Default: 16 MiB.
    [[nodiscard]] qint64 byteLimit() const { return m_byteLimit; }
    void setByteLimit(qint64 bytes);
    void append(const QList<Message> &batch);
    // For the library: those that have to go for them are in *dropped* then.
    void append(std::vector<Detail::CountedMessage> batch, std::vector<Detail::CountedMessage> *dropped);

Q_SIGNALS:
    void countChanged();
    void limitChanged();

protected:
    void connectNotify(const QMetaMethod &signal) override;

private:
    friend class ConnectionPrivate;
    friend class FilteredMessages;

    // Whether somebody is told of rows as they come and go; and if not, that some may have come, which catchUp appends.
    [[nodiscard]] bool isWatched() const;
    void fallBehind(std::function<void()> catchUp) { m_catchUp = std::move(catchUp); }
    void catchUp();
    // Drops the rows, as those that catchUp() appends will take the place of all of them.
    void drop();
    // Drops the oldest rows until there is room for *bytes*, which catchUp() will append.
    void makeRoom(qint64 bytes);
    void setLimits(int limit, qint64 bytes);
    void recount();
    [[nodiscard]] int rowsBeyond(int limit, qint64 bytes) const;
    [[nodiscard]] static QHash<int, QByteArray> names();
    [[nodiscard]] static QString text(const Message &message, int column);
    // All there are by now.
    [[nodiscard]] const QList<Detail::CountedMessage> &rows() const
    {
        if (m_catchUp)
            const_cast<MessageModel *>(this)->catchUp(); // NOLINT(cppcoreguidelines-pro-type-const-cast)
        return m_messages;
    }
    void dropFirst(int rows, std::vector<Detail::CountedMessage> *dropped = nullptr);

    QString m_connectionType;
    QList<Detail::CountedMessage> m_messages;
    quint64 m_firstNumber = 0; // of the first row: so many have been in the model, and are not any more
    int m_limit = 1000;
    qint64 m_bytes = 0; // the cost of all m_messages
    qint64 m_byteLimit = 16 * 1024 * 1024;
    qint64 m_lateCosts = 0;          // MessageData::allLateCosts() when m_messages was last counted
    std::function<void()> m_catchUp; // none: all are here
};

} // namespace Everwire
