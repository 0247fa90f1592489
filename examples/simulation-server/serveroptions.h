// SPDX-License-Identifier: MIT
#pragma once

#include "scenariocatalog.h"

#include <QByteArray>
#include <QHostAddress>
#include <QString>

#include <chrono>

namespace Everwire::Demo {

/// How a refused authentication is answered; backends do one or the other.
enum class AuthErrorForm {
    AuthError, ///< `{"type":"auth_error","error":"Invalid token"}`
    Payload,   ///< `{"type":"error","payload":{"error":"invalid token","code":"auth_failed"},…}`
};

/// Everything a SimulationServer can be told; the defaults are those of the real backend.
struct ServerOptions
{
    QHostAddress address = QHostAddress(QHostAddress::LocalHost);
    quint16 port = 0;          ///< 0: any free port.
    QByteArray secret;         ///< The HMAC key of the tokens, at least minimumSecretBytes.
    QString outputDirectory;   ///< Where turns are stored as WAV; empty: they are not.
    ScenarioCatalog scenarios; ///< Empty: the built-in ones.

    AuthErrorForm authErrorForm = AuthErrorForm::AuthError;
    bool faultsEnabled = true; ///< Whether clients may ask for faults; the C++ API always may.
    bool sendOpening = true;   ///< Whether a new session on a stream URL gets the opening line.

    std::chrono::milliseconds authTimeout{5000};
    std::chrono::milliseconds pingInterval{54000};
    std::chrono::milliseconds pongTimeout{60000};
    std::chrono::milliseconds closeTimeout{2000}; ///< From a Close frame to the end of the TCP connection.
    std::chrono::milliseconds partDelay{60};      ///< Between the parts of a reply.
    std::chrono::milliseconds sessionLifetime{600000}; ///< How long a session outlives its last connection.

    int maxMessageBytes = 512 * 1024;
    int maxTurnBytes = 20 * 1024 * 1024;           ///< About 10 minutes at 16 kHz.
    qint64 maxBufferedBytes = 128LL * 1024 * 1024; ///< Unfinished turns of all sessions together.
    int maxSessions = 64;
    int maxConnections = 128;
};

} // namespace Everwire::Demo
