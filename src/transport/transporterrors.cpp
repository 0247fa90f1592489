// SPDX-License-Identifier: MIT
#include "transport/transporterrors.h"

#include "core/closecode.h"

namespace Everwire::TransportErrors {

QString where(const QUrl &url)
{
    const bool tls = url.scheme().compare(QLatin1String("wss"), Qt::CaseInsensitive) == 0;
    return QStringLiteral("%1:%2").arg(url.host()).arg(url.port(tls ? 443 : 80));
}

TransportEnd hostNotFound(const QString &where)
{
    return {{ConnectionError::HostNotFound,
             QStringLiteral("No host of that name: %1. Check the URL and the network").arg(where)},
            {},
            {}};
}

TransportEnd refused(const QString &where, const QString &why)
{
    return {{ConnectionError::ConnectionRefused,
             QStringLiteral("No connection to %1: %2. Is the server running?").arg(where, why)},
            {},
            {}};
}

TransportEnd tlsFailed(const QString &where, const QString &why)
{
    return {
        {ConnectionError::TlsFailed,
         QStringLiteral(
             "No secure connection to %1: %2. Check the server's certificate and the date of this machine")
             .arg(where, why)},
        {},
        {}};
}

TransportEnd lost(const QString &where, const QString &why)
{
    const QString detail = why.isEmpty() ? QStringLiteral("the connection broke") : why;
    return {{ConnectionError::ConnectionLost,
             QStringLiteral("The connection to %1 was lost: %2").arg(where, detail), CloseCode::Abnormal},
            {},
            {}};
}

TransportEnd closed(const QString &where, int code, const QString &reason)
{
    const QString because = reason.isEmpty() ? QString() : QStringLiteral(": ") + reason;
    return {
        {ConnectionError::ClosedByServer,
         QStringLiteral("The connection to %1 was closed with code %2%3").arg(where).arg(code).arg(because),
         code},
        reason,
        {}};
}

} // namespace Everwire::TransportErrors
