// SPDX-License-Identifier: MIT
#include "phrasing.h"
#include "responder.h"
#include "scenariocatalog.h"
#include "signals.h"
#include "wavfile.h"

#include <QFile>
#include <QJsonArray>
#include <QTest>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;

namespace {

const ScenarioCatalog &catalog()
{
    static const ScenarioCatalog loaded = builtInScenarios();
    return loaded;
}

HeardTurn heard(const Signals::Samples &samples)
{
    return {true, {}, measureSpeech(samples, Signals::rate)};
}

HeardTurn recording(const QString &name)
{
    QFile file(QStringLiteral(EVERWIRE_RESOURCES "/audio/") + name);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    return heard(decodeAudio(file.readAll()).samples);
}

Signals::Samples goodTurn(double amplitude = 0.3)
{
    return Signals::joined({Signals::silence(0.3), Signals::babble(6, amplitude), Signals::silence(0.3)});
}

QStringList findings(const Answer &answer)
{
    QStringList list;
    for (const QJsonValue &finding : answer.feedback.value(u"findings"_s).toArray())
        list.append(finding.toString());
    return list;
}

} // namespace

class TestResponder : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void findingsOfRecordings_data();
    void findingsOfRecordings();
    void findingsOfSignals_data();
    void findingsOfSignals();
    void blockingTurnsDoNotAdvance();
    void goodTurnsWalkThroughTheBeats();
    void repliesCarryTheMeasures();
    void repliesDifferByRoleScenarioAndAudio();
    void sameTurnTwiceIsNotAnsweredTwiceTheSame();
    void trendComparesWithTheTurnBefore();
    void openings();
    void pausePhrases();
    void placeholdersAreNotFilledTwice();
    void partsConcatenate_data();
    void partsConcatenate();
    void noPlaceholderIsLeftAnywhere();
};

void TestResponder::findingsOfRecordings_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("worst");
    QTest::newRow("1") << u"feature-demo-good.wav"_s << u"good"_s;
    QTest::newRow("2") << u"feature-demo-fast.wav"_s << u"too_fast"_s;
    QTest::newRow("3") << u"objection-handling-quiet.wav"_s << u"too_quiet"_s;
    QTest::newRow("4") << u"objection-handling-short.wav"_s << u"too_short"_s;
    QTest::newRow("5") << u"clinical-consultation-pauses.wav"_s << u"long_pauses"_s;
    QTest::newRow("6") << u"clinical-consultation-good.wav"_s << u"good"_s;
}

void TestResponder::findingsOfRecordings()
{
    QFETCH(QString, file);
    QFETCH(QString, worst);
    const QString scenarioId = file.section(u'-', 0, 1);
    const Scenario *scenario = catalog().find(scenarioId);
    QVERIFY(scenario != nullptr);
    QCOMPARE(assessTurn(recording(file), scenario->coaching).value(0), worst);
}

void TestResponder::findingsOfSignals_data()
{
    QTest::addColumn<Signals::Samples>("samples");
    QTest::addColumn<QStringList>("expected");
    const auto gap = Signals::silence(1);
    const auto phrase = Signals::babble(1.5, 0.3);
    auto clipped = Signals::joined({Signals::silence(0.3), Signals::tone(0.5, 0.9), Signals::babble(5, 0.3)});
    for (qint16 &sample : clipped)
        sample = qint16(qBound(-32767, sample * 2, 32767));

    QTest::newRow("good") << goodTurn() << QStringList{u"good"_s};
    QTest::newRow("silence") << Signals::silence(3) << QStringList{u"silence"_s};
    QTest::newRow("quiet") << goodTurn(0.01) << QStringList{u"too_quiet"_s};
    QTest::newRow("short") << Signals::joined({gap, Signals::babble(1, 0.3), gap})
                           << QStringList{u"too_short"_s};
    QTest::newRow("short and quiet") << Signals::joined({gap, Signals::babble(1, 0.01), gap})
                                     << QStringList{u"too_short"_s, u"too_quiet"_s};
    QTest::newRow("two long pauses are allowed")
        << Signals::joined({phrase, gap, phrase, gap, phrase}) << QStringList{u"good"_s};
    QTest::newRow("three are not") << Signals::joined({phrase, gap, phrase, gap, phrase, gap, phrase})
                                   << QStringList{u"long_pauses"_s};
    QTest::newRow("fast") << Signals::joined({gap, Signals::babble(4, 0.3, 7), gap})
                          << QStringList{u"too_fast"_s};
    QTest::newRow("slow") << Signals::joined({gap, Signals::babble(8, 0.3, 1.5), gap})
                          << QStringList{u"too_slow"_s};
    QTest::newRow("clipped") << clipped << QStringList{u"clipped"_s};
    QTest::newRow("long") << Signals::joined({Signals::silence(0.3), Signals::babble(46, 0.3)})
                          << QStringList{u"too_long"_s};
}

