// SPDX-License-Identifier: MIT
#include "client/environmentfile.h"

namespace Everwire {

namespace {

// Characters that references may put in, in all: $A$A of $B$B of … grows without end.
constexpr qsizetype MostExpanded = 1024 * 1024;

bool isNameStart(QChar c)
{
    return c == QLatin1Char('_') || (c >= QLatin1Char('a') && c <= QLatin1Char('z')) ||
           (c >= QLatin1Char('A') && c <= QLatin1Char('Z'));
}

bool isNamePart(QChar c)
{
    return isNameStart(c) || c.isDigit();
}

bool isSpace(QChar c)
{
    return c == QLatin1Char(' ') || c == QLatin1Char('\t');
}

} // namespace

class EnvironmentFile::Parser
{
public:
    Parser(EnvironmentFile &file, QString text, const Lookup &lookup)
        : m_file(file), m_text(std::move(text)), m_lookup(lookup)
    {
    }

    void run()
    {
        while (m_at < m_text.size()) {
            m_startLine = m_line;
            if (const QString problem = readLine(); !problem.isEmpty())
                m_file.m_problems.append({m_startLine, problem});
            skipLine();
        }
    }

private:
    [[nodiscard]] QChar peek() const
    {
        return m_at < m_text.size() ? m_text.at(m_at) : QChar(QLatin1Char('\n'));
    }
    [[nodiscard]] bool atLineEnd() const { return peek() == QLatin1Char('\n'); }

    QChar next()
    {
        const QChar c = peek();
        if (c == QLatin1Char('\n'))
            ++m_line;
        ++m_at;
        return c;
    }
    void skipSpaces()
    {
        while (isSpace(peek()))
            ++m_at;
    }
    void skipLine()
    {
        while (m_at < m_text.size() && next() != QLatin1Char('\n')) {
        }
    }

    // A sentence about what is wrong with it; empty where it is good.
    [[nodiscard]] QString readLine()
    {
        skipSpaces();
        if (atLineEnd() || peek() == QLatin1Char('#'))
            return {};
        QString name = readName();
        if (name == QLatin1String("export") && isSpace(peek())) {
            skipSpaces();
            name = readName();
        }
        if (name.isEmpty())
            return QStringLiteral(
                "a variable's name is missing; it is letters, digits and _, and no digit first");
        skipSpaces();
        if (peek() != QLatin1Char('='))
            return QStringLiteral("there is no \"=\" behind the name");
        ++m_at;
        skipSpaces();
        return readValue(name);
    }

    [[nodiscard]] QString readName()
    {
        const qsizetype start = m_at;
        if (isNameStart(peek())) {
            while (isNamePart(peek()))
                ++m_at;
        }
        return m_text.mid(start, m_at - start);
    }

    [[nodiscard]] QString readValue(const QString &name)
    {
        const QChar quote = peek();
        const bool isQuoted = quote == QLatin1Char('"') || quote == QLatin1Char('\'');
        QString value;
        const QString problem = isQuoted ? readQuoted(quote, &value) : readBare(&value);
        if (!problem.isEmpty())
            return problem;
        for (const QChar c : std::as_const(value)) {
            if (c.isNull() || c == QChar::ReplacementCharacter)
                return c.isNull() ? QStringLiteral("the value holds a NUL byte")
                                  : QStringLiteral("the value is not UTF-8");
        }
        m_file.m_values.insert(name, value);
        return {};
    }

    [[nodiscard]] QString readBare(QString *value)
    {
        qsizetype kept = 0; // without what spaces end it
        while (!atLineEnd()) {
            const bool afterSpace = m_at > 0 && isSpace(m_text.at(m_at - 1));
            if (peek() == QLatin1Char('#') && (afterSpace || value->isEmpty()))
                break;
            if (const QString problem = readCharacter(value, false); !problem.isEmpty())
                return problem;
            if (!value->isEmpty() && !isSpace(value->back()))
                kept = value->size();
        }
        value->truncate(kept);
        return {};
    }

    [[nodiscard]] QString readQuoted(QChar quote, QString *value)
    {
        const qsizetype start = m_at;
        const int line = m_line;
        ++m_at;
        while (m_at < m_text.size() && peek() != quote) {
            if (quote == QLatin1Char('\'')) {
                value->append(next());
            } else if (const QString problem = readCharacter(value, true); !problem.isEmpty()) {
                return problem;
            }
        }
        if (m_at >= m_text.size()) {
            m_at = start; // the lines behind it may be good
            m_line = line;
            return QStringLiteral("the quote %1 is not closed").arg(quote);
        }
        ++m_at;
        skipSpaces();
        if (!atLineEnd() && peek() != QLatin1Char('#'))
            return QStringLiteral("there is something behind the closing quote");
        return {};
    }

    [[nodiscard]] QString readCharacter(QString *value, bool isQuoted)
    {
        if (peek() == QLatin1Char('$'))
            return readReference(value);
        if (peek() != QLatin1Char('\\')) {
            value->append(next());
            return {};
        }
        ++m_at;
        const QChar escaped = m_at < m_text.size() ? peek() : QChar();
        if (escaped == QLatin1Char('$') || (isQuoted && QStringView(u"\"\\nrt").contains(escaped))) {
            ++m_at;
            value->append(escaped == QLatin1Char('n')   ? QLatin1Char('\n')
                          : escaped == QLatin1Char('r') ? QLatin1Char('\r')
                          : escaped == QLatin1Char('t') ? QLatin1Char('\t')
                                                        : escaped);
        } else {
            value->append(QLatin1Char('\\'));
        }
        return {};
    }

    [[nodiscard]] QString readReference(QString *value)
    {
        ++m_at;
        const bool isBraced = peek() == QLatin1Char('{');
        if (isBraced)
            ++m_at;
        const QString name = readName();
        if (name.isEmpty() && !isBraced) {
            value->append(QLatin1Char('$'));
            return {};
        }
        if (isBraced && (name.isEmpty() || peek() != QLatin1Char('}')))
            return QStringLiteral("\"${\" is not followed by a name and \"}\"");
        if (isBraced)
            ++m_at;
        const auto defined = m_file.m_values.constFind(name);
        const QString replacement = defined != m_file.m_values.constEnd() ? *defined : m_lookup(name);
        if (replacement.isNull())
            return QStringLiteral("%1 is used before anything defines it").arg(name);
        m_expanded += replacement.size();
        if (m_expanded > MostExpanded)
            return QStringLiteral("the file's references make more than %1 characters").arg(MostExpanded);
        value->append(replacement);
        return {};
    }

    EnvironmentFile &m_file;
    const QString m_text;
    const Lookup &m_lookup;
    qsizetype m_at = 0;
    int m_line = 1;
    int m_startLine = 1;
    qsizetype m_expanded = 0;
};

EnvironmentFile EnvironmentFile::parse(const QByteArray &bytes, const Lookup &lookup)
{
    EnvironmentFile file;
    if (bytes.startsWith("\xff\xfe") || bytes.startsWith("\xfe\xff")) {
        file.m_problems.append({1, QStringLiteral("the file is UTF-16; save it as UTF-8")});
        return file;
    }
    QString text = QString::fromUtf8(bytes.startsWith("\xef\xbb\xbf") ? bytes.mid(3) : bytes);
    text.replace(QLatin1String("\r\n"), QLatin1String("\n")).replace(QLatin1Char('\r'), QLatin1Char('\n'));
    Parser(file, std::move(text), lookup).run();
    return file;
}

} // namespace Everwire
