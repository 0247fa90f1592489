// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <array>

namespace Everwire {

// Where a connection stands (rules S1 to S4). Connection::State has the same values for QML and for apps.
enum class ConnectionState : int {
    Disconnected,
    Connecting,
    Authenticating,
    Connected,
    Reconnecting,
    Disconnecting,
    Error,
};

inline constexpr int ConnectionStateCount = 7;

inline constexpr std::array<ConnectionState, ConnectionStateCount> AllConnectionStates{
    ConnectionState::Disconnected, ConnectionState::Connecting,   ConnectionState::Authenticating,
    ConnectionState::Connected,    ConnectionState::Reconnecting, ConnectionState::Disconnecting,
    ConnectionState::Error,
};

// The state's name as the web client spells it: "connected", "reconnecting" …
[[nodiscard]] EVERWIRE_EXPORT const char *toString(ConnectionState state);

// The one table of transitions (rule S5). Anything it does not allow is a bug of ours.
[[nodiscard]] EVERWIRE_EXPORT bool isTransitionAllowed(ConnectionState from, ConnectionState to);

} // namespace Everwire
