// SPDX-License-Identifier: MIT
#pragma once

#include "core/message_p.h"

#include <QByteArrayView>
#include <QMutex>

#include <array>
#include <atomic>
#include <vector>

namespace Everwire {

// Messages that nobody needs any more, for the next ones to be made of. Allocated on the wire thread and freed on the app's,
// each would make the two wait for each other at the allocator's lock, which takes longer than all else that is done
// with a small message.
class EVERWIRE_EXPORT MessagePool
{
public:
    MessagePool() = default;
    Q_DISABLE_COPY_MOVE(MessagePool)

    // ---- any thread ----
    // Takes them, or leaves them to the caller where much waits already. Those that somebody else has, too, are only let
    // go of.
    void give(std::vector<CountedMessage> &&messages);

    // ---- whoever makes messages of it: the wire thread, where give() is called by another ----
    [[nodiscard]] QByteArray copy(QByteArrayView bytes);
    // former: what was decoded for another message, for its decoder to use again.
    [[nodiscard]] Message text(QByteArrayView utf8, const QString *sharedType, Decoded *former);
    [[nodiscard]] Message binary(QByteArray bytes);
    // As give(), for one.
    void keep(CountedMessage spare);

private:
    [[nodiscard]] MessageData *takeData();
    void takeIn();
    void keep(QByteArray bytes);

    QMutex m_mutex;
    std::vector<CountedMessage> m_given;
    qint64 m_givenCost = 0;
    std::atomic<bool> m_hasGiven{false};

    std::vector<CountedMessage> m_spare; // without their bytes
    qint64 m_spareCost = 0;
    std::array<std::vector<QByteArray>, 24> m_buffers; // by the logarithm of their capacity
    qint64 m_bufferBytes = 0;
};

} // namespace Everwire
