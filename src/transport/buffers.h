// SPDX-License-Identifier: MIT
#pragma once

#include <QtGlobal>

namespace Everwire {

// Bytes of a connection's buffers that stay allocated between messages; what one large message took beyond that goes
// back to the system.
inline constexpr qsizetype KeptCapacity = 64 * 1024;

} // namespace Everwire
