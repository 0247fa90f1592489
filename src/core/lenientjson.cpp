// SPDX-License-Identifier: MIT
#include "core/lenientjson.h"

#include "core/jsondepth.h"
#include "core/jsonmembers.h"

#include <algorithm>
#include <limits>

namespace Everwire::LenientJson {

namespace {

constexpr bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

int hexDigit(char c)
{
    if (isDigit(c))
        return c - '0';
    const char lower = char(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Whether the magnitude of a valid JSON number is 1 or more. It is judged by the exponent and the
// position of the first nonzero digit, because a double may not hold the number.
bool isLarge(QByteArrayView digits)
{
    constexpr qsizetype most = 18; // digits of an exponent that always fit 64 bits
    const auto isExponent = [](char c) { return c == 'e' || c == 'E'; };
    const auto e = std::find_if(digits.begin(), digits.end(), isExponent);
    const QByteArrayView mantissa = digits.first(e - digits.begin());
    const auto counts = [](char c) { return c >= '1' && c <= '9'; };
    const auto first = std::find_if(mantissa.begin(), mantissa.end(), counts);
    if (first == mantissa.end())
        return false;
    const qsizetype point = mantissa.indexOf('.');
    const qsizetype wholes = point < 0 ? mantissa.size() : point;
    const qint64 place = wholes - (first - mantissa.begin());
    if (e == digits.end())
        return place > 0;
    const QByteArrayView exponent = digits.sliced(e + 1 - digits.begin());
    const bool isNegative = exponent.startsWith('-');
    if (exponent.size() > most)
        return !isNegative;
    return place + exponent.toByteArray().toLongLong() > 0;
}

// Converts like JSON.parse: beyond a double's range, the result is infinity or 0.
double toDouble(const QByteArray &digits)
{
    bool fits = false;
    const double number = digits.toDouble(&fits);
    if (fits)
        return number;
    const double size = isLarge(digits) ? std::numeric_limits<double>::infinity() : 0;
    return digits.startsWith('-') ? -size : size;
}

class Parser
{
public:
    Parser(QByteArrayView utf8, bool builds) : m_rest(utf8), m_builds(builds) {}

    [[nodiscard]] std::optional<QJsonValue> run()
    {
        QJsonValue value;
        skipSpace();
        const bool isGood = readValue(&value, MostJsonLevels);
        skipSpace();
        return isGood && m_rest.isEmpty() ? std::optional<QJsonValue>(value) : std::nullopt;
    }

    [[nodiscard]] QString type() const { return m_type; }

private:
    [[nodiscard]] char peek() const { return m_rest.isEmpty() ? '\0' : m_rest.front(); }
    void drop(qsizetype bytes) { m_rest = m_rest.sliced(bytes); }
    bool take(char c)
    {
        if (m_rest.isEmpty() || m_rest.front() != c)
            return false;
        drop(1);
        return true;
    }
    void skipSpace()
    {
        while (!m_rest.isEmpty() && QByteArrayView(" \t\n\r").contains(m_rest.front()))
            drop(1);
    }
    bool takeWord(QByteArrayView word)
    {
        if (!m_rest.startsWith(word))
            return false;
        drop(word.size());
        return true;
    }

    bool readValue(QJsonValue *value, int levels)
    {
        switch (peek()) {
        case '{': return levels > 0 && readObject(value, levels);
        case '[': return levels > 0 && readArray(value, levels);
        case '"': {
            QString text;
            if (!readString(&text))
                return false;
            *value = text;
            return true;
        }
        case 't': *value = true; return takeWord("true");
        case 'f': *value = false; return takeWord("false");
        case 'n': *value = QJsonValue::Null; return takeWord("null");
        default: return readNumber(value);
        }
    }

    bool readObject(QJsonValue *value, int levels)
    {
        JsonMembers members;
        drop(1);
        skipSpace();
        bool isGood = take('}');
        if (!isGood) {
            do
                isGood = readMember(&members, levels);
            while (isGood && take(','));
            isGood = isGood && take('}');
        }
        if (m_builds)
            *value = toJsonObject(std::move(members));
        return isGood;
    }

    bool readMember(JsonMembers *members, int levels)
    {
        const bool builds = m_builds;
        const bool isOutermost = levels == MostJsonLevels;
        QString key;
        QJsonValue member;
        skipSpace();
        m_builds = builds || isOutermost;
        bool isGood = readString(&key);
        const bool isType = isOutermost && key == QLatin1String("type");
        m_builds = builds || (isType && looksAt('"'));
        isGood = isGood && takeColon() && readValue(&member, levels - 1);
        m_builds = builds;
        skipSpace();
        if (isType)
            m_type = member.toString();
        if (m_builds && isGood)
            members->emplace_back(std::move(key), std::move(member));
        return isGood;
    }

    bool takeColon()
    {
        skipSpace();
        const bool isColon = take(':');
        skipSpace();
        return isColon;
    }

    // Whether a member's value begins with this character.
    [[nodiscard]] bool looksAt(char c) const
    {
        const auto isBefore = [](char each) { return QByteArrayView(" \t\n\r:").contains(each); };
        const auto begin = std::find_if_not(m_rest.begin(), m_rest.end(), isBefore);
        return begin != m_rest.end() && *begin == c;
    }

    bool readArray(QJsonValue *value, int levels)
    {
        QJsonArray array;
        drop(1);
        skipSpace();
        bool isGood = take(']');
        if (!isGood) {
            do
                isGood = readItem(&array, levels);
            while (isGood && take(','));
            isGood = isGood && take(']');
        }
        if (m_builds)
            *value = array;
        return isGood;
    }

    bool readItem(QJsonArray *array, int levels)
    {
        QJsonValue item;
        skipSpace();
        if (!readValue(&item, levels - 1))
            return false;
        skipSpace();
        if (m_builds)
            array->append(item);
        return true;
    }

    bool readString(QString *text)
    {
        if (!take('"'))
            return false;
        while (!m_rest.isEmpty()) {
            qsizetype plain = 0;
            while (plain < m_rest.size() && m_rest[plain] != '"' && m_rest[plain] != '\\') {
                if (uchar(m_rest[plain]) < 0x20)
                    return false;
                ++plain;
            }
            if (m_builds)
                text->append(QString::fromUtf8(m_rest.first(plain)));
            drop(plain);
            if (take('"'))
                return true;
            if (!take('\\') || !readEscape(text))
                return false;
        }
        return false;
    }

    bool readEscape(QString *text)
    {
        const char c = peek();
        constexpr QByteArrayView letters = "\"\\/bfnrt";
        constexpr QByteArrayView meanings = "\"\\/\b\f\n\r\t";
        if (c == 'u')
            return readUnit(text);
        const qsizetype at = m_rest.isEmpty() ? -1 : letters.indexOf(c);
        if (at < 0)
            return false;
        drop(1);
        if (m_builds)
            text->append(QLatin1Char(meanings[at]));
        return true;
    }

    bool readUnit(QString *text)
    {
        constexpr qsizetype size = 5; // "u" and four digits
        if (m_rest.size() < size)
            return false;
        int unit = 0;
        for (qsizetype i = 1; i < size; ++i) {
            const int digit = hexDigit(m_rest[i]);
            if (digit < 0)
                return false;
            unit = unit * 16 + digit;
        }
        drop(size);
        if (m_builds)
            text->append(QChar(char16_t(unit)));
        return true;
    }

    qsizetype countDigits(qsizetype from) const
    {
        qsizetype at = from;
        while (at < m_rest.size() && isDigit(m_rest[at]))
            ++at;
        return at - from;
    }

    bool readNumber(QJsonValue *value)
    {
        const auto is = [this](qsizetype at, char c) { return at < m_rest.size() && m_rest[at] == c; };
        qsizetype at = is(0, '-') ? 1 : 0;
        const qsizetype whole = is(at, '0') ? 1 : countDigits(at);
        if (whole == 0)
            return false;
        at += whole;
        bool isWhole = true;
        if (is(at, '.')) {
            const qsizetype decimals = countDigits(at + 1);
            if (decimals == 0)
                return false;
            at += 1 + decimals;
            isWhole = false;
        }
        if (is(at, 'e') || is(at, 'E')) {
            const qsizetype sign = is(at + 1, '+') || is(at + 1, '-') ? 1 : 0;
            const qsizetype digits = countDigits(at + 1 + sign);
            if (digits == 0)
                return false;
            at += 1 + sign + digits;
            isWhole = false;
        }
        if (m_builds)
            *value = toNumber(m_rest.first(at), isWhole);
        drop(at);
        return true;
    }

    static QJsonValue toNumber(QByteArrayView digits, bool isWhole)
    {
        bool fits = false;
        const QByteArray bytes = digits.toByteArray();
        const qint64 integer = isWhole ? bytes.toLongLong(&fits) : 0;
        return fits ? QJsonValue(integer) : QJsonValue(toDouble(bytes));
    }

    QByteArrayView m_rest;
    QString m_type;
    bool m_builds;
};

} // namespace

std::optional<QJsonValue> parse(QByteArrayView utf8)
{
    return Parser(utf8, true).run();
}

std::optional<QString> typeOf(QByteArrayView utf8)
{
    Parser parser(utf8, false);
    return parser.run() ? std::optional<QString>(parser.type()) : std::nullopt;
}

} // namespace Everwire::LenientJson
