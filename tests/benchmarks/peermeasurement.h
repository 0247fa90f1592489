// SPDX-License-Identifier: MIT
#pragma once

#include "measurement.h"
#include "peers.h"

#include <memory>

namespace Bench {

// One of a transport, or of what is beside it.
class PeerMeasurement : public Measurement, public ClientListener
{
public:
    PeerMeasurement(const Task &task, const Peer &peer) : Measurement(task), m_peer(peer) {}

    void ended(const QString &why) override { fail(QStringLiteral("the connection ended: ") + why); }

protected:
    std::unique_ptr<Client> connectClient()
    {
        auto client = m_peer.make();
        client->setListener(this);
        return client;
    }
    void open(Client &client) { client.open(url(), number("deflate") == 1); }

private:
    const Peer &m_peer;
};

template<typename M>
QJsonObject runWith(const Task &task, const Peer &peer)
{
    return M(task, peer).run();
}

} // namespace Bench
