// SPDX-License-Identifier: MIT
#include "scenarioparser.h"

#include "jsonreader.h"

#include <QJsonDocument>
#include <QRegularExpression>
#include <QSet>

#include <algorithm>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

namespace {

const QRegularExpression &idPattern()
{
    static const QRegularExpression pattern(u"^[a-z0-9][a-z0-9-]{0,63}$"_s);
    return pattern;
}

QString readId(JsonReader &reader)
{
    const QString id = reader.text(u"id"_s);
    if (!reader.failed() && !idPattern().match(id).hasMatch())
        reader.fail(u"id"_s, u"is '%1'; use lower-case letters, digits and '-'"_s.arg(id));
    return id;
}

QSet<QString> placeholdersOf(const QString &text)
{
    static const QRegularExpression pattern(u"\\{([^{}]*)\\}"_s);
    QSet<QString> found;
    for (auto it = pattern.globalMatch(text); it.hasNext();)
        found.insert(it.next().captured(1));
    return found;
}

void checkPlaceholders(JsonReader &reader, const QString &key, const QString &text)
{
    const QSet<QString> used = placeholdersOf(text);
    for (const QString &name : used) {
        if (!knownPlaceholders().contains(name)) {
            reader.fail(key, u"uses the unknown placeholder {%1}; use one of: {%2}"_s.arg(
                                 name, knownPlaceholders().join(u"}, {"_s)));
        }
    }
}

bool tellsWhatWasHeard(const QString &text)
{
    const QSet<QString> used = placeholdersOf(text);
    const QStringList &measured = measuredPlaceholders();
    return std::any_of(measured.begin(), measured.end(),
                       [&](const QString &name) { return used.contains(name); });
}

Role readRole(JsonReader reader)
{
    reader.allowOnly({u"id"_s, u"name"_s, u"persona"_s, u"opening"_s});
    const Role role{readId(reader), reader.text(u"name"_s), reader.text(u"persona"_s),
                    reader.text(u"opening"_s)};
    const QSet<QString> used = placeholdersOf(role.opening);
    for (const QString &name : used) {
        if (name != u"name"_s && name != u"goal"_s)
            reader.fail(u"opening"_s,
                        u"uses {%1} before anything was heard; use {name} or {goal}"_s.arg(name));
    }
    return role;
}

Reply readReply(JsonReader reader, const Scenario &scenario)
{
    reader.allowOnly({u"when"_s, u"role"_s, u"text"_s});
    const Reply reply{reader.texts(u"when"_s, false), reader.optionalText(u"role"_s), reader.text(u"text"_s)};
    for (const QString &finding : reply.when) {
        if (!knownFindings().contains(finding)) {
            reader.fail(u"when"_s, u"names the unknown finding '%1'; use one of: %2"_s.arg(
                                       finding, knownFindings().join(u", "_s)));
        }
    }
    if (!reply.role.isEmpty() && !scenario.hasRole(reply.role)) {
        reader.fail(u"role"_s, u"names the unknown role '%1'; use one of: %2"_s.arg(
                                   reply.role, scenario.roleIds().join(u", "_s)));
    }
    checkPlaceholders(reader, u"text"_s, reply.text);
    return reply;
}

QList<Reply> readReplies(JsonReader &reader, const QString &key, const Scenario &scenario, QString *error)
{
    QList<Reply> replies;
    const QJsonArray array = reader.array(key);
    for (qsizetype i = 0; i < array.size(); ++i) {
        const QString path = reader.pathOf(u"%1[%2]"_s.arg(key).arg(i));
        replies.append(readReply(JsonReader(array[i].toObject(), path, error), scenario));
    }
    return replies;
}

Beat readBeat(JsonReader reader, const Scenario &scenario, QString *error)
{
    reader.allowOnly({u"id"_s, u"goal"_s, u"replies"_s});
    Beat beat{readId(reader), reader.text(u"goal"_s), {}};
    beat.replies = readReplies(reader, u"replies"_s, scenario, error);
    bool hasFallback = false;
    for (qsizetype i = 0; i < beat.replies.size(); ++i) {
        hasFallback = hasFallback || (beat.replies[i].when.isEmpty() && beat.replies[i].role.isEmpty());
        if (!tellsWhatWasHeard(beat.replies[i].text)) {
            reader.fail(u"replies[%1].text"_s.arg(i), u"does not tell what was heard; use one of: {%1}"_s.arg(
                                                          measuredPlaceholders().join(u"}, {"_s)));
        }
    }
    if (!hasFallback)
        reader.fail(u"replies"_s, u"has no reply for every case; add one without \"when\" and \"role\""_s);
    return beat;
}

Coaching readCoaching(JsonReader reader, QString *error)
{
    reader.allowOnly({u"min_seconds"_s, u"max_seconds"_s, u"quiet_dbfs"_s, u"long_pause_seconds"_s,
                      u"max_long_pauses"_s, u"min_syllables_per_second"_s, u"max_syllables_per_second"_s,
                      u"max_clipped_ratio"_s, u"messages"_s});
    Coaching coaching;
    coaching.minSeconds = reader.number(u"min_seconds"_s, 0, 600);
    coaching.maxSeconds = reader.number(u"max_seconds"_s, coaching.minSeconds, 600);
    coaching.quietDbfs = reader.number(u"quiet_dbfs"_s, -100, 0);
    coaching.longPauseSeconds = reader.number(u"long_pause_seconds"_s, 0.2, 60);
    coaching.maxLongPauses = int(reader.number(u"max_long_pauses"_s, 0, 100));
    coaching.minSyllablesPerSecond = reader.number(u"min_syllables_per_second"_s, 0, 20);
    coaching.maxSyllablesPerSecond =
        reader.number(u"max_syllables_per_second"_s, coaching.minSyllablesPerSecond, 20);
    coaching.maxClippedRatio = reader.number(u"max_clipped_ratio"_s, 0, 1);

    JsonReader messages(reader.object(u"messages"_s), reader.pathOf(u"messages"_s), error);
    // "complete" is said instead of "good" once the last goal is reached.
    const QStringList keys = knownFindings() + QStringList{u"complete"_s};
    messages.allowOnly(keys);
    for (const QString &key : keys) {
        const QStringList texts = messages.texts(key, true);
        for (const QString &text : texts)
            checkPlaceholders(messages, key, text);
        coaching.messages.insert(key, texts);
    }
    return coaching;
}

void checkRepairs(JsonReader &reader, const Scenario &scenario)
{
    for (const QString &finding : blockingFindings()) {
        const bool covered =
            std::any_of(scenario.repairs.begin(), scenario.repairs.end(), [&](const Reply &reply) {
                return reply.when.contains(finding) && reply.role.isEmpty();
            });
        if (!covered)
            reader.fail(
                u"repairs"_s,
                u"has no reply for '%1'; add one with that in \"when\" and no \"role\""_s.arg(finding));
    }
}

template<typename Entry>
void checkUniqueIds(JsonReader &reader, const QString &key, const QList<Entry> &entries)
{
    QSet<QString> seen;
    for (const Entry &entry : entries) {
        if (seen.contains(entry.id))
            reader.fail(key, u"has two entries with the id '%1'; rename one"_s.arg(entry.id));
        seen.insert(entry.id);
    }
}

Scenario readScenario(const QJsonObject &root, QString *error)
{
    JsonReader reader(root, {}, error);
    reader.allowOnly({u"id"_s, u"title"_s, u"description"_s, u"simulation_type"_s, u"roles"_s, u"beats"_s,
                      u"repairs"_s, u"coaching"_s});
    Scenario scenario;
    scenario.id = readId(reader);
    scenario.title = reader.text(u"title"_s);
    scenario.description = reader.text(u"description"_s);
    scenario.simulationType = reader.text(u"simulation_type"_s);
    const QStringList types{u"feature_demo"_s, u"objection_handling"_s, u"scenario_based"_s};
    if (!types.contains(scenario.simulationType)) {
        reader.fail(u"simulation_type"_s,
                    u"is '%1'; use one of: %2"_s.arg(scenario.simulationType, types.join(u", "_s)));
    }
    const QJsonArray roles = reader.array(u"roles"_s);
    for (qsizetype i = 0; i < roles.size(); ++i)
        scenario.roles.append(readRole(JsonReader(roles[i].toObject(), u"roles[%1]"_s.arg(i), error)));
    checkUniqueIds(reader, u"roles"_s, scenario.roles);
    const QJsonArray beats = reader.array(u"beats"_s);
    for (qsizetype i = 0; i < beats.size(); ++i)
        scenario.beats.append(
            readBeat(JsonReader(beats[i].toObject(), u"beats[%1]"_s.arg(i), error), scenario, error));
    checkUniqueIds(reader, u"beats"_s, scenario.beats);
    scenario.repairs = readReplies(reader, u"repairs"_s, scenario, error);
    checkRepairs(reader, scenario);
    scenario.coaching = readCoaching(JsonReader(reader.object(u"coaching"_s), u"coaching"_s, error), error);
    return scenario;
}

} // namespace

ParsedScenario parseScenario(const QByteArray &json, const QString &fileName)
{
    QJsonParseError parseError;
    const QJsonDocument document = QJsonDocument::fromJson(json, &parseError);
    if (parseError.error != QJsonParseError::NoError) {
        const qsizetype line = json.left(parseError.offset).count('\n') + 1;
        return {{},
                u"%1: not JSON at offset %2 (line %3): %4; correct the file there"_s.arg(fileName)
                    .arg(parseError.offset)
                    .arg(line)
                    .arg(parseError.errorString())};
    }
    if (!document.isObject())
        return {{}, u"%1: not a JSON object at offset 0; put the scenario's keys into { }"_s.arg(fileName)};
    QString error;
    Scenario scenario = readScenario(document.object(), &error);
    if (!error.isEmpty())
        return {{}, fileName + u": "_s + error};
    return {std::move(scenario), {}};
}

} // namespace Everwire::Demo
