// SPDX-License-Identifier: MIT
#include "core/peertext.h"

#include <QRandomGenerator>
#include <QRegularExpression>
#include <QTest>
#include <QUrl>

using namespace Everwire;
using namespace Qt::StringLiterals;

namespace {

const QString Jwt = u"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTcwMDAwMDAwMH0."
                    u"dGhpcy1pcy9hK3NpZ25hdHVyZS1vZi1zb21lLWxlbmd0aA"_s;
// With "/" and "+", as opaque tokens in base64 have them.
const QString Opaque = u"k3y/0fSome+Kind/ab12+CDef=="_s;

QString base64(const QString &before, const QString &text)
{
    return QString::fromLatin1((before + text).toUtf8().toBase64());
}

QString percent(const QString &text, const QByteArray &include = {})
{
    return QString::fromLatin1(QUrl::toPercentEncoding(text, {}, include));
}

QString unicodeEscapes(const QString &text)
{
    QString escaped;
    for (const QChar c : text)
        escaped += u"\\u%1"_s.arg(uint(c.unicode()), 4, 16, QLatin1Char('0'));
    return escaped;
}

// The longest piece that the text has in common with the secret.
qsizetype longestPiece(const QString &text, const QString &secret)
{
    qsizetype longest = 0;
    for (qsizetype from = 0; from < secret.size(); ++from) {
        while (from + longest < secret.size() &&
               text.contains(QStringView(secret).mid(from, longest + 1), Qt::CaseInsensitive))
            ++longest;
    }
    return longest;
}

} // namespace

class TestPeerText : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void c4_hiddenCharactersAreEscaped_data();
    void c4_hiddenCharactersAreEscaped();
    void c4_everyCharacterIsSafe();
    void c4_whatIsVisibleStays();
    void c4_theLengthIsBounded();
    void c4_linesAreOneLine();
    void a7_secretsAreMasked_data();
    void a7_secretsAreMasked();
    void a7_eachPieceIsMasked();
    void a7_invisibleCharactersHideNothing();
    void a7_shortSecretsAreWholeWords_data();
    void a7_shortSecretsAreWholeWords();
    void a7_nothingElseIsMasked();
    void a7_severalSecrets();
    void a7_aSecretAtTheLimitIsNotCutOpen();
    void a7_secretsOfHeaders();
    void a7_mutations();
};

void TestPeerText::c4_hiddenCharactersAreEscaped_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("shown");
    const auto row = [](const char *name, const QString &text, const QString &shown) {
        QTest::newRow(name) << text << shown;
    };
    row("a forged log line", u"x\n\u001b[31mFAKE LOG LINE"_s, u"x\\n\\u001b[31mFAKE LOG LINE"_s);
    row("CR LF", u"a\r\nb"_s, u"a\\r\\nb"_s);
    row("tab", u"a\tb"_s, u"a\\tb"_s);
    row("NUL", u"a"_s + QChar(0) + u"b"_s, u"a\\u0000b"_s);
    row("bell, backspace", u"\a\b"_s, u"\\u0007\\u0008"_s);
    row("DEL", QString(QChar(0x7f)), u"\\u007f"_s);
    row("C1: CSI", QString(QChar(0x9b)) + u"31m"_s, u"\\u009b31m"_s);
    row("C1: NEL", QString(QChar(0x85)), u"\\u0085"_s);
    row("line and paragraph separators", u"\u2028\u2029"_s, u"\\u2028\\u2029"_s);
    row("bidi override", u"\u202egnp.exe"_s, u"\\u202egnp.exe"_s);
    row("bidi isolates", u"\u2066a\u2069"_s, u"\\u2066a\\u2069"_s);
    row("marks", u"\u200e\u200f\u061c"_s, u"\\u200e\\u200f\\u061c"_s);
    row("zero width", u"\u200b\u200c\u200d\ufeff"_s, u"\\u200b\\u200c\\u200d\\ufeff"_s);
    row("half a pair", u"a"_s + QChar(0xd83d) + u"b"_s, u"a\\ud83db"_s);
    row("the other half", u"a"_s + QChar(0xde00), u"a\\ude00"_s);
    row("tags", u"\U000e0041"_s, u"\\udb40\\udc41"_s);
    row("empty", {}, {});
}

