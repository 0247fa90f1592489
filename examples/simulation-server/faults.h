// SPDX-License-Identifier: MIT
#pragma once

#include <QJsonObject>
#include <QString>

#include <chrono>

namespace Everwire::Demo {

/// Something that goes wrong on purpose.
struct Fault
{
    enum class Kind {
        None,
        Drop,       ///< The TCP connection ends without a Close frame.
        Close,      ///< A Close frame with closeCode and closeReason.
        Silence,    ///< Nothing is read or answered, pings included, for duration (0: for good).
        Slow,       ///< Each answer is held back by duration (0: no longer).
        SilentAuth, ///< The authentication is never answered.
        RejectAuth, ///< The authentication is refused, whatever the token.
        DropAuth,   ///< The TCP connection ends instead of an answer to the authentication.
        DropAfter,  ///< Drop, when duration has passed since the authentication.
    };

    Kind kind = Kind::None;
    std::chrono::milliseconds duration{0};
    quint16 closeCode = 1000;
    QString closeReason;
};

/// A fault, or why the request for one was not understood.
struct ParsedFault
{
    Fault fault;
    QString error;
};

/// Reads `{"type":"fault","kind":"drop|close|silence|slow",…}`.
[[nodiscard]] ParsedFault faultFromMessage(const QJsonObject &message);

/// Reads the value of a URL's `fault=`: `silence-auth`, `reject-auth`, `drop-auth`, `close-<code>`
/// or `drop-after-<milliseconds>`. An empty value is no fault.
[[nodiscard]] ParsedFault faultFromQuery(const QString &value);

} // namespace Everwire::Demo
