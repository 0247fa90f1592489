// SPDX-License-Identifier: MIT
#pragma once

#include "peers.h"

namespace Bench {

// QWebSocket in a thread of its own, as somebody has it who keeps the UI thread free with Qt alone.
const Peer &threadedPeer();

} // namespace Bench
