// SPDX-License-Identifier: MIT
#include "transport/utf8cut.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRandomGenerator>
#include <QStringDecoder>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;

namespace {

// As a QWebSocket at the other end reads it: each frame on its own.
bool everyFrameDecodes(const QByteArray &utf8, qint64 frameSize)
{
    for (qint64 at = 0; at < utf8.size(); at += frameSize) {
        QStringDecoder decoder(QStringDecoder::Utf8, QStringConverter::Flag::Stateless);
        const QString frame = decoder(utf8.mid(at, frameSize));
        Q_UNUSED(frame)
        if (decoder.hasError())
            return false;
    }
    return true;
}

} // namespace

class TestUtf8Cut : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void q6_whatFitsIsNotCut();
    void q6_asciiUsesWholeFrames();
    void q6_framesEndBetweenCodePoints_data();
    void q6_framesEndBetweenCodePoints();
    void q6_theLargestSizeThatWorks();
    void q6_whereNoneWorks();
    void q6_escapedAtCuts_data();
    void q6_escapedAtCuts();
    void q6_nothingIsEscapedInVain();
    void q6_mixedTexts();
};

void TestUtf8Cut::q6_whatFitsIsNotCut()
{
    QCOMPARE(frameSizeForText({}, 16), 16);
    QCOMPARE(frameSizeForText("äöü", 16), 16);
    QCOMPARE(frameSizeForText(u"ä"_s.repeated(8).toUtf8(), 16), 16); // exactly one frame
}

void TestUtf8Cut::q6_asciiUsesWholeFrames()
{
    QCOMPARE(frameSizeForText(QByteArray(1'000'000, 'x'), 32'768), 32'768);
    QCOMPARE(frameSizeForText(QByteArray(17, 'x'), 16), 16);
}

void TestUtf8Cut::q6_framesEndBetweenCodePoints_data()
{
    QTest::addColumn<QString>("letter");
    QTest::addColumn<int>("offset");
    for (const QString &letter : {u"ä"_s, u"€"_s, u"😀"_s}) {
        for (int offset = 0; offset < 4; ++offset)
            QTest::addRow("%s after %d", qPrintable(letter), offset) << letter << offset;
    }
}

void TestUtf8Cut::q6_framesEndBetweenCodePoints()
{
    QFETCH(QString, letter);
    QFETCH(int, offset);
    const QByteArray text = QByteArray(offset, 'x') + letter.repeated(5'000).toUtf8();
    for (const qint64 limit : {1024, 1025, 1026, 1027, 4096}) {
        const qint64 size = frameSizeForText(text, limit);
        // Every cut is off by the same offset, so there is one only where whole letters come before.
        if (offset % letter.toUtf8().size() == 0) {
            QVERIFY(size <= limit && size > limit / 2);
            QVERIFY2(everyFrameDecodes(text, size), qPrintable(QString::number(size)));
        } else {
            QCOMPARE(size, 0);
        }
    }
}

void TestUtf8Cut::q6_theLargestSizeThatWorks()
{
    const QByteArray text = u"€"_s.repeated(1'000).toUtf8(); // three bytes each
    QCOMPARE(frameSizeForText(text, 1000), 999);
    QCOMPARE(frameSizeForText(text, 999), 999);
    QCOMPARE(frameSizeForText(text, 998), 996);
}

void TestUtf8Cut::q6_whereNoneWorks()
{
    QCOMPARE(frameSizeForText('x' + u"😀"_s.repeated(10'000).toUtf8(), 64), 0);
}

void TestUtf8Cut::q6_escapedAtCuts_data()
{
    QTest::addColumn<QString>("value");
    for (const QString &letter : {u"ä"_s, u"€"_s, u"😀"_s}) {
        for (int offset = 0; offset < 4; ++offset)
            QTest::addRow("%s after %d", qPrintable(letter), offset)
                << QString(offset, u'x') + letter.repeated(2'000);
    }
    QTest::newRow("ASCII") << QString(5'000, u'x');
    QTest::newRow("escapes") << u"\"\\\n\t"_s.repeated(500) + u"ä"_s.repeated(500);
    QTest::newRow("nothing") << QString();
}

void TestUtf8Cut::q6_escapedAtCuts()
{
    QFETCH(QString, value);
    const QJsonObject object{{u"type"_s, u"t"_s}, {u"v"_s, value}};
    const QByteArray json = QJsonDocument(object).toJson(QJsonDocument::Compact);
    for (const qint64 size : {16, 17, 18, 19, 64, 1000, 32'768}) {
        const QByteArray escaped = escapedAtCuts(json, size);
        QVERIFY(everyFrameDecodes(escaped, size));
        QCOMPARE(QJsonDocument::fromJson(escaped).object(), object);
        // A letter of two bytes becomes six, at most one at each cut.
        QVERIFY(escaped.size() <= json.size() + 8 * (escaped.size() / size + 1));
    }
}

void TestUtf8Cut::q6_nothingIsEscapedInVain()
{
    const QByteArray json = "{\"v\":\"" + u"ä"_s.repeated(100).toUtf8() + "\"}"; // 6 bytes before
    QCOMPARE(escapedAtCuts(json, 16), json);
    QCOMPARE(escapedAtCuts(json, 1000), json);
    QVERIFY(escapedAtCuts(json, 17) != json);
    QCOMPARE(escapedAtCuts({}, 16), QByteArray());
}

void TestUtf8Cut::q6_mixedTexts()
{
    QRandomGenerator random(42);
    const QStringList letters{u"a"_s, u"b"_s, u" "_s, u"ä"_s, u"€"_s, u"😀"_s};
    for (int round = 0; round < 200; ++round) {
        QString text;
        for (int i = 0; i < 1'000; ++i)
            text += letters.at(random.bounded(100) < 90 ? random.bounded(3) : random.bounded(3, 6));
        const QByteArray utf8 = text.toUtf8();
        const qint64 size = frameSizeForText(utf8, 512);
        QVERIFY(size == 0 || (size <= 512 && size > 256 && everyFrameDecodes(utf8, size)));
        const QByteArray json = QJsonDocument(QJsonArray{text}).toJson(QJsonDocument::Compact);
        const QByteArray escaped = escapedAtCuts(json, 100);
        QVERIFY(everyFrameDecodes(escaped, 100));
        QCOMPARE(QJsonDocument::fromJson(escaped).array().first().toString(), text);
    }
}

QTEST_GUILESS_MAIN(TestUtf8Cut)
#include "tst_utf8cut.moc"
