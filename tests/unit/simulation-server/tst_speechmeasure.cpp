// SPDX-License-Identifier: MIT
#include "signals.h"
#include "speechmeasure.h"
#include "wavfile.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QtEndian>
#include <QTest>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;

namespace {

SpeechMeasure measured(const Signals::Samples &samples)
{
    return measureSpeech(samples, Signals::rate);
}

QByteArray resource(const QString &path)
{
    QFile file(QStringLiteral(EVERWIRE_RESOURCES "/") + path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

bool isNear(double value, double expected, double tolerance)
{
    if (qAbs(value - expected) <= tolerance)
        return true;
    qWarning("%f is not %f within %f", value, expected, tolerance);
    return false;
}

} // namespace

class TestSpeechMeasure : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void nothing();
    void digitalSilence();
    void quietNoiseIsNotSpeech();
    void loudnessOfATone_data();
    void loudnessOfATone();
    void pausesAreFoundAndMeasured();
    void voiceAboveNoise();
    void clicksAreNotSpeech();
    void clipping();
    void pace_data();
    void pace();
    void committedRecordings_data();
    void committedRecordings();
    void everyRecordingIsListed();
    void wavRoundTrip();
    void wavVariants_data();
    void wavVariants();
    void streamedWavHasNoTrustedSize();
    void stereoIsMixedDown();
};

void TestSpeechMeasure::nothing()
{
    const SpeechMeasure measure = measured({});
    QCOMPARE(measure.durationSeconds, 0.0);
    QVERIFY(!measure.hasSpeech());
    QVERIFY(!measured(Signals::tone(0.01, 0.5)).hasSpeech());
}

void TestSpeechMeasure::digitalSilence()
{
    const SpeechMeasure measure = measured(Signals::silence(2));
    QVERIFY(isNear(measure.durationSeconds, 2, 0.001));
    QVERIFY(!measure.hasSpeech());
    QCOMPARE(measure.loudnessDbfs, -100.0);
}

void TestSpeechMeasure::quietNoiseIsNotSpeech()
{
    QVERIFY(!measured(Signals::noise(3, 0.003)).hasSpeech());
}

void TestSpeechMeasure::loudnessOfATone_data()
{
    QTest::addColumn<double>("amplitude");
    QTest::addColumn<double>("rms");
    QTest::newRow("full scale") << 1.0 << -3.0;
    QTest::newRow("half") << 0.5 << -9.0;
    QTest::newRow("a tenth") << 0.1 << -23.0;
    QTest::newRow("a hundredth") << 0.01 << -43.0;
}

void TestSpeechMeasure::loudnessOfATone()
{
    QFETCH(double, amplitude);
    QFETCH(double, rms);
    const SpeechMeasure measure = measured(
        Signals::joined({Signals::silence(0.5), Signals::tone(1, amplitude), Signals::silence(0.5)}));
    QVERIFY(isNear(measure.loudnessDbfs, rms, 0.3));
    QVERIFY(isNear(measure.peakDbfs, rms + 3, 0.1));
    QVERIFY(isNear(measure.speechSeconds, 1, 0.041));
    QVERIFY(isNear(measure.speechRatio, 0.5, 0.021));
}

void TestSpeechMeasure::pausesAreFoundAndMeasured()
{
    const auto word = Signals::tone(0.8, 0.3);
    const SpeechMeasure measure = measured(
        Signals::joined({Signals::silence(1.5), word, Signals::silence(0.4), word, Signals::silence(1.2),
                         word, Signals::silence(0.1), word, Signals::silence(2)}));
    QCOMPARE(measure.pauses.size(), size_t(2)); // neither the edges nor the gap of 0.1 s
    QVERIFY(isNear(measure.pauses[0], 0.4, 0.041));
    QVERIFY(isNear(measure.pauses[1], 1.2, 0.041));
    QCOMPARE(measure.pausesOver(0.5), 1);
    QVERIFY(isNear(measure.longestPause(), 1.2, 0.041));
    QVERIFY(isNear(measure.speechSeconds, 3.3, 0.1));
}

void TestSpeechMeasure::voiceAboveNoise()
{
    auto recording = Signals::joined({Signals::silence(1), Signals::babble(2, 0.3), Signals::silence(1)});
    const auto hiss = Signals::noise(4, 0.004);
    for (size_t i = 0; i < recording.size(); ++i)
        recording[i] = qint16(recording[i] + hiss[i]);
    const SpeechMeasure measure = measured(recording);
    QVERIFY(isNear(measure.speechSeconds, 2, 0.15));
    QVERIFY(isNear(measure.noiseFloorDbfs, -52.7, 1));
}

void TestSpeechMeasure::clicksAreNotSpeech()
{
    const auto click = Signals::tone(0.005, 0.9);
    const auto measure = measured(
        Signals::joined({Signals::silence(1), click, Signals::silence(1), click, Signals::silence(1)}));
    QVERIFY(!measure.hasSpeech());
    QVERIFY(measure.pauses.empty());
}

void TestSpeechMeasure::clipping()
{
    QCOMPARE(measured(Signals::tone(1, 0.9)).clippedRatio, 0.0);
    auto samples = Signals::tone(1, 0.9, 100);
    for (qint16 &sample : samples)
        sample = qint16(qBound(-32767, 2 * sample, 32767));
    // A sine of 1.8 is above 1 for 1 − 2/π·asin(1/1.8) of the time.
    QVERIFY(isNear(measured(samples).clippedRatio, 0.625, 0.02));
}

void TestSpeechMeasure::pace_data()
{
    QTest::addColumn<double>("syllables");
    QTest::newRow("slow") << 2.0;
    QTest::newRow("easy") << 4.0;
    QTest::newRow("fast") << 7.0;
}

void TestSpeechMeasure::pace()
{
    QFETCH(double, syllables);
    const SpeechMeasure measure = measured(
        Signals::joined({Signals::silence(0.5), Signals::babble(5, 0.3, syllables), Signals::silence(0.5)}));
    QVERIFY(isNear(measure.syllables, 5 * syllables, 2));
    QVERIFY(isNear(measure.syllablesPerSecond, syllables, 0.5));
}

void TestSpeechMeasure::committedRecordings_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<int>("pausesOverHalfASecond");
    QTest::addColumn<double>("lowestDbfs");
    QTest::addColumn<double>("highestDbfs");
    QTest::addColumn<double>("lowestPace");
    QTest::addColumn<double>("highestPace");
    QTest::newRow("good demo") << u"feature-demo-good.wav"_s << 0 << -28.0 << -15.0 << 3.0 << 5.0;
    QTest::newRow("fast") << u"feature-demo-fast.wav"_s << 0 << -28.0 << -15.0 << 6.0 << 9.0;
    QTest::newRow("quiet") << u"objection-handling-quiet.wav"_s << 0 << -58.0 << -42.0 << 3.0 << 5.4;
    QTest::newRow("short") << u"objection-handling-short.wav"_s << 0 << -28.0 << -15.0 << 3.0 << 7.0;
    QTest::newRow("pauses") << u"clinical-consultation-pauses.wav"_s << 3 << -28.0 << -15.0 << 3.0 << 5.2;
    QTest::newRow("good advice") << u"clinical-consultation-good.wav"_s << 0 << -28.0 << -15.0 << 3.0 << 5.2;
}

