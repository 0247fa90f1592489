// SPDX-License-Identifier: MIT
#include "jsonreader.h"

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

JsonReader::JsonReader(const QJsonObject &object, const QString &path, QString *error)
    : m_object(object), m_path(path), m_error(error)
{
}

QString JsonReader::text(const QString &key)
{
    const QString value = required(key, QJsonValue::String, u"a string"_s).toString();
    if (!failed() && value.trimmed().isEmpty())
        fail(key, u"is empty; write some text"_s);
    return value;
}

QString JsonReader::optionalText(const QString &key)
{
    return m_object.contains(key) ? text(key) : QString();
}

double JsonReader::number(const QString &key, double lowest, double highest)
{
    const double value = required(key, QJsonValue::Double, u"a number"_s).toDouble();
    if (!failed() && !(value >= lowest && value <= highest))
        fail(key, u"is %1; use a number from %2 to %3"_s.arg(value).arg(lowest).arg(highest));
    return value;
}

QJsonArray JsonReader::array(const QString &key)
{
    const QJsonArray value = required(key, QJsonValue::Array, u"an array"_s).toArray();
    if (!failed() && value.isEmpty())
        fail(key, u"is empty; add at least one entry"_s);
    return value;
}

QJsonObject JsonReader::object(const QString &key)
{
    return required(key, QJsonValue::Object, u"an object"_s).toObject();
}

QStringList JsonReader::texts(const QString &key, bool isRequired)
{
    if (!isRequired && !m_object.contains(key))
        return {};
    QStringList result;
    const QJsonArray values = array(key);
    for (qsizetype i = 0; i < values.size(); ++i) {
        const QString value = values[i].toString();
        if (value.trimmed().isEmpty())
            fail(u"%1[%2]"_s.arg(key).arg(i), u"is not a string with text in it; write one"_s);
        result.append(value);
    }
    return result;
}

void JsonReader::allowOnly(const QStringList &keys)
{
    for (auto it = m_object.begin(); it != m_object.end(); ++it) {
        if (!keys.contains(it.key()))
            fail(it.key(), u"is unknown; remove it or use one of: %1"_s.arg(keys.join(u", "_s)));
    }
}

void JsonReader::fail(const QString &key, const QString &problem)
{
    if (m_error->isEmpty())
        *m_error = u"key \"%1\" %2"_s.arg(pathOf(key), problem);
}

QString JsonReader::pathOf(const QString &key) const
{
    return m_path.isEmpty() ? key : m_path + u'.' + key;
}

QJsonValue JsonReader::required(const QString &key, QJsonValue::Type type, const QString &typeName)
{
    const QJsonValue value = m_object.value(key);
    if (value.isUndefined())
        fail(key, u"is missing; add it as %1"_s.arg(typeName));
    else if (value.type() != type)
        fail(key, u"has the wrong type; make it %1"_s.arg(typeName));
    return value;
}

} // namespace Everwire::Demo
