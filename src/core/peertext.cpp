// SPDX-License-Identifier: MIT
#include "core/peertext.h"

#include <QList>
#include <QSet>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

namespace Everwire::PeerText {

namespace {

constexpr qsizetype ShortestHexPiece = 16; // hexadecimal digits, which are 8 bytes
// Texts that are searched at most: the original, and the results of two rounds of decoding. That
// covers percent-encoding of JSON of base64.
constexpr int MostLevels = 3;
const QString Mask = QStringLiteral("[token]");

bool isHidden(char32_t c)
{
    switch (QChar::category(c)) {
    case QChar::Other_Control:
    case QChar::Other_Format: // zero-width and bidirectional characters, tags
    case QChar::Other_Surrogate:
    case QChar::Separator_Line:
    case QChar::Separator_Paragraph: return true;
    default: return false;
    }
}

QString escaped(QStringView character)
{
    switch (character.front().unicode()) {
    case u'\n': return QStringLiteral("\\n");
    case u'\r': return QStringLiteral("\\r");
    case u'\t': return QStringLiteral("\\t");
    default: break;
    }
    QString text;
    for (const QChar unit : character)
        text += QStringLiteral("\\u%1").arg(unit.unicode(), 4, 16, QLatin1Char('0'));
    return text;
}

// The number of UTF-16 units of the character at this position: 1, or 2 for a surrogate pair.
qsizetype unitsAt(QStringView text, qsizetype at)
{
    const bool isPair = text[at].isHighSurrogate() && at + 1 < text.size() && text[at + 1].isLowSurrogate();
    return isPair ? 2 : 1;
}

char32_t characterAt(QStringView text, qsizetype at)
{
    return unitsAt(text, at) == 2 ? QChar::surrogateToUcs4(text[at], text[at + 1]) : text[at].unicode();
}

// A text after one or more rounds of decoding. For each character it holds the position in the
// original.
struct Level
{
    QString text;
    QList<qsizetype> begins;
    QList<qsizetype> ends;

    void append(QChar c, qsizetype begin, qsizetype end)
    {
        text.append(c);
        begins.append(begin);
        ends.append(end);
    }
};

Level original(QStringView text)
{
    Level level;
    for (qsizetype i = 0; i < text.size(); ++i)
        level.append(text[i], i, i + 1);
    return level;
}

// Decodes escapes of JSON, JavaScript, URLs and HTML. It may decode too much, because text that is
// not an escape matches no secret anyway.
class Decoder
{
public:
    explicit Decoder(const Level &level) : m_in(level) {}

    [[nodiscard]] Level run()
    {
        const QStringView text(m_in.text);
        while (m_at < text.size()) {
            const qsizetype begin = m_at;
            const std::optional<QChar> decoded = decodeOne();
            if (decoded) {
                m_out.append(*decoded, m_in.begins.at(begin), m_in.ends.at(m_at - 1));
            } else {
                // Drop invisible characters, so that they cannot hide a secret.
                const qsizetype units = unitsAt(text, begin);
                const bool skips = isHidden(characterAt(text, begin));
                for (qsizetype i = begin; i < begin + units && !skips; ++i)
                    m_out.append(text[i], m_in.begins.at(i), m_in.ends.at(i));
                m_at = begin + units;
            }
        }
        return m_out;
    }

private:
    std::optional<QChar> decodeOne()
    {
        switch (m_in.text.at(m_at).unicode()) {
        case u'\\': return decodeBackslash();
        case u'%': return number(m_at + 1, 2, 16, 0);
        case u'&': return decodeEntity();
        default: return {};
        }
    }

    std::optional<QChar> decodeBackslash()
    {
        const QChar next = m_at + 1 < m_in.text.size() ? m_in.text.at(m_at + 1) : QChar();
        if (next == u'u')
            return number(m_at + 2, 4, 16, 0);
        if (next == u'x')
            return number(m_at + 2, 2, 16, 0);
        if (next != u'/' && next != u'"' && next != u'\'' && next != u'\\')
            return {};
        m_at += 2;
        return next;
    }

