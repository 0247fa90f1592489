// SPDX-License-Identifier: MIT
#include "recordingplayer.h"

#include "wav.h"

#include <QFile>

using namespace Qt::StringLiterals;

RecordingPlayer::RecordingPlayer(const QString &path, QObject *parent) : AudioSource(parent), m_path(path)
{
    m_timer.setInterval(chunkMs);
    m_timer.setTimerType(Qt::PreciseTimer);
    connect(&m_timer, &QTimer::timeout, this, &RecordingPlayer::giveWhatIsDue);
}

void RecordingPlayer::start()
{
    QFile file(m_path);
    if (file.open(QIODevice::ReadOnly))
        m_pcm = Wav::toPcm(file.readAll());
    if (m_pcm.isEmpty()) {
        Q_EMIT failed(u"The recording %1 is missing, or not 16-bit mono at 16 kHz."_s.arg(m_path));
        return;
    }
    m_given = 0;
    m_clock.start();
    m_timer.start();
}

void RecordingPlayer::stop()
{
    if (!m_timer.isActive())
        return;
    m_timer.stop();
    Q_EMIT finished();
}

// By the clock and not by counting timeouts, which a busy UI makes late.
void RecordingPlayer::giveWhatIsDue()
{
    constexpr qsizetype chunkBytes = chunkMs * Wav::bytesPerMs;
    const qsizetype due = qsizetype(m_clock.elapsed() / chunkMs) * chunkBytes;
    while (m_timer.isActive() && m_given < due && m_given < m_pcm.size()) {
        const QByteArray piece = m_pcm.mid(m_given, chunkBytes);
        m_given += piece.size();
        Q_EMIT chunk(piece);
    }
    if (m_given >= m_pcm.size())
        stop();
}
