// SPDX-License-Identifier: MIT
#pragma once

#include "simulationserver.h"

#include <memory>

/// Options for a server that answers at once and waits for nobody.
inline Everwire::Demo::ServerOptions quickOptions()
{
    Everwire::Demo::ServerOptions options;
    options.secret = QByteArray(32, 't');
    options.partDelay = std::chrono::milliseconds(0);
    return options;
}

/// A listening server on a free port, or null when it does not listen.
inline std::unique_ptr<Everwire::Demo::SimulationServer>
startServer(const Everwire::Demo::ServerOptions &options)
{
    auto server = std::make_unique<Everwire::Demo::SimulationServer>(options);
    if (!server->listen()) {
        qWarning("%s", qPrintable(server->errorString()));
        return nullptr;
    }
    return server;
}
