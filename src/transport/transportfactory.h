// SPDX-License-Identifier: MIT
#pragma once

#include "transport/transport.h"

namespace Everwire {

// The transport that the configuration asks for. Automatic is FrameTransport, or QWebSocket where the library was
// built with -DEVERWIRE_DEFAULT_TRANSPORT=QWebSocket.
[[nodiscard]] EVERWIRE_EXPORT std::unique_ptr<Transport> makeTransport(const ConnectionConfig &config);

} // namespace Everwire
