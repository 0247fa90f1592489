// SPDX-License-Identifier: MIT
#include "clientsession.h"

#include "clientchannel.h"
#include "jsonwebtoken.h"
#include "messages.h"
#include "streamurl.h"
#include "turnpipeline.h"
#include "wavfile.h"

#include <QDateTime>
#include <QJsonDocument>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

// A turn puts about a dozen messages there; more than this means that nobody waits for the answers.
constexpr qsizetype mostUnsaidMessages = 512;

} // namespace

ClientSession::ClientSession(ClientChannel *channel, const QUrl &url, const ServerOptions &options,
                             SessionStore &store, const Fault &fault, QObject *parent)
    : QObject(parent), m_channel(channel), m_options(options), m_store(store), m_fault(fault)
{
    const StreamRequest request = parseStreamUrl(url);
    m_sessionId = request.sessionId;
    m_isStream = request.isStream;
    m_wantedScenario = request.scenario;
    m_wantedRole = request.role;
    if (options.faultsEnabled && !request.fault.isEmpty()) {
        const ParsedFault parsed = faultFromQuery(request.fault);
        m_fault = parsed.fault;
        m_faultError = parsed.error;
    }

    m_channel->setParent(this);
    connect(m_channel, &ClientChannel::textReceived, this, &ClientSession::onText);
    connect(m_channel, &ClientChannel::binaryReceived, this, &ClientSession::onBinary);
    connect(m_channel, &ClientChannel::closed, this, &ClientSession::leave);

    m_delivery.setSingleShot(true);
    connect(&m_delivery, &QTimer::timeout, this, &ClientSession::deliver);
    m_authDeadline.setSingleShot(true);
    m_authDeadline.setTimerType(Qt::PreciseTimer); // a coarse one may be 5 % early
    connect(&m_authDeadline, &QTimer::timeout, this,
            [this] { m_channel->close(4002, u"Authentication timeout"_s); });
    // The silent server leaves it to the client to lose its patience.
    if (m_fault.kind != Fault::Kind::SilentAuth)
        m_authDeadline.start(m_options.authTimeout);
}

ClientSession::~ClientSession()
{
    if (m_session != nullptr && !m_left)
        m_store.release(m_session);
}

void ClientSession::applyFault(const Fault &fault)
{
    switch (fault.kind) {
    case Fault::Kind::Drop: m_channel->drop(); break;
    case Fault::Kind::Close: m_channel->close(fault.closeCode, fault.closeReason); break;
    case Fault::Kind::Silence: m_channel->silence(fault.duration); break;
    case Fault::Kind::Slow: m_channel->slowDown(fault.duration); break;
    case Fault::Kind::DropAfter:
        QTimer::singleShot(fault.duration, m_channel, [this] { m_channel->drop(); });
        break;
    case Fault::Kind::None:
    case Fault::Kind::SilentAuth:
    case Fault::Kind::RejectAuth:
    case Fault::Kind::DropAuth: break;
    }
}

void ClientSession::onText(const QString &text)
{
    const QJsonObject message = QJsonDocument::fromJson(text.toUtf8()).object();
    if (isAuthenticated())
        route(message, text);
    else
        authenticate(message);
}

void ClientSession::onBinary(const QByteArray &data)
{
    if (isAuthenticated())
        takeAudio(m_framer.takeFrame(data));
    else if (m_fault.kind != Fault::Kind::SilentAuth)
        m_channel->close(4001, u"Authentication required"_s);
}

void ClientSession::authenticate(const QJsonObject &message)
{
    if (m_fault.kind == Fault::Kind::SilentAuth)
        return;
    if (m_fault.kind == Fault::Kind::DropAuth) {
        m_channel->drop();
        return;
    }
    if (message.value(u"type"_s) != QJsonValue(u"auth"_s)) {
        m_channel->close(4001, u"Authentication required"_s);
        return;
    }
    const QByteArray token = message.value(u"token"_s).toString().toUtf8();
    const TokenCheck check = verifyToken(token, m_options.secret, QDateTime::currentSecsSinceEpoch());
    const QString user = check.claims.value(u"sub"_s).toString();
    if (!check.isValid() || user.isEmpty() || m_fault.kind == Fault::Kind::RejectAuth)
        refuse(check.status == TokenCheck::Status::Expired);
    else
        admit(user);
}

void ClientSession::refuse(bool expired)
{
    m_authDeadline.stop();
    m_channel->sendJson(Messages::authFailure(m_options.authErrorForm, expired));
    m_channel->close(4001, u"Authentication failed"_s);
}

// Whatever else is wrong is told after auth_success: before it an error means a refused token.
void ClientSession::admit(const QString &userId)
{
    m_authDeadline.stop();
    m_channel->sendJson(Messages::authSuccess(m_sessionId, userId));
    if (!isSessionId(m_sessionId)) {
        sendError(u"the session_id in the URL is not valid; use 1 to 64 letters, digits, '_' or '-'"_s);
        m_channel->close(1008, u"Invalid session_id"_s);
        return;
    }
    const SessionStore::Entry entry = m_store.acquire(m_sessionId, userId);
    if (entry.session == nullptr) {
        sendError(entry.error);
        m_channel->close(entry.closeCode, u"Session refused"_s);
        return;
    }
    m_session = entry.session;
    if (!m_faultError.isEmpty())
        sendError(m_faultError);
    if (!chooseScenario(entry.isNew))
        return;
    Q_EMIT authenticated(m_sessionId, userId);
    applyFault(m_fault);
    takeOverDelivery();
}

