// SPDX-License-Identifier: MIT
#pragma once

#include "transport/transport.h"

#include <QAbstractSocket>

// The errors that all transports report for a failed connection. "where" is host and port, without
// path and query (rule A7). "why" and "reason" may come from the peer: *secrets* are masked in
// these two only.
namespace Everwire::TransportErrors {

[[nodiscard]] QString where(const QUrl &url);
// There was never a TCP connection: no such host, nobody listens, the proxy (as the option says it) will not.
[[nodiscard]] TransportEnd notConnected(const QString &where, QAbstractSocket::SocketError error,
                                        const QString &why, const QString &proxy, const QStringList &secrets);
[[nodiscard]] TransportEnd tlsFailed(const QString &where, const QString &why, const QString &advice,
                                     const QStringList &secrets);
// An option that no further attempt can use: final.
[[nodiscard]] TransportEnd badOption(const QString &message);
[[nodiscard]] TransportEnd lost(const QString &where, const QString &why, const QStringList &secrets);
[[nodiscard]] TransportEnd closed(const QString &where, int code, const QString &reason,
                                  const QStringList &secrets);

} // namespace Everwire::TransportErrors
