// SPDX-License-Identifier: MIT
#include "core/message.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTimeZone>

#include <simdjson.h>

#include <atomic>
#include <mutex>

namespace Everwire {

struct MessageData : QSharedData
{
    QByteArray bytes;
    QString type;
    qint64 timestamp = QDateTime::currentMSecsSinceEpoch();
    quint64 sequence = 0;
    Message::Direction direction = Message::Incoming;
    bool isBinary = false;
    std::once_flag decodeOnce;
    QVariant payload; // guarded by decodeOnce
};

namespace {

std::atomic<quint64> nextSequence{1};

MessageData *makeData(QString type, Message::Direction direction)
{
    auto *data = new MessageData;
    data->type = std::move(type);
    data->direction = direction;
    data->sequence = nextSequence.fetch_add(1, std::memory_order_relaxed);
    return data;
}

QString toQString(std::string_view utf8)
{
    return QString::fromUtf8(utf8.data(), qsizetype(utf8.size()));
}

// Recursion is bounded: the parser takes 1024 levels.
QJsonValue toQJson(const simdjson::dom::element &element)
{
    if (simdjson::dom::object members; !element.get(members)) {
        QJsonObject object;
        for (const auto member : members)
            object.insert(toQString(member.key), toQJson(member.value));
        return object;
    }
    if (simdjson::dom::array items; !element.get(items)) {
        QJsonArray array;
        for (const auto item : items)
            array.append(toQJson(item));
        return array;
    }
    if (std::string_view text; !element.get(text))
        return toQString(text);
    if (bool truth = false; !element.get(truth))
        return truth;
    if (int64_t integer = 0; !element.get(integer))
        return qint64(integer);
    if (double number = 0; !element.get(number))
        return number;
    return QJsonValue::Null;
}

QVariant decodeJson(const QByteArray &utf8)
{
    const QJsonDocument document = QJsonDocument::fromJson(utf8);
    if (document.isObject())
        return document.object();
    if (document.isArray())
        return document.array();
    // A scalar is JSON too (RFC 8259 §2), which QJsonDocument does not take alone.
    const QJsonArray wrapped = QJsonDocument::fromJson('[' + utf8 + ']').array();
    if (wrapped.size() == 1)
        return wrapped.first().toVariant();
    // Numbers too small for a double are none to QJsonDocument, and 0 to everybody else.
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (!parser.parse(utf8.constData(), size_t(utf8.size())).get(root))
        return root.is_object() ? QVariant(toQJson(root).toObject()) : toQJson(root).toVariant();
    return QString::fromUtf8(utf8);
}

} // namespace

Message::Message() = default;
Message::Message(MessageData *data) : d(data) {}
Message::Message(const Message &other) = default;
Message::Message(Message &&other) noexcept = default;
Message &Message::operator=(const Message &other) = default;
Message &Message::operator=(Message &&other) noexcept = default;
Message::~Message() = default;

Message Message::fromText(QByteArray utf8, QString type, Direction direction)
{
    MessageData *data = makeData(std::move(type), direction);
    data->bytes = std::move(utf8);
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

QString Message::messageId() const
{
    return d ? QString::number(d->sequence) : QString();
}

QString Message::type() const
{
    return d ? d->type : QString();
}

QVariant Message::payload() const
{
    if (!d)
        return {};
    std::call_once(d->decodeOnce,
                   [this] { d->payload = d->isBinary ? QVariant(d->bytes) : decodeJson(d->bytes); });
    return d->payload;
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