void TestPeerText::c4_hiddenCharactersAreEscaped()
{
    QFETCH(QString, text);
    QFETCH(QString, shown);
    QCOMPARE(PeerText::shown(text), shown);
    QCOMPARE(PeerText::shown(text, {Jwt}), shown);
}

void TestPeerText::c4_everyCharacterIsSafe()
{
    for (char32_t c = 0; c <= 0x10ffff; ++c) {
        const bool isRare = c > 0x1ffff && (c < 0xe0000 || c > 0xe0fff);
        if (QChar::isSurrogate(c) || (isRare && c % 101 != 0))
            continue; // half a pair is no character
        const QString shown = PeerText::shown(QStringView(QChar::fromUcs4(c)));
        QVERIFY(!shown.isEmpty());
        for (const uint each : shown.toUcs4()) {
            const QChar::Category category = QChar::category(each);
            QVERIFY2(category != QChar::Other_Control && category != QChar::Other_Format &&
                         category != QChar::Other_Surrogate && category != QChar::Separator_Line &&
                         category != QChar::Separator_Paragraph,
                     qPrintable(QString::number(c, 16)));
        }
    }
}

void TestPeerText::c4_whatIsVisibleStays()
{
    for (const QString &text :
         {u"Invalid token"_s, u"größe, 東京, שלום, 😀"_s, u"a\\nb \"c\" <d> &amp; %41"_s, u"50 % of {x}"_s})
        QCOMPARE(PeerText::shown(text, {Jwt, Opaque}), text);
}

