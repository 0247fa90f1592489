// SPDX-License-Identifier: MIT
#pragma once

#include "scenario.h"

namespace Everwire::Demo {

/// The scenarios of a folder and what was wrong with the files that were left out.
struct ScenarioCatalog
{
    QList<Scenario> scenarios; ///< Ordered by file name.
    QStringList problems;      ///< One sentence for each file that was skipped.

    [[nodiscard]] const Scenario *find(const QString &id) const;
    [[nodiscard]] QStringList ids() const;
};

/// Reads every `*.json` of \a directory.
[[nodiscard]] ScenarioCatalog loadScenarios(const QString &directory);

/// The scenarios that are compiled in.
[[nodiscard]] ScenarioCatalog builtInScenarios();

} // namespace Everwire::Demo
