// SPDX-License-Identifier: MIT
#include "serverfixture.h"
#include "signals.h"
#include "testclient.h"
#include "wavfile.h"

#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

QByteArray recording(const QString &name)
{
    QFile file(QStringLiteral(EVERWIRE_RESOURCES "/audio/") + name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QList<QByteArray> cut(const QByteArray &data, qsizetype size)
{
    QList<QByteArray> pieces;
    for (qsizetype at = 0; at < data.size(); at += size)
        pieces.append(data.mid(at, size));
    return pieces;
}

// The order of what a client received, with the status' states in place of their type.
QStringList story(const TestClient &client)
{
    QStringList steps;
    for (const QJsonObject &message : client.messages) {
        const QString type = message.value(u"type"_s).toString();
        const QString step = type == u"status"_s ? message.value(u"state"_s).toString() : type;
        if (steps.isEmpty() || steps.last() != step)
            steps.append(step);
    }
    return steps;
}

QJsonObject processed(const TestClient &client, int index = 0)
{
    return client.ofType(u"audio_processed"_s).value(index).value(u"payload"_s).toObject();
}

QJsonObject feedback(const TestClient &client)
{
    return client.ofType(u"ai_response"_s)
        .value(client.count(u"ai_response"_s) - 1)
        .value(u"feedback"_s)
        .toObject();
}

} // namespace

class TestServerTurns : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void formA();
    void formB();
    void rawSamples();
    void emptyTurn();
    void replyComesInParts();
    void partsAreSpread();
    void reconnectMidTurnKeepsAudio();
    void reconnectMidReplyGoesOn();
    void repeatedChunkIsIgnored();
    void missingChunksAreNoted();
    void pairMistakes();
    void compressedAudioIsRefused();
    void turnIsCapped();
    void bufferedBytesAreCapped();
    void sessionExpires();
    void otherScenarioBeginsAgain();
    void theLastGoalIsSaidOnce();
    void echoAndPing();
    void unknownTypes();
    void biggestMessage();
    void tooBigMessage_data();
    void tooBigMessage();

private:
    void restart(const ServerOptions &options);
    void join(TestClient &client, const QString &session, const QString &scenario = {},
              const QString &role = {});

    std::unique_ptr<QTemporaryDir> m_out;
    ServerOptions m_options;
    std::unique_ptr<SimulationServer> m_server;
};

void TestServerTurns::init()
{
    m_out = std::make_unique<QTemporaryDir>();
    QVERIFY(m_out->isValid());
    m_options = quickOptions();
    m_options.sendOpening = false;
    m_options.outputDirectory = m_out->path();
    restart(m_options);
}

void TestServerTurns::cleanup()
{
    m_server.reset();
}

void TestServerTurns::restart(const ServerOptions &options)
{
    m_server = startServer(options);
    QVERIFY(m_server);
}

void TestServerTurns::join(TestClient &client, const QString &session, const QString &scenario,
                           const QString &role)
{
    client.start(m_server->streamUrl(session, scenario, role), m_server->token());
    QTRY_COMPARE(client.count(u"auth_success"_s), 1);
}

void TestServerTurns::formA()
{
    TestClient client;
    join(client, u"a"_s, u"clinical-consultation"_s, u"patient"_s);
    QSignalSpy finished(m_server.get(), &SimulationServer::turnFinished);
    const QByteArray wav = recording(u"clinical-consultation-pauses.wav"_s);
    int sequence = 0;
    for (const QByteArray &piece : cut(wav, 32000))
        client.sendChunk(++sequence, piece);
    client.completeTurn(sequence);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);

    QCOMPARE(story(client), (QStringList{u"auth_success"_s, u"processing"_s, u"audio_processed"_s,
                                         u"speaking"_s, u"ai_response"_s, u"feedback"_s, u"listening"_s}));
    QCOMPARE(client.reply(),
             u"Doctor, you stopped for 1.2 seconds there. Is it worse than you are telling me?"_s);
    QCOMPARE(processed(client).value(u"turn_number"_s).toInt(), 1);
    QCOMPARE(processed(client).value(u"status"_s).toString(), u"processed"_s);
    QVERIFY(!processed(client).contains(u"missing"_s));
    QCOMPARE(feedback(client).value(u"measures"_s)[u"longPauseCount"_s].toInt(), 3);
    QCOMPARE(finished.size(), 1);

    const QString path = m_out->filePath(u"a/turn-1.wav"_s);
    QCOMPARE(processed(client).value(u"audio_url"_s).toString(), QUrl::fromLocalFile(path).toString());
    QFile stored(path);
    QVERIFY(stored.open(QIODevice::ReadOnly));
    QCOMPARE(decodeAudio(stored.readAll()).samples, decodeAudio(wav).samples);
}

