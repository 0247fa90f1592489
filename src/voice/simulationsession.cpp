// SPDX-License-Identifier: MIT
//
// A SimulationSession's options, start and stop. Its turns and audio are in simulationturns.cpp.
#include "voice/simulationsession.h"

#include <Everwire/Connection>
#include <Everwire/HttpPreparation>
#include <Everwire/WebSocketProvider>

#include "core/scalartext.h"

#include <QMultiHash>
#include <QUuid>

namespace Everwire {

namespace {

// Who is started on a connection. Sessions live on their provider's thread.
QMultiHash<Connection *, SimulationSession *> &startedSessions()
{
    thread_local QMultiHash<Connection *, SimulationSession *> sessions;
    return sessions;
}

} // namespace

SimulationSession::SimulationSession(QObject *parent) : SimulationSession(nullptr, parent) {}

SimulationSession::SimulationSession(WebSocketProvider *provider, QObject *parent)
    : QObject(parent), m_turns(new TurnModel(this)), m_preparation(new HttpPreparation(this))
{
    if (!provider)
        provider = WebSocketProvider::instance();
    if (!provider)
        return; // instance() has said why
    m_connection = provider->connection(QStringLiteral("simulation"));
    subscribe();
}

SimulationSession::~SimulationSession()
{
    leave();
}

void SimulationSession::subscribe()
{
    m_connection->subscribe(QStringLiteral("ai_response"), this, &SimulationSession::onAiResponse);
    m_connection->subscribe(QStringLiteral("transcript"), this, &SimulationSession::onTranscript);
    m_connection->subscribe(QStringLiteral("status"), this, &SimulationSession::onStatus);
    m_connection->subscribe(QStringLiteral("error"), this, &SimulationSession::onError);
    m_connection->subscribe(QStringLiteral("audio_processed"), this, &SimulationSession::onAudioProcessed);
    connect(m_connection, &Connection::errorChanged, this, [this] { showError(); });
    connect(m_connection, &Connection::messagesDiscarded, this,
            [this](int, const QString &reason) { onDiscarded(reason); });
    connect(m_connection, &Connection::messageRejected, this,
            [this](const QString &reason) { m_refusal = reason; });
    // The present answer is cut off. The user's turn continues if the connection comes back.
    connect(m_connection, &Connection::disconnected, this, [this] {
        const QPointer<SimulationSession> self(this);
        m_turns->cutOff(TurnModel::Ai);
        if (self)
            setStatus({});
        if (self)
            setAudioLevel(0); // until the next chunk
    });
    connect(m_connection, &Connection::stateChanged, this, [this](Connection::State state) {
        if (state == Connection::Error || state == Connection::Disconnected)
            endTurns();
    });
    connect(m_connection, &Connection::urlChanged, this, [this] { takeSessionId(); });
    connect(m_connection, &Connection::forgotten, this, [this] { forget(); });
}

Connection *SimulationSession::connection() const
{
    return m_connection;
}

void SimulationSession::setSessionId(const QString &sessionId)
{
    if (sessionId == m_sessionId)
        return;
    m_sessionId = sessionId;
    Q_EMIT sessionIdChanged();
}

void SimulationSession::setScenario(const QString &scenario)
{
    if (scenario == m_scenario)
        return;
    m_scenario = scenario;
    Q_EMIT scenarioChanged();
}

void SimulationSession::setRole(const QString &role)
{
    if (role == m_role)
        return;
    m_role = role;
    Q_EMIT roleChanged();
}

QString SimulationSession::sessionsUrl() const
{
    return m_preparation->url();
}

void SimulationSession::setSessionsUrl(const QString &url)
{
    if (url == m_preparation->url())
        return;
    m_preparation->setUrl(url);
    Q_EMIT sessionsUrlChanged();
}

void SimulationSession::setSessionRequest(const QJsonObject &request)
{
    if (request == m_sessionRequest)
        return;
    m_sessionRequest = request;
    Q_EMIT sessionRequestChanged();
}

bool SimulationSession::makesSession() const
{
    return !m_preparation->url().isEmpty() && (m_sessionId.isEmpty() || m_sessionId == m_madeSessionId);
}

void SimulationSession::applyPreparation()
{
    if (makesSession()) {
        QJsonObject request = m_sessionRequest;
        if (!request.contains(QLatin1String("simulation_type")))
            request.insert(QStringLiteral("simulation_type"), m_scenario);
        m_preparation->setBody(request);
        m_connection->setPreparation(m_preparation);
    } else if (m_connection->preparation() == m_preparation) {
        m_connection->setPreparation(nullptr);
    }
}

// The one that was made is in the connection's options.
void SimulationSession::takeSessionId()
{
    if (!m_started || !makesSession() || m_connection->preparation() != m_preparation)
        return;
    const QString made =
        scalarText(m_connection->configuration().options().value(QStringLiteral("session_id")))
            .value_or(QString());
    if (made.isEmpty())
        return;
    m_madeSessionId = made;
    setSessionId(made);
}

void SimulationSession::setAudioFormat(AudioFormat format)
{
    if (format == m_audioFormat)
        return;
    m_audioFormat = format;
    Q_EMIT audioFormatChanged();
}

void SimulationSession::setAutoConnect(bool autoConnect)
{
    if (autoConnect == m_autoConnect)
        return;
    m_autoConnect = autoConnect;
    Q_EMIT autoConnectChanged();
    QMetaObject::invokeMethod(
        this,
        [this] {
            if (m_autoConnect && !m_started)
                start();
        },
        Qt::QueuedConnection);
}

QVariantMap SimulationSession::options() const
{
    QVariantMap options = m_connection->configuration().options();
    // Both spellings: templates have the backend's, the guide's options the web client's.
    for (const QString &key : {QStringLiteral("session_id"), QStringLiteral("sessionId")}) {
        if (makesSession())
            options.remove(key);
        else
            options.insert(key, m_sessionId);
    }
    options.insert(QStringLiteral("scenario"), m_scenario);
    options.insert(QStringLiteral("role"), m_role);
    return options;
}

void SimulationSession::start()
{
    if (!m_connection)
        return;
    const QPointer<SimulationSession> self(this);
    if (m_sessionId.isEmpty() && !makesSession())
        setSessionId(QUuid::createUuid().toString(QUuid::WithoutBraces));
    if (!self || !m_connection)
        return;
    const Connection::State state = m_connection->state();
    const bool isOpen =
        state != Connection::Disconnected && state != Connection::Disconnecting && state != Connection::Error;
    const QVariantMap wanted = options();
    QVariantMap used = m_connection->configuration().options();
    if (makesSession())
        used.remove(QStringLiteral("session_id"));
    const bool asBefore = m_started && wanted == used;
    if (isOpen && asBefore)
        return;
    // Somebody else's open connection is joined as it is.
    const bool reopens = isOpen && m_started;
    m_opened = m_opened || !isOpen;
    m_started = true;
    startedSessions().insert(m_connection, this);
    m_awaitsAnswer = false;
    endTurns();
    if (self)
        m_turns->clear();
    if (self)
        setStatus({});
    if (self && m_connection && (reopens || !isOpen))
        applyPreparation();
    if (self && m_connection && reopens)
        m_connection->close();
    if (self && m_connection && (reopens || !isOpen))
        m_connection->open(ConnectionConfig().setOptions(wanted));
    if (self && m_connection)
        setTurnError({});
}

void SimulationSession::stop()
{
    const QPointer<SimulationSession> self(this);
    leave();
    if (self)
        endTurns();
    if (self)
        setStatus({});
}

// The user has gone, and the conversation was theirs.
void SimulationSession::forget()
{
    const QPointer<SimulationSession> self(this);
    m_awaitsAnswer = false;
    m_turns->clear();
    if (self)
        stop();
    if (self)
        setTurnError({});
    if (self)
        setSessionId({});
}

// The last one to leave closes what a session has opened.
void SimulationSession::leave()
{
    if (!std::exchange(m_started, false) || !m_connection)
        return;
    startedSessions().remove(m_connection, this);
    if (!std::exchange(m_opened, false))
        return;
    if (SimulationSession *other = startedSessions().value(m_connection))
        other->m_opened = true;
    else
        m_connection->close();
}

void SimulationSession::setTurnError(const QString &error)
{
    m_turnError = error;
    showError();
}

void SimulationSession::showError()
{
    const QString ofConnection = m_connection ? m_connection->error() : QString();
    const QString error = ofConnection.isEmpty() ? m_turnError : ofConnection;
    if (error == m_error)
        return;
    m_error = error;
    Q_EMIT errorChanged();
}

void SimulationSession::setStatus(const QString &status)
{
    if (status == m_status)
        return;
    m_status = status;
    Q_EMIT statusChanged();
}

void SimulationSession::setAudioLevel(qreal level)
{
    if (qFuzzyCompare(1 + level, 1 + m_audioLevel))
        return;
    m_audioLevel = level;
    Q_EMIT audioLevelChanged();
}

} // namespace Everwire