void TestSpeechMeasure::committedRecordings()
{
    QFETCH(QString, file);
    QFETCH(int, pausesOverHalfASecond);
    QFETCH(double, lowestDbfs);
    QFETCH(double, highestDbfs);
    QFETCH(double, lowestPace);
    QFETCH(double, highestPace);
    const DecodedAudio audio = decodeAudio(resource(u"audio/"_s + file));
    QVERIFY2(audio.isValid(), qPrintable(audio.error));
    QCOMPARE(audio.sampleRate, 16000);
    const SpeechMeasure measure = measureSpeech(audio.samples, audio.sampleRate);
    QVERIFY(measure.hasSpeech());
    QCOMPARE(measure.pausesOver(0.5), pausesOverHalfASecond);
    QVERIFY2(measure.loudnessDbfs > lowestDbfs && measure.loudnessDbfs < highestDbfs,
             qPrintable(QString::number(measure.loudnessDbfs)));
    QVERIFY2(measure.syllablesPerSecond > lowestPace && measure.syllablesPerSecond < highestPace,
             qPrintable(QString::number(measure.syllablesPerSecond)));
    QCOMPARE(measure.clippedRatio, 0.0);
}

void TestSpeechMeasure::everyRecordingIsListed()
{
    const QJsonArray recordings = QJsonDocument::fromJson(resource(u"audio/recordings.json"_s))
                                      .object()
                                      .value(u"recordings"_s)
                                      .toArray();
    QCOMPARE(recordings.size(), 6);
    QHash<QString, int> perScenario;
    for (const QJsonValue &entry : recordings) {
        QVERIFY(startsWithWavHeader(resource(u"audio/"_s + entry[u"file"_s].toString())));
        QVERIFY(!entry[u"text"_s].toString().isEmpty());
        QVERIFY(!entry[u"title"_s].toString().isEmpty());
        ++perScenario[entry[u"scenario"_s].toString()];
    }
    QCOMPARE(perScenario,
             (QHash<QString, int>{
                 {u"feature-demo"_s, 2}, {u"objection-handling"_s, 2}, {u"clinical-consultation"_s, 2}}));
}

