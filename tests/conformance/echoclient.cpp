// SPDX-License-Identifier: MIT
#include "echoclient.h"

#include <utility>

using namespace Everwire;

EchoClient::EchoClient(std::unique_ptr<Transport> transport, std::function<void()> onEnd)
    : m_transport(std::move(transport)), m_onEnd(std::move(onEnd))
{
    m_transport->setListener(this);
}

EchoClient::~EchoClient()
{
    m_transport->setListener(nullptr);
}

void EchoClient::open(const QUrl &url)
{
    TransportTarget target;
    target.url = url;
    target.maxFrameSize = 16 * 1024 * 1024; // the largest echo leaves in one frame
    target.maxIncomingSize = 64 * 1024 * 1024;
    target.compress = true;
    m_transport->open(target);
}

void EchoClient::transportTextReceived(PaddedView utf8)
{
    m_transport->sendText(utf8.toByteArray());
}

void EchoClient::transportBinaryReceived(QByteArray bytes)
{
    m_transport->sendBinary(bytes);
}

void EchoClient::transportEnded(const TransportEnd &)
{
    m_ended = true;
    m_onEnd();
}
