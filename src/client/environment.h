// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionConfig>

namespace Everwire::Environment {

// SIMULATION_WS_URL for "simulation"; characters that cannot be in a variable's name become '_' (rule C2).
[[nodiscard]] EVERWIRE_EXPORT QString variableFor(const QString &type);

// What the environment says of this type: the URL from its variable, or from the same with the prefix
// NEXT_PUBLIC_ that the web client uses.
[[nodiscard]] EVERWIRE_EXPORT ConnectionConfig configurationFor(const QString &type);

} // namespace Everwire::Environment
