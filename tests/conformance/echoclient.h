// SPDX-License-Identifier: MIT
#pragma once

#include "transport/transport.h"

#include <functional>
#include <memory>

// Autobahn's client: sends back whatever it gets. The transport does all the rest.
class EchoClient final : public Everwire::TransportListener
{
public:
    // onEnd: when the transport reports that the connection is over, from within it.
    EchoClient(std::unique_ptr<Everwire::Transport> transport, std::function<void()> onEnd);
    ~EchoClient();
    Q_DISABLE_COPY_MOVE(EchoClient)

    void open(const QUrl &url);
    [[nodiscard]] bool hasEnded() const { return m_ended; }

private:
    void transportOpened() override {}
    void transportTextReceived(Everwire::PaddedView utf8) override;
    void transportBinaryReceived(QByteArray bytes) override;
    void transportAlive() override {}
    void transportWritten() override {}
    void transportEnded(const Everwire::TransportEnd &end) override;

    std::unique_ptr<Everwire::Transport> m_transport;
    std::function<void()> m_onEnd;
    bool m_ended = false;
};
