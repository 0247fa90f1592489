// SPDX-License-Identifier: MIT
#include "core/message_p.h"

#include "core/gadgetstore.h"
#include "core/lenientjson.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTimeZone>

#include <atomic>

QT_DEFINE_QESDP_SPECIALIZATION_DTOR(Everwire::MessageData)

namespace Everwire {

namespace {

std::atomic<quint64> nextSequence{1};
std::atomic<qint64> lateCosts{0};

// An upper estimate, in bytes, of the Qt values that hold this text.
qint64 costOfPayload(const QByteArray &utf8)
{
    constexpr qint64 perValue = 24;
    constexpr qint64 perContainer = 160;
    qint64 values = 0;
    qint64 containers = 0;
    for (const char c : utf8) {
        values += c == ',' ? 1 : 0;
        containers += c == '[' || c == '{' ? 1 : 0;
    }
    return 2 * utf8.size() + perValue * values + perContainer * containers;
}

MessageData *makeData(QString type, Message::Direction direction)
{
    auto *data = new MessageData;
    data->ownType = std::move(type);
    data->direction = direction;
    data->sequence = nextMessageNumber();
    return data;
}

QVariant decodeJson(const QByteArray &utf8)
{
    const QJsonDocument document = QJsonDocument::fromJson(utf8);
    if (document.isObject())
        return document.object();
    if (document.isArray())
        return document.array();
    // Scalars (RFC 8259 §2), and texts that Qt's parser refuses.
    if (const std::optional<QJsonValue> value = LenientJson::parse(utf8))
        return value->isObject() ? QVariant(value->toObject()) : value->toVariant();
    return QString::fromUtf8(utf8);
}

} // namespace

quint64 nextMessageNumber()
{
    return nextSequence.fetch_add(1, std::memory_order_relaxed);
}

Message::Message() = default;
Message::Message(MessageData *data) : d(data) {}
Message::Message(const Message &other) = default;
Message &Message::operator=(const Message &other) = default;

Message Message::fromText(QByteArray utf8, QString type, Direction direction)
{
    MessageData *data = makeData(std::move(type), direction);
    data->bytes = std::move(utf8);
    return Message(data);
}

Message Message::received(MessageData *data)
{
    data->sequence = nextMessageNumber();
    return Message(data);
}

Message Message::fromBinary(QByteArray bytes, Direction direction)
{
    MessageData *data = makeData({}, direction);
    data->bytes = std::move(bytes);
    data->isBinary = true;
    return Message(data);
}

Message Message::fromEvent(QString type, QVariant value)
{
    MessageData *data = makeData(std::move(type), Incoming);
    std::call_once(data->decodeOnce, [&] { data->payload = std::move(value); });
    return Message(data);
}

Message MessageData::ofSentText(QByteArrayView utf8, qint64 timestamp, quint64 sequence)
{
    auto *data = new MessageData;
    data->direction = Message::Outgoing;
    data->bytes = utf8.toByteArray();
    data->timestamp = timestamp;
    data->sequence = sequence;
    return Message(data);
}

void Message::addDecoded(Decoded decoded)
{
    if (d->decoded.form)
        d->moreDecoded.push_back(std::move(decoded));
    else
        d->decoded = std::move(decoded);
}

namespace {

const void *valueOf(const Decoded &decoded)
{
    const void *const value = decoded.value.get();
    return decoded.boxed ? static_cast<const GadgetStore::Box *>(value)->gadget() : value;
}

} // namespace

const void *Message::decodedAs(const void *form) const
{
    if (!d)
        return nullptr;
    if (d->decoded.form.get() == form)
        return valueOf(d->decoded);
    for (const Decoded &decoded : d->moreDecoded) {
        if (decoded.form.get() == form)
            return valueOf(decoded);
    }
    return nullptr;
}

QString Message::messageId() const
{
    return d ? QString::number(d->sequence) : QString();
}

QString Message::type() const
{
    return d ? d->type() : QString();
}

QVariant Message::payload() const
{
    if (!d)
        return {};
    std::call_once(d->decodeOnce, [this] {
        d->payload = d->isBinary ? QVariant(d->bytes) : decodeJson(d->bytes);
        if (d->isBinary || d->isCountedAhead)
            // A binary payload shares the bytes. In the other case decodedCost holds the cost.
            return;
        const qint64 cost = costOfPayload(d->bytes);
        d->lateCost.store(cost, std::memory_order_relaxed);
        lateCosts.fetch_add(cost, std::memory_order_relaxed);
    });
    return d->payload;
}

qint64 MessageData::allLateCosts()
{
    return lateCosts.load(std::memory_order_relaxed);
}

QJsonObject Message::json() const
{
    const QVariant value = payload();
    if (value.typeId() == QMetaType::QJsonObject)
        return value.toJsonObject();
    if (value.typeId() == QMetaType::QVariantMap)
        return QJsonObject::fromVariantMap(value.toMap());
    if (!value.isValid() || !d->bytes.isEmpty())
        return {};
    return {{QStringLiteral("value"), QJsonValue::fromVariant(value)}};
}

QByteArray Message::bytes() const
{
    return d ? d->bytes : QByteArray();
}

QDateTime Message::timestamp() const
{
#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)
    const auto utc = QTimeZone::UTC;
#else
    const auto utc = Qt::UTC;
#endif
    return d ? QDateTime::fromMSecsSinceEpoch(d->timestamp, utc) : QDateTime();
}

Message::Direction Message::direction() const
{
    return d ? d->direction : Incoming;
}

bool Message::isBinary() const
{
    return d && d->isBinary;
}

} // namespace Everwire
