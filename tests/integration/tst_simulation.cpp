// SPDX-License-Identifier: MIT
//
// SimulationSession and the demo server: real speech in, answers out.
#include "simulationserver.h"

#include <Everwire/SimulationSession>
#include <Everwire/WebSocketProvider>

#include <QFile>
#include <QJsonArray>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

QString s(const char *text)
{
    return QString::fromUtf8(text);
}

QByteArray recording(const char *name)
{
    QFile file(s(EVERWIRE_RESOURCES "/audio/") + s(name));
    if (!file.open(QIODevice::ReadOnly))
        qFatal("no recording %s", name);
    return file.readAll();
}

} // namespace

class tst_Simulation : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void aTurnIsHeardAndAnswered_data();
    void aTurnIsHeardAndAnswered();
    void q9_chunksAndCompletionArriveInOrder();
    void aTurnSurvivesADropInItsMiddle();
    void whatIsNotAcceptedCanBeSentAgain();
    void theServersErrorsAreShown();
    void stopClosesAndStartBeginsAnew();
    void c1_optionsReachTheUrl();
    void oneSessionGoingAwayClosesNoOthers();
    void aConnectionOfTheAppsIsLeftOpen();
    void startWhileStartedKeepsTheTurn();
    void startWithAnotherScenarioReopens();
    void aSecondFailureIsShownToo();
    void formBIsAWavStream();

private:
    void sendTurn(const QByteArray &wav, int chunkSize = 3200);
    void sendTurn(SimulationSession &speaker);

    std::unique_ptr<QTemporaryDir> folder;
    std::unique_ptr<Demo::SimulationServer> server;
    std::unique_ptr<WebSocketProvider> provider;
    std::unique_ptr<SimulationSession> session;
};

void tst_Simulation::init()
{
    folder = std::make_unique<QTemporaryDir>();
    Demo::ServerOptions options;
    options.secret = QByteArray(32, 't');
    options.partDelay = 0ms;
    options.sendOpening = false;
    options.outputDirectory = folder->path();
    server = std::make_unique<Demo::SimulationServer>(options);
    QVERIFY2(server->listen(), qPrintable(server->errorString()));

    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(server->token(s("learner"), 60s));
    const QString url = server->url().toString() +
                        s("/api/v1/simulations/{session_id}/stream?scenario={scenario}&role={role}");
    QVERIFY(provider->configure(
        s("simulation"),
        ConnectionConfig().setUrl(url).setInitialReconnectDelay(5ms).setMaxQueuedMessages(1000)));
    session = std::make_unique<SimulationSession>(provider.get());
    session->setScenario(s("objection-handling"));
    session->setRole(s("founder"));
}

void tst_Simulation::cleanup()
{
    session.reset();
    provider.reset();
    server.reset();
}

void tst_Simulation::sendTurn(const QByteArray &wav, int chunkSize)
{
    for (qsizetype at = 0; at < wav.size(); at += chunkSize)
        QVERIFY(session->sendAudioChunk(wav.mid(at, chunkSize)));
    QVERIFY(session->completeTurn());
}

void tst_Simulation::sendTurn(SimulationSession &speaker)
{
    QVERIFY(speaker.sendAudioChunk(recording("objection-handling-short.wav")));
    QVERIFY(speaker.completeTurn());
}

void tst_Simulation::aTurnIsHeardAndAnswered_data()
{
    QTest::addColumn<SimulationSession::AudioFormat>("format");
    QTest::newRow("form A") << SimulationSession::BinaryFrame;
    QTest::newRow("form B") << SimulationSession::Base64;
}

void tst_Simulation::aTurnIsHeardAndAnswered()
{
    QFETCH(const SimulationSession::AudioFormat, format);
    session->setAudioFormat(format);
    QSignalSpy responses(session.get(), &SimulationSession::aiResponse);
    QSignalSpy processed(session.get(), &SimulationSession::audioProcessed);
    QSignalSpy levels(session.get(), &SimulationSession::audioLevelChanged);
    session->start();
    const QByteArray wav = recording("objection-handling-quiet.wav");
    sendTurn(wav);
    QVERIFY(levels.size() > 5);
    QCOMPARE(session->audioLevel(), 0.0); // between turns
    QTRY_VERIFY(!responses.isEmpty() && responses.last()[1].toBool());
    QVERIFY(responses.size() > 1); // in parts
    QCOMPARE(processed.size(), 1);
    QCOMPARE(processed[0][0].toInt(), 1);

    QCOMPARE(session->turns()->count(), 2);
    const TurnModel::Turn mine = session->turns()->turns()[0];
    const TurnModel::Turn answer = session->turns()->turns()[1];
    QCOMPARE(mine.who, TurnModel::User);
    QVERIFY(mine.isFinal);
    QCOMPARE(answer.who, TurnModel::Ai);
    QVERIFY(answer.isFinal);
    QString whole;
    for (const auto &part : responses)
        whole += part[0].toString();
    QCOMPARE(answer.content, whole);

    // It was this recording that was heard, to the last sample.
    const QJsonObject measures =
        responses.last()[2].toJsonObject().value(s("feedback")).toObject().value(s("measures")).toObject();
    const double seconds = double(wav.size() - 44) / 32000;
    QVERIFY(std::abs(measures.value(s("durationSeconds")).toDouble() - seconds) < 0.05);
    QFile stored(QUrl(processed[0][1].toString()).toLocalFile());
    QVERIFY2(stored.open(QIODevice::ReadOnly), qPrintable(stored.fileName()));
    QCOMPARE(stored.readAll().mid(44), wav.mid(44));
}

