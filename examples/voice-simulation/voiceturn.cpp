// SPDX-License-Identifier: MIT
#include "voiceturn.h"

#include "microphone.h"
#include "recordingplayer.h"
#include "wav.h"

#include <utility>

using namespace std::chrono_literals;

namespace {

// A turn that nobody ends ends here: what is held during an outage stays below 4 MB.
constexpr qreal longestTurnSeconds = 120;

} // namespace

VoiceTurn::VoiceTurn(QObject *parent) : QObject(parent)
{
    m_retry.setInterval(500ms);
    connect(&m_retry, &QTimer::timeout, this, &VoiceTurn::flush);
}

Everwire::SimulationSession *VoiceTurn::session() const
{
    return m_session;
}

void VoiceTurn::setSession(Everwire::SimulationSession *session)
{
    if (session == m_session)
        return;
    cancel();
    m_session = session;
    Q_EMIT sessionChanged();
}

bool VoiceTurn::microphoneAvailable() const
{
    return Microphone::isAvailable();
}

qreal VoiceTurn::seconds() const
{
    qsizetype bytes = m_sent.size();
    for (const QByteArray &chunk : m_held)
        bytes += chunk.size();
    return qreal(bytes) / (Wav::bytesPerMs * 1000);
}

void VoiceTurn::record()
{
    if (!m_active)
        begin(new Microphone(this));
}

void VoiceTurn::play(const QString &recording)
{
    if (!m_active)
        begin(new RecordingPlayer(recording, this));
}

void VoiceTurn::begin(AudioSource *source)
{
    setError({});
    m_sent.clear();
    m_source = source;
    connect(source, &AudioSource::chunk, this, &VoiceTurn::take);
    connect(source, &AudioSource::finished, this, [this] {
        endSource();
        flush();
    });
    connect(source, &AudioSource::failed, this, [this](const QString &reason) {
        setError(reason);
        endSource();
        flush(); // what was said until then is a turn, if anything was
    });
    setActive(true);
    Q_EMIT speakingChanged();
    Q_EMIT secondsChanged();
    source->start();
}

void VoiceTurn::take(const QByteArray &pcm)
{
    const bool isFirstInLine = m_held.isEmpty();
    m_held.enqueue(pcm);
    if (isFirstInLine)
        flush(); // else it is m_retry's turn
    else
        Q_EMIT heldChunksChanged();
    Q_EMIT secondsChanged();
    if (seconds() >= longestTurnSeconds)
        finish();
}

void VoiceTurn::flush()
{
    const qsizetype before = m_held.size();
    while (m_session && !m_held.isEmpty() && m_session->sendAudioChunk(m_held.head())) {
        const QByteArray chunk = m_held.dequeue();
        m_sent += chunk;
        Q_EMIT chunkSent(qreal(chunk.size()) / (Wav::bytesPerMs * 1000), m_session->audioLevel());
    }
    if (before > 0)
        Q_EMIT heldChunksChanged();

    const bool isWhole = m_active && !m_source && m_held.isEmpty();
    if (isWhole && (m_sent.isEmpty() || (m_session && m_session->completeTurn()))) {
        const QByteArray pcm = std::exchange(m_sent, {});
        setActive(false);
        if (!pcm.isEmpty())
            Q_EMIT completed(pcm);
    }
    if (!m_active || (m_held.isEmpty() && !isWhole))
        m_retry.stop();
    else if (!m_retry.isActive())
        m_retry.start();
}

void VoiceTurn::finish()
{
    if (m_source)
        m_source->stop();
}

void VoiceTurn::cancel()
{
    m_held.clear();
    m_sent.clear();
    m_retry.stop();
    Q_EMIT heldChunksChanged();
    endSource();
    setActive(false);
}

void VoiceTurn::endSource()
{
    AudioSource *source = std::exchange(m_source, nullptr);
    if (!source)
        return;
    source->disconnect(this);
    source->stop();
    source->deleteLater();
    Q_EMIT speakingChanged();
}

void VoiceTurn::setActive(bool active)
{
    if (std::exchange(m_active, active) != active)
        Q_EMIT activeChanged();
}

void VoiceTurn::setError(const QString &error)
{
    if (std::exchange(m_error, error) != error)
        Q_EMIT errorChanged();
}
