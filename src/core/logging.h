// SPDX-License-Identifier: MIT
#pragma once

#include <QLoggingCategory>

// Rule C4: sizes, types and states; never a payload, a token or a URL's query.
namespace Everwire {

Q_DECLARE_LOGGING_CATEGORY(lcConnection) // everwire.connection: states, errors, warnings for the app
Q_DECLARE_LOGGING_CATEGORY(lcWire)       // everwire.wire: frames and close codes
Q_DECLARE_LOGGING_CATEGORY(lcAuth)       // everwire.auth: when tokens are asked for and answered
Q_DECLARE_LOGGING_CATEGORY(lcConfig)     // everwire.config: where configuration comes from

} // namespace Everwire
