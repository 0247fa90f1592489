// SPDX-License-Identifier: MIT
#pragma once

#include "scenario.h"
#include "speechmeasure.h"

#include <QString>
#include <QStringList>

namespace Everwire::Demo {

/// One turn as it arrived.
struct HeardTurn
{
    bool hasAudio = false; ///< False when `audio_complete` came without any chunk.
    QString decodeError;   ///< Why the audio could not be decoded; empty when it could.
    SpeechMeasure measure;
};

/// Everything \a coaching has to say about \a turn, worst first (see knownFindings()); never empty.
[[nodiscard]] QStringList assessTurn(const HeardTurn &turn, const Coaching &coaching);

/// True when a turn with these findings says too little for the conversation to go on.
[[nodiscard]] bool blocksConversation(const QStringList &findings);

} // namespace Everwire::Demo