void TestServerTurns::formB()
{
    TestClient client;
    join(client, u"b"_s, u"objection-handling"_s, u"founder"_s);
    int sequence = 0;
    for (const QByteArray &piece : cut(recording(u"objection-handling-quiet.wav"_s), 48000))
        client.sendEncodedChunk(++sequence, piece, u"wav"_s);
    client.completeTurn();
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    QVERIFY2(client.reply().contains(u"-52 decibels"_s), qPrintable(client.reply()));
    QCOMPARE(feedback(client).value(u"findings"_s).toArray().first().toString(), u"too_quiet"_s);
    QVERIFY(QFile::exists(m_out->filePath(u"b/turn-1.wav"_s)));
}

void TestServerTurns::rawSamples()
{
    TestClient client;
    join(client, u"raw"_s, u"feature-demo"_s);
    const QByteArray pcm =
        encodeWav(Signals::joined({Signals::silence(0.5), Signals::babble(4, 0.3)}), 16000).mid(44);
    int sequence = -1;                             // a client may begin at 0
    for (const QByteArray &piece : cut(pcm, 9999)) // cuts samples in half, which must not matter
        client.sendChunk(++sequence, piece);
    client.completeTurn(sequence);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    QCOMPARE(processed(client).value(u"status"_s).toString(), u"processed"_s);
    QCOMPARE(feedback(client).value(u"measures"_s)[u"durationSeconds"_s].toDouble(), 4.5);
    QCOMPARE(feedback(client).value(u"findings"_s).toArray(), QJsonArray{u"good"_s});
}

void TestServerTurns::emptyTurn()
{
    TestClient client;
    join(client, u"e"_s, u"feature-demo"_s);
    client.completeTurn();
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    QCOMPARE(client.reply(), u"I heard nothing at all. Is your microphone on?"_s);
    QCOMPARE(processed(client).value(u"status"_s).toString(), u"empty"_s);
    QCOMPARE(processed(client).value(u"audio_url"_s).toString(), QString());
    QVERIFY(!QFile::exists(m_out->filePath(u"e/turn-1.wav"_s)));
}

void TestServerTurns::replyComesInParts()
{
    TestClient client;
    join(client, u"p"_s);
    client.sendChunk(1, recording(u"feature-demo-good.wav"_s));
    client.completeTurn(1);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    const QList<QJsonObject> parts = client.ofType(u"ai_response"_s);
    QVERIFY(parts.size() >= 2);
    for (qsizetype i = 0; i < parts.size(); ++i) {
        const bool isLast = i + 1 == parts.size();
        QCOMPARE(parts[i].value(u"isFinal"_s), QJsonValue(isLast));
        QCOMPARE(parts[i].contains(u"feedback"_s), isLast);
        QCOMPARE(parts[i].value(u"sessionId"_s).toString(), u"p"_s);
        QVERIFY(!parts[i].value(u"content"_s).toString().isEmpty());
    }
    QVERIFY(!client.reply().contains(u"  "_s));
}

void TestServerTurns::partsAreSpread()
{
    m_options.partDelay = 40ms;
    restart(m_options);
    TestClient client;
    join(client, u"d"_s);
    QElapsedTimer clock;
    clock.start();
    client.completeTurn();
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    const int pauses = client.count(u"ai_response"_s) - 1;
    QVERIFY(pauses >= 1);
    QVERIFY2(clock.elapsed() >= 40 * pauses - 10, qPrintable(QString::number(clock.elapsed())));
}

