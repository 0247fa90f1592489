// SPDX-License-Identifier: MIT
#include "transport/utf8.h"

#include <QStringDecoder>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;

class TestUtf8 : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyTwoByteSequenceAsQtDecodesIt();
    void knownSequences_data();
    void knownSequences();
    void saysNoAtTheFirstBadByte();
    void cutsBetweenCodePoints();
};

void TestUtf8::everyTwoByteSequenceAsQtDecodesIt()
{
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; ++second) {
            const QByteArray text = QByteArray(1, char(first)) + QByteArray(1, char(second));
            QStringDecoder decoder(QStringDecoder::Utf8, QStringConverter::Flag::Stateless);
            const QString decoded = decoder(text);
            Q_UNUSED(decoded)
            QCOMPARE(isUtf8(text), !decoder.hasError());
            Utf8Check check;
            const bool whole = check.feed(text.first(1)) && check.feed(text.sliced(1)) && check.isComplete();
            QCOMPARE(whole, !decoder.hasError());
        }
    }
}

void TestUtf8::knownSequences_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("valid");
    QTest::newRow("empty") << QByteArray() << true;
    QTest::newRow("all lengths") << QByteArray("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80") << true;
    QTest::newRow("last code point") << QByteArray("\xf4\x8f\xbf\xbf") << true;
    QTest::newRow("above it") << QByteArray("\xf4\x90\x80\x80") << false;
    QTest::newRow("surrogate") << QByteArray("\xed\xa0\x80") << false;
    QTest::newRow("before surrogates") << QByteArray("\xed\x9f\xbf") << true;
    QTest::newRow("overlong 2") << QByteArray("\xc0\xaf") << false;
    QTest::newRow("overlong 3") << QByteArray("\xe0\x80\xaf") << false;
    QTest::newRow("overlong 4") << QByteArray("\xf0\x80\x80\xaf") << false;
    QTest::newRow("five bytes") << QByteArray("\xf8\x88\x80\x80\x80") << false;
    QTest::newRow("lonely continuation") << QByteArray("\x80") << false;
    QTest::newRow("cut off") << QByteArray("abc\xe2\x82") << false;
    QTest::newRow("long, bad at the end") << QByteArray(1000, 'x') + "\xc3" << false;
}

void TestUtf8::knownSequences()
{
    QFETCH(const QByteArray, text);
    QFETCH(const bool, valid);
    QCOMPARE(isUtf8(text), valid);
    for (qsizetype first = 0; first <= text.size(); ++first) {
        for (qsizetype second = first; second <= text.size(); second += text.size() > 50 ? 97 : 1) {
            Utf8Check check;
            const bool begins = check.feed(text.first(first)) &&
                                check.feed(text.sliced(first, second - first)) &&
                                check.feed(text.sliced(second));
            QCOMPARE(begins && check.isComplete(), valid);
        }
    }
}

void TestUtf8::saysNoAtTheFirstBadByte()
{
    Utf8Check check;
    QVERIFY(check.feed("abc\xf4"));
    QVERIFY(!check.isComplete());
    QVERIFY(!check.feed("\x90")); // U+110000 and above, whatever follows
}

void TestUtf8::cutsBetweenCodePoints()
{
    const QByteArray text = QByteArray("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80").repeated(9);
    for (qsizetype most = 4; most < text.size(); ++most) {
        const qsizetype cut = cutAtCodePoint(text, most);
        QVERIFY(cut > most - 4 && cut <= most);
        QVERIFY(isUtf8(text.first(cut)) && isUtf8(text.sliced(cut)));
    }
    QCOMPARE(cutAtCodePoint(text, text.size()), text.size());
    QCOMPARE(cutAtCodePoint(QByteArray(40, '\x80'), 16), 16); // no text: any cut will do
}

QTEST_APPLESS_MAIN(TestUtf8)
#include "tst_utf8.moc"
