// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QByteArray>
#include <QDateTime>
#include <QExplicitlySharedDataPointer>
#include <QJsonObject>
#include <QMetaType>
#include <QVariant>

class QDebug;

namespace Everwire {

struct Decoded;
struct MessageData;

} // namespace Everwire

QT_DECLARE_QESDP_SPECIALIZATION_DTOR_WITH_EXPORT(Everwire::MessageData, EVERWIRE_EXPORT)

namespace Everwire {

// One message, received or sent. Cheap to copy; the body is decoded when it is first asked for, and then
// once. Thread-safe to read: the copies that several threads hold share one body.
class EVERWIRE_EXPORT Message
{
    Q_GADGET
    Q_PROPERTY(QString messageId READ messageId CONSTANT)
    Q_PROPERTY(QString type READ type CONSTANT)
    Q_PROPERTY(QVariant payload READ payload CONSTANT)
    Q_PROPERTY(QDateTime timestamp READ timestamp CONSTANT)
    Q_PROPERTY(Everwire::Message::Direction direction READ direction CONSTANT)
    Q_PROPERTY(bool isBinary READ isBinary CONSTANT)

public:
    enum Direction { Incoming, Outgoing };
    Q_ENUM(Direction)

    Message();
    // utf8 is JSON text; type is its "type", empty where it has none.
    static Message fromText(QByteArray utf8, QString type, Direction direction);
    static Message fromBinary(QByteArray bytes, Direction direction);
    // A lifecycle event (rule M5), which has a value but never was on the wire.
    static Message fromEvent(QString type, QVariant value);
    Message(const Message &other);
    Message(Message &&other) noexcept = default;
    Message &operator=(const Message &other);
    Message &operator=(Message &&other) noexcept = default;
    ~Message() = default;

    // Unique in the process; its own, not the payload's "id".
    [[nodiscard]] QString messageId() const;
    [[nodiscard]] QString type() const;
    // The whole JSON value, "type" included (a QJsonObject; for other JSON its QJsonArray, QString, double
    // …); a QByteArray for a binary message; the event's value for a lifecycle event.
    [[nodiscard]] QVariant payload() const;
    // The payload as an object; empty where it is not one. A lifecycle event's scalar is under "value".
    [[nodiscard]] QJsonObject json() const;
    // What was on the wire: UTF-8 for text.
    [[nodiscard]] QByteArray bytes() const;
    // When this client received or accepted it, UTC, in milliseconds.
    [[nodiscard]] QDateTime timestamp() const;
    [[nodiscard]] Direction direction() const;
    [[nodiscard]] bool isBinary() const;
    [[nodiscard]] bool isNull() const { return !d; }

    // Type, direction and size; not the payload, which may be private (rule C4).
    friend EVERWIRE_EXPORT QDebug operator<<(QDebug debug, const Message &message);

    // For the library: what it has decoded ahead for a form of payload; null where it has not.
    [[nodiscard]] const void *decodedAs(const void *form) const;

private:
    friend class JsonEventProtocol;
    friend class MessagePool;
    friend struct MessageData;
    explicit Message(MessageData *data);
    static Message received(MessageData *data);
    void addDecoded(Decoded decoded); // before anybody else has it

    QExplicitlySharedDataPointer<MessageData> d;
};

// Not for direct use.
namespace Detail {

// A message and what it costs in memory, so that nobody needs to look at it to know that.
struct CountedMessage
{
    Message message;
    qint64 cost = 0; // bytes
};

} // namespace Detail

} // namespace Everwire

Q_DECLARE_METATYPE(Everwire::Message)
