// SPDX-License-Identifier: MIT
#pragma once

#include "audiosource.h"

#include <QElapsedTimer>
#include <QTimer>

// Speaks a bundled recording, no faster than a person would.
class RecordingPlayer : public AudioSource
{
    Q_OBJECT

public:
    // path: a WAV file, 16-bit mono at 16 kHz.
    explicit RecordingPlayer(const QString &path, QObject *parent = nullptr);

    void start() override;
    void stop() override;

private:
    void giveWhatIsDue();

    QString m_path;
    QByteArray m_pcm;
    qsizetype m_given = 0;
    QElapsedTimer m_clock;
    QTimer m_timer;
};
