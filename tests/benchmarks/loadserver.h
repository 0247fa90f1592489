// SPDX-License-Identifier: MIT
#pragma once

namespace Bench {

// The other end of every measurement, in a process of its own: blocking sockets, a thread a connection, frames built
// beforehand and many to a write, so that it is the client that is measured. Listens on two ports of loopback,
// prints "<ws port> <wss port>" and serves until its standard input ends. What it does is chosen by the URL:
//   /receive?kind=text|binary&size=&count=[&deflate=1][&numbered=1][&rate=][&lead=][&wait=][&marks=1]
//                                           sends, then waits for the end: lead of them as fast as it can, and wait
//                                           milliseconds later the others, rate a second and not as fast as it can; with
//                                           marks it says {"type":"begin"} after a tenth of them, which warms up, and
//                                           {"type":"end"}; with crowd= it sends count of them, rate a second, by one
//                                           thread for all that say so
//   /send?kind=&size=&count=[&deflate=1]    takes count messages, compares them with the corpus, answers with what
//                                           it counted, as JSON
//   /echo                                   sends back what comes
//   /ping?count=&every=                     sends count pings, one in every so many milliseconds, and tells how long
//                                           the pongs took, as JSON
//   /listen?time=                           answers pings for so many milliseconds, and tells how many there were
//   /idle                                   does nothing
//   /stall?time=                            does not even read, for so many milliseconds
// With auth=1 the first message is the client's token, which it says is good.
int serve();

} // namespace Bench
