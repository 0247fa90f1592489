// SPDX-License-Identifier: MIT
#include "turnpipeline.h"

#include "messages.h"
#include "phrasing.h"
#include "wavfile.h"

#include <QDir>
#include <QJsonArray>
#include <QSaveFile>
#include <QUrl>

namespace Everwire::Demo {

using namespace Qt::StringLiterals;

namespace {

struct Stored
{
    QString url;
    QString error;
};

Stored storeTurn(const DecodedAudio &audio, const QString &directory, const SessionState &session)
{
    if (directory.isEmpty() || audio.samples.empty())
        return {};
    const QDir dir(QDir(directory).absoluteFilePath(session.id));
    QSaveFile file(dir.filePath(u"turn-%1.wav"_s.arg(session.conversation.turn)));
    const QByteArray wav = encodeWav(audio.samples, audio.sampleRate);
    if (!dir.mkpath(u"."_s) || !file.open(QIODevice::WriteOnly) || file.write(wav) != wav.size() ||
        !file.commit())
        return {{},
                u"the turn could not be stored (%1); it is answered all the same"_s.arg(file.errorString())};
    return {QUrl::fromLocalFile(file.fileName()).toString(QUrl::FullyEncoded), {}};
}

QString turnStatus(const HeardTurn &heard, bool complete)
{
    if (!heard.decodeError.isEmpty())
        return u"rejected"_s;
    if (!heard.hasAudio)
        return u"empty"_s;
    return complete ? u"processed"_s : u"incomplete"_s;
}

QJsonArray toJson(const QList<qint64> &sequences)
{
    QJsonArray array;
    for (const qint64 sequence : sequences)
        array.append(sequence);
    return array;
}

DecodedAudio decodeTurn(const TurnBuffer &turn)
{
    if (!turn.rejection().isEmpty())
        return {{}, 16000, turn.rejection()};
    return turn.isEmpty() ? DecodedAudio{} : decodeAudio(turn.audio());
}

void say(SessionState &session, const Answer &answer)
{
    const QStringList parts = splitIntoParts(answer.text);
    for (qsizetype i = 0; i < parts.size(); ++i) {
        const bool isFinal = i + 1 == parts.size();
        QJsonObject part = Messages::aiResponse(session.id, parts[i], isFinal);
        if (isFinal)
            part.insert(u"feedback"_s, answer.feedback);
        session.outbox.append(part);
    }
    session.outbox.append(Messages::status(session.id, u"feedback"_s, answer.coaching));
    if (answer.completed)
        session.outbox.append(Messages::complete(session.id, u"Every goal of the scenario is reached"_s));
}

} // namespace

void finishTurn(SessionState &session, const Scenario &scenario, std::optional<qint64> lastSequence,
                const QString &outputDirectory)
{
    ++session.conversation.turn;
    session.outbox.append(Messages::status(session.id, u"processing"_s, u"Listening to the recording"_s));

    const DecodedAudio audio = decodeTurn(session.turn);
    const HeardTurn heard{!session.turn.isEmpty(), audio.error,
                          measureSpeech(audio.samples, audio.sampleRate)};
    const QList<qint64> missing =
        session.turn.rejection().isEmpty() ? session.turn.missing(lastSequence) : QList<qint64>();
    const bool complete = missing.isEmpty() && !session.turn.overflowed();
    session.turn.clear();

    const Stored stored = storeTurn(audio, outputDirectory, session);
    if (!stored.error.isEmpty())
        session.outbox.append(Messages::error(session.id, stored.error));
    QJsonObject payload{{u"turn_number"_s, session.conversation.turn},
                        {u"audio_url"_s, stored.url},
                        {u"status"_s, turnStatus(heard, complete)}};
    if (!missing.isEmpty())
        payload.insert(u"missing"_s, toJson(missing));
    session.outbox.append(Messages::audioProcessed(session.id, payload));

    const Role &role = scenario.role(session.roleId);
    session.outbox.append(Messages::status(session.id, u"speaking"_s, u"%1 answers"_s.arg(role.name)));
    say(session, respond(scenario, role, heard, session.conversation));
    session.outbox.append(Messages::status(session.id, u"listening"_s, u"Your turn"_s));
}

} // namespace Everwire::Demo
