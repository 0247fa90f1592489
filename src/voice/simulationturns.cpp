// SPDX-License-Identifier: MIT
//
// The chunks, turns and answers of a SimulationSession, and the loss of parts of them. Options,
// start and stop are in simulationsession.cpp.
#include "voice/simulationsession.h"

#include <QDateTime>
#include <QtEndian>

#include <cmath>

namespace Everwire {

namespace {

// Returns 0 to 1. An odd last byte, as at the end of a stream's piece, is ignored.
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

QString lostOfTurn(const QString &reason)
{
    return QStringLiteral("A part of your turn was lost: %1").arg(reason);
}

// A WAV header for a stream of unknown length (16-bit mono at 16 kHz).
QByteArray wavHead()
{
    QByteArray head = QByteArrayLiteral("RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0");
    const auto append = [&head](auto number) {
        number = qToLittleEndian(number);
        head.append(reinterpret_cast<const char *>(&number), sizeof number);
    };
    constexpr quint32 rate = 16000;
    append(rate);
    append(quint32(2 * rate)); // bytes per second
    append(quint16(2));        // bytes per sample
    append(quint16(16));       // bits per sample
    return head + QByteArrayLiteral("data\xff\xff\xff\xff");
}

} // namespace

bool SimulationSession::sendAudioChunk(const QByteArray &chunk)
{
    if (!m_connection || chunk.isEmpty())
        return false;
    const QPointer<SimulationSession> self(this); // a slot may delete this object
    if (!m_refusedChunk.isEmpty() && chunk != m_refusedChunk)
        passOverRefused();
    if (!self || !m_connection)
        return false;
    const bool accepted = m_audioFormat == BinaryFrame ? sendBinaryFrame(chunk) : sendBase64(chunk);
    if (self && !accepted)
        chunkRefused(chunk);
    if (self && accepted) {
        ++m_sequence;
        m_refusedChunk.clear();
        if (!std::exchange(m_hasBegun, true))
            beginTurn();
    }
    if (self)
        setAudioLevel(rootMeanSquare(chunk));
    return accepted;
}

void SimulationSession::beginTurn()
{
    const QPointer<SimulationSession> self(this);
    m_turns->openTurn(TurnModel::User);
    if (self && !m_isHurt)
        setTurnError({}); // the server's complaint belonged to an earlier turn
}

void SimulationSession::chunkRefused(const QByteArray &chunk)
{
    if (!isForLackOfRoom(chunk))
        return; // the chunk may be sent in smaller pieces, or not at all
    m_refusedChunk = chunk;
}

// The app skipped the refused chunk and sends another one. The chunk numbers show the gap.
void SimulationSession::passOverRefused()
{
    ++m_sequence;
    m_refusedChunk.clear();
    loseOfTurn(m_refusal);
}

bool SimulationSession::isForLackOfRoom(const QByteArray &chunk) const
{
    const Connection::State state = m_connection ? m_connection->state() : Connection::Disconnected;
    if (state == Connection::Disconnected || state == Connection::Disconnecting)
        return false;
    const ConnectionConfig config = m_connection->configuration();
    if (m_audioFormat == BinaryFrame)
        return config.binarySupported() && chunk.size() <= config.maxMessageSize();
    constexpr qint64 head = 256; // bytes of JSON and of a WAV header, approximate
    return chunk.size() / 3 * 4 + head <= config.maxMessageSize();
}

// Reports a loss once per turn, however many chunks are lost.
void SimulationSession::loseOfTurn(const QString &reason)
{
    if (!std::exchange(m_isHurt, true))
        setTurnError(lostOfTurn(reason));
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
    // The wire protocol has no format for bare samples, so the turn's first chunk starts a WAV
    // stream.
    const bool isBare = !m_hasBegun && !chunk.startsWith("RIFF");
    const QByteArray audio = isBare ? wavHead() + chunk : chunk;
    const QJsonObject payload{{QStringLiteral("chunk"), QString::fromLatin1(audio.toBase64())},
                              {QStringLiteral("sequence"), m_sequence + 1},
                              {QStringLiteral("format"), QStringLiteral("wav")}};
    return m_connection->sendJson(
        {{QStringLiteral("type"), QStringLiteral("audio_chunk")}, {QStringLiteral("payload"), payload}});
}

bool SimulationSession::completeTurn()
{
    const QPointer<SimulationSession> self(this); // a slot may delete this object
    if (!m_refusedChunk.isEmpty())
        passOverRefused();
    if (!self)
        return false;
    // The queue is one FIFO (rule Q4), so this is sent after every accepted chunk.
    const bool accepted =
        m_connection && m_connection->sendJson({{QStringLiteral("type"), QStringLiteral("audio_complete")},
                                                {QStringLiteral("sequence"), m_sequence}});
    if (self && accepted) {
        m_sequence = 0;
        m_hasBegun = false;
        m_isHurt = false;
        m_awaitsAnswer = true;
        const int row = m_turns->openTurn(TurnModel::User);
        if (self)
            m_turns->finish(row);
    }
    if (self)
        setAudioLevel(0);
    return accepted;
}

void SimulationSession::onAiResponse(const QJsonObject &message)
{
    const QString content = text(message, "content");
    const bool isFinal = message.value(QLatin1String("isFinal")).toBool(true);
    const QPointer<SimulationSession> self(this); // a slot may delete this object
    m_awaitsAnswer = false;
    const int row = m_turns->openTurn(TurnModel::Ai);
    if (self)
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
        setTurnError(m_connection->shown(text(message, "message")));
}

void SimulationSession::onError(const QJsonObject &message)
{
    for (const QJsonObject &object : {message.value(QLatin1String("payload")).toObject(), message}) {
        for (const char *key : {"error", "message"}) {
            if (const QString fromServer = text(object, key); !fromServer.isEmpty()) {
                setTurnError(m_connection->shown(fromServer));
                return;
            }
        }
    }
}

void SimulationSession::onAudioProcessed(const QJsonObject &message)
{
    const QJsonObject payload = message.value(QLatin1String("payload")).toObject();
    Q_EMIT audioProcessed(payload.value(QLatin1String("turn_number")).toInt(), text(payload, "audio_url"),
                          text(payload, "status"));
}

void SimulationSession::onDiscarded(const QString &reason)
{
    if (m_hasBegun)
        loseOfTurn(reason);
    else if (m_awaitsAnswer)
        setTurnError(lostOfTurn(reason));
}

// Called when the connection or the session has ended for good: no more speech or answers follow.
void SimulationSession::endTurns()
{
    const QPointer<SimulationSession> self(this); // a slot may delete this object
    m_sequence = 0;
    m_hasBegun = false;
    m_isHurt = false;
    m_refusedChunk.clear();
    m_turns->cutOff(TurnModel::User);
    if (self)
        m_turns->cutOff(TurnModel::Ai);
    if (self)
        setAudioLevel(0);
}

} // namespace Everwire