void TestResponder::findingsOfSignals()
{
    QFETCH(Signals::Samples, samples);
    QFETCH(QStringList, expected);
    QCOMPARE(assessTurn(heard(samples), catalog().find(u"feature-demo"_s)->coaching), expected);
}

void TestResponder::blockingTurnsDoNotAdvance()
{
    const Scenario &scenario = *catalog().find(u"feature-demo"_s);
    const Role &role = scenario.roles.first();
    const QList<HeardTurn> turns{{},
                                 {false, u"WebM audio is compressed"_s, {}},
                                 heard(Signals::silence(2)),
                                 heard(goodTurn(0.01)),
                                 heard(Signals::babble(1, 0.3))};
    Conversation conversation;
    QStringList seen;
    for (const HeardTurn &turn : turns) {
        ++conversation.turn;
        const Answer answer = respond(scenario, role, turn, conversation);
        QVERIFY(!answer.advanced);
        QCOMPARE(conversation.beat, 0);
        seen.append(findings(answer).first());
    }
    QCOMPARE(seen, (QStringList{u"empty"_s, u"undecodable"_s, u"silence"_s, u"too_quiet"_s, u"too_short"_s}));
}

void TestResponder::goodTurnsWalkThroughTheBeats()
{
    const Scenario &scenario = *catalog().find(u"clinical-consultation"_s);
    Conversation conversation;
    QStringList beats;
    for (int i = 0; i < 4; ++i) {
        ++conversation.turn;
        const Answer answer = respond(scenario, scenario.roles.first(), heard(goodTurn()), conversation);
        beats.append(answer.feedback.value(u"beat"_s).toString());
        QCOMPARE(answer.advanced, i < 2);
        QCOMPARE(answer.completed, i == 2); // once, however long the conversation goes on
        QCOMPARE(answer.feedback.value(u"complete"_s).toBool(), i >= 2);
        QCOMPARE(answer.coaching.contains(u"Next: "_s), i < 2);
    }
    QCOMPARE(beats, (QStringList{u"explain"_s, u"instruct"_s, u"check"_s, u"check"_s}));
}

void TestResponder::repliesCarryTheMeasures()
{
    const Scenario &scenario = *catalog().find(u"clinical-consultation"_s);
    Conversation conversation;
    conversation.turn = 1;
    const Answer answer = respond(scenario, scenario.roles.first(),
                                  recording(u"clinical-consultation-pauses.wav"_s), conversation);
    QCOMPARE(answer.text,
             u"Doctor, you stopped for 1.2 seconds there. Is it worse than you are telling me?"_s);
    QVERIFY2(answer.coaching.startsWith(u"You had three pauses over 0.8 seconds, the longest 1.2 seconds."_s),
             qPrintable(answer.coaching));
    const QJsonObject measures = answer.feedback.value(u"measures"_s).toObject();
    QCOMPARE(measures.value(u"longPauseCount"_s).toInt(), 3);
    QVERIFY(qAbs(measures.value(u"durationSeconds"_s).toDouble() - 8) < 0.5);
    QCOMPARE(answer.feedback.value(u"message"_s).toString(), answer.coaching);
}

void TestResponder::repliesDifferByRoleScenarioAndAudio()
{
    QSet<QString> texts;
    int count = 0;
    for (const Scenario &scenario : catalog().scenarios) {
        for (const Role &role : scenario.roles) {
            for (const auto &samples : {goodTurn(), goodTurn(0.01)}) {
                Conversation conversation;
                conversation.turn = 1;
                texts.insert(respond(scenario, role, heard(samples), conversation).text);
                ++count;
            }
        }
    }
    QCOMPARE(count, 12);
    QCOMPARE(texts.size(), count);
}

