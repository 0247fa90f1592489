// SPDX-License-Identifier: MIT
#include "microphone.h"

#include "wav.h"

#include <QGuiApplication>

using namespace Qt::StringLiterals;

#ifdef VOICE_SIMULATION_MULTIMEDIA

#include <QAudioDevice>
#include <QAudioSource>
#include <QMediaDevices>

namespace {

QAudioFormat ourFormat()
{
    QAudioFormat format;
    format.setSampleRate(Wav::sampleRate);
    format.setChannelCount(1);
    format.setSampleFormat(QAudioFormat::Int16);
    return format;
}

} // namespace

// An offscreen run is a script's: it must not depend on what the machine has, nor wake an audio server.
bool Microphone::isAvailable()
{
    return QGuiApplication::platformName() != u"offscreen"_s &&
           QMediaDevices::defaultAudioInput().isFormatSupported(ourFormat());
}

void Microphone::start()
{
    m_pcm.clear();
    m_device = std::make_unique<QAudioSource>(QMediaDevices::defaultAudioInput(), ourFormat());
    m_stream = m_device->start();
    if (!m_stream) {
        m_device.reset();
        Q_EMIT failed(
            u"The microphone could not be opened. Is another program using it, or is it not permitted?"_s);
        return;
    }
    connect(m_stream, &QIODevice::readyRead, this, [this] { give(false); });
    // Queued: whoever hears of it lets go of the device.
    connect(
        m_device.get(), &QAudioSource::stateChanged, this,
        [this](QAudio::State state) {
            if (m_device && state == QAudio::StoppedState && m_device->error() != QAudio::NoError)
                Q_EMIT failed(u"The microphone stopped. Is it still plugged in?"_s);
        },
        Qt::QueuedConnection);
}

void Microphone::stop()
{
    if (!m_device)
        return;
    m_device->disconnect(this);
    give(true);
    m_stream = nullptr;
    m_device->stop();
    m_device.reset();
    Q_EMIT finished();
}

void Microphone::give(bool everything)
{
    constexpr qsizetype chunkBytes = chunkMs * Wav::bytesPerMs;
    m_pcm += m_stream->readAll();
    while (m_pcm.size() >= chunkBytes || (everything && m_pcm.size() > 1)) {
        const QByteArray piece = m_pcm.left(qMin(chunkBytes, m_pcm.size() / 2 * 2));
        m_pcm.remove(0, piece.size());
        Q_EMIT chunk(piece);
    }
}

#else

class QAudioSource
{
};

bool Microphone::isAvailable()
{
    return false;
}

void Microphone::start()
{
    Q_EMIT failed(u"This build has no microphone: Qt Multimedia was missing."_s);
}

void Microphone::stop() {}
void Microphone::give(bool) {}

#endif

Microphone::Microphone(QObject *parent) : AudioSource(parent) {}
Microphone::~Microphone() = default;
