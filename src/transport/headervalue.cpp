// SPDX-License-Identifier: MIT
#include "transport/headervalue.h"

#include <algorithm>

namespace Everwire::HeaderValue {

namespace {

bool isTokenCharacter(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c != '\0' && QByteArrayView("!#$%&'*+-.^_`|~").contains(c);
}

// A cursor over a field value.
class Cursor
{
public:
    explicit Cursor(QByteArrayView text) : m_rest(text) {}

    [[nodiscard]] bool isAtEnd() const { return m_rest.isEmpty(); }
    void skipSpace()
    {
        while (!m_rest.isEmpty() && (m_rest[0] == ' ' || m_rest[0] == '\t'))
            m_rest = m_rest.sliced(1);
    }
    bool skip(char c)
    {
        if (m_rest.isEmpty() || m_rest[0] != c)
            return false;
        m_rest = m_rest.sliced(1);
        return true;
    }
    QByteArray token()
    {
        const auto end = std::find_if_not(m_rest.begin(), m_rest.end(), isTokenCharacter);
        const qsizetype size = end - m_rest.begin();
        const QByteArray token = m_rest.first(size).toByteArray();
        m_rest = m_rest.sliced(size);
        return token;
    }
    // A quoted string's content, without its escapes; nothing where it does not end.
    std::optional<QByteArray> quoted()
    {
        QByteArray content;
        while (!m_rest.isEmpty()) {
            if (skip('"'))
                return content;
            if (skip('\\') && m_rest.isEmpty())
                break;
            content.append(m_rest[0]);
            m_rest = m_rest.sliced(1);
        }
        return {};
    }

private:
    QByteArrayView m_rest;
};

std::optional<Parameter> parseParameter(Cursor &cursor)
{
    Parameter parameter;
    parameter.name = cursor.token().toLower();
    if (parameter.name.isEmpty())
        return {};
    cursor.skipSpace();
    if (!cursor.skip('='))
        return parameter;
    cursor.skipSpace();
    if (cursor.skip('"'))
        parameter.value = cursor.quoted();
    else
        parameter.value = cursor.token();
    // A quoted value must be a token, too (RFC 6455 §9.1).
    if (!parameter.value || !isToken(*parameter.value))
        return {};
    return parameter;
}

} // namespace

bool isToken(QByteArrayView text)
{
    return !text.isEmpty() && std::all_of(text.begin(), text.end(), isTokenCharacter);
}

bool listHas(QByteArrayView list, QByteArrayView token)
{
    const QList<QByteArray> items = list.toByteArray().split(',');
    return std::any_of(items.begin(), items.end(), [token](const QByteArray &item) {
        return item.trimmed().compare(token, Qt::CaseInsensitive) == 0;
    });
}

std::optional<QList<Extension>> parseExtensions(QByteArrayView value)
{
    QList<Extension> extensions;
    Cursor cursor(value);
    cursor.skipSpace();
    while (!cursor.isAtEnd()) {
        Extension extension;
        extension.name = cursor.token().toLower();
        if (extension.name.isEmpty())
            return {};
        cursor.skipSpace();
        while (cursor.skip(';')) {
            cursor.skipSpace();
            const std::optional<Parameter> parameter = parseParameter(cursor);
            if (!parameter)
                return {};
            extension.parameters.append(*parameter);
            cursor.skipSpace();
        }
        extensions.append(extension);
        if (cursor.isAtEnd())
            break;
        if (!cursor.skip(','))
            return {};
        cursor.skipSpace();
        if (cursor.isAtEnd())
            return {};
    }
    return extensions;
}

} // namespace Everwire::HeaderValue
