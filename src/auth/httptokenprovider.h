// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/TokenProvider>

#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QPointer>
#include <QUrl>
#include <QVariantMap>

class QTimer;

namespace Everwire {

class JsonExchange;

// Fetches the token from an HTTP endpoint that answers with JSON.
//
//     auto *tokens = new HttpTokenProvider(QUrl("https://example.com/api/session/token"), provider);
//     tokens->setHeaders({{"Authorization", "Bearer " + refreshToken}});
//     provider->setTokenProvider(tokens);
//
// 401, 403 and 204 mean that nobody is signed in: the connection goes to Error (NoToken). Everything else that goes
// wrong is tried again, here up to *retries* times and then under the rules of reconnection. Nothing is kept: each
// attempt of a connection asks again, and connections that ask together share one request. Lives on the thread of its
// WebSocketProvider, whose event loop does the work.
//
// Its base is qualified for qmltyperegistrar, which does not find it otherwise.
class EVERWIRE_EXPORT HttpTokenProvider : public Everwire::TokenProvider
{
    Q_OBJECT
    // https://, or http:// on this machine.
    Q_PROPERTY(QUrl url READ url WRITE setUrl NOTIFY urlChanged FINAL)
    // "GET", the default, or "POST", "PUT".
    Q_PROPERTY(QString method READ method WRITE setMethod NOTIFY methodChanged FINAL)
    // Write them: name to string. They read as empty, for they hold secrets (A7).
    Q_PROPERTY(QVariantMap headers READ headers WRITE setHeaders NOTIFY headersChanged FINAL)
    // Sent as JSON with POST and PUT; reads as empty.
    Q_PROPERTY(QJsonObject body READ body WRITE setBody NOTIFY bodyChanged FINAL)
    // Where the token is in the answer, as "data.tokens.0.jwt". Empty, the default: "token", else "access_token".
    Q_PROPERTY(QString tokenPath READ tokenPath WRITE setTokenPath NOTIFY tokenPathChanged FINAL)
    // Timeout of one request in milliseconds, up to 2^31 - 1. Above 0. Default: 8000, which is less
    // than a connection's tokenTimeout.
    Q_PROPERTY(double timeout READ timeoutMs WRITE setTimeoutMs NOTIFY timeoutChanged FINAL)
    // Further requests after network errors, 429 and 5xx, 250 ms, 500 ms … apart, or as Retry-After asks up to 5 s.
    // At least 0; default: 2.
    Q_PROPERTY(int retries READ retries WRITE setRetries NOTIFY retriesChanged FINAL)
    // Whether http:// to another machine is allowed (A8). Default: off.
    Q_PROPERTY(bool allowInsecure READ allowInsecure WRITE setAllowInsecure NOTIFY allowInsecureChanged FINAL)

public:
    explicit HttpTokenProvider(QObject *parent = nullptr);
    explicit HttpTokenProvider(const QUrl &url, QObject *parent = nullptr);
    ~HttpTokenProvider() override;

    [[nodiscard]] QUrl url() const { return m_url; }
    void setUrl(const QUrl &url);
    [[nodiscard]] QString method() const { return m_method; }
    void setMethod(const QString &method);
    [[nodiscard]] QVariantMap headers() const { return {}; }
    void setHeaders(const QVariantMap &headers);
    [[nodiscard]] QJsonObject body() const { return {}; }
    void setBody(const QJsonObject &body);
    [[nodiscard]] QString tokenPath() const { return m_tokenPath; }
    void setTokenPath(const QString &path);
    [[nodiscard]] int timeout() const { return m_timeout; }
    void setTimeout(int timeout);
    [[nodiscard]] int retries() const { return m_retries; }
    void setRetries(int retries);
    [[nodiscard]] bool allowInsecure() const { return m_allowInsecure; }
    void setAllowInsecure(bool allow);
    // For cookies, proxies, TLS. Not owned; nullptr: one of its own.
    void setNetworkAccessManager(QNetworkAccessManager *network) { m_network = network; }

Q_SIGNALS:
    void urlChanged();
    void methodChanged();
    void headersChanged();
    void bodyChanged();
    void tokenPathChanged();
    void timeoutChanged();
    void retriesChanged();
    void allowInsecureChanged();

protected:
    void fetch(const TokenRequest &request) override;

private:
    // For QML, whose numbers may be infinite. Values that are not a valid timeout are refused with
    // a warning.
    [[nodiscard]] double timeoutMs() const { return m_timeout; }
    void setTimeoutMs(double timeout);
    void ask(const TokenRequest &request, int retriesLeft);
    [[nodiscard]] QString tokenIn(const QJsonObject &answer) const;

    QUrl m_url;
    QString m_method = QStringLiteral("GET");
    QVariantMap m_headers;
    QJsonObject m_body;
    QString m_tokenPath;
    QPointer<QNetworkAccessManager> m_network;
    QPointer<JsonExchange> m_exchange; // of the request under way
    QTimer *m_retry;
    int m_timeout = 8000;
    int m_retries = 2;
    bool m_allowInsecure = false;
};

} // namespace Everwire