void TestPeerText::c4_theLengthIsBounded()
{
    QCOMPARE(PeerText::shown(u"abcdef"_s, {}, 6), u"abcdef"_s);
    QCOMPARE(PeerText::shown(u"abcdefg"_s, {}, 6), u"abcdef…"_s);
    QCOMPARE(PeerText::shown(u"abcd\n\n\n"_s, {}, 6), u"abcd\\n…"_s); // no half of an escape
    QCOMPARE(PeerText::shown(u"abcde😀"_s, {}, 6), u"abcde…"_s);       // nor of a character
    const QString huge(30 * 1024 * 1024, u'x');
    QCOMPARE(PeerText::shown(huge, {Jwt}), QString(PeerText::Longest, u'x') + u'…');
    QCOMPARE(PeerText::shown(QString(100'000, u'\n'), {Jwt}, 100).size(), 101);
    QCOMPARE(PeerText::shownLine(QByteArray(1'000'000, 'y'), {Jwt}, 10), u"yyyyyyyyyy…"_s);
}

void TestPeerText::c4_linesAreOneLine()
{
    QCOMPARE(PeerText::shownLine(" no\r\n\t such   thing\n"), u"no such thing"_s);
    QCOMPARE(PeerText::shownLine("a\x1b[2Jb\xff"), u"a\\u001b[2Jb\ufffd"_s);
    QCOMPARE(PeerText::shownLine(QByteArray()), QString());
}

void TestPeerText::a7_secretsAreMasked_data()
{
    QTest::addColumn<QString>("quoted");
    QTest::addColumn<QString>("secret");
    const auto row = [](const char *name, const QString &quoted, const QString &secret) {
        QTest::newRow(name) << quoted << secret;
    };
    row("whole", Jwt, Jwt);
    row("cut", Jwt.left(100), Jwt);
    row("8 characters", Jwt.left(8), Jwt);
    row("the end", Jwt.right(20), Jwt);
    row("from the middle", Jwt.mid(30, 40), Jwt);
    row("a JWT's payload", Jwt.section(u'.', 1, 1), Jwt);
    row("a JWT's signature", Jwt.section(u'.', 2, 2), Jwt);
    row("in another case", Jwt.toUpper(), Jwt);
    row("opaque", Opaque, Opaque);
    row("percent-encoded", percent(Opaque), Opaque);
    row("percent-encoded, lower case", percent(Opaque).replace("%2F"_L1, "%2f"_L1), Opaque);
    row("percent-encoded, all of it", percent(Jwt, "eyJhbGciOiJIUzI1NiJ9."), Jwt);
    row("percent-encoded twice", percent(percent(Opaque)), Opaque);
    row("percent-encoded and cut", percent(Opaque).left(19), Opaque);
    row("JSON's \\/", QString(Opaque).replace(u'/', "\\/"_L1), Opaque);
    row("JSON's \\u", unicodeEscapes(Opaque), Opaque);
    row("JSON's \\u, upper case", unicodeEscapes(Opaque).replace("002b"_L1, "002B"_L1), Opaque);
    row("JSON in JSON", QString(Opaque).replace(u'/', "\\\\\\/"_L1), Opaque);
    row("escapes of a script", QString(Opaque).replace(u'/', "\\x2F"_L1), Opaque);
    row("HTML", QString(Opaque).replace(u'+', "&#43;"_L1).replace(u'/', "&#x2F;"_L1), Opaque);
    row("base64", base64({}, Opaque), Opaque);
    row("base64 in JSON", base64({}, Opaque).replace(u'/', "\\/"_L1).replace(u'=', "\\u003d"_L1), Opaque);
    row("base64 for URLs", base64({}, u"?>>"_s + Opaque).replace(u'/', u'_').replace(u'+', u'-'),
        u"?>>"_s + Opaque);
    row("base64, percent-encoded", percent(base64({}, Opaque)), Opaque);
    row("hexadecimal", QString::fromLatin1(Opaque.toUtf8().toHex()), Opaque);
    row("HEXADECIMAL", QString::fromLatin1(Opaque.toUtf8().toHex()).toUpper(), Opaque);
    row("not ASCII", u"pässwörd-größe"_s, u"pässwörd-größe"_s);
}

void TestPeerText::a7_secretsAreMasked()
{
    QFETCH(QString, quoted);
    QFETCH(QString, secret);
    QCOMPARE(PeerText::shown(quoted, {secret}), u"[token]"_s);
    QCOMPARE(PeerText::shown(u"token "_s + quoted + u" expired"_s, {secret}), u"token [token] expired"_s);
    QCOMPARE(PeerText::shown(u"{\"token\":\""_s + quoted + u"\"}\n"_s, {secret}),
             u"{\"token\":\"[token]\"}\\n"_s);
    QCOMPARE(PeerText::shownLine((u"no: "_s + quoted).toUtf8(), {secret}), u"no: [token]"_s);
}

// In base64 what stands before it moves its bits.
void TestPeerText::a7_eachPieceIsMasked()
{
    for (const QString &before : {u""_s, u"a"_s, u"ab"_s, u"Bearer "_s, u"user:"_s}) {
        const QString shown = PeerText::shown(base64(before, Jwt), {Jwt});
        QVERIFY2(longestPiece(shown, base64(before, Jwt)) < PeerText::ShortestPiece + before.size() * 2,
                 qPrintable(shown));
        QVERIFY2(shown.contains("[token]"_L1), qPrintable(shown));
    }
    for (qsizetype from = 0; from < Jwt.size(); ++from) {
        for (const qsizetype size : {8, 9, 17, 50}) {
            const QString piece = Jwt.mid(from, size);
            if (piece.size() >= PeerText::ShortestPiece)
                QCOMPARE(PeerText::shown(u"<"_s + piece + u">"_s, {Jwt}), u"<[token]>"_s);
        }
    }
}

void TestPeerText::a7_invisibleCharactersHideNothing()
{
    for (const QString &between : {u"\u200b"_s, u"\n"_s, u"\u202e"_s, QString(QChar(0))}) {
        QString quoted;
        for (const QChar c : Jwt)
            quoted += c + between;
        const QString shown = PeerText::shown(quoted, {Jwt}, 2000);
        QVERIFY2(shown.startsWith("[token]"_L1) && shown.size() < 20, qPrintable(shown));
    }
}

void TestPeerText::a7_shortSecretsAreWholeWords_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("shown");
    const auto row = [](const char *name, const QString &text, const QString &shown) {
        QTest::newRow(name) << text << shown;
    };
    row("alone", u"dev"_s, u"[token]"_s);
    row("a word", u"token dev refused"_s, u"token [token] refused"_s);
    row("ends a sentence", u"I know no dev."_s, u"I know no [token]."_s);
    row("quoted", u"\"dev\" 'dev' (dev)"_s, u"\"[token]\" '[token]' ([token])"_s);
    row("a value", u"token=dev&x"_s, u"token=[token]&x"_s);
    row("of a longer word", u"developer, devs, adev"_s, u"developer, devs, adev"_s);
    row("of a name", u"api.dev.example, dev-1, /var/dev_x"_s, u"api.dev.example, dev-1, /var/dev_x"_s);
    row("another case", u"Dev"_s, u"Dev"_s);
    row("base64", u"ZGV2"_s, u"[token]"_s);
    row("escaped", u"token \\u0064ev"_s, u"token [token]"_s);
    row("percent-encoded", u"token=%64%65v"_s, u"token=[token]"_s);
}

void TestPeerText::a7_shortSecretsAreWholeWords()
{
    QFETCH(QString, text);
    QFETCH(QString, shown);
    QCOMPARE(PeerText::shown(text, {u"dev"_s}), shown);
}

void TestPeerText::a7_nothingElseIsMasked()
{
    QCOMPARE(PeerText::shown(u"eyJhbGc"_s, {Jwt}), u"eyJhbGc"_s); // 7: not enough
    QCOMPARE(PeerText::shown(u"anything"_s, {QString(), u"x"_s}), u"anything"_s);
    QCOMPARE(PeerText::shown(u"Invalid or expired token; sign in again"_s, {Jwt, Opaque, u"t"_s}),
             u"Invalid or expired token; sign in again"_s);
}

void TestPeerText::a7_severalSecrets()
{
    QCOMPARE(PeerText::shown(u"old "_s + Opaque + u", new "_s + Jwt + u", dev"_s, {Opaque, Jwt, u"dev"_s}),
             u"old [token], new [token], [token]"_s);
}

void TestPeerText::a7_aSecretAtTheLimitIsNotCutOpen()
{
    for (qsizetype before = 0; before < 60; ++before) {
        const QString shown = PeerText::shown(QString(before, u'.') + Jwt + u" end"_s, {Jwt}, 50);
        QCOMPARE(longestPiece(shown, Jwt),
                 before < 44 ? longestPiece(u"[token]"_s, Jwt) : longestPiece(shown, Jwt));
        QVERIFY2(longestPiece(shown, Jwt) < PeerText::ShortestPiece, qPrintable(shown));
    }
}

void TestPeerText::a7_secretsOfHeaders()
{
    const QVariantMap headers{{u"Authorization"_s, u"Bearer "_s + Jwt},
                              {u"Cookie"_s, u"sid=0123456789abcdef"_s},
                              {u"X-Api-Key"_s, u"key-0123456789"_s},
                              {u"User-Agent"_s, u"everwire/0.1 tests"_s},
                              {u"Origin"_s, u"https://app.example"_s}};
    QStringList secrets = PeerText::secretsOf(headers);
    secrets.sort();
    QCOMPARE(secrets, (QStringList{Jwt, u"key-0123456789"_s, u"sid=0123456789abcdef"_s}));
    // And of a body.
    QCOMPARE(PeerText::secretsOf({{u"refresh"_s, Opaque}, {u"password"_s, u"short"_s}, {u"name"_s, Jwt}}),
             QStringList{Opaque});
}

void TestPeerText::a7_mutations()
{
    QRandomGenerator random(7);
    const QString around = u" \"'{}[]()<>.,:;/\\%&?=+-_\n\u001b\u2066äx0"_s;
    for (int round = 0; round < 3000; ++round) {
        const QString &secret = random.bounded(2) ? Jwt : Opaque;
        QString text;
        for (int part = random.bounded(1, 5); part > 0; --part) {
            for (int i = random.bounded(12); i > 0; --i)
                text += around.at(random.bounded(int(around.size())));
            const int from = random.bounded(int(secret.size()));
            text += secret.mid(from, random.bounded(40));
        }
        const QString shown = PeerText::shown(text, {secret});
        QString visible = shown; // without escapes, whose letters may be the secret's as well
        static const QRegularExpression escape(u"\\\\(n|u[0-9a-f]{4})"_s);
        visible.replace(escape, u" "_s);
        QVERIFY2(longestPiece(visible, secret) < PeerText::ShortestPiece,
                 qPrintable(text + u" => "_s + shown));
        QVERIFY(!shown.contains(u'\n') && !shown.contains(u'\u001b') && !shown.contains(u'\u2066'));
    }
}

QTEST_APPLESS_MAIN(TestPeerText)
#include "tst_peertext.moc"
