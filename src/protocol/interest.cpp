// SPDX-License-Identifier: MIT
#include "protocol/interest.h"

#include "core/gadgetstore.h"
#include "core/padded.h"
#include "core/tapejson.h"

#include <QJsonObject>
#include <QMetaProperty>
#include <QThread>
#include <QVarLengthArray>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace Everwire {

namespace {

// Fills a gadget's properties by name. Strings, numbers and truths go straight into properties of such types; whatever
// else there is takes fillGadget()'s way, through a QVariant, and means the same.
class GadgetDecoder final : public Decoder
{
public:
    explicit GadgetDecoder(const Detail::Wanted &wanted)
        : m_make(wanted.makeGadget), m_reset(wanted.resetGadget)
    {
        for (int i = 0; i < wanted.gadget->propertyCount(); ++i) {
            const QMetaProperty property = wanted.gadget->property(i);
            if (property.isWritable())
                m_fields.push_back({QByteArray(property.name()), property, property.typeId(),
                                    property.relativePropertyIndex(),
                                    property.enclosingMetaObject()->d.static_metacall});
        }
    }

    [[nodiscard]] bool runsForeignCode() const override { return true; }
    void retire() const override { m_store->retire(); }

    [[nodiscard]] Decoded decode(const simdjson::dom::object &object, const std::shared_ptr<const void> &form,
                                 Decoded former) const override
    {
        // First all, for the last of several members of a name counts, even if it cannot be converted.
        QVarLengthArray<std::optional<simdjson::dom::element>, 16> values(qsizetype(m_fields.size()));
        for (const auto member : object) {
            const auto field = std::find_if(m_fields.begin(), m_fields.end(), [&](const Field &one) {
                return member.key == std::string_view(one.name.constData(), size_t(one.name.size()));
            });
            if (field != m_fields.end())
                values[field - m_fields.begin()] = member.value;
        }
        if (!resetGadget(former)) {
            std::shared_ptr<void> made = m_make();
            void *const gadget = made.get();
            former = {form, m_store->put(std::move(made)), gadget};
        }
        void *const gadget = static_cast<const GadgetStore::Box *>(former.value.get())->gadget();
        for (size_t i = 0; i < m_fields.size(); ++i) {
            if (const auto &value = values[qsizetype(i)])
                write(m_fields[i], gadget, *value);
        }
        return former;
    }

private:
    // Whether the gadget can be reused: our store made it, nobody else holds it, and it could be
    // reset.
    [[nodiscard]] bool resetGadget(const Decoded &former) const
    {
        if (!former.boxed || former.value.use_count() != 1 || !m_reset)
            return false;
        const auto *const box = static_cast<const GadgetStore::Box *>(former.value.get());
        return box->isOf(m_store.get()) && box->gadget() && m_reset(box->gadget());
    }

    // A property, and what is asked of it for each message.
    struct Field
    {
        QByteArray name;
        QMetaProperty property;
        int typeId;
        int index; // in its class
        decltype(QMetaObject::Data::static_metacall) metacall;
    };

    static void write(const Field &field, void *gadget, const simdjson::dom::element &value)
    {
        switch (field.typeId) {
        case QMetaType::QString:
            if (std::string_view text; !value.get(text))
                return writeRaw(field, gadget, toQString(text));
            break;
        case QMetaType::Bool:
            if (bool truth = false; !value.get(truth))
                return writeRaw(field, gadget, truth);
            break;
        case QMetaType::Double:
            if (double number = 0; !value.get(number))
                return writeRaw(field, gadget, number);
            break;
        case QMetaType::Int:
            if (int64_t number = 0; !value.get(number) && number >= std::numeric_limits<int>::min() &&
                                    number <= std::numeric_limits<int>::max())
                return writeRaw(field, gadget, int(number));
            break;
        case QMetaType::LongLong:
            if (int64_t number = 0; !value.get(number))
                return writeRaw(field, gadget, qint64(number));
            break;
        default: break;
        }
        field.property.writeOnGadget(gadget, toQJson(value).toVariant());
    }

    // What QMetaProperty::writeOnGadget() comes to when nothing needs a conversion.
    template<typename T>
    static void writeRaw(const Field &field, void *gadget, T value)
    {
        void *arguments[] = {&value};
        field.metacall(static_cast<QObject *>(gadget), QMetaObject::WriteProperty, field.index, arguments);
    }

