// SPDX-License-Identifier: MIT
#include "transport/transportfactory.h"

#include "transport/frametransport.h"
#include "transport/qwebsockettransport.h"

namespace Everwire {

namespace {

#ifdef EVERWIRE_DEFAULT_TRANSPORT_QWEBSOCKET
using DefaultTransport = QWebSocketTransport;
#else
using DefaultTransport = FrameTransport;
#endif

} // namespace

std::unique_ptr<Transport> makeTransport(const ConnectionConfig &config)
{
    if (config.transport() == ConnectionConfig::Transport::QWebSocket)
        return std::make_unique<QWebSocketTransport>();
    return std::make_unique<DefaultTransport>();
}

} // namespace Everwire
