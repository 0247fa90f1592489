// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QNetworkProxy>

#include <optional>

// The option proxy: "none", http://user:password@host:port or socks5://…
namespace Everwire::Proxy {

// Nothing where the option is empty: then the application's applies.
[[nodiscard]] EVERWIRE_EXPORT std::optional<QNetworkProxy> fromOption(const QString &option);
// For messages: without user and password (rule A7); "the application's proxy" for an empty option.
[[nodiscard]] EVERWIRE_EXPORT QString nameOf(const QString &option);
// Whether the application would go to this host by a proxy, which is then to find the host's address.
[[nodiscard]] bool isBetween(const std::optional<QNetworkProxy> &own, const QString &host, quint16 port);
// Whether the option leads to another machine, even for what is loopback here (rule A8).
[[nodiscard]] bool isElsewhere(const QString &option);

} // namespace Everwire::Proxy
