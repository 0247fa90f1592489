// SPDX-License-Identifier: MIT
#include "client/pending.h"

#include "core/peertext.h"

#include <QRandomGenerator>

#include <algorithm>
#include <array>
#include <optional>

namespace Everwire {

using std::chrono::milliseconds;

namespace {

// Most messages are no replies, and need not be decoded to tell. An escape may hide the field's name.
bool mayHold(const QByteArray &json, const QString &field)
{
    return json.contains('"' + field.toUtf8() + '"') || json.contains('\\');
}

bool isCode(const QJsonValue &value)
{
    return value.isDouble() || (value.isString() && !value.toString().isEmpty());
}

// Returns the error if this reply is one. Backends put its code and text into "error" (JSON-RPC),
// into "payload", or at the top level.
std::optional<ServerError> errorIn(const Message &message, const QJsonObject &reply)
{
    const QJsonValue error = reply.value(QLatin1String("error"));
    const bool isError = error.isObject() || !error.toString().isEmpty();
    if (!isError && message.type() != QLatin1String("error"))
        return std::nullopt;
    const QJsonObject payload = reply.value(QLatin1String("payload")).toObject();
    const std::array<QJsonObject, 4> places{error.toObject(),
                                            payload.value(QLatin1String("error")).toObject(), payload, reply};
    ServerError found;
    found.object = reply;
    for (const QJsonObject &place : places) {
        if (const QJsonValue code = place.value(QLatin1String("code")); !isCode(found.code) && isCode(code))
            found.code = code;
        for (const char *const key : {"message", "error"}) {
            if (found.message.isEmpty())
                found.message = place.value(QLatin1String(key)).toString();
        }
    }
    return found;
}

ConnectionError toError(const ServerError &server, const QStringList &secrets)
{
    const QString sentence =
        !server.message.isEmpty()
            ? QStringLiteral("The server replied: %1").arg(PeerText::shown(server.message, secrets))
        : isCode(server.code) ? QStringLiteral("The server replied with the error %1")
                                    .arg(PeerText::shown(server.code.toVariant().toString(), secrets))
                              : QStringLiteral("The server replied with an error");
    return ConnectionError(ConnectionError::RequestFailed, sentence).withServerError(server);
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

PendingRequests::PendingRequests(std::shared_ptr<Outbox> outbox, std::function<void()> queueChanged)
    : m_outbox(std::move(outbox))
    , m_queueChanged(std::move(queueChanged))
    , m_idPrefix(QString::number(QRandomGenerator::global()->generate64(), 36) + QLatin1Char('-'))
{
}

QString PendingRequests::keyOf(const QJsonValue &id)
{
    if (id.isString())
        return id.toString().isEmpty() ? QString() : QLatin1Char('"') + id.toString();
    if (!id.isDouble())
        return {};
    const double number = id.toDouble();
    const qint64 whole = id.toInteger(); // 0 if it is not a whole number
    return whole != 0 || number == 0 ? QString::number(whole) : QString::number(number, 'g', 17);
}

bool PendingRequests::isUsable(const QJsonValue &id)
{
    return id.isString() || id.isNull() || id.isUndefined() || (id.isDouble() && qIsFinite(id.toDouble()));
}

QString PendingRequests::makeId()
{
    return m_idPrefix + QString::number(++m_lastId);
}

PendingRequests::Added PendingRequests::add(const QString &key, milliseconds timeout)
{
    auto request = std::make_unique<Request>();
    request->ticket = ++m_lastTicket;
    QFutureWatcher<QJsonObject> *const watcher = request->watcher;
    QObject::connect(request->timeout, &QTimer::timeout, watcher,
                     [this, key, timeout] { expire(key, timeout); });
    QObject::connect(watcher, &QFutureWatcherBase::canceled, watcher, [this, key] { forget(key); });
    request->timeout->start(timeout);
    const Added added{request->deferred.future(), request->ticket};
    watcher->setFuture(added.future);
    m_waiting.emplace(key, std::move(request));
    return added;
}

void PendingRequests::take(const Message &message, const QString &idField)
{
    if (m_waiting.empty() || message.isBinary() || !mayHold(message.bytes(), idField))
        return;
    const QJsonObject reply = message.json();
    const std::unique_ptr<Request> request = remove(keyOf(reply.value(idField)));
    if (!request)
        return;
    m_outbox->withdraw({request->ticket});
    if (const auto error = errorIn(message, reply))
        request->deferred.reject(toError(*error, m_secrets));
    else
        request->deferred.resolve(reply);
}

void PendingRequests::fail(const QString &key, const ConnectionError &error)
{
    const std::unique_ptr<Request> request = remove(key);
    if (!request)
        return;
    m_outbox->withdraw({request->ticket});
    request->deferred.reject(error);
}

void PendingRequests::expire(const QString &key, milliseconds timeout)
{
    const std::unique_ptr<Request> request = remove(key);
    if (!request)
        return;
    const bool isWithdrawn = m_outbox->withdraw({request->ticket}) > 0;
    if (isWithdrawn)
        m_queueChanged(); // the app's code may have destroyed this
    const QString sentence =
        isWithdrawn ? QStringLiteral("The request could not be sent within %1 ms, and will not be")
                          .arg(timeout.count())
                    : QStringLiteral("There was no reply within %1 ms").arg(timeout.count());
    request->deferred.reject({ConnectionError::RequestTimeout, sentence});
}

// Called when the app has cancelled the future.
void PendingRequests::forget(const QString &key)
{
    const std::unique_ptr<Request> request = remove(key);
    if (!request)
        return;
    m_outbox->withdraw({request->ticket});
    m_queueChanged(); // the app's code may have destroyed this
    request->deferred.finish();
}

void PendingRequests::doom(const Tickets &tickets, const ConnectionError &error)
{
    if (tickets.empty())
        return;
    const size_t before = m_doomed.size();
    for (auto it = m_waiting.begin(); it != m_waiting.end();) {
        if (!std::binary_search(tickets.begin(), tickets.end(), it->second->ticket)) {
            ++it;
            continue;
        }
        it->second->stop();
        m_doomed.push_back({std::move(it->second), error});
        it = m_waiting.erase(it);
    }
    m_outbox->withdraw(tickets);
    // Requests fail in the order in which they were made.
    std::sort(m_doomed.begin() + std::ptrdiff_t(before), m_doomed.end(),
              [](const Doomed &a, const Doomed &b) { return a.request->ticket < b.request->ticket; });
}

void PendingRequests::doomAll(const ConnectionError &error)
{
    Tickets tickets;
    for (const auto &[key, request] : m_waiting)
        tickets.push_back(request->ticket);
    std::sort(tickets.begin(), tickets.end());
    doom(tickets, error);
}

void PendingRequests::rejectDoomed()
{
    for (const Doomed &one : std::exchange(m_doomed, {}))
        one.request->deferred.reject(one.error);
}

std::unique_ptr<PendingRequests::Request> PendingRequests::remove(const QString &key)
{
    auto node = m_waiting.extract(key);
    if (node.empty())
        return nullptr;
    node.mapped()->stop(); // the app's code may delete this object and then run an event loop
    return std::move(node.mapped());
}

} // namespace Everwire
