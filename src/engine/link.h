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

// A transport, and how far each message that was handed to it has come.
struct EVERWIRE_EXPORT Link
{
    struct Sent
    {
        Outgoing message;
        qint64 end = Transport::NeverLeaves; // the transport's position behind it
    };
    struct Taken
    {
        qint64 end = 0;
        int count = 0; // messages
    };

    // Drops the messages that the operating system has taken whole. Returns their bytes; nothing if there are none.
    [[nodiscard]] std::optional<qint64> settle();
    // Messages that the system has taken and that are not before this position.
    [[nodiscard]] int takenBehind(qint64 confirmed) const;
    [[nodiscard]] std::vector<Outgoing> takeUnsettled();

    std::unique_ptr<Transport> transport;
    std::unique_ptr<Protocol> protocol;
    QList<Sent> unsettled;
    qsizetype unsent = 0;    // so many of their last are yet to be handed to the transport
    std::deque<Taken> taken; // of these nobody knows yet that they arrived
    qint64 backlog = 0;      // bytes that the system did not take at once
    // The scheduler's time at which messages of the app were last handed to the transport.
    std::chrono::milliseconds lastSent = -std::chrono::hours(1);
    bool hasMessages = false; // some of the app's were handed to the transport
    QString token;            // what it authenticates with; empty where it does not
    QStringList secrets;      // what the server may quote and nobody may see: tokens, credentials in headers
};

} // namespace Everwire
