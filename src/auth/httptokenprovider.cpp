// SPDX-License-Identifier: MIT
#include "auth/httptokenprovider.h"

#include "auth/jsonexchange.h"
#include "core/logging.h"

#include <QJsonArray>
#include <QTimer>

#include <algorithm>
#include <chrono>
#include <limits>

namespace Everwire {

namespace {

using std::chrono::milliseconds;

QJsonValue at(const QJsonValue &value, const QString &step)
{
    bool isIndex = false;
    const int index = step.toInt(&isIndex);
    if (value.isArray() && isIndex)
        return value.toArray().at(index);
    return value.toObject().value(step);
}

} // namespace

HttpTokenProvider::HttpTokenProvider(QObject *parent) : HttpTokenProvider(QUrl(), parent) {}

HttpTokenProvider::HttpTokenProvider(const QUrl &url, QObject *parent)
    : TokenProvider(parent), m_url(url), m_retry(new QTimer(this))
{
    m_retry->setSingleShot(true);
}

HttpTokenProvider::~HttpTokenProvider()
{
    delete m_exchange; // before the network manager, which is a child as well
}

void HttpTokenProvider::setUrl(const QUrl &url)
{
    if (url == m_url)
        return;
    m_url = url;
    Q_EMIT urlChanged();
}

void HttpTokenProvider::setMethod(const QString &method)
{
    const QString upper = method.toUpper();
    if (upper != QLatin1String("GET") && upper != QLatin1String("POST") && upper != QLatin1String("PUT")) {
        qCWarning(lcAuth) << "HttpTokenProvider's method is GET, POST or PUT, not" << method;
        return;
    }
    if (upper == m_method)
        return;
    m_method = upper;
    Q_EMIT methodChanged();
}

void HttpTokenProvider::setHeaders(const QVariantMap &headers)
{
    m_headers = headers;
    Q_EMIT headersChanged();
}

void HttpTokenProvider::setBody(const QJsonObject &body)
{
    m_body = body;
    Q_EMIT bodyChanged();
}

void HttpTokenProvider::setTokenPath(const QString &path)
{
    if (path == m_tokenPath)
        return;
    m_tokenPath = path;
    Q_EMIT tokenPathChanged();
}

void HttpTokenProvider::setTimeout(int timeout)
{
    timeout = std::max(timeout, 1);
    if (timeout == m_timeout)
        return;
    m_timeout = timeout;
    Q_EMIT timeoutChanged();
}

void HttpTokenProvider::setTimeoutMs(double timeout)
{
    if (timeout >= 1 && timeout <= std::numeric_limits<int>::max())
        setTimeout(int(timeout));
    else
        qCWarning(lcAuth) << "HttpTokenProvider's timeout is 1 to 2147483647 ms, not" << timeout;
}

void HttpTokenProvider::setRetries(int retries)
{
    retries = std::max(retries, 0);
    if (retries == m_retries)
        return;
    m_retries = retries;
    Q_EMIT retriesChanged();
}

void HttpTokenProvider::setAllowInsecure(bool allow)
{
    if (allow == m_allowInsecure)
        return;
    m_allowInsecure = allow;
    Q_EMIT allowInsecureChanged();
}

void HttpTokenProvider::fetch(const TokenRequest &request)
{
    // One that was abandoned may still be under way.
    delete m_exchange;
    m_retry->disconnect();
    ask(request, m_retries);
}

void HttpTokenProvider::ask(const TokenRequest &request, int retriesLeft)
{
    if (!m_network)
        m_network = new QNetworkAccessManager(this);
    JsonExchange::Request http;
    http.url = m_url;
    http.method = m_method.toLatin1();
    http.headers = m_headers;
    if (m_method != QLatin1String("GET"))
        http.body = m_body;
    http.timeout = milliseconds(m_timeout);
    http.allowInsecure = m_allowInsecure;
    m_exchange = new JsonExchange(
        *m_network, http,
        [this, request, retriesLeft](const JsonExchange::Answer &answer) {
            if (answer.problem.isEmpty() && answer.status != 204) {
                const QString token = tokenIn(answer.json);
                if (!token.isEmpty())
                    request.resolve(token);
                else
                    request.reject(QStringLiteral("the answer of the token endpoint has no \"%1\"")
                                       .arg(m_tokenPath.isEmpty()
                                                ? QStringLiteral("token\" and no \"access_token")
                                                : m_tokenPath));
            } else if (answer.status == 204) {
                request.resolveNone(
                    QStringLiteral("the token endpoint has none for us (204). Sign in again"));
            } else if (answer.isUnauthorized()) {
                request.resolveNone(answer.problem);
            } else if (answer.mayPass && retriesLeft > 0) {
                connect(m_retry, &QTimer::timeout, this, [this, request, retriesLeft] {
                    m_retry->disconnect();
                    ask(request, retriesLeft - 1);
                });
                m_retry->start(answer.waitBefore(m_retries - retriesLeft));
            } else {
                request.reject(answer.problem);
            }
        },
        this);
}

QString HttpTokenProvider::tokenIn(const QJsonObject &answer) const
{
    if (m_tokenPath.isEmpty()) {
        const QString token = answer.value(QLatin1String("token")).toString();
        return token.isEmpty() ? answer.value(QLatin1String("access_token")).toString() : token;
    }
    QJsonValue value = answer;
    const QStringList steps = m_tokenPath.split(QLatin1Char('.'));
    for (const QString &step : steps)
        value = at(value, step);
    return value.toString();
}

} // namespace Everwire
