// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Preparation>

#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QPointer>

namespace Everwire {

class JsonExchange;

// A REST request before the socket: POSTs JSON with the connection's token as its Bearer, and what is in the answer
// fills the connection's URL.
//
//     auto *session = new HttpPreparation(connection);
//     session->setUrl("https://example.com/api/v1/simulations");
//     session->setBody({{"simulation_type", "objection_handling"}});
//     connection->setPreparation(session); // of wss://example.com/api/v1/simulations/{session_id}/stream
//
// 401 and 403 mean that the token is no good: a fresh one is fetched (rule A3). Other 4xx are final; network errors, 429
// and 5xx are tried again under the rules of reconnection.
//
// Its base is qualified for qmltyperegistrar, which does not find it otherwise.
class EVERWIRE_EXPORT HttpPreparation : public Everwire::Preparation
{
    Q_OBJECT
    // https://, or http:// on this machine or where the connection has allowInsecureAuth. {parts} are filled from the
    // connection's options, as in its own URL.
    Q_PROPERTY(QString url READ url WRITE setUrl NOTIFY urlChanged FINAL)
    Q_PROPERTY(QJsonObject body READ body WRITE setBody NOTIFY bodyChanged FINAL)
    // Name to string; reads as empty (A7).
    Q_PROPERTY(QVariantMap headers READ headers WRITE setHeaders NOTIFY headersChanged FINAL)
    // What of the answer becomes options. Empty, the default: every string, number and boolean at its top.
    Q_PROPERTY(QStringList fields READ fields WRITE setFields NOTIFY fieldsChanged FINAL)

public:
    explicit HttpPreparation(QObject *parent = nullptr);
    ~HttpPreparation() override;

    [[nodiscard]] QString url() const { return m_url; }
    void setUrl(const QString &url);
    [[nodiscard]] QJsonObject body() const { return m_body; }
    void setBody(const QJsonObject &body);
    [[nodiscard]] QVariantMap headers() const { return {}; }
    void setHeaders(const QVariantMap &headers);
    [[nodiscard]] QStringList fields() const { return m_fields; }
    void setFields(const QStringList &fields);
    // For cookies, proxies, TLS. Not owned; nullptr: one of its own.
    void setNetworkAccessManager(QNetworkAccessManager *network) { m_network = network; }

Q_SIGNALS:
    void urlChanged();
    void bodyChanged();
    void headersChanged();
    void fieldsChanged();

protected:
    void prepare(const PreparationRequest &request) override;

private:
    void take(const QJsonObject &answer, const PreparationRequest &request) const;

    QString m_url;
    QJsonObject m_body;
    QVariantMap m_headers;
    QStringList m_fields;
    QPointer<QNetworkAccessManager> m_network;
    QPointer<JsonExchange> m_exchange;
};

} // namespace Everwire
