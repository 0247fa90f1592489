// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/SimulationSession>

#include <QElapsedTimer>
#include <QPointer>
#include <QQuickWindow>
#include <QStringList>
#include <QTimer>

#include <functional>

class VoiceTurn;

// Uses the window as a person would, by a script: starts a session, speaks every recording of the scenario
// and the last one once more, cuts the line in the middle of the second turn, takes pictures. Ends the
// application: 0 when every turn was answered, 1 otherwise.
class HeadlessRun : public QObject
{
    Q_OBJECT

public:
    // directory: where screenshot.png, transcript.txt and turns-sent/ go.
    HeadlessRun(QQuickWindow *window, const QString &directory, QObject *parent = nullptr);

    void start();

private:
    void watchConnection();
    void speakNext();
    void cutLineSometime();
    void takeAnswer(const QString &content, bool isFinal);
    void saveTurn(const QByteArray &pcm);

    void takePictures();
    void takePicture(const QString &name);
    void finish();

    void say(const QString &line);
    void fail(const QString &reason);
    void expectWithin(int milliseconds, const QString &failure);
    void after(int milliseconds, std::function<void()> step);
    bool write(const QString &name, const QByteArray &data);

    QPointer<QQuickWindow> m_window;
    QObject *m_voice = nullptr; // VoiceSession.qml
    VoiceTurn *m_turn = nullptr;
    Everwire::SimulationSession *m_session = nullptr;
    QString m_directory;
    QVariantList m_recordings;
    QString m_partner;
    QString m_answer;
    QStringList m_transcript;
    QElapsedTimer m_clock;
    QTimer m_patience;
    QString m_failure; // what it means when patience ends
    int m_next = 0;    // recording
    qreal m_cutAt = 0; // seconds into the turn
    int m_losses = 0;
    bool m_isCut = false;
    bool m_ended = false;
};
