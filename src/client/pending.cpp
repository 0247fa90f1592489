// SPDX-License-Identifier: MIT
#include "client/pending.h"

#include "core/peertext.h"

#include <QRandomGenerator>

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// Most messages are no replies, and need not be decoded to tell. An escape may hide the field's name.
bool mayHold(const QByteArray &json, const QString &field)
{
    return json.contains('"' + field.toUtf8() + '"') || json.contains('\\');
}

} // namespace

QFuture<SessionInfo> PendingOpens::add()
{
    return m_waiting.emplace_back().future();
}

void PendingOpens::resolve(const SessionInfo &session)
{
    for (auto &one : std::exchange(m_waiting, {}))
        one.resolve(session);
}

void PendingOpens::reject(const ConnectionError &error)
{
    for (auto &one : std::exchange(m_waiting, {}))
        one.reject(error);
}

PendingRequests::PendingRequests()
    : m_idPrefix(QString::number(QRandomGenerator::global()->generate64(), 36) + QLatin1Char('-'))
{
}

QString PendingRequests::makeId()
{
    return m_idPrefix + QString::number(++m_lastId);
}

QFuture<QJsonObject> PendingRequests::add(const QString &id, milliseconds timeout)
{
    auto request = std::make_unique<Request>();
    QObject::connect(request->timeout, &QTimer::timeout, request->timeout, [this, id, timeout] {
        fail(id, {ConnectionError::RequestTimeout,
                  QStringLiteral("There was no reply within %1 ms").arg(timeout.count())});
    });
    request->timeout->start(timeout);
    return m_waiting.emplace(id, std::move(request)).first->second->deferred.future();
}

void PendingRequests::take(const Message &message, const QString &idField)
{
    if (m_waiting.empty() || message.isBinary() || !mayHold(message.bytes(), idField))
        return;
    const QJsonObject reply = message.json();
    const std::unique_ptr<Request> request = remove(reply.value(idField).toString());
    if (!request)
        return;
    if (message.type() != QLatin1String("error")) {
        request->deferred.resolve(reply);
        return;
    }
    const QString reason =
        reply.value(QLatin1String("payload")).toObject().value(QLatin1String("error")).toString();
    request->deferred.reject(
        {ConnectionError::RequestFailed,
         reason.isEmpty()
             ? QStringLiteral("The server replied with an error")
             : QStringLiteral("The server replied: %1").arg(PeerText::shown(reason, m_secrets))});
}

void PendingRequests::fail(const QString &id, const ConnectionError &error)
{
    if (const std::unique_ptr<Request> request = remove(id))
        request->deferred.reject(error);
}

void PendingRequests::failAll(const ConnectionError &error)
{
    const auto waiting = std::exchange(m_waiting, {});
    // None of them may call us any more: the app's code may delete us, and run an event loop.
    for (const auto &[id, request] : waiting)
        request->timeout->stop();
    for (const auto &[id, request] : waiting)
        request->deferred.reject(error);
}

std::unique_ptr<PendingRequests::Request> PendingRequests::remove(const QString &id)
{
    auto node = m_waiting.extract(id);
    if (node.empty())
        return nullptr;
    node.mapped()->timeout->stop(); // as in failAll()
    return std::move(node.mapped());
}

} // namespace Everwire
