// SPDX-License-Identifier: MIT
#include "audioframer.h"
#include "turnbuffer.h"
#include "wavfile.h"

#include <QTest>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;

namespace {

QJsonObject header(const QJsonValue &sequence, const QJsonValue &size)
{
    return {{u"type"_s, u"audio_chunk"_s}, {u"sequence"_s, sequence}, {u"size"_s, size}};
}

QJsonObject encoded(const QJsonObject &payload)
{
    return {{u"type"_s, u"audio_chunk"_s}, {u"payload"_s, payload}};
}

} // namespace

class TestAudioFraming : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void headerAndFrame();
    void frameWithoutHeader();
    void wrongSize();
    void interruptedHeader();
    void badHeaderSkipsItsFrame_data();
    void badHeaderSkipsItsFrame();
    void encodedChunks_data();
    void encodedChunks();
    void bufferOrdersAndIgnoresRepeats();
    void bufferIsLimited();
    void bufferNotesWhatIsMissing();
    void bufferKeepsOneWavHeader();
};

void TestAudioFraming::headerAndFrame()
{
    AudioFramer framer;
    const FramedAudio waiting = framer.takeHeader(header(0, 3));
    QVERIFY(!waiting.chunk && waiting.error.isEmpty());
    const FramedAudio framed = framer.takeFrame("abc");
    QVERIFY2(framed.chunk.has_value(), qPrintable(framed.error));
    QCOMPARE(framed.chunk->sequence, 0);
    QCOMPARE(framed.chunk->data, "abc");
    QVERIFY(framer.interrupted().isEmpty());
}

void TestAudioFraming::frameWithoutHeader()
{
    AudioFramer framer;
    QVERIFY(framer.takeFrame("abc").error.contains(u"without an audio_chunk header"_s));
}

void TestAudioFraming::wrongSize()
{
    AudioFramer framer;
    QVERIFY(framer.takeHeader(header(4, 3)).error.isEmpty());
    const FramedAudio framed = framer.takeFrame("abcd");
    QVERIFY(!framed.chunk);
    QCOMPARE(framed.error, u"chunk 4 announced 3 bytes and has 4; it was dropped"_s);
    QVERIFY(!framer.takeFrame("abc").chunk); // the header is used up
}

void TestAudioFraming::interruptedHeader()
{
    AudioFramer framer;
    QVERIFY(framer.takeHeader(header(7, 3)).error.isEmpty());
    QVERIFY(framer.interrupted().contains(u"chunk 7"_s));
    QVERIFY(framer.interrupted().isEmpty());
    QVERIFY(!framer.takeFrame("abc").chunk);
}

void TestAudioFraming::badHeaderSkipsItsFrame_data()
{
    QTest::addColumn<QJsonObject>("message");
    QTest::newRow("no size") << header(1, QJsonValue::Undefined);
    QTest::newRow("size 0") << header(1, 0);
    QTest::newRow("size as text") << header(1, u"3"_s);
    QTest::newRow("negative sequence") << header(-1, 3);
    QTest::newRow("broken sequence") << header(1.5, 3);
    QTest::newRow("huge sequence") << header(1e300, 3);
}

void TestAudioFraming::badHeaderSkipsItsFrame()
{
    QFETCH(QJsonObject, message);
    AudioFramer framer;
    QVERIFY(framer.takeHeader(message).error.contains(u"whole numbers"_s));
    const FramedAudio skipped = framer.takeFrame("abc");
    QVERIFY(!skipped.chunk && skipped.error.isEmpty());
    QVERIFY(!framer.takeFrame("abc").error.isEmpty());
}

