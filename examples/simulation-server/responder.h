// SPDX-License-Identifier: MIT
#pragma once

#include "assessment.h"
#include "scenario.h"

#include <QJsonObject>

#include <optional>

namespace Everwire::Demo {

/// How far a conversation has come.
struct Conversation
{
    int beat = 0;                          ///< Index into Scenario::beats.
    int turn = 0;                          ///< Turns finished, this one included.
    bool complete = false;                 ///< The last beat was passed, too.
    std::optional<SpeechMeasure> previous; ///< The last turn in which somebody spoke.
    QString lastText;                      ///< So that the same reply does not come twice in a row.
};

/// What the simulation says to a turn.
struct Answer
{
    QString text;           ///< In the role's voice.
    QString coaching;       ///< A remark to the speaker.
    QJsonObject feedback;   ///< `message`, `findings`, `measures`, `beat`, `advanced`, `complete`.
    bool advanced = false;  ///< The conversation went on to the next beat.
    bool completed = false; ///< This turn passed the last beat.
};

/// Chooses the reply of \a role to \a turn and moves \a conversation on.
///
/// A turn that says too little (see blockingFindings()) is answered from the scenario's repairs and
/// does not advance it; otherwise the beat's reply that fits the worst finding and the role best wins.
[[nodiscard]] Answer respond(const Scenario &scenario, const Role &role, const HeardTurn &turn,
                             Conversation &conversation);

/// What \a role says before anybody has spoken.
[[nodiscard]] QString openingLine(const Scenario &scenario, const Role &role);

} // namespace Everwire::Demo
