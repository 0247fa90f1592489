// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonArray>
#include <QJsonObject>
#include <QString>
#include <QStringList>

namespace Everwire::Demo {

/// Reads an object key by key and keeps the first mistake, with the path of its key.
///
/// \code
/// QString error;
/// JsonReader reader(object, u"beats[0]"_s, &error);
/// const QString id = reader.text(u"id"_s); // error: key "beats[0].id" is missing; add …
/// \endcode
class JsonReader
{
public:
    /// \a path is what leads to \a object, empty for the root; \a error must outlive the reader.
    JsonReader(const QJsonObject &object, const QString &path, QString *error);

    /// A string that is not empty.
    [[nodiscard]] QString text(const QString &key);
    /// A string, or an empty one when the key is not there.
    [[nodiscard]] QString optionalText(const QString &key);
    /// A number from \a lowest to \a highest.
    [[nodiscard]] double number(const QString &key, double lowest, double highest);
    /// An array with at least one entry.
    [[nodiscard]] QJsonArray array(const QString &key);
    [[nodiscard]] QJsonObject object(const QString &key);
    /// An array of strings; empty when the key is not there and \a required is false.
    [[nodiscard]] QStringList texts(const QString &key, bool required);

    /// Reports keys that nobody knows, which are usually misspelt.
    void allowOnly(const QStringList &keys);

    /// Keeps \a problem, which says what to do, unless a mistake was found before.
    void fail(const QString &key, const QString &problem);

    /// The path of \a key, for a reader of what is below it.
    [[nodiscard]] QString pathOf(const QString &key) const;
    [[nodiscard]] bool failed() const { return !m_error->isEmpty(); }

private:
    [[nodiscard]] QJsonValue required(const QString &key, QJsonValue::Type type, const QString &typeName);

    QJsonObject m_object;
    QString m_path;
    QString *m_error;
};

} // namespace Everwire::Demo
