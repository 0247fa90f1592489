// SPDX-License-Identifier: MIT
#pragma once

#include "scenario.h"
#include "sessionstore.h"

#include <optional>

namespace Everwire::Demo {

/// Finishes the turn of \a session: decodes, measures and stores its audio, lets the scenario answer,
/// and appends everything there is to say to the session's outbox.
///
/// \a lastSequence is what the client says it sent last. The turn is stored as
/// `<outputDirectory>/<session>/turn-<n>.wav`; an empty \a outputDirectory stores nothing.
void finishTurn(SessionState &session, const Scenario &scenario, std::optional<qint64> lastSequence,
                const QString &outputDirectory);

} // namespace Everwire::Demo
