// SPDX-License-Identifier: MIT
#include "core/connectionstate.h"

namespace Everwire {

namespace {

constexpr bool X = true;
constexpr bool o = false;

// Rows: from; columns: to. Two rows deserve a word: an open() that cannot start (no URL, no way to
// authenticate safely) goes straight to Error, and reconnect() restarts an attempt from any open state.
constexpr bool Allowed[ConnectionStateCount][ConnectionStateCount] = {
    //                    Disconnected Connecting Authenticating Connected Reconnecting Disconnecting Error
    /* Disconnected   */ {o, X, o, o, o, o, X},
    /* Connecting     */ {o, o, X, X, X, X, X},
    /* Authenticating */ {o, X, o, X, X, X, X},
    /* Connected      */ {o, X, o, o, X, X, X},
    /* Reconnecting   */ {o, X, o, o, o, X, X},
    /* Disconnecting  */ {X, o, o, o, o, o, o},
    /* Error          */ {o, X, o, o, o, X, o},
};

} // namespace

const char *toString(ConnectionState state)
{
    switch (state) {
    case ConnectionState::Disconnected: return "disconnected";
    case ConnectionState::Connecting: return "connecting";
    case ConnectionState::Authenticating: return "authenticating";
    case ConnectionState::Connected: return "connected";
    case ConnectionState::Reconnecting: return "reconnecting";
    case ConnectionState::Disconnecting: return "disconnecting";
    case ConnectionState::Error: return "error";
    }
    Q_UNREACHABLE();
}

bool isTransitionAllowed(ConnectionState from, ConnectionState to)
{
    return Allowed[static_cast<int>(from)][static_cast<int>(to)];
}

} // namespace Everwire
