// SPDX-License-Identifier: MIT
#include "assessment.h"

#include <algorithm>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

namespace {

// Pace is a guess on a few syllables; only a turn with some of them is judged by it.
constexpr int fewestSyllablesForPace = 6;

} // namespace

QStringList assessTurn(const HeardTurn &turn, const Coaching &coaching)
{
    if (!turn.decodeError.isEmpty())
        return {u"undecodable"_s};
    if (!turn.hasAudio)
        return {u"empty"_s};
    const SpeechMeasure &measure = turn.measure;
    if (!measure.hasSpeech())
        return {u"silence"_s};

    QStringList findings;
    const auto add = [&findings](bool applies, const QString &finding) {
        if (applies)
            findings.append(finding);
    };
    const bool paceIsKnown = measure.syllables >= fewestSyllablesForPace;
    add(measure.speechSeconds < coaching.minSeconds, u"too_short"_s);
    add(measure.loudnessDbfs < coaching.quietDbfs, u"too_quiet"_s);
    add(measure.clippedRatio > coaching.maxClippedRatio, u"clipped"_s);
    add(measure.pausesOver(coaching.longPauseSeconds) > coaching.maxLongPauses, u"long_pauses"_s);
    add(paceIsKnown && measure.syllablesPerSecond > coaching.maxSyllablesPerSecond, u"too_fast"_s);
    add(paceIsKnown && measure.syllablesPerSecond < coaching.minSyllablesPerSecond, u"too_slow"_s);
    add(measure.durationSeconds > coaching.maxSeconds, u"too_long"_s);
    add(findings.isEmpty(), u"good"_s);
    return findings;
}

bool blocksConversation(const QStringList &findings)
{
    return std::any_of(findings.begin(), findings.end(),
                       [](const QString &finding) { return blockingFindings().contains(finding); });
}

} // namespace Everwire::Demo
