// SPDX-License-Identifier: MIT
#pragma once

namespace Bench {

// The other end of every measurement, in a process of its own: blocking sockets, a thread a connection, frames built
// beforehand and many to a write, so that it is the client that is measured. Listens on two ports of loopback,
// prints "<ws port> <wss port>" and serves until its standard input ends. What it does is chosen by the URL:
//   /receive?kind=text|binary&size=&count=[&deflate=1][&numbered=1]   sends, then waits for the end
//   /send?kind=&size=&count=[&deflate=1]    takes count messages, compares them with the corpus, answers with what
//                                           it counted, as JSON
//   /echo                                   sends back what comes
//   /idle                                   does nothing
int serve();

} // namespace Bench