void tst_Simulation::q9_chunksAndCompletionArriveInOrder()
{
    session->start();
    QSignalSpy processed(session.get(), &SimulationSession::audioProcessed);
    for (int turn = 1; turn <= 3; ++turn) {
        sendTurn(recording("objection-handling-short.wav"), 640);
        // Others talk on the same connection.
        QVERIFY(session->connection()->sendJson({{s("type"), s("echo")}}));
    }
    QTRY_COMPARE(processed.size(), 3);
    for (int turn = 1; turn <= 3; ++turn) {
        QCOMPARE(processed[turn - 1][0].toInt(), turn);
        QCOMPARE(processed[turn - 1][2].toString(), s("processed")); // no chunk is missing
    }
    QVERIFY2(session->error().isEmpty(), qPrintable(session->error()));
}

void tst_Simulation::aTurnSurvivesADropInItsMiddle()
{
    session->start();
    Connection *connection = session->connection();
    QTRY_VERIFY(connection->isConnected());
    const QByteArray wav = recording("feature-demo-good.wav");
    QSignalSpy processed(session.get(), &SimulationSession::audioProcessed);
    QSignalSpy connected(connection, &Connection::connected);
    QVERIFY(session->sendAudioChunk(wav.left(32000)));
    QTRY_COMPARE(connection->bytesToWrite(), qint64(0));
    // An answer behind it shows that the server has it.
    QSignalSpy messages(connection, &Connection::messageReceived);
    QVERIFY(connection->sendJson({{s("type"), s("ping")}}));
    QTRY_VERIFY(!messages.isEmpty());
    Demo::Fault drop;
    drop.kind = Demo::Fault::Kind::Drop;
    server->applyFault(drop);
    QTRY_COMPARE(connected.size(), 1);
    QVERIFY(session->sendAudioChunk(wav.mid(32000)));
    QVERIFY(session->completeTurn());
    QTRY_COMPARE(processed.size(), 1);
    QCOMPARE(processed[0][2].toString(), s("processed"));
    QFile stored(QUrl(processed[0][1].toString()).toLocalFile());
    QVERIFY(stored.open(QIODevice::ReadOnly));
    QCOMPARE(stored.readAll().mid(44), wav.mid(44));
}

void tst_Simulation::whatIsNotAcceptedCanBeSentAgain()
{
    QVERIFY(!session->sendAudioChunk("too early"));
    QVERIFY(!session->completeTurn());
    QCOMPARE(session->turns()->count(), 0);
    session->start();
    QVERIFY(!session->sendAudioChunk({}));
    QVERIFY(!session->sendAudioChunk(QByteArray(600 * 1024, 'x'))); // above maxMessageSize
    sendTurn(recording("objection-handling-short.wav"));
    QSignalSpy processed(session.get(), &SimulationSession::audioProcessed);
    QTRY_COMPARE(processed.size(), 1);
    QCOMPARE(processed[0][2].toString(), s("processed"));
}

void tst_Simulation::theServersErrorsAreShown()
{
    session->setScenario(s("no-such-scenario"));
    session->start();
    QTRY_COMPARE(session->connection()->state(), Connection::Error); // 1008
    QCOMPARE(session->connection()->closeCode(), 1008);
    QVERIFY2(!session->error().isEmpty(), qPrintable(session->error()));
    provider->setToken(s("not.a.jwt"));
    session->start();
    QTRY_COMPARE(session->connection()->errorCode(), ConnectionError::AuthenticationFailed);
    QVERIFY(session->error().contains(s("token")));
}

