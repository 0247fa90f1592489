// SPDX-License-Identifier: MIT
#include "transport/transporterrors.h"

#include "core/closecode.h"
#include "core/peertext.h"
#include "transport/proxy.h"

namespace Everwire::TransportErrors {

namespace {

// For texts that are mostly Qt's. A short token may occur in them as an ordinary word, so only long
// secrets are masked.
QString qtsWords(const QString &why, const QStringList &secrets)
{
    // Characters. The text may list the names and pins of a whole certificate chain.
    constexpr qsizetype most = 2000;
    return PeerText::shown(why, PeerText::longOnes(secrets), most);
}

} // namespace

QString where(const QUrl &url)
{
    const bool tls = url.scheme().compare(QLatin1String("wss"), Qt::CaseInsensitive) == 0;
    const QString host = url.host();
    return QStringLiteral("%1:%2")
        .arg(host.contains(QLatin1Char(':')) ? QLatin1Char('[') + host + QLatin1Char(']') : host)
        .arg(url.port(tls ? 443 : 80));
}

TransportEnd notConnected(const QString &where, QAbstractSocket::SocketError error, const QString &why,
                          const QString &proxy, const QStringList &secrets)
{
    const QString shown = qtsWords(why, secrets);
    ConnectionError::Code code = ConnectionError::ConnectionRefused;
    QString message = QStringLiteral("No connection to %1: %2. Is the server running?").arg(where, shown);
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
                .arg(where, Proxy::nameOf(proxy), shown,
                     proxy.isEmpty() ? QStringLiteral("QNetworkProxy") : QStringLiteral("option proxy"));
        break;
    default: break;
    }
    return {{code, message}, {}, {}};
}

TransportEnd tlsFailed(const QString &where, const QString &why, const QString &advice,
                       const QStringList &secrets)
{
    return {{ConnectionError::TlsFailed,
             QStringLiteral("No secure connection to %1: %2. %3").arg(where, qtsWords(why, secrets), advice)},
            {},
            {}};
}

TransportEnd badOption(const QString &message)
{
    return {{ConnectionError::InvalidConfiguration, message, 0, true}, {}, {}};
}

TransportEnd lost(const QString &where, const QString &why, const QStringList &secrets)
{
    const QString detail = why.isEmpty() ? QStringLiteral("the connection broke") : qtsWords(why, secrets);
    return {{ConnectionError::ConnectionLost,
             QStringLiteral("The connection to %1 was lost: %2").arg(where, detail), CloseCode::Abnormal},
            {},
            {}};
}

TransportEnd closed(const QString &where, int code, const QString &reason, const QStringList &secrets)
{
    const QString shown = PeerText::shown(reason, secrets);
    const QString because = shown.isEmpty() ? QString() : QStringLiteral(": ") + shown;
    return {
        {ConnectionError::ClosedByServer,
         QStringLiteral("The connection to %1 was closed with code %2%3").arg(where).arg(code).arg(because),
         code},
        shown,
        {}};
}

} // namespace Everwire::TransportErrors
