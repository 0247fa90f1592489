// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Connection>
#include <Everwire/ConnectionConfig>

#include <QUrl>

namespace Bench {

// Another connection of the library's, not open yet: as an app has it, but for what a load server is not. The URL's
// key "heartbeat" is the time between two pings, in milliseconds; without it there are none in a task's time.
Everwire::Connection *makeConnection(const QUrl &url, Everwire::ConnectionConfig::Transport transport =
                                                          Everwire::ConnectionConfig::Transport::Automatic);

} // namespace Bench
