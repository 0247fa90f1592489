// SPDX-License-Identifier: MIT
#pragma once

#include "peers.h"

namespace Bench {

// The library through its public API, as one of the transports' peers.
const Peer &libraryPeer();

} // namespace Bench
