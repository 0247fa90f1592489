// SPDX-License-Identifier: MIT
#include "transport/proxy.h"

#include "core/loopback.h"

#include <QUrl>

namespace Everwire::Proxy {

std::optional<QNetworkProxy> fromOption(const QString &option)
{
    if (option.isEmpty())
        return {};
    if (option == QLatin1String("none"))
        return QNetworkProxy(QNetworkProxy::NoProxy);
    const QUrl url(option);
    const bool isHttp = url.scheme() == QLatin1String("http");
    return QNetworkProxy(isHttp ? QNetworkProxy::HttpProxy : QNetworkProxy::Socks5Proxy, url.host(),
                         quint16(url.port()), url.userName(QUrl::FullyDecoded),
                         url.password(QUrl::FullyDecoded));
}

QString nameOf(const QString &option)
{
    if (option.isEmpty())
        return QStringLiteral("the application's proxy");
    return QStringLiteral("the proxy ") + QUrl(option).toString(QUrl::RemoveUserInfo | QUrl::RemovePath |
                                                                QUrl::RemoveQuery | QUrl::RemoveFragment);
}

bool isBetween(const std::optional<QNetworkProxy> &own, const QString &host, quint16 port)
{
    if (own)
        return own->type() != QNetworkProxy::NoProxy;
    const QList<QNetworkProxy> list = QNetworkProxyFactory::proxyForQuery(QNetworkProxyQuery(host, port));
    return !list.isEmpty() && list.first().type() != QNetworkProxy::NoProxy;
}

bool isElsewhere(const QString &option)
{
    const std::optional<QNetworkProxy> proxy = fromOption(option);
    return proxy && proxy->type() != QNetworkProxy::NoProxy && !isLoopback(proxy->hostName());
}

} // namespace Everwire::Proxy
