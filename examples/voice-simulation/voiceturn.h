// SPDX-License-Identifier: MIT
#pragma once

#include "audiosource.h"

#include <Everwire/SimulationSession>

#include <QPointer>
#include <QQueue>
#include <QTimer>
#include <QtQml/qqmlregistration.h>

// The user's turn: takes speech from a source and gives it to the session. A chunk that the session does not
// accept is held and offered again, in order; the turn ends when the last one is through.
//
//     VoiceTurn { id: turn; session: session }
//     Button { onPressed: turn.record(); onReleased: turn.finish() }
class VoiceTurn : public QObject
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(Everwire::SimulationSession *session READ session WRITE setSession NOTIFY sessionChanged FINAL)
    Q_PROPERTY(bool microphoneAvailable READ microphoneAvailable CONSTANT FINAL)
    // From the first sound until the session has the whole turn.
    Q_PROPERTY(bool active READ isActive NOTIFY activeChanged FINAL)
    // The source still gives sound.
    Q_PROPERTY(bool speaking READ isSpeaking NOTIFY speakingChanged FINAL)
    // Speech so far, in seconds.
    Q_PROPERTY(qreal seconds READ seconds NOTIFY secondsChanged FINAL)
    Q_PROPERTY(int heldChunks READ heldChunks NOTIFY heldChunksChanged FINAL)
    // Why the source failed; empty when all is well.
    Q_PROPERTY(QString error READ error NOTIFY errorChanged FINAL)

public:
    explicit VoiceTurn(QObject *parent = nullptr);

    [[nodiscard]] Everwire::SimulationSession *session() const;
    void setSession(Everwire::SimulationSession *session);
    [[nodiscard]] bool microphoneAvailable() const;
    [[nodiscard]] bool isActive() const { return m_active; }
    [[nodiscard]] bool isSpeaking() const { return m_source != nullptr; }
    [[nodiscard]] qreal seconds() const;
    [[nodiscard]] int heldChunks() const { return int(m_held.size()); }
    [[nodiscard]] QString error() const { return m_error; }

    Q_INVOKABLE void record();
    Q_INVOKABLE void play(const QString &recording);
    // Stops the source; what it gave is still sent.
    Q_INVOKABLE void finish();
    // Forgets the turn.
    Q_INVOKABLE void cancel();

Q_SIGNALS:
    // The session accepted this much; level is its loudness, 0 to 1.
    void chunkSent(qreal seconds, qreal level);
    // The session accepted the end of the turn, too.
    void completed(const QByteArray &pcm);

    void sessionChanged();
    void activeChanged();
    void speakingChanged();
    void secondsChanged();
    void heldChunksChanged();
    void errorChanged();

private:
    void begin(AudioSource *source);
    void take(const QByteArray &pcm);
    void flush();
    void endSource();
    void setActive(bool active);
    void setError(const QString &error);

    QPointer<Everwire::SimulationSession> m_session;
    AudioSource *m_source = nullptr; // a child
    QQueue<QByteArray> m_held;
    QByteArray m_sent;
    QTimer m_retry;
    QString m_error;
    bool m_active = false;
};
