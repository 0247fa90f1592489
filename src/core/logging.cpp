// SPDX-License-Identifier: MIT
#include "core/logging.h"

namespace Everwire {

Q_LOGGING_CATEGORY(lcConnection, "everwire.connection", QtInfoMsg)
Q_LOGGING_CATEGORY(lcWire, "everwire.wire", QtInfoMsg)
Q_LOGGING_CATEGORY(lcAuth, "everwire.auth", QtInfoMsg)
Q_LOGGING_CATEGORY(lcConfig, "everwire.config", QtInfoMsg)

} // namespace Everwire