    std::optional<QChar> decodeEntity()
    {
        const QStringView rest = QStringView(m_in.text).mid(m_at);
        if (rest.startsWith(u"&#")) {
            const bool isHex = rest.size() > 2 && rest[2].toLower() == u'x';
            const qsizetype begin = isHex ? 3 : 2;
            const qsizetype end = rest.left(10).indexOf(u';');
            return end > begin ? number(m_at + begin, end - begin, isHex ? 16 : 10, 1)
                               : std::optional<QChar>();
        }
        static const std::pair<QStringView, QChar> named[] = {
            {u"&amp;", u'&'}, {u"&quot;", u'"'}, {u"&lt;", u'<'}, {u"&gt;", u'>'}};
        for (const auto &[entity, character] : named) {
            if (rest.startsWith(entity)) {
                m_at += entity.size();
                return character;
            }
        }
        return {};
    }

    // Reads an escape of *digits* digits, and skips *behind* further characters that belong to it.
    std::optional<QChar> number(qsizetype at, qsizetype digits, int base, qsizetype behind)
    {
        const QStringView all = QStringView(m_in.text).mid(at, digits);
        const bool areDigits = std::all_of(all.begin(), all.end(), [](QChar c) {
            return (c >= u'0' && c <= u'9') || (c.toLower() >= u'a' && c.toLower() <= u'f');
        });
        bool isNumber = false;
        const uint value = all.toUInt(&isNumber, base);
        if (!areDigits || all.size() < digits || !isNumber || value > 0xffff)
            return {};
        m_at = at + digits + behind;
        return QChar(char16_t(value));
    }

    const Level &m_in;
    Level m_out;
    qsizetype m_at = 0;
};

// Compares without case, because servers and libraries change it.
QString folded(QString text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](QChar c) { return c.toLower(); });
    return text;
}

// Finds secrets in one text and marks their characters.
class Finder
{
public:
    explicit Finder(QStringView text) : m_covered(text.size(), false)
    {
        m_levels.append(original(text));
        for (int i = 1; i < MostLevels; ++i) {
            Level next = Decoder(m_levels.last()).run();
            if (next.text == m_levels.last().text)
                break;
            m_levels.append(std::move(next));
        }
    }

    void find(const QString &secret)
    {
        const QByteArray utf8 = secret.toUtf8();
        if (secret.size() < ShortestPiece) {
            for (const QString &word : {secret, QString::fromLatin1(utf8.toBase64()),
                                        QString::fromLatin1(utf8.toBase64(QByteArray::OmitTrailingEquals))})
                findWord(word);
            return;
        }
        findPieces(secret, ShortestPiece);
        findPieces(QString::fromLatin1(utf8.toHex()), ShortestHexPiece);
        // The three base64 encodings of a secret inside other data, by its offset modulo 3. The
        // characters that depend on the preceding bytes are left out.
        constexpr std::pair<int, int> cuts[] = {{0, 0}, {1, 2}, {2, 3}};
        for (const auto &[before, unknown] : cuts) {
            const QByteArray shifted = QByteArray(before, 'x') + utf8;
            for (const auto alphabet : {QByteArray::Base64Encoding, QByteArray::Base64UrlEncoding})
                findPieces(QString::fromLatin1(shifted.toBase64(alphabet).mid(unknown)), ShortestPiece);
        }
    }

    [[nodiscard]] const QList<bool> &covered() const { return m_covered; }

private:
    void cover(const Level &level, qsizetype at, qsizetype size)
    {
        std::fill(m_covered.begin() + level.begins.at(at), m_covered.begin() + level.ends.at(at + size - 1),
                  true);
    }

    void findWord(const QString &word)
    {
        if (word.isEmpty())
            return;
        for (const Level &level : std::as_const(m_levels)) {
            for (qsizetype at = level.text.indexOf(word); at >= 0; at = level.text.indexOf(word, at + 1)) {
                if (!goesOn(level.text, at, -1) && !goesOn(level.text, at + word.size() - 1, 1))
                    cover(level, at, word.size());
            }
        }
    }

