// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionConfig>

#include <QHash>

namespace Everwire::Environment {

// SIMULATION_WS_URL for "simulation"; characters that cannot be in a variable's name become '_' (rule C2).
[[nodiscard]] EVERWIRE_EXPORT QString variableFor(const QString &type);

// What the environment says of this type: the URL from its variable, or from the same with the prefix NEXT_PUBLIC_ that
// the web client uses. What files have defined comes behind the process's own.
[[nodiscard]] EVERWIRE_EXPORT ConnectionConfig
configurationFor(const QString &type, const QHash<QString, QString> &fromFiles = {});

// Adds what the file defines to *values. False, and the log says why and in which lines, where it could not be read or
// not all of it is good. A path, a resource (":/…") or a file: or qrc: URL.
[[nodiscard]] EVERWIRE_EXPORT bool readFile(const QString &path, QHash<QString, QString> *values);

} // namespace Everwire::Environment
