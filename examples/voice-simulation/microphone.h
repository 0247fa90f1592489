// SPDX-License-Identifier: MIT
#pragma once

#include "audiosource.h"

#include <memory>

class QAudioSource;
class QIODevice;

// The default microphone, where this build and this machine have one.
class Microphone : public AudioSource
{
    Q_OBJECT

public:
    explicit Microphone(QObject *parent = nullptr);
    ~Microphone() override;

    [[nodiscard]] static bool isAvailable();

    void start() override;
    void stop() override;

private:
    void give(bool everything);

    std::unique_ptr<QAudioSource> m_device;
    QIODevice *m_stream = nullptr; // the device's own
    QByteArray m_pcm;
};