    // Whether the word continues beyond this character in this direction. "api.dev.example" is one
    // word. In "no dev." the word ends before the full stop.
    static bool goesOn(QStringView text, qsizetype at, int step)
    {
        const auto isPart = [text](qsizetype i) {
            return i >= 0 && i < text.size() && (text[i].isLetterOrNumber() || text[i] == u'_');
        };
        const qsizetype next = at + step;
        if (next < 0 || next >= text.size())
            return false;
        return isPart(next) || ((text[next] == u'.' || text[next] == u'-') && isPart(next + step));
    }

    // Marks every piece of at least *least* characters that the text and the secret have in common.
    void findPieces(const QString &secret, qsizetype least)
    {
        const QString sought = folded(secret);
        for (const Level &level : std::as_const(m_levels)) {
            const QString text = folded(level.text);
            QSet<QStringView> inText;
            for (qsizetype i = 0; i + least <= text.size(); ++i)
                inText.insert(QStringView(text).mid(i, least));
            if (inText.isEmpty())
                continue;
            QSet<QStringView> inBoth;
            for (qsizetype i = 0; i + least <= sought.size(); ++i) {
                const QStringView piece = QStringView(sought).mid(i, least);
                if (inText.contains(piece))
                    inBoth.insert(piece);
            }
            for (qsizetype i = 0; i + least <= text.size() && !inBoth.isEmpty(); ++i) {
                if (inBoth.contains(QStringView(text).mid(i, least)))
                    cover(level, i, least);
            }
        }
    }

    QList<Level> m_levels;
    QList<bool> m_covered;
};

QList<bool> findAll(QStringView text, const QStringList &secrets)
{
    Finder finder(text);
    for (const QString &secret : secrets)
        finder.find(secret);
    return finder.covered();
}

} // namespace

QString shown(QStringView text, const QStringList &secrets, qsizetype limit)
{
    // An escaped character is up to 12 characters long. The extra 1024 leave text to show after a
    // masked secret.
    constexpr qsizetype widest = 12;
    const QStringView looked = text.left(widest * limit + 1024);
    const QList<bool> covered =
        secrets.isEmpty() ? QList<bool>(looked.size(), false) : findAll(looked, secrets);
    QString out;
    for (qsizetype at = 0; at < looked.size();) {
        const qsizetype begin = at;
        QString piece;
        if (covered.at(at)) {
            piece = Mask;
            while (at < looked.size() && covered.at(at))
                ++at;
        } else {
            at += unitsAt(looked, at);
            const QStringView character = looked.sliced(begin, at - begin);
            piece = isHidden(characterAt(looked, begin)) ? escaped(character) : character.toString();
        }
        if (out.size() + piece.size() > limit)
            return out + QStringLiteral("…");
        out += piece;
    }
    return looked.size() < text.size() ? out + QStringLiteral("…") : out;
}

QString shownLine(QByteArrayView utf8, const QStringList &secrets, qsizetype limit)
{
    constexpr qsizetype widest = 16; // bytes of one escaped character
    const qsizetype most = widest * limit + 4096;
    QString text = QString::fromUtf8(utf8.first(std::min(utf8.size(), most))).simplified();
    if (utf8.size() > most)
        // Longer than the limit, so that shown() adds "…".
        text += QString(limit + 1, QLatin1Char(' '));
    return shown(text, secrets, limit);
}

QStringList longOnes(const QStringList &secrets)
{
    QStringList longOnes;
    std::copy_if(secrets.begin(), secrets.end(), std::back_inserter(longOnes),
                 [](const QString &secret) { return secret.size() >= ShortestPiece; });
    return longOnes;
}

QStringList secretsOf(const QVariantMap &named)
{
    constexpr std::array words{"auth", "cookie", "token", "key", "secret", "password", "refresh"};
    QStringList secrets;
    for (auto it = named.begin(); it != named.end(); ++it) {
        const bool isSecret = std::any_of(words.begin(), words.end(), [&it](const char *word) {
            return it.key().contains(QLatin1String(word), Qt::CaseInsensitive);
        });
        if (!isSecret)
            continue;
        const QStringList parts = it.value().toString().split(QLatin1Char(' '), Qt::SkipEmptyParts);
        for (const QString &part : parts) {
            if (part.size() >= ShortestPiece) // "Bearer" and "Basic" are not secrets
                secrets.append(part);
        }
    }
    return secrets;
}

} // namespace Everwire::PeerText
