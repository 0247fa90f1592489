// SPDX-License-Identifier: MIT
#include "scenariocatalog.h"
#include "scenarioparser.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;

namespace {

QByteArray committed(const QString &id)
{
    QFile file(QStringLiteral(EVERWIRE_RESOURCES "/scenarios/") + id + u".json"_s);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QJsonObject demo()
{
    return QJsonDocument::fromJson(committed(u"feature-demo"_s)).object();
}

QString errorOf(const QJsonObject &scenario)
{
    return parseScenario(QJsonDocument(scenario).toJson(), u"x.json"_s).error;
}

// Changes the entry of an object inside an array, which Qt's JSON only allows by copies.
QJsonObject changed(QJsonObject object, const QString &array, int index, const QString &key,
                    const QJsonValue &value)
{
    QJsonArray entries = object.value(array).toArray();
    QJsonObject entry = entries[index].toObject();
    entry.insert(key, value);
    entries[index] = entry;
    object.insert(array, entries);
    return object;
}

QJsonObject with(QJsonObject object, const QString &key, const QJsonValue &value)
{
    object.insert(key, value);
    return object;
}

QJsonObject without(QJsonObject object, const QString &key)
{
    object.remove(key);
    return object;
}

void write(const QString &path, const QByteArray &content)
{
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    QCOMPARE(file.write(content), content.size());
}

} // namespace

class TestScenario : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void builtInOnesAreValid();
    void everyMissingKeyIsNamed_data();
    void everyMissingKeyIsNamed();
    void mistakes_data();
    void mistakes();
    void syntaxErrorNamesTheOffset();
    void badFilesAreSkipped();
    void missingDirectory();
};

void TestScenario::builtInOnesAreValid()
{
    const ScenarioCatalog catalog = builtInScenarios();
    QCOMPARE(catalog.problems, QStringList());
    QCOMPARE(catalog.ids(),
             (QStringList{u"clinical-consultation"_s, u"feature-demo"_s, u"objection-handling"_s}));
    const Scenario *scenario = catalog.find(u"objection-handling"_s);
    QVERIFY(scenario != nullptr);
    QCOMPARE(scenario->simulationType, u"objection_handling"_s);
    QCOMPARE(scenario->roleIds(), (QStringList{u"procurement"_s, u"founder"_s}));
    QCOMPARE(scenario->role(u"founder"_s).name, u"Tom Becker"_s);
    QCOMPARE(scenario->role(u"nobody"_s).id, u"procurement"_s);
    QCOMPARE(scenario->coaching.longPauseSeconds, 0.6);
    QVERIFY(catalog.find(u"nothing"_s) == nullptr);
}

void TestScenario::everyMissingKeyIsNamed_data()
{
    QTest::addColumn<QJsonObject>("scenario");
    QTest::addColumn<QString>("key");
    for (const QString &key : demo().keys())
        QTest::newRow(qPrintable(key)) << without(demo(), key) << key;
    const QJsonObject coaching = demo().value(u"coaching"_s).toObject();
    for (const QString &key : coaching.keys()) {
        const QString path = u"coaching."_s + key;
        QTest::newRow(qPrintable(path)) << with(demo(), u"coaching"_s, without(coaching, key)) << path;
    }
}

void TestScenario::everyMissingKeyIsNamed()
{
    QFETCH(QJsonObject, scenario);
    QFETCH(QString, key);
    QCOMPARE(errorOf(scenario).section(u';', 0, 0), u"x.json: key \"%1\" is missing"_s.arg(key));
}