bool ClientSession::chooseScenario(bool isNew)
{
    const ScenarioCatalog &catalog = m_options.scenarios;
    const QString current = isNew ? catalog.scenarios.first().id : m_session->scenarioId;
    const QString wanted = m_wantedScenario.isEmpty() ? current : m_wantedScenario;
    const Scenario *scenario = catalog.find(wanted);
    if (scenario == nullptr) {
        if (isNew)
            m_session->scenarioId = current;
        sendError(u"unknown scenario; use one of: %1"_s.arg(catalog.ids().join(u", "_s)));
        m_channel->close(1008, u"Unknown scenario"_s);
        return false;
    }
    const bool restarts = !isNew && wanted != m_session->scenarioId;
    if (restarts) {
        m_session->conversation.beat = 0;
        m_session->conversation.complete = false;
    }
    m_session->scenarioId = wanted;
    chooseRole(*scenario, isNew || restarts);
    if ((isNew || restarts) && m_isStream && m_options.sendOpening) {
        const QString opening = openingLine(*scenario, scenario->role(m_session->roleId));
        m_session->outbox.append(Messages::aiResponse(m_sessionId, opening, true));
        m_session->outbox.append(Messages::status(m_sessionId, u"listening"_s, u"Your turn"_s));
    }
    return true;
}

void ClientSession::chooseRole(const Scenario &scenario, bool isNew)
{
    if (scenario.hasRole(m_wantedRole)) {
        m_session->roleId = m_wantedRole;
        return;
    }
    if (isNew)
        m_session->roleId = scenario.roles.first().id;
    if (!m_wantedRole.isEmpty()) {
        sendError(u"unknown role, %1 plays instead; use one of: %2"_s.arg(m_session->roleId,
                                                                          scenario.roleIds().join(u", "_s)));
    }
}

void ClientSession::route(const QJsonObject &message, const QString &text)
{
    const QString interrupted = m_framer.interrupted();
    if (!interrupted.isEmpty())
        sendError(interrupted);

    const QString type = message.value(u"type"_s).toString();
    if (type == u"audio_chunk"_s)
        takeAudio(m_framer.takeHeader(message));
    else if (type == u"audio_complete"_s)
        completeTurn(message);
    else if (type == u"ping"_s)
        m_channel->sendJson(Messages::pong(m_sessionId));
    else if (type == u"echo"_s)
        m_channel->sendText(text); // as it came: numbers and the order of keys survive
    else if (type == u"fault"_s && m_options.faultsEnabled)
        takeFault(message);
    else if (type.isEmpty())
        sendError(u"the message is not a JSON object with a string 'type'"_s);
    else
        sendError(u"unknown message type; use audio_chunk, audio_complete, ping or echo"_s);
}

void ClientSession::takeAudio(const FramedAudio &framed)
{
    if (!framed.error.isEmpty())
        sendError(framed.error);
    TurnBuffer &turn = m_session->turn;
    if (!framed.chunk || !turn.rejection().isEmpty())
        return;
    const QString objection =
        framed.chunk->sequence <= 1 || turn.isEmpty() ? audioObjection(framed.chunk->data) : QString();
    if (!objection.isEmpty()) {
        turn.reject(objection);
        sendError(objection);
        return;
    }
    const qint64 elsewhere = m_store.bufferedBytes() - turn.bytes();
    const qint64 limit = qMin(qint64(m_options.maxTurnBytes), m_options.maxBufferedBytes - elsewhere);
    const bool toldBefore = turn.overflowed();
    if (turn.add(*framed.chunk, limit) == TurnBuffer::Outcome::Full && !toldBefore)
        sendError(
            u"the turn is longer than %1 bytes; the rest of it is dropped, send audio_complete"_s.arg(limit));
}

void ClientSession::completeTurn(const QJsonObject &message)
{
    if (m_session->outbox.size() > mostUnsaidMessages) {
        sendError(u"too many turns wait for their answer; read the answers before the next audio_complete"_s);
        return;
    }
    const double last = message.value(u"sequence"_s).toDouble(-1);
    const std::optional<qint64> lastSequence =
        last >= 0 && last < double(1LL << 31) ? std::optional<qint64>(qint64(last)) : std::nullopt;
    const Scenario *scenario = m_options.scenarios.find(m_session->scenarioId);
    finishTurn(*m_session, *scenario, lastSequence, m_options.outputDirectory);
    Q_EMIT turnFinished(m_sessionId, m_session->conversation.turn);
    takeOverDelivery();
}

void ClientSession::takeFault(const QJsonObject &message)
{
    const ParsedFault parsed = faultFromMessage(message);
    if (!parsed.error.isEmpty())
        sendError(parsed.error);
    applyFault(parsed.fault);
}

// The connection that spoke last sends the answers; what it cannot send waits for the next one.
void ClientSession::takeOverDelivery()
{
    m_session->deliveredBy = this;
    if (!m_delivery.isActive())
        deliver();
}

void ClientSession::deliver()
{
    while (m_session->deliveredBy == this && m_channel->isOpen() && !m_session->outbox.isEmpty()) {
        const QJsonObject message = m_session->outbox.takeFirst();
        m_channel->sendJson(message);
        const bool moreParts = message.value(u"isFinal"_s) == QJsonValue(false);
        if (moreParts && m_options.partDelay > 0ms) {
            m_delivery.start(m_options.partDelay);
            return;
        }
    }
}

void ClientSession::sendError(const QString &text)
{
    m_channel->sendJson(Messages::error(m_sessionId, text));
}

void ClientSession::leave()
{
    m_authDeadline.stop();
    m_delivery.stop();
    if (m_left)
        return;
    m_left = true;
    if (m_session != nullptr)
        m_store.release(m_session);
    Q_EMIT closed();
}

} // namespace Everwire::Demo
