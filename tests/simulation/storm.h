// SPDX-License-Identifier: MIT
#pragma once

#include "backoff.h"

#include <cstdint>
#include <optional>

namespace Storms {

// A server that goes away with all its clients connected, and comes back.
struct Storm
{
    int clients = 10'000;
    milliseconds outage{60'000};
    // New connections that the server takes in a second, and at most that many at once: a token bucket.
    int admitted = 500;
    // How long it is watched after the outage.
    milliseconds horizon = std::chrono::hours(2);
    // What the server asks whom it refuses for when it is up (Retry-After); 0: nothing.
    milliseconds retryAfter{0};
    std::uint64_t seed = 1;
};

// Times are counted from the end of the outage.
struct Outcome
{
    qint64 peak = 0;                  // attempts that arrive within 100 ms at the server that is up, at most
    qint64 refused = 0;               // attempts that the server has refused since it is up
    qint64 inVain = 0;                // attempts while it was down
    int back = 0;                     // clients
    int gaveUp = 0;                   // clients
    std::optional<milliseconds> half; // until 50 % of all clients are back
    std::optional<milliseconds> nearlyAll; // until 99 % of all clients are back
};

// Lives through it, event by event: the same for the same seed, on every machine.
[[nodiscard]] Outcome live(const Storm &storm, const Backoff &backoff);

} // namespace Storms
