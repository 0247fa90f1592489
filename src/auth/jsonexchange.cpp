// SPDX-License-Identifier: MIT
#include "auth/jsonexchange.h"

#include "core/httpheader.h"
#include "core/jsondepth.h"
#include "core/loopback.h"
#include "core/origin.h"
#include "core/peertext.h"
#include "core/scalartext.h"

#include <QJsonDocument>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QTimer>

namespace Everwire {

namespace {

using std::chrono::milliseconds;

constexpr qint64 LargestAnswer = 64 * 1024; // bytes
constexpr int LongestRetryAfter = 3600;     // s

QString withoutSecrets(const QUrl &url)
{
    return url.toString(QUrl::RemoveUserInfo | QUrl::RemoveQuery | QUrl::RemoveFragment);
}

// A sentence; empty where the request may be sent.
QString problemWith(const JsonExchange::Request &request)
{
    const QString scheme = request.url.scheme();
    if (!request.url.isValid() || request.url.host().isEmpty() ||
        (scheme != QLatin1String("http") && scheme != QLatin1String("https")))
        return QStringLiteral("\"%1\" is no http:// or https:// URL").arg(withoutSecrets(request.url));
    if (scheme == QLatin1String("http") && !isLoopback(request.url.host()) && !request.allowInsecure)
        return QStringLiteral(
                   "%1 would be asked unencrypted. Use https://, or allow it for a network that you trust")
            .arg(withoutSecrets(request.url));
    for (auto it = request.headers.begin(); it != request.headers.end(); ++it) {
        if (const QString problem = HttpHeader::problem(it.key(), *it); !problem.isEmpty())
            return problem;
    }
    if (request.body && isTooDeep(*request.body))
        return QStringLiteral("the body for %1 is nested deeper than %2 levels")
            .arg(withoutSecrets(request.url))
            .arg(MostJsonLevels);
    return {};
}

} // namespace

JsonExchange::JsonExchange(QNetworkAccessManager &network, const Request &request, Callback callback,
                           QObject *parent)
    : QObject(parent)
    , m_where(withoutSecrets(request.url))
    , m_secrets(PeerText::secretsOf(request.headers))
    , m_callback(std::move(callback))
{
    if (request.body && !isTooDeep(*request.body))
        m_secrets += PeerText::secretsOf(request.body->toVariantMap());
    if (!request.bearer.isEmpty())
        m_secrets.append(request.bearer);
    const QString problem = problemWith(request);
    if (problem.isEmpty()) {
        send(network, request);
        return;
    }
    Answer refused;
    refused.problem = problem;
    QMetaObject::invokeMethod(
        this, [this, refused] { finish(refused); }, Qt::QueuedConnection);
}

JsonExchange::~JsonExchange()
{
    if (!m_reply)
        return;
    m_reply->disconnect(this);
    m_reply->abort();
    m_reply->deleteLater();
}

milliseconds JsonExchange::Answer::waitBefore(int retry) const
{
    constexpr milliseconds first{250};
    constexpr milliseconds longest{5000};
    const milliseconds backOff = first * (1 << std::min(retry, 8));
    return std::min(std::max(backOff, retryAfter), longest);
}

void JsonExchange::send(QNetworkAccessManager &network, const Request &request)
{
    QNetworkRequest http(request.url);
    http.setAttribute(QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::UserVerifiedRedirectPolicy);
    http.setAttribute(QNetworkRequest::CacheLoadControlAttribute, QNetworkRequest::AlwaysNetwork);
    http.setRawHeader("Accept", "application/json");
    if (request.body)
        http.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    if (!request.bearer.isEmpty())
        http.setRawHeader("Authorization", "Bearer " + request.bearer.toUtf8());
    for (auto it = request.headers.begin(); it != request.headers.end(); ++it)
        http.setRawHeader(it.key().toUtf8(), scalarText(*it).value_or(QString()).toUtf8());
    const QByteArray body =
        request.body ? QJsonDocument(*request.body).toJson(QJsonDocument::Compact) : QByteArray();
    m_reply = network.sendCustomRequest(http, request.method, body);

    // Redirects stay at the same origin, so that credentials do. Qt's SameOriginRedirectPolicy
    // cannot be used: it treats an explicit ":443" as a different origin.
    connect(m_reply, &QNetworkReply::redirected, this, [this, from = request.url](const QUrl &to) {
        if (isSameOrigin(to, from)) {
            Q_EMIT m_reply->redirectAllowed();
            return;
        }
        Answer elsewhere;
        elsewhere.status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
        elsewhere.problem = explainRedirect(to);
        QMetaObject::invokeMethod(
            this, [this, elsewhere] { finish(elsewhere); }, Qt::QueuedConnection);
    });
    connect(m_reply, &QNetworkReply::finished, this, &JsonExchange::readReply);
    connect(m_reply, &QNetworkReply::readyRead, this, [this] {
        if (m_reply->bytesAvailable() > LargestAnswer)
            readReply();
    });
    QTimer::singleShot(request.timeout, this, [this, timeout = request.timeout] {
        Answer late;
        late.problem = QStringLiteral("%1 did not answer within %2 ms").arg(m_where).arg(timeout.count());
        late.mayPass = true;
        finish(late);
    });
}

void JsonExchange::finish(const Answer &answer)
{
    const Callback callback = std::exchange(m_callback, {});
    deleteLater();
    if (callback)
        callback(answer); // last: it may delete this
}

void JsonExchange::readReply()
{
    finish(judge(m_reply->read(LargestAnswer + 1)));
}

JsonExchange::Answer JsonExchange::judge(const QByteArray &body) const
{
    Answer answer;
    answer.status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    const bool isAnswered = answer.status >= 200 && answer.status < 300;
    answer.mayPass = answer.status == 0 || answer.status >= 500 || answer.status == 429;
    answer.retryAfter = std::chrono::seconds(
        std::clamp(m_reply->rawHeader("Retry-After").trimmed().toInt(), 0, LongestRetryAfter));
    if (!isAnswered || m_reply->error() != QNetworkReply::NoError) {
        answer.problem = explainFailure();
        return answer;
    }
    if (body.size() > LargestAnswer) {
        answer.problem =
            QStringLiteral("the answer of %1 is larger than %2 KiB").arg(m_where).arg(LargestAnswer / 1024);
        return answer;
    }
    if (answer.status == 204)
        return answer;
    QJsonParseError error{};
    const QJsonDocument document = QJsonDocument::fromJson(body, &error);
    if (document.isObject()) {
        answer.json = document.object();
        return answer;
    }
    const bool isHtml = body.trimmed().startsWith('<');
    answer.problem =
        QStringLiteral("%1 answered with %2 instead of a JSON object. Check the URL")
            .arg(m_where, isHtml ? QStringLiteral("HTML")
                          : error.error != QJsonParseError::NoError
                              ? QStringLiteral("something that is no JSON (%1)").arg(error.errorString())
                              : QStringLiteral("other JSON"));
    return answer;
}

QString JsonExchange::explainRedirect(const QUrl &to) const
{
    return QStringLiteral("%1 redirects to %2, which is another server. Use that URL")
        .arg(m_where, PeerText::shown(withoutSecrets(to), m_secrets));
}

QString JsonExchange::explainFailure() const
{
    const int status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    const QUrl location = m_reply->header(QNetworkRequest::LocationHeader).toUrl();
    if (!location.isEmpty())
        return explainRedirect(m_reply->url().resolved(location));
    if (status == 0)
        return QStringLiteral("%1 could not be asked: %2")
            .arg(m_where, PeerText::shown(m_reply->errorString(), PeerText::longOnes(m_secrets)));
    const QString phrase = PeerText::shown(
        m_reply->attribute(QNetworkRequest::HttpReasonPhraseAttribute).toString().simplified(), m_secrets,
        80);
    const QString what = QStringLiteral("%1 answered %2")
                             .arg(m_where, QStringLiteral("%1 %2").arg(status).arg(phrase).trimmed());
    if (status == 401 || status == 403)
        return what + QStringLiteral(". Sign in again");
    if (status >= 500 || status == 429)
        return what + QStringLiteral(": the server has a problem");
    return what + QStringLiteral(". Check the URL and the request");
}

} // namespace Everwire
