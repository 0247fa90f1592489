// SPDX-License-Identifier: MIT
#pragma once

#include "transport/transport.h"

// What every transport says of a connection that failed. "where" is host and port: no path, no query (rule A7).
namespace Everwire::TransportErrors {

[[nodiscard]] QString where(const QUrl &url);
[[nodiscard]] TransportEnd hostNotFound(const QString &where);
[[nodiscard]] TransportEnd refused(const QString &where, const QString &why);
[[nodiscard]] TransportEnd tlsFailed(const QString &where, const QString &why);
[[nodiscard]] TransportEnd lost(const QString &where, const QString &why);
[[nodiscard]] TransportEnd closed(const QString &where, int code, const QString &reason);

} // namespace Everwire::TransportErrors
