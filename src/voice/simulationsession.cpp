// SPDX-License-Identifier: MIT
#include "voice/simulationsession.h"

#include <Everwire/Connection>
#include <Everwire/HttpPreparation>
#include <Everwire/WebSocketProvider>

#include "core/scalartext.h"

#include <QMultiHash>
#include <QtEndian>
#include <QUuid>

#include <cmath>

namespace Everwire {

namespace {

// 0 to 1. A byte too many, as at the end of an odd piece of a stream, is left out.
qreal rootMeanSquare(const QByteArray &pcm)
{
    const qsizetype samples = pcm.size() / 2;
    if (samples == 0)
        return 0;
    double sum = 0;
    for (qsizetype i = 0; i < samples; ++i) {
        const double sample = qFromLittleEndian<qint16>(pcm.constData() + 2 * i);
        sum += sample * sample;
    }
    return std::sqrt(sum / double(samples)) / 32768;
}

QString text(const QJsonObject &message, const char *key)
{
    return message.value(QLatin1String(key)).toString();
}

// Who is started on a connection. Sessions live on their provider's thread.
QMultiHash<Connection *, SimulationSession *> &startedSessions()
{
    thread_local QMultiHash<Connection *, SimulationSession *> sessions;
    return sessions;
}

// A WAV file's head for samples of unknown number (16-bit mono at 16 kHz), as streams have it.
QByteArray wavHead()
{
    QByteArray head = QByteArrayLiteral("RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0");
    const auto append = [&head](auto number) {
        number = qToLittleEndian(number);
        head.append(reinterpret_cast<const char *>(&number), sizeof number);
    };
    constexpr quint32 rate = 16000;
    append(rate);
    append(quint32(2 * rate)); // bytes a second
    append(quint16(2));        // bytes a sample
    append(quint16(16));       // bits a sample
    return head + QByteArrayLiteral("data\xff\xff\xff\xff");
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
    m_connection->subscribe(QStringLiteral("error"), this, [this](const QJsonObject &message) {
        const QString fromServer = text(message.value(QLatin1String("payload")).toObject(), "error");
        if (!fromServer.isEmpty())
            setError(m_connection->shown(fromServer));
    });
    m_connection->subscribe(QStringLiteral("audio_processed"), this, [this](const QJsonObject &message) {
        const QJsonObject payload = message.value(QLatin1String("payload")).toObject();
        Q_EMIT audioProcessed(payload.value(QLatin1String("turn_number")).toInt(), text(payload, "audio_url"),
                              text(payload, "status"));
    });
    connect(m_connection, &Connection::errorChanged, this, [this] { setError(m_connection->error()); });
    connect(m_connection, &Connection::messagesDiscarded, this, [this](int, const QString &reason) {
        if (m_sequence > 0 || m_awaitsAnswer)
            setError(QStringLiteral("A part of your turn was lost: %1").arg(reason));
    });
    connect(m_connection, &Connection::disconnected, this, [this] { setStatus({}); });
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
    m_sequence = 0;
    m_awaitsAnswer = false;
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
        setError(m_connection->error()); // also where it is the same as before
}

void SimulationSession::stop()
{
    const QPointer<SimulationSession> self(this);
    leave();
    if (self)
        setStatus({});
    if (self)
        setAudioLevel(0);
}

// The user has gone, and the conversation was theirs.
void SimulationSession::forget()
{
    const QPointer<SimulationSession> self(this);
    m_sequence = 0;
    m_awaitsAnswer = false;
    m_turns->clear();
    if (self)
        stop();
    if (self)
        setError({});
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

bool SimulationSession::sendAudioChunk(const QByteArray &chunk)
{
    if (!m_connection || chunk.isEmpty())
        return false;
    const bool accepted = m_audioFormat == BinaryFrame ? sendBinaryFrame(chunk) : sendBase64(chunk);
    const QPointer<SimulationSession> self(this); // whoever hears of it may delete us
    const bool begins = accepted && m_sequence++ == 0;
    if (begins)
        m_turns->openTurn(TurnModel::User);
    if (self && begins && m_connection)
        setError(m_connection->error()); // what the server complained of in an earlier turn is over
    if (self)
        setAudioLevel(rootMeanSquare(chunk));
    return accepted;
}

bool SimulationSession::sendBinaryFrame(const QByteArray &chunk)
{
    return m_connection->sendJson({{QStringLiteral("type"), QStringLiteral("audio_chunk")},
                                   {QStringLiteral("sessionId"), m_sessionId},
                                   {QStringLiteral("sequence"), m_sequence + 1},
                                   {QStringLiteral("timestamp"), QDateTime::currentMSecsSinceEpoch()},
                                   {QStringLiteral("size"), chunk.size()}},
                                  chunk);
}

bool SimulationSession::sendBase64(const QByteArray &chunk)
{
    // Bare samples are no format of the wire protocol's: a turn's first chunk makes a WAV stream of it.
    const bool isBare = m_sequence == 0 && !chunk.startsWith("RIFF");
    const QByteArray audio = isBare ? wavHead() + chunk : chunk;
    const QJsonObject payload{{QStringLiteral("chunk"), QString::fromLatin1(audio.toBase64())},
                              {QStringLiteral("sequence"), m_sequence + 1},
                              {QStringLiteral("format"), QStringLiteral("wav")}};
    return m_connection->sendJson(
        {{QStringLiteral("type"), QStringLiteral("audio_chunk")}, {QStringLiteral("payload"), payload}});
}

bool SimulationSession::completeTurn()
{
    // One FIFO (rule Q4): it goes out behind every chunk that was accepted.
    const bool accepted =
        m_connection && m_connection->sendJson({{QStringLiteral("type"), QStringLiteral("audio_complete")},
                                                {QStringLiteral("sequence"), m_sequence}});
    const QPointer<SimulationSession> self(this); // whoever hears of it may delete us
    if (accepted) {
        m_sequence = 0;
        m_awaitsAnswer = true;
        m_turns->finish(m_turns->openTurn(TurnModel::User));
    }
    if (self)
        setAudioLevel(0);
    return accepted;
}

void SimulationSession::onAiResponse(const QJsonObject &message)
{
    const QString content = text(message, "content");
    const bool isFinal = message.value(QLatin1String("isFinal")).toBool(true);
    const QPointer<SimulationSession> self(this); // whoever hears of it may delete us
    m_awaitsAnswer = false;
    const int row = m_turns->openTurn(TurnModel::Ai);
    m_turns->addContent(row, content);
    if (self && isFinal)
        m_turns->finish(row);
    if (self)
        Q_EMIT aiResponse(content, isFinal, message);
}

void SimulationSession::onTranscript(const QJsonObject &message)
{
    const QString words =
        message.contains(QLatin1String("content")) ? text(message, "content") : text(message, "text");
    if (const int row = m_turns->lastFinishedOf(TurnModel::User); row >= 0 && !words.isEmpty())
        m_turns->addContent(row, words);
}

void SimulationSession::onStatus(const QJsonObject &message)
{
    const QString state = text(message, "state");
    const QPointer<SimulationSession> self(this);
    setStatus(m_connection->shown(state));
    if (self && m_connection && state == QLatin1String("error"))
        setError(m_connection->shown(text(message, "message")));
}

void SimulationSession::setError(const QString &error)
{
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