    std::shared_ptr<void> (*const m_make)();
    bool (*const m_reset)(void *);
    std::vector<Field> m_fields;
    const std::shared_ptr<GadgetStore> m_store = std::make_shared<GadgetStore>();
};

class FieldsDecoder final : public Decoder
{
public:
    explicit FieldsDecoder(const Detail::Wanted &wanted) : m_names(wanted.fields) {}

    [[nodiscard]] Decoded decode(const simdjson::dom::object &object, const std::shared_ptr<const void> &form,
                                 Decoded former) const override
    {
        auto fields = std::const_pointer_cast<Detail::Fields>(
            std::static_pointer_cast<const Detail::Fields>(std::exchange(former.value, nullptr)));
        if (fields && fields.use_count() == 1)
            fields->reset();
        else
            fields = std::make_shared<Detail::Fields>(m_names->size());
        fill(*fields, object, *m_names);
        return {form, std::move(fields), nullptr};
    }

    static void fill(Detail::Fields &fields, const simdjson::dom::object &object,
                     const QList<QByteArray> &names)
    {
        for (const auto member : object) {
            const auto name = std::find_if(names.begin(), names.end(), [&](const QByteArray &one) {
                return member.key == std::string_view(one.constData(), size_t(one.size()));
            });
            if (name != names.end())
                set(fields, name - names.begin(), member.value);
        }
    }

private:
    static void set(Detail::Fields &fields, qsizetype at, const simdjson::dom::element &value)
    {
        switch (value.type()) {
        case simdjson::dom::element_type::STRING: {
            const std::string_view text = value.get_string().value_unsafe();
            return fields.setText(at, QByteArrayView(text.data(), qsizetype(text.size())));
        }
        case simdjson::dom::element_type::INT64:
            return fields.setInteger(at, value.get_int64().value_unsafe());
        case simdjson::dom::element_type::UINT64: // beyond INT64
            return fields.setNumber(at, value.get_double().value_unsafe());
        case simdjson::dom::element_type::DOUBLE:
            return fields.setNumber(at, value.get_double().value_unsafe());
        case simdjson::dom::element_type::BOOL: return fields.setTruth(at, value.get_bool().value_unsafe());
        case simdjson::dom::element_type::NULL_VALUE: return fields.setNull(at);
        case simdjson::dom::element_type::ARRAY:
        case simdjson::dom::element_type::OBJECT: break;
        }
        fields.setOther(at, toQJson(value).toVariant());
    }

    const std::shared_ptr<const QList<QByteArray>> m_names;
};

} // namespace

Detail::Fields Detail::fieldsOf(const Message &message, const QList<QByteArray> &names)
{
    Fields fields(names.size());
    // The parser keeps room for the largest text that it has read.
    constexpr qsizetype small = 64 * 1024;
    const QByteArray utf8 = message.bytes();
    if (!message.isBinary() && !utf8.isEmpty() && utf8.size() <= small) {
        thread_local simdjson::dom::parser parser;
        const PaddedCopy text(utf8);
        simdjson::dom::element root;
        if (!parser.parse(text.view().data(), size_t(utf8.size()), false).get(root)) {
            if (simdjson::dom::object object; !root.get(object))
                FieldsDecoder::fill(fields, object, names);
            return fields;
        }
    }
    const QJsonObject object = message.json();
    for (qsizetype i = 0; i < names.size(); ++i) {
        const auto found = object.constFind(QString::fromUtf8(names.at(i)));
        if (found != object.constEnd())
            fields.setOther(i, found->toVariant());
    }
    return fields;
}

std::unique_ptr<Decoder> Decoder::of(const Detail::Wanted &wanted)
{
    switch (wanted.form) {
    case Detail::Wanted::Gadget: return std::make_unique<GadgetDecoder>(wanted);
    case Detail::Wanted::Fields: return std::make_unique<FieldsDecoder>(wanted);
    case Detail::Wanted::Envelope:
    case Detail::Wanted::Json: break;
    }
    return nullptr;
}

quint32 InterestBoard::publish(std::shared_ptr<const Interest> interest)
{
    const QMutexLocker lock(&m_mutex);
    m_interest = std::move(interest);
    const quint32 number = std::max<quint32>(1, m_number.load(std::memory_order_relaxed) + 1);
    m_number.store(number, std::memory_order_seq_cst);
    return number;
}

void InterestBoard::waitForDecoding() const
{
    while (m_isDecoding.load(std::memory_order_seq_cst))
        QThread::yieldCurrentThread();
}

std::shared_ptr<const Interest> InterestBoard::interest() const
{
    const QMutexLocker lock(&m_mutex);
    return m_interest;
}

} // namespace Everwire
