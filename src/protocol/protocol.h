// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>
#include <Everwire/SessionInfo>

#include "core/padded.h"

#include <QString>

#include <variant>

namespace Everwire {

// What a received text turned out to be.
namespace Received {

struct Authenticated
{
    SessionInfo session;
};

struct AuthenticationFailed
{
    QString reason; // the server's words
};

struct Ignored // arrived while authenticating (rule A6)
{
    QString type;
};

struct HeartbeatAnswer // the answer to heartbeat(), not to a ping of the app
{
};

struct Malformed // not JSON at all (rule M2)
{
    QByteArray text;
    QString reason;
};

using Outcome =
    std::variant<Message, Authenticated, AuthenticationFailed, Ignored, Malformed, HeartbeatAnswer>;

} // namespace Received

// What travels inside the frames, sans I/O: bytes in, outcomes out; no socket, no timer, no event loop.
// One object for one attempt: it knows whether authentication has been answered.
class Protocol
{
public:
    virtual ~Protocol() = default;

    // The first message of a connection (rule A1). From here on an answer is expected.
    [[nodiscard]] virtual QByteArray authenticate(const QString &token) = 0;
    // The same on a connection that is authenticated already, to renew its token. Messages still arrive meanwhile.
    [[nodiscard]] virtual QByteArray reauthenticate(const QString &token) = 0;
    // The view needs to live no longer than the call.
    [[nodiscard]] virtual Received::Outcome receiveText(PaddedView utf8) = 0;
    // The library's own ping as a message (rule H1). Each call yields one HeartbeatAnswer.
    [[nodiscard]] virtual QByteArray heartbeat() = 0;
};

} // namespace Everwire
