// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Global>

#include <QJsonObject>
#include <QObject>
#include <QStringList>
#include <QUrl>
#include <QVariantMap>

#include <chrono>
#include <functional>
#include <optional>

class QNetworkAccessManager;
class QNetworkReply;

namespace Everwire {

// One HTTP request that is answered with a JSON object; what HttpTokenProvider and HttpPreparation have in common.
// Redirects stay on the same origin; an answer is at most 64 KiB. Secrets in it appear in no message (rule A7).
class EVERWIRE_EXPORT JsonExchange final : public QObject
{
    Q_OBJECT

public:
    struct Request
    {
        QUrl url;
        QByteArray method = QByteArrayLiteral("GET");
        QVariantMap headers; // name to string
        QString bearer;      // for Authorization; empty: none
        std::optional<QJsonObject> body;
        std::chrono::milliseconds timeout{8000};
        bool allowInsecure = false; // http:// to a host that is not loopback (rule A8)
    };
    struct Answer
    {
        int status = 0;  // 0: there was none
        QString problem; // for a person; empty: json is the answer
        QJsonObject json;
        bool mayPass = false; // it is worth trying again
        std::chrono::milliseconds retryAfter{};

        [[nodiscard]] bool isUnauthorized() const { return status == 401 || status == 403; }
        // Before the given retry, from 0: 250 ms, 500 ms …, or as the server asks, up to 5 s.
        [[nodiscard]] EVERWIRE_EXPORT std::chrono::milliseconds waitBefore(int retry) const;
    };
    using Callback = std::function<void(const Answer &)>;

    // Calls back once, never from inside this call, unless this object is gone before.
    JsonExchange(QNetworkAccessManager &network, const Request &request, Callback callback, QObject *parent);
    ~JsonExchange() override;

private:
    void send(QNetworkAccessManager &network, const Request &request);
    void finish(const Answer &answer);
    void readReply();
    [[nodiscard]] Answer judge(const QByteArray &body) const;
    [[nodiscard]] QString explainRedirect(const QUrl &to) const;
    [[nodiscard]] QString explainFailure() const;

    QNetworkReply *m_reply = nullptr;
    QString m_where; // the URL without what may be secret
    QStringList m_secrets;
    Callback m_callback;
};

} // namespace Everwire
