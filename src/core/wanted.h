// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>

#include <QByteArray>
#include <QList>
#include <QMetaObject>
#include <QString>
#include <QVariant>
#include <QVarLengthArray>

#include <memory>

// Not for direct use: what Connection::subscribe() tells the wire thread.
namespace Everwire::Detail {

// What a subscriber takes, so that the wire thread can make it before the message crosses.
struct Wanted
{
    enum Form {
        Envelope, // the message as it is, or nothing of it
        Json,     // the payload
        Gadget,
        Fields, // some members of the object, as Detail::Fields in their order
    };

    Form form = Envelope;
    bool onlyNewest = false; // of the messages that have come since it was last called
    const QMetaObject *gadget = nullptr;
    std::shared_ptr<void> (*makeGadget)() = nullptr;
    bool (*resetGadget)(void *gadget) = nullptr;     // to what makeGadget makes; false where it cannot
    std::shared_ptr<const QList<QByteArray>> fields; // UTF-8

    // Under which Message::decodedAs() has it; owned where another may come to lie at its address. Null: under none.
    [[nodiscard]] std::shared_ptr<const void> key() const
    {
        if (form == Fields)
            return fields;
        return {std::shared_ptr<const void>(), gadget};
    }
};

// Some members of an object, as they cross to the thread that reads them. Texts are in one piece, of which that thread makes
// strings of its own: to free there what was allocated here takes both threads longer.
class EVERWIRE_EXPORT Fields
{
public:
    enum Kind : quint8 {
        Absent,
        Null,
        Truth,
        Integer,
        Number,
        Text,
        Other, // an array or an object
    };

    explicit Fields(qsizetype size) : m_fields(size) {}
    // To as many that are all absent.
    void reset();

    void setNull(qsizetype at) { m_fields[at] = {Null, 0, {}}; }
    void setTruth(qsizetype at, bool truth);
    void setInteger(qsizetype at, qint64 integer);
    void setNumber(qsizetype at, double number);
    void setText(qsizetype at, QByteArrayView utf8);
    void setOther(qsizetype at, QVariant value);

    [[nodiscard]] qsizetype size() const { return m_fields.size(); }
    [[nodiscard]] Kind kind(qsizetype at) const { return m_fields[at].kind; }
    // Of an Integer or a Number.
    [[nodiscard]] double number(qsizetype at) const;
    // Of a Text.
    [[nodiscard]] QString text(qsizetype at) const;
    // Of any; invalid of what is absent.
    [[nodiscard]] QVariant value(qsizetype at) const;

private:
    struct Field
    {
        Kind kind = Absent;
        quint32 size = 0; // bytes of the text
        union {
            qint64 integer = 0; // and truth
            double number;
            qsizetype at; // where the text begins, or which of the others
        };
    };

    QVarLengthArray<Field, 4> m_fields;
    QVarLengthArray<char, 192> m_utf8;
    QList<QVariant> m_others;
};

// The same for one message that was not made ready before, on any thread. names: UTF-8.
[[nodiscard]] EVERWIRE_EXPORT Fields fieldsOf(const Message &message, const QList<QByteArray> &names);

} // namespace Everwire::Detail