void TestServerTurns::reconnectMidTurnKeepsAudio()
{
    const QByteArray wav = recording(u"feature-demo-good.wav"_s);
    const QList<QByteArray> pieces = cut(wav, 100000);
    QCOMPARE(pieces.size(), 3);
    {
        TestClient client;
        join(client, u"r"_s, u"feature-demo"_s);
        client.sendChunk(1, pieces[0]);
        client.sendChunk(2, pieces[1]);
        client.sendJson({{u"type"_s, u"fault"_s}, {u"kind"_s, u"drop"_s}});
        QTRY_VERIFY(client.ended);
    }
    QTRY_COMPARE(m_server->connectionCount(), 0);

    TestClient client;
    join(client, u"r"_s);
    client.sendChunk(2, pieces[1]); // it cannot know whether this arrived
    client.sendChunk(3, pieces[2]);
    client.completeTurn(3);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    QCOMPARE(processed(client).value(u"status"_s).toString(), u"processed"_s);
    QFile stored(m_out->filePath(u"r/turn-1.wav"_s));
    QVERIFY(stored.open(QIODevice::ReadOnly));
    QCOMPARE(decodeAudio(stored.readAll()).samples, decodeAudio(wav).samples);
    QCOMPARE(feedback(client).value(u"beat"_s).toString(), u"first-look"_s);

    client.messages.clear();
    client.sendChunk(1, wav);
    client.completeTurn(1);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    QCOMPARE(processed(client).value(u"turn_number"_s).toInt(), 2);
    QCOMPARE(feedback(client).value(u"beat"_s).toString(), u"exception"_s);
}

void TestServerTurns::reconnectMidReplyGoesOn()
{
    m_options.partDelay = 50ms;
    restart(m_options);
    QString heard;
    {
        TestClient client;
        join(client, u"m"_s, u"feature-demo"_s);
        client.sendChunk(1, recording(u"feature-demo-good.wav"_s));
        client.completeTurn(1);
        QTRY_COMPARE(client.count(u"ai_response"_s), 1);
        m_server->applyFault({Fault::Kind::Drop, 0ms, 1000, {}});
        QTRY_VERIFY(client.ended);
        heard = client.reply();
        QCOMPARE(client.statusCount(u"listening"_s), 0);
    }
    {
        TestClient closedAtOnce; // takes nothing of the reply with it
        closedAtOnce.start(m_server->streamUrl(u"m"_s, {}, {}, u"close-4444"_s), m_server->token());
        QTRY_VERIFY(closedAtOnce.ended);
        QCOMPARE(closedAtOnce.count(u"ai_response"_s), 0);
    }
    TestClient client;
    join(client, u"m"_s);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    const QString whole = heard + client.reply();
    QVERIFY2(whole.endsWith(u"sick?"_s) || whole.endsWith(u"see?"_s), qPrintable(whole));
    QCOMPARE(client.count(u"audio_processed"_s), 0);
}

void TestServerTurns::repeatedChunkIsIgnored()
{
    TestClient client;
    join(client, u"i"_s);
    const QByteArray pcm = encodeWav(Signals::babble(1, 0.3), 16000).mid(44);
    client.sendChunk(1, pcm);
    client.sendChunk(1, pcm + pcm); // were it taken, the turn would last longer
    client.completeTurn(1);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    QCOMPARE(feedback(client).value(u"measures"_s)[u"durationSeconds"_s].toDouble(), 1.0);
    QCOMPARE(client.count(u"error"_s), 0);
}

void TestServerTurns::missingChunksAreNoted()
{
    TestClient client;
    join(client, u"x"_s);
    const QByteArray pcm = encodeWav(Signals::babble(1, 0.3), 16000).mid(44);
    client.sendChunk(1, pcm);
    client.sendChunk(3, pcm);
    client.completeTurn(4);
    QTRY_COMPARE(client.count(u"audio_processed"_s), 1);
    QCOMPARE(processed(client).value(u"status"_s).toString(), u"incomplete"_s);
    QCOMPARE(processed(client).value(u"missing"_s).toArray(), (QJsonArray{2, 4}));
}

void TestServerTurns::pairMistakes()
{
    TestClient client;
    join(client, u"w"_s);
    const QByteArray pcm = encodeWav(Signals::babble(1, 0.3), 16000).mid(44);
    client.sendBinaryMessage(pcm);
    client.sendJson({{u"type"_s, u"audio_chunk"_s}, {u"sequence"_s, 1}, {u"size"_s, 5}});
    client.sendBinaryMessage("four");
    client.sendJson({{u"type"_s, u"audio_chunk"_s}, {u"sequence"_s, 2}, {u"size"_s, 5}});
    client.sendJson({{u"type"_s, u"ping"_s}});
    QTRY_COMPARE(client.count(u"pong"_s), 1);
    QCOMPARE(client.count(u"error"_s), 3);
    QVERIFY2(client.errorText(0).contains(u"without an audio_chunk header"_s),
             qPrintable(client.errorText(0)));
    QVERIFY2(client.errorText(1).contains(u"chunk 1 announced 5 bytes and has 4"_s),
             qPrintable(client.errorText(1)));
    QVERIFY2(client.errorText(2).contains(u"header of chunk 2"_s), qPrintable(client.errorText(2)));
    const QJsonObject error = client.ofType(u"error"_s).first();
    QCOMPARE(error.keys(), (QStringList{u"payload"_s, u"session_id"_s, u"timestamp"_s, u"type"_s}));
    QCOMPARE(error.value(u"session_id"_s).toString(), u"w"_s);

    client.sendChunk(3, pcm); // the connection goes on, with this chunk alone
    client.completeTurn();
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    QCOMPARE(feedback(client).value(u"measures"_s)[u"durationSeconds"_s].toDouble(), 1.0);
}

