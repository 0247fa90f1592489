// SPDX-License-Identifier: MIT
#pragma once

#include <QString>

namespace Bench {

// What a process is started for: a path and query of the load server, and who connects to it. Further keys are the
// task's own:
//   tls=1            over TLS
//   connections=     that many, one after the other: /idle, or /receive and idle then
//   pause=           /receive: milliseconds of rest in the middle, with count and memory checked
struct Task
{
    QString url; // "/receive?kind=text&size=256&count=100000"
    QString peer;
    quint16 plainPort = 0;
    quint16 tlsPort = 0;
};

// Does it, and prints one JSON object of figures, or {"error": …}. Returns the exit code.
int run(const Task &task);

// The name of the peer that is a socket and nothing else: what the server and the system can do.
inline constexpr char RawPeer[] = "a plain socket";

} // namespace Bench