void TestScenario::mistakes_data()
{
    QTest::addColumn<QJsonObject>("scenario");
    QTest::addColumn<QString>("key");
    QTest::addColumn<QString>("remedy");
    const QJsonArray oneReply{QJsonObject{{u"text"_s, u"You took {seconds} seconds."_s}}};
    const auto beatReplies = [](const QJsonArray &replies) {
        return changed(demo(), u"beats"_s, 1, u"replies"_s, replies);
    };
    const auto reply = [](const QJsonObject &entry) { return QJsonArray{entry}; };

    QTest::newRow("unchanged") << beatReplies(oneReply) << QString() << QString();
    QTest::newRow("misspelt key") << with(demo(), u"titel"_s, u"x"_s) << u"titel"_s << u"remove it"_s;
    QTest::newRow("wrong type") << with(demo(), u"title"_s, 3) << u"title"_s << u"make it a string"_s;
    QTest::newRow("empty text") << with(demo(), u"title"_s, u" "_s) << u"title"_s << u"write some text"_s;
    QTest::newRow("id") << with(demo(), u"id"_s, u"../x"_s) << u"id"_s << u"lower-case"_s;
    QTest::newRow("type") << with(demo(), u"simulation_type"_s, u"game"_s) << u"simulation_type"_s
                          << u"feature_demo"_s;
    QTest::newRow("no beats") << with(demo(), u"beats"_s, QJsonArray()) << u"beats"_s << u"at least one"_s;
    QTest::newRow("beat is no object")
        << with(demo(), u"beats"_s, QJsonArray{1}) << u"beats[0].id"_s << u"add it"_s;
    QTest::newRow("no fallback") << beatReplies(reply(
                                        {{u"when"_s, QJsonArray{u"good"_s}}, {u"text"_s, u"{seconds}"_s}}))
                                 << u"beats[1].replies"_s << u"without \"when\""_s;
    QTest::newRow("deaf reply") << beatReplies(reply({{u"text"_s, u"Nice."_s}}))
                                << u"beats[1].replies[0].text"_s << u"{seconds}"_s;
    QTest::newRow("placeholder") << beatReplies(reply({{u"text"_s, u"{seconds} {mood}"_s}}))
                                 << u"beats[1].replies[0].text"_s << u"{pause_phrase}"_s;
    QTest::newRow("finding") << beatReplies(
                                    reply({{u"when"_s, QJsonArray{u"bored"_s}}, {u"text"_s, u"{seconds}"_s}}))
                             << u"beats[1].replies[0].when"_s << u"too_quiet"_s;
    QTest::newRow("role") << beatReplies(reply({{u"role"_s, u"king"_s}, {u"text"_s, u"{seconds}"_s}}))
                          << u"beats[1].replies[0].role"_s << u"it-manager"_s;
    QTest::newRow("two roles of one id")
        << changed(demo(), u"roles"_s, 1, u"id"_s, u"operations-lead"_s) << u"roles"_s << u"rename"_s;
    QTest::newRow("opening") << changed(demo(), u"roles"_s, 0, u"opening"_s, u"{seconds}"_s)
                             << u"roles[0].opening"_s << u"{name}"_s;
    QTest::newRow("repair") << changed(demo(), u"repairs"_s, 1, u"when"_s, QJsonArray{u"silence"_s})
                            << u"repairs"_s << u"'empty'"_s;
    const QJsonObject coaching = demo().value(u"coaching"_s).toObject();
    QTest::newRow("level") << with(demo(), u"coaching"_s, with(coaching, u"quiet_dbfs"_s, 12))
                           << u"coaching.quiet_dbfs"_s << u"from -100 to 0"_s;
    const QJsonObject messages = coaching.value(u"messages"_s).toObject();
    QTest::newRow("message") << with(demo(), u"coaching"_s,
                                     with(coaching, u"messages"_s, without(messages, u"good"_s)))
                             << u"coaching.messages.good"_s << u"add it"_s;
}

void TestScenario::mistakes()
{
    QFETCH(QJsonObject, scenario);
    QFETCH(QString, key);
    QFETCH(QString, remedy);
    const QString error = errorOf(scenario);
    const QString start = key.isEmpty() ? QString() : u"x.json: key \"%1\" "_s.arg(key);
    QCOMPARE(error.isEmpty(), key.isEmpty());
    QVERIFY2(error.startsWith(start) && error.contains(remedy), qPrintable(error));
}

void TestScenario::syntaxErrorNamesTheOffset()
{
    const QString error = parseScenario("{\n\"id\": \"a\",\n oops }", u"broken.json"_s).error;
    QVERIFY2(error.startsWith(u"broken.json: not JSON at offset 1"_s), qPrintable(error));
    QVERIFY2(error.contains(u"(line 3)"_s), qPrintable(error));
    QVERIFY(parseScenario("[]", u"list.json"_s).error.contains(u"put the scenario's keys into"_s));
}

void TestScenario::badFilesAreSkipped()
{
    const QTemporaryDir dir;
    QVERIFY(dir.isValid());
    write(dir.filePath(u"a.json"_s), committed(u"feature-demo"_s));
    write(dir.filePath(u"b.json"_s), "{");
    write(dir.filePath(u"c.json"_s), committed(u"feature-demo"_s));
    write(dir.filePath(u"ignored.txt"_s), "{");
    const ScenarioCatalog catalog = loadScenarios(dir.path());
    QCOMPARE(catalog.ids(), QStringList{u"feature-demo"_s});
    QCOMPARE(catalog.problems.size(), 2);
    QVERIFY2(catalog.problems[0].startsWith(u"b.json: "_s), qPrintable(catalog.problems[0]));
    QVERIFY2(catalog.problems[1].startsWith(u"c.json: key \"id\" repeats"_s),
             qPrintable(catalog.problems[1]));
}

void TestScenario::missingDirectory()
{
    const ScenarioCatalog catalog = loadScenarios(u"/nonexistent/scenarios"_s);
    QVERIFY(catalog.scenarios.isEmpty());
    QVERIFY(catalog.problems.value(0).contains(u"no such directory"_s));
}

QTEST_APPLESS_MAIN(TestScenario)
#include "tst_scenario.moc"
