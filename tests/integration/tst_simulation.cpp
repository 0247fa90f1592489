// SPDX-License-Identifier: MIT
//
// SimulationSession and the demo server: real speech in, answers out.
#include "simulationserver.h"
#include "support/faultproxy.h"
#include "support/testserver.h"

#include <Everwire/FunctionTokenProvider>
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
    void q3_aTurnWaitsForTheLine_data();
    void q3_aTurnWaitsForTheLine();
    void v2_whatIsLostOfATurnIsSaidUntilTheNext();
    void v2_aChunkThatIsSentAgainIsNotLost();
    void v1_anAnswerThatALossCutsIsNotMergedWithTheNext();
    void v1_stopCutsOffWhatIsOpen();
    void a9_aRenewalDoesNotCutATurn();
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
    void useProxy(const FaultProxy &proxy, const ConnectionConfig &config);
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

void tst_Simulation::useProxy(const FaultProxy &proxy, const ConnectionConfig &config)
{
    const QString url = proxy.url().toString(QUrl::RemovePath) +
                        s("/api/v1/simulations/{session_id}/stream?scenario={scenario}&role={role}");
    QVERIFY(provider->configure(s("simulation"), ConnectionConfig()
                                                     .setUrl(url)
                                                     .setInitialReconnectDelay(5ms)
                                                     .setMaxReconnectDelay(50ms)
                                                     .setMaxReconnectAttempts(-1)
                                                     .setMaxQueuedMessages(100)
                                                     .mergedWith(config)));
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

void tst_Simulation::q3_aTurnWaitsForTheLine_data()
{
    aTurnIsHeardAndAnswered_data();
}

// 20 ms a chunk, and many more of them than maxQueuedMessages.
void tst_Simulation::q3_aTurnWaitsForTheLine()
{
    QFETCH(const SimulationSession::AudioFormat, format);
    FaultProxy proxy(server->url());
    useProxy(proxy, {});
    proxy.refuse();
    session->setAudioFormat(format);
    session->start();
    QTRY_COMPARE(session->connection()->state(), Connection::Reconnecting);
    QSignalSpy rejected(session->connection(), &Connection::messageRejected);
    const QByteArray wav = recording("feature-demo-good.wav");
    QVERIFY(wav.size() > 200 * 640);
    sendTurn(wav, 640);
    QCOMPARE(rejected.size(), 0);
    QVERIFY(session->connection()->queuedMessages() > 200);
    QSignalSpy processed(session.get(), &SimulationSession::audioProcessed);
    proxy.heal();
    QTRY_COMPARE(processed.size(), 1);
    QCOMPARE(processed[0][2].toString(), s("processed"));
    QFile stored(QUrl(processed[0][1].toString()).toLocalFile());
    QVERIFY(stored.open(QIODevice::ReadOnly));
    QCOMPARE(stored.readAll().mid(44), wav.mid(44));
    QVERIFY2(session->error().isEmpty(), qPrintable(session->error()));
}

void tst_Simulation::v2_whatIsLostOfATurnIsSaidUntilTheNext()
{
    FaultProxy proxy(server->url());
    useProxy(proxy, ConnectionConfig().setMaxQueuedBytes(20'000));
    proxy.refuse();
    session->start();
    QTRY_COMPARE(session->connection()->state(), Connection::Reconnecting);
    QSignalSpy errors(session.get(), &SimulationSession::errorChanged);
    int refused = 0;
    for (int i = 0; i < 40; ++i)
        refused += session->sendAudioChunk(QByteArray(640, char('a' + i))) ? 0 : 1;
    QVERIFY(refused > 5 && refused < 35);
    QVERIFY(session->completeTurn());
    proxy.heal();
    QTRY_VERIFY(session->connection()->isConnected());
    QVERIFY2(session->error().contains(s("maxQueuedBytes")), qPrintable(session->error()));
    // The connection's error, which has gone, and this one: told once, however many chunks it was.
    const auto told = errors.size();
    QTRY_COMPARE(session->connection()->bytesToWrite(), qint64(0));
    QVERIFY2(told <= 2, qPrintable(QString::number(told)));
    QVERIFY(session->sendAudioChunk(QByteArray(640, 'z')));
    QVERIFY2(session->error().isEmpty(), qPrintable(session->error()));
    // The chunks' numbers have a gap, which the end of the turn tells the server of.
    const MessageModel *messages = session->connection()->messages();
    int last = 0;
    for (int row = 0; row < messages->count(); ++row) {
        const QJsonObject sent = messages->at(row).json();
        if (sent.value(s("type")).toString() == s("audio_complete"))
            last = sent.value(s("sequence")).toInt();
    }
    QCOMPARE(last, 40);
}

void tst_Simulation::v2_aChunkThatIsSentAgainIsNotLost()
{
    FaultProxy proxy(server->url());
    useProxy(proxy, ConnectionConfig().setMaxQueuedBytes(20'000));
    proxy.refuse();
    session->start();
    QTRY_COMPARE(session->connection()->state(), Connection::Reconnecting);
    const QByteArray wav = recording("objection-handling-short.wav");
    qsizetype at = 0;
    while (session->sendAudioChunk(wav.mid(at, 640)))
        at += 640;
    QVERIFY(at > 0 && at < wav.size());
    QVERIFY(!session->sendAudioChunk(wav.mid(at, 640)));
    proxy.heal();
    QTRY_VERIFY(session->connection()->isConnected());
    QSignalSpy processed(session.get(), &SimulationSession::audioProcessed);
    for (; at < wav.size(); at += 640)
        QVERIFY(QTest::qWaitFor([&] { return session->sendAudioChunk(wav.mid(at, 640)); }));
    QVERIFY(session->completeTurn());
    QTRY_COMPARE(processed.size(), 1);
    QCOMPARE(processed[0][2].toString(), s("processed"));
    QVERIFY2(session->error().isEmpty(), qPrintable(session->error()));
}

void tst_Simulation::v1_anAnswerThatALossCutsIsNotMergedWithTheNext()
{
    TestServer backend;
    QVERIFY(provider->configure(
        s("simulation"), ConnectionConfig().setUrl(backend.url().toString()).setInitialReconnectDelay(5ms)));
    session->start();
    QTRY_VERIFY(session->connection()->isConnected());
    QVERIFY(session->sendAudioChunk(QByteArray(640, 'x')));
    QVERIFY(session->completeTurn());
    backend.sendText(R"({"type":"status","state":"speaking"})");
    backend.sendText(R"({"type":"ai_response","content":"Hello, I ","isFinal":false})");
    QTRY_COMPARE(session->turns()->count(), 2);
    QCOMPARE(session->status(), s("speaking"));
    QVERIFY(session->sendAudioChunk(QByteArray(640, 'y'))); // the user has begun to speak
    QVERIFY(session->audioLevel() > 0);
    backend.drop();
    QTRY_VERIFY(session->turns()->turns().at(1).isFinal);
    QVERIFY(!session->turns()->turns().at(1).isComplete);
    QCOMPARE(session->status(), QString());
    QTRY_VERIFY(session->connection()->isConnected());
    QVERIFY(!session->turns()->turns().at(2).isFinal); // what the user says goes on
    backend.sendText(R"({"type":"transcript","text":"one"})");
    backend.sendText(R"({"type":"ai_response","content":"Welcome ","isFinal":false})");
    backend.sendText(R"({"type":"ai_response","content":"back.","isFinal":true})");
    QTRY_COMPARE(session->turns()->count(), 4);
    QTRY_VERIFY(session->turns()->turns().at(3).isComplete);
    QCOMPARE(session->turns()->turns().at(0).content, s("one"));
    QCOMPARE(session->turns()->turns().at(1).content, s("Hello, I "));
    QCOMPARE(session->turns()->turns().at(3).content, s("Welcome back."));
    // An end for good is one for the user's turn, too.
    backend.close(1003);
    QTRY_COMPARE(session->connection()->state(), Connection::Error);
    QVERIFY(session->turns()->turns().at(2).isFinal);
    QVERIFY(!session->turns()->turns().at(2).isComplete);
    QCOMPARE(session->audioLevel(), 0.0);
}

void tst_Simulation::v1_stopCutsOffWhatIsOpen()
{
    TestServer backend;
    QVERIFY(provider->configure(s("simulation"), ConnectionConfig().setUrl(backend.url().toString())));
    session->start();
    SimulationSession other(provider.get()); // which keeps the connection open
    other.start();
    QTRY_VERIFY(session->connection()->isConnected());
    backend.sendText(R"({"type":"status","state":"speaking"})");
    backend.sendText(R"({"type":"ai_response","content":"Hello, I ","isFinal":false})");
    QTRY_COMPARE(session->turns()->count(), 1);
    QVERIFY(session->sendAudioChunk(QByteArray(640, 'y')));
    session->stop();
    for (const TurnModel::Turn &turn : session->turns()->turns()) {
        QVERIFY(turn.isFinal);
        QVERIFY(!turn.isComplete);
    }
    QCOMPARE(session->status(), QString());
    QCOMPARE(session->audioLevel(), 0.0);
    QVERIFY(!other.turns()->turns().first().isFinal);
    QVERIFY(other.connection()->isConnected());
}

// The token of the live connection is renewed while the user speaks.
void tst_Simulation::a9_aRenewalDoesNotCutATurn()
{
    int fetched = 0;
    FunctionTokenProvider tokens([&fetched] {
        ++fetched;
        const qint64 expires = QDateTime::currentSecsSinceEpoch() + (fetched == 1 ? 4 : 3600);
        const QByteArray claims = R"({"exp":)" + QByteArray::number(expires) + '}';
        return s("e30.") + QString::fromLatin1(claims.toBase64(QByteArray::OmitTrailingEquals)) + s(".x");
    });
    TestServer backend;
    provider->setTokenProvider(&tokens);
    QVERIFY(provider->configure(s("simulation"), ConnectionConfig().setUrl(backend.url().toString())));
    session->start();
    QTRY_VERIFY(session->connection()->isConnected());
    int chunks = 0;
    const auto speak = [&] {
        QVERIFY(session->sendAudioChunk(QByteArray(640, 'x')));
        ++chunks;
    };
    speak();
    // It has the new token now, and would switch.
    QTRY_COMPARE(fetched, 2);
    for (int i = 0; i < 5; ++i) {
        const auto heard = backend.received().size();
        speak();
        QTRY_VERIFY(backend.received().size() > heard + 1);
    }
    QVERIFY(session->completeTurn());
    QTRY_COMPARE(backend.connectionsSoFar(), 2);
    QTRY_VERIFY(session->connection()->isConnected());
    QCOMPARE(backend.messages().size(), 2 * chunks + 1);
    for (const TestServer::Received &one : backend.received()) {
        if (one.isBinary || one.bytes.contains("audio_"))
            QCOMPARE(one.connection, 1);
    }
    provider->setTokenProvider(nullptr);
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