void TestServerTurns::compressedAudioIsRefused()
{
    TestClient client;
    join(client, u"z"_s, u"feature-demo"_s);
    client.sendChunk(1, QByteArray("\x1A\x45\xDF\xA3") + QByteArray(1000, 'x'));
    client.sendChunk(2, QByteArray(1000, 'x'));
    client.completeTurn(2);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    QCOMPARE(client.count(u"error"_s), 1);
    QVERIFY2(client.errorText().contains(u"WebM"_s), qPrintable(client.errorText()));
    QCOMPARE(processed(client).value(u"status"_s).toString(), u"rejected"_s);
    QVERIFY2(client.reply().contains(u"WebM audio is compressed"_s), qPrintable(client.reply()));

    client.messages.clear(); // the next turn is a new one
    client.sendChunk(1, recording(u"feature-demo-good.wav"_s));
    client.completeTurn(1);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    QCOMPARE(processed(client).value(u"status"_s).toString(), u"processed"_s);
}

void TestServerTurns::turnIsCapped()
{
    m_options.maxTurnBytes = 40000;
    restart(m_options);
    TestClient client;
    join(client, u"c"_s);
    const QByteArray pcm = encodeWav(Signals::babble(1, 0.3), 16000).mid(44);
    for (int sequence = 1; sequence <= 4; ++sequence)
        client.sendChunk(sequence, pcm);
    client.completeTurn(4);
    QTRY_COMPARE(client.statusCount(u"listening"_s), 1);
    QCOMPARE(client.count(u"error"_s), 1); // once, not for each chunk
    QVERIFY2(client.errorText().contains(u"40000 bytes"_s), qPrintable(client.errorText()));
    QCOMPARE(processed(client).value(u"status"_s).toString(), u"incomplete"_s);
    QCOMPARE(feedback(client).value(u"measures"_s)[u"durationSeconds"_s].toDouble(), 1.0);
}

void TestServerTurns::bufferedBytesAreCapped()
{
    m_options.maxBufferedBytes = 50000;
    restart(m_options);
    const QByteArray pcm = encodeWav(Signals::babble(1, 0.3), 16000).mid(44);
    TestClient first;
    join(first, u"c1"_s);
    first.sendChunk(1, pcm);
    first.sendJson({{u"type"_s, u"ping"_s}});
    QTRY_COMPARE(first.count(u"pong"_s), 1);
    TestClient second;
    join(second, u"c2"_s);
    second.sendChunk(1, pcm);
    QTRY_COMPARE(second.count(u"error"_s), 1);
    first.completeTurn(1);
    QTRY_COMPARE(first.statusCount(u"listening"_s), 1);
    second.sendChunk(2, pcm); // there is room again
    second.completeTurn(2);
    QTRY_COMPARE(second.statusCount(u"listening"_s), 1);
    QCOMPARE(processed(second).value(u"missing"_s).toArray(), QJsonArray{1});
}

void TestServerTurns::sessionExpires()
{
    m_options.sessionLifetime = 30ms;
    restart(m_options);
    {
        TestClient client;
        join(client, u"t"_s);
        client.sendChunk(1, QByteArray(32000, 'x'));
        client.sendJson({{u"type"_s, u"ping"_s}});
        QTRY_COMPARE(client.count(u"pong"_s), 1);
        QCOMPARE(m_server->sessionCount(), 1);
    }
    QTRY_COMPARE(m_server->sessionCount(), 0);
    TestClient client;
    join(client, u"t"_s);
    client.completeTurn();
    QTRY_COMPARE(client.count(u"audio_processed"_s), 1);
    QCOMPARE(processed(client).value(u"status"_s).toString(), u"empty"_s);
}