void TestResponder::sameTurnTwiceIsNotAnsweredTwiceTheSame()
{
    Scenario scenario = *catalog().find(u"feature-demo"_s);
    scenario.beats = {{u"only"_s, u"talk"_s, {{{}, {}, u"A {seconds}"_s}, {{}, {}, u"B {seconds}"_s}}}};
    Conversation conversation;
    QStringList starts;
    for (int turn : {1, 3, 5, 7}) { // the same remainder each time
        conversation.turn = turn;
        starts.append(
            respond(scenario, scenario.roles.first(), heard(goodTurn()), conversation).text.left(1));
    }
    QCOMPARE(starts, (QStringList{u"B"_s, u"A"_s, u"B"_s, u"A"_s}));
}

void TestResponder::trendComparesWithTheTurnBefore()
{
    SpeechMeasure before;
    before.loudnessDbfs = -30;
    before.syllablesPerSecond = 4;
    SpeechMeasure now = before;
    QCOMPARE(trendPhrase(now, std::nullopt), u"a first impression"_s);
    QCOMPARE(trendPhrase(now, before), u"much like last time"_s);
    now.syllablesPerSecond = 5;
    QCOMPARE(trendPhrase(now, before), u"faster than last time"_s);
    now.loudnessDbfs = -20;
    QCOMPARE(trendPhrase(now, before), u"louder than last time"_s);
    QCOMPARE(trendPhrase(before, now), u"quieter than last time"_s);
}

void TestResponder::openings()
{
    const Scenario &scenario = *catalog().find(u"objection-handling"_s);
    QVERIFY(openingLine(scenario, scenario.role(u"procurement"_s))
                .startsWith(u"Priya Raman from procurement."_s));
    QVERIFY(openingLine(scenario, scenario.role(u"founder"_s)).startsWith(u"Tom here."_s));
}

void TestResponder::pausePhrases()
{
    QCOMPARE(pausePhrase(0, 0.5), u"no pauses over half a second"_s);
    QCOMPARE(pausePhrase(1, 1), u"one pause over a second"_s);
    QCOMPARE(pausePhrase(2, 0.8), u"two pauses over 0.8 seconds"_s);
    QCOMPARE(pausePhrase(14, 0.5), u"14 pauses over half a second"_s);
}

void TestResponder::placeholdersAreNotFilledTwice()
{
    QCOMPARE(fillPlaceholders(u"{a} {b} {c}"_s, {{u"a"_s, u"{b}"_s}, {u"b"_s, u"%1"_s}}), u"{b} %1 {c}"_s);
}

void TestResponder::partsConcatenate_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("fewest");
    QTest::newRow("empty") << QString() << 0;
    QTest::newRow("a word") << u"Hello"_s << 1;
    QTest::newRow("two words") << u"Hello you"_s << 2;
    QTest::newRow("long second word") << u"I understand"_s << 2;
    QTest::newRow("spaces") << u"  odd   spaces  here "_s << 2;
    QTest::newRow("text") << u"This is a sentence that is longer. "_s.repeated(6) << 4;
}

void TestResponder::partsConcatenate()
{
    QFETCH(QString, text);
    QFETCH(int, fewest);
    const QStringList parts = splitIntoParts(text);
    QCOMPARE(parts.join(QString()), text);
    QVERIFY2(parts.size() >= fewest, qPrintable(parts.join(u'|')));
    QVERIFY(!parts.contains(QString()));
}

void TestResponder::noPlaceholderIsLeftAnywhere()
{
    const QList<HeardTurn> turns{{},
                                 {false, u"reason"_s, {}},
                                 heard(Signals::silence(2)),
                                 heard(goodTurn(0.01)),
                                 heard(goodTurn()),
                                 heard(Signals::babble(5, 0.3, 7)),
                                 heard(goodTurn()),
                                 heard(goodTurn())};
    int answers = 0;
    for (const Scenario &scenario : catalog().scenarios) {
        for (const Role &role : scenario.roles) {
            Conversation conversation;
            for (const HeardTurn &turn : turns) {
                ++conversation.turn;
                const Answer answer = respond(scenario, role, turn, conversation);
                QVERIFY2(!answer.text.contains(u'{'), qPrintable(answer.text));
                QVERIFY2(!answer.coaching.contains(u'{'), qPrintable(answer.coaching));
                ++answers;
            }
        }
    }
    QCOMPARE(answers, 48);
}

QTEST_APPLESS_MAIN(TestResponder)
#include "tst_responder.moc"