void TestSpeechMeasure::wavRoundTrip()
{
    const auto samples = Signals::babble(0.1, 0.5);
    const QByteArray wav = encodeWav(samples, 22050);
    QCOMPARE(wav.size(), qsizetype(44 + 2 * samples.size()));
    const DecodedAudio decoded = decodeAudio(wav);
    QVERIFY2(decoded.isValid(), qPrintable(decoded.error));
    QCOMPARE(decoded.sampleRate, 22050);
    QCOMPARE(decoded.samples, samples);
    QCOMPARE(decodeAudio(wav.mid(44)).samples, samples);
    QCOMPARE(withoutWavHeader(wav), wav.mid(44));
}

void TestSpeechMeasure::wavVariants_data()
{
    QTest::addColumn<QByteArray>("data");
    QTest::addColumn<QString>("errorPart");
    const QByteArray good = encodeWav(Signals::tone(0.01, 0.5), 16000);
    const auto with16 = [&good](qsizetype offset, quint16 value) {
        QByteArray wav = good;
        qToLittleEndian(value, wav.data() + offset);
        return wav;
    };
    QTest::newRow("good") << good << QString();
    QTest::newRow("A-law") << with16(20, 6) << u"compressed"_s;
    QTest::newRow("float") << with16(20, 3) << u"PCM"_s;
    QTest::newRow("8 bits") << with16(34, 8) << u"8 bits"_s;
    QTest::newRow("no channel") << with16(22, 0) << u"0 channels"_s;
    QTest::newRow("rate 0") << with16(24, 0) << u"0 Hz"_s;
    QTest::newRow("no format") << good.left(12) + good.mid(36) << u"'fmt '"_s;
    QTest::newRow("no data") << good.left(36) << u"'data'"_s;
    QTest::newRow("cut header") << good.left(20) << u"'fmt '"_s;
    QTest::newRow("WebM") << QByteArray("\x1A\x45\xDF\xA3....") << u"WebM"_s;
    QTest::newRow("Ogg") << QByteArray("OggS....") << u"Ogg"_s;
    QTest::newRow("MP3") << QByteArray("ID3.....") << u"MP3"_s;
    QTest::newRow("MP4") << QByteArray("....ftypM4A ") << u"MP4"_s;
}

void TestSpeechMeasure::wavVariants()
{
    QFETCH(QByteArray, data);
    QFETCH(QString, errorPart);
    const DecodedAudio decoded = decodeAudio(data);
    QCOMPARE(decoded.isValid(), errorPart.isEmpty());
    QVERIFY2(decoded.error.contains(errorPart), qPrintable(decoded.error));
    QCOMPARE(decoded.samples.empty(), !errorPart.isEmpty());
}

void TestSpeechMeasure::streamedWavHasNoTrustedSize()
{
    const auto samples = Signals::tone(0.05, 0.5);
    for (const quint32 size : {0U, 0xFFFFFFFFU, 0x7FFFFFFFU}) {
        QByteArray wav = encodeWav(samples, 16000);
        qToLittleEndian(size, wav.data() + 40);
        QCOMPARE(decodeAudio(wav).samples, samples);
    }
}

void TestSpeechMeasure::stereoIsMixedDown()
{
    QByteArray wav = encodeWav({1000, 3000, -500, 500}, 16000);
    qToLittleEndian(quint16(2), wav.data() + 22);
    QCOMPARE(decodeAudio(wav).samples, (std::vector<qint16>{2000, 0}));
}

QTEST_APPLESS_MAIN(TestSpeechMeasure)
#include "tst_speechmeasure.moc"
