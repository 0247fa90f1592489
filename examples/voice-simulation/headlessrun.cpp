// SPDX-License-Identifier: MIT
#include "headlessrun.h"

#include "catalog.h"
#include "voiceturn.h"
#include "wav.h"

#include <QCoreApplication>
#include <QDir>
#include <QImage>
#include <QJsonArray>
#include <QSaveFile>

#include <cstdio>

using namespace Qt::StringLiterals;
using Everwire::Connection;

namespace {

constexpr int answerTimeout = 30000;
constexpr int cutInTurn = 2;
constexpr qreal latestCut = 3; // seconds of speech
constexpr int fewestTurns = 3;

} // namespace

HeadlessRun::HeadlessRun(QQuickWindow *window, const QString &directory, QObject *parent)
    : QObject(parent)
    , m_window(window)
    , m_voice(window->property("voice").value<QObject *>())
    , m_turn(m_voice->property("turn").value<VoiceTurn *>())
    , m_session(m_voice->property("session").value<Everwire::SimulationSession *>())
    , m_directory(directory)
{
    m_patience.setSingleShot(true);
    connect(&m_patience, &QTimer::timeout, this, [this] { fail(m_failure); });
    connect(m_session, &Everwire::SimulationSession::aiResponse, this, &HeadlessRun::takeAnswer);
    connect(m_turn, &VoiceTurn::completed, this, &HeadlessRun::saveTurn);
    connect(m_turn, &VoiceTurn::chunkSent, this, &HeadlessRun::cutLineSometime);
    connect(m_turn, &VoiceTurn::errorChanged, this, [this] {
        if (!m_turn->error().isEmpty())
            fail(m_turn->error());
    });
    watchConnection();
}

void HeadlessRun::watchConnection()
{
    Connection *connection = m_session->connection();
    connect(connection, &Connection::connected, this, [this](const Everwire::SessionInfo &info) {
        say(u"-- connected as %1 --"_s.arg(info.userId()));
    });
    connect(connection, &Connection::reconnecting, this, [this](int attempt, int delay) {
        say(u"-- the line is down; attempt %1 in %2 s --"_s.arg(attempt).arg(delay / 1000.0, 0, 'f', 1));
    });
    connect(connection, &Connection::disconnected, this, [this] { ++m_losses; });
    connect(connection, &Connection::errorOccurred, this, [this](const Everwire::ConnectionError &error) {
        if (error.isFinal())
            fail(error.message());
    });
    connection->subscribe(u"audio_processed"_s, this, [this](const QJsonObject &message) {
        const QJsonArray missing = message.value("payload"_L1).toObject().value("missing"_L1).toArray();
        if (!missing.isEmpty())
            say(u"-- the server misses %1 part(s) of this turn --"_s.arg(missing.size()));
    });
    connection->subscribe(u"complete"_s, this, [this](const QJsonObject &message) {
        say(u"-- %1 --"_s.arg(message.value("message"_L1).toString().toLower()));
    });
    connection->subscribe(u"status"_s, this, [this](const QJsonObject &message) {
        if (message.value("state"_L1).toString() == "feedback"_L1)
            say(u"Coach: "_s + message.value("message"_L1).toString());
    });
}

void HeadlessRun::start()
{
    m_clock.start();
    m_recordings = Catalog().recordings(m_voice->property("scenarioId").toString());
    if (m_recordings.isEmpty()) {
        fail(u"This scenario has no recordings to speak with."_s);
        return;
    }
    while (m_recordings.size() < fewestTurns)
        m_recordings.append(m_recordings.last());
    m_partner = m_voice->property("role").toMap().value(u"name"_s).toString();
    say(u"-- scenario: %1 --"_s.arg(m_voice->property("scenario").toMap().value(u"title"_s).toString()));
    expectWithin(answerTimeout, u"%1 did not begin the conversation within 30 s."_s.arg(m_partner));
    QMetaObject::invokeMethod(m_window, "startOrStop");
}

void HeadlessRun::takeAnswer(const QString &content, bool isFinal)
{
    m_answer += content;
    if (!isFinal)
        return;
    say(m_partner + u": "_s + m_answer);
    m_answer.clear();
    if (m_turn->isActive())
        return; // an answer to the turn before
    m_patience.stop();
    after(900, [this] { speakNext(); });
}

void HeadlessRun::speakNext()
{
    if (m_next == m_recordings.size()) {
        takePictures();
        return;
    }
    const QVariantMap recording = m_recordings.at(m_next++).toMap();
    const QString source = recording.value(u"source"_s).toString();
    m_cutAt = qMin(latestCut, qreal(QFileInfo(source).size()) / (Wav::bytesPerMs * 1000) / 2);
    m_voice->setProperty("source", source);
    expectWithin(2 * answerTimeout, u"Turn %1 could not be sent within 60 s."_s.arg(m_next));
    QMetaObject::invokeMethod(m_voice, "talk");
}

