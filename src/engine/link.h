// SPDX-License-Identifier: MIT
#pragma once

#include "engine/outgoingqueue.h"
#include "protocol/protocol.h"
#include "transport/transport.h"

#include <QList>
#include <QString>
#include <QStringList>

#include <chrono>
#include <deque>

namespace Everwire {

// A transport, and the progress of each message that was handed to it.
struct EVERWIRE_EXPORT Link
{
    struct Sent
    {
        Outgoing message;
        qint64 end = Transport::NeverLeaves; // the transport's position after the message
    };
    struct Taken
    {
        qint64 end = 0;
        int count = 0; // messages
    };

    // Removes the messages that the operating system has accepted completely. Returns their bytes,
    // or nothing if there are none.
    [[nodiscard]] std::optional<qint64> settle();
    // The number of messages that the system has accepted and that end after this position.
    [[nodiscard]] int takenBehind(qint64 confirmed) const;
    [[nodiscard]] std::vector<Outgoing> takeUnsettled();

    std::unique_ptr<Transport> transport;
    std::unique_ptr<Protocol> protocol;
    QList<Sent> unsettled;
    // Messages at the end of unsettled that are not handed to the transport yet.
    qsizetype unsent = 0;
    std::deque<Taken> taken; // accepted by the system, but not known to have arrived
    qint64 backlog = 0;      // bytes that the system did not accept at once
    // The scheduler's time at which a message of the app was last handed to the transport.
    std::chrono::milliseconds lastSent = -std::chrono::hours(1);
    bool hasMessages = false; // a message of the app was handed to the transport
    QString token;            // the token for authentication, empty if there is none
    QStringList secrets;      // masked in all text from the server: tokens, credentials in headers
};

} // namespace Everwire
