// SPDX-License-Identifier: MIT
#pragma once

#include "scenario.h"

#include <optional>

namespace Everwire::Demo {

/// A scenario, or the reason why a file holds none: "name.json: key "…" is missing; add …".
struct ParsedScenario
{
    std::optional<Scenario> scenario;
    QString error;
};

/// Reads and checks the JSON of one scenario; \a fileName is for the error only.
[[nodiscard]] ParsedScenario parseScenario(const QByteArray &json, const QString &fileName);

} // namespace Everwire::Demo
