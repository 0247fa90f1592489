// SPDX-License-Identifier: MIT
#include "auth/httppreparation.h"

#include "auth/jsonexchange.h"
#include "core/urltemplate.h"

namespace Everwire {

HttpPreparation::HttpPreparation(QObject *parent) : Preparation(parent) {}

HttpPreparation::~HttpPreparation()
{
    delete m_exchange; // before the network manager, which is a child as well
}

void HttpPreparation::setUrl(const QString &url)
{
    if (url == m_url)
        return;
    m_url = url;
    Q_EMIT urlChanged();
}

void HttpPreparation::setBody(const QJsonObject &body)
{
    if (body == m_body)
        return;
    m_body = body;
    Q_EMIT bodyChanged();
}

void HttpPreparation::setHeaders(const QVariantMap &headers)
{
    m_headers = headers;
    Q_EMIT headersChanged();
}

void HttpPreparation::setFields(const QStringList &fields)
{
    if (fields == m_fields)
        return;
    m_fields = fields;
    Q_EMIT fieldsChanged();
}

void HttpPreparation::prepare(const PreparationRequest &request)
{
    delete m_exchange; // of an attempt that is over
    const ConnectionConfig config = request.configuration();
    QString problem;
    JsonExchange::Request http;
    http.url = QUrl(UrlTemplate::fill(m_url, config.options(), &problem));
    if (!problem.isEmpty()) {
        request.refuse(problem);
        return;
    }
    if (!m_network)
        m_network = new QNetworkAccessManager(this);
    http.method = QByteArrayLiteral("POST");
    http.headers = m_headers;
    http.bearer = request.token();
    http.body = m_body;
    http.timeout = config.preparationTimeout();
    http.allowInsecure = config.allowInsecureAuth();
    m_exchange = new JsonExchange(
        *m_network, http,
        [this, request](const JsonExchange::Answer &answer) {
            if (answer.problem.isEmpty())
                take(answer.json, request);
            else
                request.answer({answer.isUnauthorized() ? PreparationResult::TokenRefused
                                : answer.mayPass        ? PreparationResult::Failed
                                                        : PreparationResult::Refused,
                                {},
                                answer.problem,
                                true});
        },
        this);
}

void HttpPreparation::take(const QJsonObject &answer, const PreparationRequest &request) const
{
    const QStringList keys = m_fields.isEmpty() ? answer.keys() : m_fields;
    QVariantMap options;
    for (const QString &key : keys) {
        const QJsonValue value = answer.value(key);
        if (value.isString() || value.isDouble() || value.isBool())
            options.insert(key, value.toVariant());
    }
    request.resolve(options);
}

} // namespace Everwire
