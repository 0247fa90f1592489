// SPDX-License-Identifier: MIT
#include "responder.h"

#include "phrasing.h"

#include <QJsonArray>

#include <algorithm>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

namespace {

using Values = QHash<QString, QString>;

QString oneDecimal(double value)
{
    return QString::number(value, 'f', 1);
}

Values placeholderValues(const Scenario &scenario, const Role &role, const HeardTurn &turn,
                         const Conversation &conversation)
{
    const SpeechMeasure &measure = turn.measure;
    const double longPause = scenario.coaching.longPauseSeconds;
    const qsizetype beat = conversation.beat;
    const qsizetype next = std::min(beat + 1, scenario.beats.size() - 1);
    return {{u"seconds"_s, oneDecimal(measure.durationSeconds)},
            {u"speech_seconds"_s, oneDecimal(measure.speechSeconds)},
            {u"pause_phrase"_s, pausePhrase(measure.pausesOver(longPause), longPause)},
            {u"longest_pause"_s, oneDecimal(measure.longestPause())},
            {u"loudness"_s, QString::number(qRound(measure.loudnessDbfs))},
            {u"peak"_s, QString::number(qRound(measure.peakDbfs))},
            {u"syllables_a_second"_s, oneDecimal(measure.syllablesPerSecond)},
            {u"trend"_s, trendPhrase(measure, conversation.previous)},
            {u"name"_s, role.name},
            {u"turn"_s, QString::number(conversation.turn)},
            {u"goal"_s, scenario.beats[beat].goal},
            {u"next_goal"_s, scenario.beats[next].goal},
            {u"reason"_s, turn.decodeError}};
}

// Lower is better: the worst finding first, then any finding, then "always"; the own role before all.
std::optional<int> fitness(const Reply &reply, const QStringList &findings, const QString &roleId)
{
    if (!reply.role.isEmpty() && reply.role != roleId)
        return std::nullopt;
    const int roleRank = reply.role.isEmpty() ? 1 : 0;
    if (reply.when.isEmpty())
        return 2 * int(findings.size()) + roleRank;
    for (qsizetype i = 0; i < findings.size(); ++i) {
        if (reply.when.contains(findings[i]))
            return 2 * int(i) + roleRank;
    }
    return std::nullopt;
}

QStringList fittest(const QList<Reply> &replies, const QStringList &findings, const QString &roleId)
{
    QStringList texts;
    std::optional<int> best;
    for (const Reply &reply : replies) {
        const std::optional<int> rank = fitness(reply, findings, roleId);
        if (!rank || (best && *rank > *best))
            continue;
        if (best && *rank < *best)
            texts.clear();
        best = rank;
        texts.append(reply.text);
    }
    return texts;
}

QString pick(const QStringList &texts, const Conversation &conversation)
{
    const qsizetype index = conversation.turn % texts.size();
    const bool repeats = texts[index] == conversation.lastText;
    return texts[repeats ? (index + 1) % texts.size() : index];
}

QString coachingMessage(const Coaching &coaching, const QStringList &findings,
                        const Conversation &conversation)
{
    const QString &worst = findings.first();
    const bool nothingIsNext = conversation.complete && worst == u"good"_s;
    const QStringList texts = coaching.messages.value(nothingIsNext ? u"complete"_s : worst);
    QString message = texts[conversation.turn % texts.size()];
    if (findings.size() > 1)
        message += u' ' + coaching.messages.value(findings[1]).constFirst();
    return message;
}

} // namespace

Answer respond(const Scenario &scenario, const Role &role, const HeardTurn &turn, Conversation &conversation)
{
    const QStringList findings = assessTurn(turn, scenario.coaching);
    const bool blocked = blocksConversation(findings);
    const Values values = placeholderValues(scenario, role, turn, conversation);
    const Beat &beat = scenario.beats[conversation.beat];

    QStringList blocking;
    if (blocked) {
        std::copy_if(findings.begin(), findings.end(), std::back_inserter(blocking),
                     [](const QString &finding) { return blockingFindings().contains(finding); });
    }
    const QString chosen = pick(blocked ? fittest(scenario.repairs, blocking, role.id)
                                        : fittest(beat.replies, findings, role.id),
                                conversation);

    const bool onLastBeat = conversation.beat + 1 == scenario.beats.size();
    Answer answer;
    answer.advanced = !blocked && !onLastBeat;
    answer.completed = !blocked && onLastBeat && !conversation.complete;
    conversation.complete |= answer.completed;
    answer.text = fillPlaceholders(chosen, values);
    answer.coaching = fillPlaceholders(coachingMessage(scenario.coaching, findings, conversation), values);
    answer.feedback = {{u"message"_s, answer.coaching},
                       {u"findings"_s, QJsonArray::fromStringList(findings)},
                       {u"measures"_s, turn.measure.toJson(scenario.coaching.longPauseSeconds)},
                       {u"beat"_s, beat.id},
                       {u"advanced"_s, answer.advanced},
                       {u"complete"_s, conversation.complete}};

    conversation.lastText = chosen;
    if (answer.advanced)
        ++conversation.beat;
    if (turn.measure.hasSpeech())
        conversation.previous = turn.measure;
    return answer;
}

QString openingLine(const Scenario &scenario, const Role &role)
{
    return fillPlaceholders(role.opening, {{u"name"_s, role.name}, {u"goal"_s, scenario.beats.first().goal}});
}

} // namespace Everwire::Demo