void TestAudioFraming::encodedChunks_data()
{
    QTest::addColumn<QJsonObject>("payload");
    QTest::addColumn<QString>("errorPart");
    const QJsonObject good{{u"chunk"_s, u"YWJj"_s}, {u"sequence"_s, 1}, {u"format"_s, u"wav"_s}};
    const auto with = [&good](const QString &key, const QJsonValue &value) {
        QJsonObject payload = good;
        payload.insert(key, value);
        return payload;
    };
    QTest::newRow("good") << good << QString();
    QTest::newRow("sequence 0") << with(u"sequence"_s, 0) << u"from 1"_s;
    QTest::newRow("no base64") << with(u"chunk"_s, u"YW!j"_s) << u"not base64"_s;
    QTest::newRow("empty") << with(u"chunk"_s, QString()) << u"empty"_s;
    QTest::newRow("a number") << with(u"chunk"_s, 5) << u"not base64"_s;
    QTest::newRow("webm") << with(u"format"_s, u"webm"_s) << u"wav or pcm"_s;
}

void TestAudioFraming::encodedChunks()
{
    QFETCH(QJsonObject, payload);
    QFETCH(QString, errorPart);
    AudioFramer framer;
    const FramedAudio framed = framer.takeHeader(encoded(payload));
    QCOMPARE(framed.chunk.has_value(), errorPart.isEmpty());
    QVERIFY2(framed.error.contains(errorPart), qPrintable(framed.error));
    if (framed.chunk)
        QCOMPARE(framed.chunk->data, "abc");
}

void TestAudioFraming::bufferOrdersAndIgnoresRepeats()
{
    TurnBuffer buffer;
    QCOMPARE(buffer.add({2, "cd"}, 100), TurnBuffer::Outcome::Added);
    QCOMPARE(buffer.add({1, "ab"}, 100), TurnBuffer::Outcome::Added);
    QCOMPARE(buffer.add({2, "xx"}, 100), TurnBuffer::Outcome::Duplicate);
    QCOMPARE(buffer.audio(), "abcd");
    QCOMPARE(buffer.bytes(), 4);
}

void TestAudioFraming::bufferIsLimited()
{
    TurnBuffer buffer;
    QCOMPARE(buffer.add({1, "abcd"}, 5), TurnBuffer::Outcome::Added);
    QCOMPARE(buffer.add({2, "ef"}, 5), TurnBuffer::Outcome::Full);
    QVERIFY(buffer.overflowed());
    QCOMPARE(buffer.audio(), "abcd");
    buffer.clear();
    QVERIFY(!buffer.overflowed() && buffer.isEmpty());
    QCOMPARE(buffer.bytes(), 0);
}

void TestAudioFraming::bufferNotesWhatIsMissing()
{
    using Sequences = QList<qint64>;
    TurnBuffer buffer;
    QCOMPARE(buffer.missing({}), Sequences());
    QCOMPARE(buffer.missing(2), (Sequences{1, 2}));
    for (const qint64 sequence : {1, 2, 4})
        buffer.add({sequence, "x"}, 100);
    QCOMPARE(buffer.missing({}), Sequences{3});
    QCOMPARE(buffer.missing(6), (Sequences{3, 5, 6}));
    QCOMPARE(buffer.missing(1LL << 31).size(), 1000);

    buffer.clear(); // the client may go on counting …
    buffer.add({6, "x"}, 100);
    QCOMPARE(buffer.missing({}), Sequences{5});
    buffer.clear(); // … or begin again, at 0 or at 1
    buffer.add({0, "x"}, 100);
    QCOMPARE(buffer.missing(2), (Sequences{1, 2}));
    buffer.clear();
    buffer.add({1, "x"}, 100);
    QCOMPARE(buffer.missing(2), Sequences{2});
}

void TestAudioFraming::bufferKeepsOneWavHeader()
{
    const QByteArray first = encodeWav({1, 2}, 16000);
    const QByteArray second = encodeWav({3, 4}, 16000);
    TurnBuffer buffer;
    buffer.add({1, first}, 1000);
    buffer.add({2, second}, 1000);
    QCOMPARE(buffer.audio(), first + second.mid(44));
}

QTEST_APPLESS_MAIN(TestAudioFraming)
#include "tst_audioframing.moc"
