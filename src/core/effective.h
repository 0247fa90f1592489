// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionConfig>
#include <Everwire/Global>

#include <QStringList>
#include <QUrl>

// What a whole configuration says that its parts do not: options that cannot take effect together.
// Judged when a connection opens, on everything merged, so that one configuration can serve several
// types (rule C3).
namespace Everwire::Effective {

// A sentence for each option that the app may rely on and that would do nothing; each names its
// option. The connection is not opened.
[[nodiscard]] EVERWIRE_EXPORT QStringList problems(const ConnectionConfig &config, const QUrl &url);
// The same for options that are merely idle: for the log.
[[nodiscard]] EVERWIRE_EXPORT QStringList warnings(const ConnectionConfig &config);

} // namespace Everwire::Effective
