// SPDX-License-Identifier: MIT
#pragma once

#include "measure.h"
#include "peers.h"

#include <QJsonObject>

namespace Bench {

// Tasks about connections that live beside something else:
//   /ping, /listen        heartbeats while the UI thread works, for busy milliseconds of every tick
//   /stall                memory, when the peer reads nothing of count messages
//   growth=1              /receive: how memory grows
//   wakeups=              milliseconds in which connections are idle, from settle= milliseconds after the last is open
//   crowd=                that many connections at once, each with auth=1
bool isLive(const Task &task);
QJsonObject runLive(const Task &task, const Peer &peer);

} // namespace Bench
