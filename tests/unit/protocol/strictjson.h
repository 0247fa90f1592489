// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QStringDecoder>

#include <cmath>
#include <cstdlib>

namespace Everwire::Test {

// Whether a text is JSON by RFC 8259, to the letter: what the parsers are measured against.
class StrictJson
{
public:
    enum Verdict { Invalid, Valid, ValidWithHugeNumber }; // beyond what a double holds

    [[nodiscard]] static bool isValid(const QByteArray &utf8) { return check(utf8) != Invalid; }

    [[nodiscard]] static Verdict check(const QByteArray &utf8)
    {
        QStringDecoder decoder(QStringDecoder::Utf8, QStringConverter::Flag::Stateless);
        const QString decoded = decoder(utf8);
        Q_UNUSED(decoded)
        if (decoder.hasError())
            return Invalid;
        StrictJson parser(utf8);
        parser.skipSpace();
        if (!parser.value())
            return Invalid;
        parser.skipSpace();
        if (parser.m_at != parser.m_end)
            return Invalid;
        return parser.m_hasHugeNumber ? ValidWithHugeNumber : Valid;
    }

private:
    explicit StrictJson(const QByteArray &utf8)
        : m_at(utf8.constData()), m_end(utf8.constData() + utf8.size())
    {
    }

    void skipSpace()
    {
        while (m_at < m_end && (*m_at == ' ' || *m_at == '\t' || *m_at == '\n' || *m_at == '\r'))
            ++m_at;
    }
    bool take(char c)
    {
        if (m_at == m_end || *m_at != c)
            return false;
        ++m_at;
        return true;
    }
    bool word(const char *letters)
    {
        while (*letters) {
            if (!take(*letters++))
                return false;
        }
        return true;
    }
    bool value()
    {
        if (m_at == m_end || ++m_depth > 1024)
            return false;
        bool ok = false;
        switch (*m_at) {
        case '{': ok = list('{', '}', [this] { return member(); }); break;
        case '[': ok = list('[', ']', [this] { return value(); }); break;
        case '"': ok = string(); break;
        case 't': ok = word("true"); break;
        case 'f': ok = word("false"); break;
        case 'n': ok = word("null"); break;
        default: ok = number(); break;
        }
        --m_depth;
        return ok;
    }
    template<typename Element>
    bool list(char open, char close, Element element)
    {
        take(open);
        skipSpace();
        if (take(close))
            return true;
        while (true) {
            skipSpace();
            if (!element())
                return false;
            skipSpace();
            if (take(close))
                return true;
            if (!take(','))
                return false;
        }
    }
    bool member()
    {
        if (!string())
            return false;
        skipSpace();
        if (!take(':'))
            return false;
        skipSpace();
        return value();
    }
    bool string()
    {
        if (!take('"'))
            return false;
        while (m_at < m_end) {
            const char c = *m_at++;
            if (c == '"')
                return true;
            if (static_cast<unsigned char>(c) < 0x20)
                return false;
            if (c == '\\' && !escape())
                return false;
        }
        return false;
    }
    bool escape()
    {
        if (m_at == m_end)
            return false;
        const char c = *m_at++;
        if (c != 'u')
            return QByteArrayView("\"\\/bfnrt").contains(c);
        for (int i = 0; i < 4; ++i) {
            if (m_at == m_end || !isxdigit(static_cast<unsigned char>(*m_at++)))
                return false;
        }
        return true;
    }
    bool digits()
    {
        const char *const begin = m_at;
        while (m_at < m_end && *m_at >= '0' && *m_at <= '9')
            ++m_at;
        return m_at > begin;
    }
    bool number()
    {
        const char *const begin = m_at;
        if (!numberSyntax())
            return false;
        const double number = std::strtod(QByteArray(begin, m_at - begin).constData(), nullptr);
        m_hasHugeNumber |= std::isinf(number);
        return true;
    }
    bool numberSyntax()
    {
        take('-');
        if (!take('0') && !digits())
            return false;
        if (take('.') && !digits())
            return false;
        if (take('e') || take('E')) {
            if (!take('+'))
                take('-');
            return digits();
        }
        return true;
    }

    const char *m_at;
    const char *m_end;
    int m_depth = 0;
    bool m_hasHugeNumber = false;
};

} // namespace Everwire::Test
