// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionConfig>
#include <Everwire/ConnectionError>

namespace Everwire {

// When and whether to try again (rules R1 to R3 and R6). Pure: no clock and no random source of its own.
class EVERWIRE_EXPORT ReconnectPolicy
{
public:
    explicit ReconnectPolicy(const ConnectionConfig &config);

    // The wait before the given attempt, which counts from 1. random is uniform in [0, 1). Where the server has asked
    // for more (Retry-After), that, and up to reconnectJitter on top: clients must not all come back at once.
    [[nodiscard]] std::chrono::milliseconds delay(int attempt, double random,
                                                  std::chrono::milliseconds asked = {}) const;
    // Whether the configuration allows an attempt of this number at all.
    [[nodiscard]] bool allows(int attempt) const;
    // Whether to retry after the peer closed the connection with this code.
    [[nodiscard]] bool retries(int closeCode) const;
    // Whether to retry after this error. If we closed the connection because of a
    // ProtocolViolation, only one frame was wrong, so we retry. The exception is a message that is
    // too big (1009), because the server would send it again.
    [[nodiscard]] bool retries(const ConnectionError &error) const;

private:
    ConnectionConfig m_config;
};

} // namespace Everwire
