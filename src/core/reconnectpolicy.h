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
    // Whether a connection that ended with this close code of the peer is worth another attempt.
    [[nodiscard]] bool retries(int closeCode) const;
    // Whether another attempt may follow this end. A verdict of ours (ProtocolViolation) is about one frame, not about
    // the client: it is retried, unless a message was too big (1009), which would come again.
    [[nodiscard]] bool retries(const ConnectionError &error) const;

private:
    ConnectionConfig m_config;
};

} // namespace Everwire