void TestServerTurns::otherScenarioBeginsAgain()
{
    const QByteArray wav = recording(u"feature-demo-good.wav"_s);
    TestClient first;
    join(first, u"o"_s, u"feature-demo"_s);
    first.sendChunk(1, wav);
    first.completeTurn(1);
    QTRY_COMPARE(first.statusCount(u"listening"_s), 1);
    TestClient second;
    join(second, u"o"_s, u"objection-handling"_s, u"founder"_s);
    second.sendChunk(1, wav);
    second.completeTurn(1);
    QTRY_COMPARE(second.statusCount(u"listening"_s), 1);
    QCOMPARE(feedback(second).value(u"beat"_s).toString(), u"acknowledge"_s);
    QCOMPARE(processed(second).value(u"turn_number"_s).toInt(), 2);
}

void TestServerTurns::theLastGoalIsSaidOnce()
{
    const QByteArray wav = recording(u"feature-demo-good.wav"_s);
    TestClient client;
    join(client, u"c"_s, u"feature-demo"_s);
    for (int turn = 1; turn <= 4; ++turn) {
        client.sendChunk(1, wav);
        client.completeTurn(1);
        QTRY_COMPARE(client.statusCount(u"listening"_s), turn);
        QCOMPARE(client.count(u"complete"_s), turn >= 3 ? 1 : 0);
    }
}

void TestServerTurns::echoAndPing()
{
    TestClient client;
    join(client, u"echo"_s);
    const QString text = u"{ \"z\": 12345678901234567890, \"type\":\"echo\", \"a\":[1.0,{\"ü\":null}] }"_s;
    client.sendTextMessage(text);
    client.sendJson({{u"type"_s, u"ping"_s}});
    QTRY_COMPARE(client.count(u"pong"_s), 1);
    QCOMPARE(client.texts.value(1), text);
    const QJsonObject pong = client.messages.last();
    QCOMPARE(pong.keys(), (QStringList{u"session_id"_s, u"timestamp"_s, u"type"_s}));
    QCOMPARE(pong.value(u"session_id"_s).toString(), u"echo"_s);
}

void TestServerTurns::unknownTypes()
{
    TestClient client;
    join(client, u"u"_s);
    for (const QString &text : {u"{\"type\":\"dance\"}"_s, u"no JSON"_s, u"[1]"_s, u"{\"type\":5}"_s})
        client.sendTextMessage(text);
    QTRY_COMPARE(client.count(u"error"_s), 4);
    QVERIFY2(client.errorText(0).contains(u"unknown message type"_s), qPrintable(client.errorText(0)));
    for (int i : {1, 2, 3})
        QVERIFY2(client.errorText(i).contains(u"string 'type'"_s), qPrintable(client.errorText(i)));
    QVERIFY(!client.ended);
}

void TestServerTurns::biggestMessage()
{
    TestClient client;
    join(client, u"big"_s);
    const QString head = u"{\"type\":\"echo\",\"x\":\""_s;
    const QString ascii = head + QString(512 * 1024 - head.size() - 2, u'x') + u"\"}"_s;
    const QString wide = head + QString((512 * 1024 - head.size() - 2) / 3, u'€') + u"\"}"_s;
    // The client would cut its text at Qt's default frame size, 512 KiB, too; this fits one frame.
    client.sendTextMessage(ascii);
    client.sendTextMessage(wide);
    QTRY_COMPARE(client.count(u"echo"_s), 2);
    QCOMPARE(client.texts.value(1), ascii);
    QCOMPARE(client.texts.value(2), wide);
}

void TestServerTurns::tooBigMessage_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QByteArray>("binary");
    const QString head = u"{\"type\":\"echo\",\"x\":\""_s;
    QTest::newRow("text") << head + QString(512 * 1024, u'x') + u"\"}"_s << QByteArray();
    QTest::newRow("text by its bytes") << head + QString(200 * 1024, u'€') + u"\"}"_s << QByteArray();
    QTest::newRow("binary") << QString() << QByteArray(512 * 1024 + 1, 'x');
}

void TestServerTurns::tooBigMessage()
{
    QFETCH(QString, text);
    QFETCH(QByteArray, binary);
    TestClient client;
    join(client, u"big"_s);
    if (binary.isEmpty())
        client.sendTextMessage(text);
    else
        client.sendBinaryMessage(binary);
    QTRY_VERIFY(client.ended);
    QCOMPARE(int(client.closeCode()), 1009);
    QCOMPARE(client.count(u"echo"_s), 0);
}

QTEST_GUILESS_MAIN(TestServerTurns)
#include "tst_serverturns.moc"
