// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionConfig>
#include <Everwire/Global>

#include <QStringList>
#include <QUrl>

// Finds options that cannot take effect together. They are checked when a connection opens, on the
// merged configuration, so that one configuration can serve several types (rule C3).
namespace Everwire::Effective {

// A sentence for each option on which the app may rely and that would have no effect. Each names
// its option. If there is one, the connection is not opened.
[[nodiscard]] EVERWIRE_EXPORT QStringList problems(const ConnectionConfig &config, const QUrl &url);
// The same for options whose lack of effect is harmless. They are only logged.
[[nodiscard]] EVERWIRE_EXPORT QStringList warnings(const ConnectionConfig &config);

} // namespace Everwire::Effective
