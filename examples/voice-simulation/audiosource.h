// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QObject>

// Where speech comes from: 16-bit mono PCM at 16 kHz, in pieces of about 100 ms as time goes by.
class AudioSource : public QObject
{
    Q_OBJECT

public:
    static constexpr int chunkMs = 100;

    using QObject::QObject;

    virtual void start() = 0;
    // Gives what it still has and then finished().
    virtual void stop() = 0;

Q_SIGNALS:
    void chunk(const QByteArray &pcm);
    void finished();
    void failed(const QString &reason);
};
