// SPDX-License-Identifier: MIT
#pragma once

namespace Everwire::CloseCode {

// RFC 6455 §7.4.1 and IANA's WebSocket Close Code Number Registry.
inline constexpr int None = 0; // ours: no connection has ended yet
inline constexpr int Normal = 1000;
inline constexpr int GoingAway = 1001;
inline constexpr int ProtocolError = 1002;
inline constexpr int UnsupportedData = 1003;
inline constexpr int NoStatus = 1005; // a Close frame without a code
inline constexpr int Abnormal = 1006; // the connection was lost without a Close frame (rule R8)
inline constexpr int InvalidData = 1007;
inline constexpr int PolicyViolation = 1008;
inline constexpr int MessageTooBig = 1009;
inline constexpr int MandatoryExtension = 1010;
inline constexpr int TlsHandshake = 1015;

// The backends' own (wire protocol, steps 5 and 6).
inline constexpr int AuthenticationFailed = 4001;
inline constexpr int AuthenticationTimeout = 4002;
// Used by many backends: the HTTP statuses 401 and 403, moved to the range for applications.
inline constexpr int Unauthorized = 4401;
inline constexpr int Forbidden = 4403;

// Close codes from the peer after which no retry helps, whatever the configuration says (rule R6).
[[nodiscard]] constexpr bool isFinal(int code)
{
    return code == ProtocolError || code == UnsupportedData ||
           (code >= InvalidData && code <= MandatoryExtension);
}

} // namespace Everwire::CloseCode
