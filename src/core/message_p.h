// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Message>

#include <memory>
#include <mutex>
#include <vector>

namespace Everwire {

// A body in the form that a subscriber takes, made on the wire thread.
struct Decoded
{
    const void *form = nullptr; // a form's identity (Detail::Wanted::key())
    std::shared_ptr<const void> value;
};

struct MessageData : QSharedData
{
    QByteArray bytes;
    QString type;
    qint64 timestamp = QDateTime::currentMSecsSinceEpoch();
    quint64 sequence = 0;
    Message::Direction direction = Message::Incoming;
    bool isBinary = false;
    std::once_flag decodeOnce;
    QVariant payload;             // guarded by decodeOnce
    std::vector<Decoded> decoded; // made before the message is shared
};

} // namespace Everwire
