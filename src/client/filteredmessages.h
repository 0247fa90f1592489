// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>
#include <Everwire/MessageModel>

#include <QAbstractListModel>
#include <QPointer>
#include <QStringList>

#include <deque>
#include <vector>

namespace Everwire {

// The messages of a MessageModel that have one of some types, or one direction. It keeps numbers of rows and no
// messages, and passes a batch on by one insertion (rule M7), however many come a second. Belongs to the
// source's thread.
//
//     FilteredMessages { id: answers; source: connection.messages; types: ["ai_response", "error"] }
//     ListView { model: answers; delegate: Label { required property string type; text: type } }
//
// Roles and columns are the source's.
class EVERWIRE_EXPORT FilteredMessages : public QAbstractListModel
{
    Q_OBJECT
    // Where the messages are; without one there are no rows.
    Q_PROPERTY(Everwire::MessageModel *source READ source WRITE setSource NOTIFY sourceChanged FINAL)
    // Types that are shown; empty: all. "" is the type of binary messages, and of text that has none.
    Q_PROPERTY(QStringList types READ types WRITE setTypes NOTIFY typesChanged FINAL)
    Q_PROPERTY(Direction direction READ direction WRITE setDirection NOTIFY directionChanged FINAL)
    // Rows in the model.
    Q_PROPERTY(int count READ count NOTIFY countChanged FINAL)

public:
    enum Direction {
        AnyDirection,
        Incoming,
        Outgoing,
    };
    Q_ENUM(Direction)

    explicit FilteredMessages(QObject *parent = nullptr);

    [[nodiscard]] MessageModel *source() const { return m_source; }
    void setSource(MessageModel *source);
    [[nodiscard]] QStringList types() const { return m_types; }
    void setTypes(const QStringList &types);
    [[nodiscard]] Direction direction() const { return m_direction; }
    void setDirection(Direction direction);

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

    [[nodiscard]] int count() const { return int(m_rows.size()); }
    // The message of a row; a null one outside of the model.
    Q_INVOKABLE [[nodiscard]] Everwire::Message at(int row) const;

Q_SIGNALS:
    void sourceChanged();
    void typesChanged();
    void directionChanged();
    void countChanged();

private:
    void follow();
    void announceRemoval(int rows);
    void takeInsertion();
    void announceReset();
    [[nodiscard]] bool finish();
    [[nodiscard]] bool finishRemoval();
    [[nodiscard]] bool finishReset();
    [[nodiscard]] std::vector<quint64> takeUnseen();
    [[nodiscard]] bool passes(const Message &message) const;
    [[nodiscard]] int sourceRow(int row) const;

    QPointer<MessageModel> m_source;
    QStringList m_types;
    Direction m_direction = AnyDirection;
    // The numbers of the source's rows that pass, ascending. The source's first number moves on as it drops
    // rows; so a removal at its front changes none of the numbers that stay.
    std::deque<quint64> m_rows;
    quint64 m_seen = 0; // the number behind the last row that was looked at
    int m_leaving = 0;  // rows whose removal is announced
    bool m_isResetting = false;
};

} // namespace Everwire
