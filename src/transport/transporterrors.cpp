// SPDX-License-Identifier: MIT
#include "transport/transporterrors.h"

#include "core/closecode.h"
#include "transport/proxy.h"

namespace Everwire::TransportErrors {

QString where(const QUrl &url)
{
    const bool tls = url.scheme().compare(QLatin1String("wss"), Qt::CaseInsensitive) == 0;
    const QString host = url.host();
    return QStringLiteral("%1:%2")
        .arg(host.contains(QLatin1Char(':')) ? QLatin1Char('[') + host + QLatin1Char(']') : host)
        .arg(url.port(tls ? 443 : 80));
}

TransportEnd notConnected(const QString &where, QAbstractSocket::SocketError error, const QString &why,
                          const QString &proxy)
{
    ConnectionError::Code code = ConnectionError::ConnectionRefused;
    QString message = QStringLiteral("No connection to %1: %2. Is the server running?").arg(where, why);
    switch (error) {
    case QAbstractSocket::HostNotFoundError:
        code = ConnectionError::HostNotFound;
        message = QStringLiteral("No host of that name: %1. Check the URL and the network").arg(where);
        break;
    case QAbstractSocket::ProxyAuthenticationRequiredError:
    case QAbstractSocket::ProxyConnectionRefusedError:
    case QAbstractSocket::ProxyConnectionClosedError:
    case QAbstractSocket::ProxyConnectionTimeoutError:
    case QAbstractSocket::ProxyNotFoundError:
    case QAbstractSocket::ProxyProtocolError:
        message =
            QStringLiteral("No connection to %1 through %2: %3. Check the %4 and what the proxy allows")
                .arg(where, Proxy::nameOf(proxy), why,
                     proxy.isEmpty() ? QStringLiteral("QNetworkProxy") : QStringLiteral("option proxy"));
        break;
    default: break;
    }
    return {{code, message}, {}, {}};
}

TransportEnd tlsFailed(const QString &where, const QString &why, const QString &advice)
{
    return {{ConnectionError::TlsFailed,
             QStringLiteral("No secure connection to %1: %2. %3").arg(where, why, advice)},
            {},
            {}};
}

TransportEnd badOption(const QString &message)
{
    return {{ConnectionError::InvalidConfiguration, message, 0, true}, {}, {}};
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
