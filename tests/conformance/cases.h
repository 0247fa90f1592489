// SPDX-License-Identifier: MIT
#pragma once

#include "deflate.h"
#include "outcome.h"

#include <QByteArray>
#include <QList>

#include <functional>
#include <optional>
#include <string>
#include <vector>

// The cases of the Autobahn WebSocket testsuite for a client, written anew from what they send and expect.
// docs/conformance.md has the results.

// One thing that the client was seen to do, or (Silence) not to do while a case waited.
struct Event
{
    enum Kind { Text, Binary, Ping, Pong, Silence };

    Kind kind = Text;
    QByteArray payload;

    friend bool operator==(const Event &a, const Event &b)
    {
        return a.kind == b.kind && a.payload == b.payload;
    }
};

struct Step
{
    enum Kind {
        Send,
        SendClose,  // a Close frame, however wrong: from here on the server is the one who closed
        AwaitEvent, // goes on with the client's next event
        AwaitEnd,   // gives the client time to fail the connection, then notes Silence
    };

    Kind kind = Send;
    QByteArray bytes;
    // The bytes leave in pieces of this size, each handed to the system on its own; 0: with what comes before and
    // after. TCP may still join them.
    qsizetype chop = 0;
};

// Larger than any frame: a frame that leaves alone.
inline constexpr qsizetype WholeFrame = 1 << 30;

// Messages sent one after the other, each when the echo of the one before is there.
struct Rounds
{
    bool binary = false;
    qsizetype size = 0;
    qsizetype frameSize = 0; // of the fragments, 0: none
    QByteArray source; // the messages are cut out of it, one after the other, from its start again at its end
    std::vector<DeflateWish> wishes; // empty: uncompressed
};

// How the connection must end.
struct EndExpectation
{
    bool byServer = true; // the server starts the closing handshake, or the client fails the connection
    bool clean = true;    // a Close frame must come from the client
    QList<int> codes;     // those that its Close frame may have, if it has any
};

struct Script
{
    std::vector<Step> steps;
    std::optional<Rounds> rounds;
    std::vector<Event> expected;
    std::optional<std::vector<Event>> nonStrict; // allowed, but not the best
    EndExpectation end;
    bool sendsClose = false; // the steps do; otherwise the server does when all that is expected was seen
    std::optional<Ending> fatalEnding; // that is a failure of the case itself
    bool informational = false;        // whatever happens is worth knowing and no more
};

struct Case
{
    std::string id;
    std::string checks; // in one line
    std::function<Script()> script;
};

struct Group
{
    const char *id;
    const char *title;
};

// All 517, in Autobahn's order.
const std::vector<Case> &allCases();
const std::vector<Group> &allGroups();
// The part of the id before the first dot.
std::string groupOf(const Case &aCase);

// How many messages the cases of 9.7, 9.8, 12 and 13 send: EVERWIRE_CONFORMANCE_ROUNDS, or 50. Autobahn's are 1000.
int roundsPerCase();