void HeadlessRun::cutLineSometime()
{
    if (m_isCut || m_next != cutInTurn || m_turn->seconds() < m_cutAt)
        return;
    m_isCut = true;
    say(u"-- the line is cut on purpose, in the middle of turn %1 --"_s.arg(m_next));
    QMetaObject::invokeMethod(m_voice, "cutLine");
}

void HeadlessRun::saveTurn(const QByteArray &pcm)
{
    const QVariantMap recording = m_recordings.at(m_next - 1).toMap();
    const qreal seconds = qreal(pcm.size()) / (Wav::bytesPerMs * 1000);
    say(u"You (%1 s): %2"_s.arg(seconds, 0, 'f', 1).arg(recording.value(u"text"_s).toString()));
    if (!write(u"turns-sent/turn-%1.wav"_s.arg(m_next), Wav::fromPcm(pcm)))
        return;
    expectWithin(answerTimeout, u"Turn %1 was not answered within 30 s."_s.arg(m_next));
    if (m_next == cutInTurn && m_losses == 0)
        fail(u"The line was to be cut in turn %1, and was not: does the server allow faults?"_s.arg(m_next));
}

void HeadlessRun::takePictures()
{
    if (!m_session->connection()->isConnected()) {
        fail(u"The connection did not last until the end of the conversation."_s);
        return;
    }
    const auto show = [this](const char *mode, const QSize &size) {
        m_window->resize(size);
        QMetaObject::invokeMethod(m_window, "setThemeMode", Q_ARG(QString, QString::fromLatin1(mode)));
    };
    const QSize wide(1100, 760);
    show("light", wide);
    after(600, [this, show, wide] {
        takePicture(u"screenshot.png"_s);
        show("dark", wide);
        after(600, [this, show] {
            takePicture(u"screenshot-dark.png"_s);
            show("light", QSize(480, 760));
            after(600, [this] {
                takePicture(u"screenshot-narrow.png"_s);
                finish();
            });
        });
    });
}

void HeadlessRun::takePicture(const QString &name)
{
    const QString path = QDir(m_directory).filePath(name);
    const QImage image = m_window->grabWindow();
    if (image.isNull() || !image.save(path))
        fail(u"The picture %1 could not be written."_s.arg(path));
}

void HeadlessRun::finish()
{
    if (m_ended)
        return;
    say(u"-- %1 turns, all answered; the connection was lost %2 time(s) and came back --"_s.arg(m_next).arg(
        m_losses));
    m_ended = true;
    QMetaObject::invokeMethod(m_window, "startOrStop");
    const bool isWritten = write(u"transcript.txt"_s, m_transcript.join(u'\n').toUtf8() + '\n');
    QCoreApplication::exit(isWritten ? 0 : 1);
}

void HeadlessRun::say(const QString &line)
{
    const qint64 seconds = m_clock.elapsed() / 1000;
    m_transcript.append(u"[%1:%2] %3"_s.arg(seconds / 60, 2, 10, QChar(u'0'))
                            .arg(seconds % 60, 2, 10, QChar(u'0'))
                            .arg(line.trimmed()));
    std::printf("%s\n", qUtf8Printable(m_transcript.last()));
    std::fflush(stdout);
}

void HeadlessRun::fail(const QString &reason)
{
    if (m_ended)
        return;
    m_ended = true;
    m_patience.stop();
    const Connection *connection = m_session->connection();
    const QString because = connection->error() != reason ? connection->error() : QString();
    say(u"-- failed: %1 --"_s.arg(reason));
    std::fprintf(stderr, "voice-simulation: %s %s\n", qUtf8Printable(reason), qUtf8Printable(because));
    write(u"transcript.txt"_s, m_transcript.join(u'\n').toUtf8() + '\n');
    QCoreApplication::exit(1);
}

void HeadlessRun::expectWithin(int milliseconds, const QString &failure)
{
    m_failure = failure;
    m_patience.start(milliseconds);
}

void HeadlessRun::after(int milliseconds, std::function<void()> step)
{
    QTimer::singleShot(milliseconds, this, [this, step = std::move(step)] {
        if (!m_ended)
            step();
    });
}

bool HeadlessRun::write(const QString &name, const QByteArray &data)
{
    const QString path = QDir(m_directory).filePath(name);
    QSaveFile file(path);
    if (QDir().mkpath(QFileInfo(path).path()) && file.open(QIODevice::WriteOnly) &&
        file.write(data) == data.size() && file.commit())
        return true;
    fail(u"%1 could not be written: %2."_s.arg(path, file.errorString()));
    return false;
}