void tst_Simulation::stopClosesAndStartBeginsAnew()
{
    session->setAutoConnect(true);
    Connection *connection = session->connection();
    QTRY_VERIFY(connection->isConnected());
    sendTurn(recording("objection-handling-short.wav"));
    QTRY_COMPARE(session->turns()->count(), 2);
    session->stop();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(session->turns()->count(), 2); // to be read
    session->start();
    QCOMPARE(session->turns()->count(), 0);
    QTRY_VERIFY(connection->isConnected());
    session.reset();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

void tst_Simulation::c1_optionsReachTheUrl()
{
    session->setSessionId(s("sess-42"));
    session->start();
    QTRY_VERIFY(session->connection()->isConnected());
    QCOMPARE(session->connection()->url().path(), s("/api/v1/simulations/sess-42/stream"));
    QCOMPARE(session->connection()->url().query(), s("scenario=objection-handling&role=founder"));
    QCOMPARE(session->connection()->sessionInfo().sessionId(), s("sess-42"));
}

void tst_Simulation::oneSessionGoingAwayClosesNoOthers()
{
    session->start();
    QTRY_VERIFY(session->connection()->isConnected());
    auto second = std::make_unique<SimulationSession>(provider.get());
    second->start();
    session.reset(); // it was this one that opened the connection
    sendTurn(*second);
    QSignalSpy processed(second.get(), &SimulationSession::audioProcessed);
    QTRY_COMPARE(processed.size(), 1);
    Connection *connection = second->connection();
    second.reset();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

void tst_Simulation::aConnectionOfTheAppsIsLeftOpen()
{
    Connection *connection = provider->connection(s("simulation"));
    connection->open(ConnectionConfig().setOptions(
        {{s("session_id"), s("app")}, {s("scenario"), s("objection-handling")}, {s("role"), s("founder")}}));
    QTRY_VERIFY(connection->isConnected());
    session->start();
    sendTurn(*session);
    QSignalSpy processed(session.get(), &SimulationSession::audioProcessed);
    QTRY_COMPARE(processed.size(), 1);
    session.reset();
    QVERIFY(connection->isConnected());
    QCOMPARE(connection->sessionInfo().sessionId(), s("app"));
}

void tst_Simulation::startWhileStartedKeepsTheTurn()
{
    const QByteArray wav = recording("objection-handling-short.wav");
    const qsizetype half = wav.size() / 4 * 2;
    session->start();
    QVERIFY(session->sendAudioChunk(wav.left(half)));
    session->start();
    QVERIFY(session->sendAudioChunk(wav.mid(half)));
    QVERIFY(session->completeTurn());
    QSignalSpy processed(session.get(), &SimulationSession::audioProcessed);
    QTRY_COMPARE(processed.size(), 1);
    QFile stored(QUrl(processed[0][1].toString()).toLocalFile());
    QVERIFY(stored.open(QIODevice::ReadOnly));
    QCOMPARE(stored.readAll().mid(44), wav.mid(44));
}

void tst_Simulation::startWithAnotherScenarioReopens()
{
    session->start();
    Connection *connection = session->connection();
    QTRY_VERIFY(connection->isConnected());
    const QString before = session->sessionId();
    session->setScenario(s("feature-demo"));
    session->setSessionId({});
    session->start();
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(session->sessionId() != before);
    QCOMPARE(connection->sessionInfo().sessionId(), session->sessionId());
    QVERIFY(connection->url().query().contains(s("scenario=feature-demo")));
    session.reset();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

void tst_Simulation::aSecondFailureIsShownToo()
{
    QVERIFY(
        provider->configure(s("simulation"), ConnectionConfig().setUrl(s("ws://127.0.0.1/{no_such_part}"))));
    for (int i = 0; i < 2; ++i) {
        session->start();
        QCOMPARE(session->connection()->state(), Connection::Error);
        QVERIFY2(session->error().contains(s("no_such_part")), qPrintable(session->error()));
    }
}

void tst_Simulation::formBIsAWavStream()
{
    session->setAudioFormat(SimulationSession::Base64);
    session->start();
    const QByteArray pcm = recording("objection-handling-short.wav").mid(44);
    QSignalSpy processed(session.get(), &SimulationSession::audioProcessed);
    for (int turn = 1; turn <= 2; ++turn) {
        QVERIFY(session->sendAudioChunk(pcm.left(3200)));
        QVERIFY(session->sendAudioChunk(pcm.mid(3200)));
        QVERIFY(session->completeTurn());
        QTRY_COMPARE(processed.size(), turn);
        QFile stored(QUrl(processed[turn - 1][1].toString()).toLocalFile());
        QVERIFY(stored.open(QIODevice::ReadOnly));
        QCOMPARE(stored.readAll().mid(44), pcm);
    }
    // The server takes bare samples, too; what the wire carries begins as a WAV file does.
    const MessageModel *messages = session->connection()->messages();
    int heads = 0;
    for (int row = 0; row < messages->count(); ++row) {
        const QString chunk =
            messages->at(row).json().value(s("payload")).toObject().value(s("chunk")).toString();
        heads += QByteArray::fromBase64(chunk.toLatin1()).startsWith("RIFF") ? 1 : 0;
    }
    QCOMPARE(heads, 2);
}

QTEST_GUILESS_MAIN(tst_Simulation)
#include "tst_simulation.moc"
