// SPDX-License-Identifier: MIT
//
// The engine rule by rule: reconnection, health, configuration.
#include "enginerig.h"
#include "support/logrecorder.h"

using namespace Everwire;
using namespace Everwire::Test;
using namespace Qt::StringLiterals;

class TestEngineReconnection : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void r1_delaysDoubleUpToTheLimit();
    void r2_jitterComesFromTheRandomSource();
    void r2_aServerMayAskForALongerWait_data();
    void r2_aServerMayAskForALongerWait();
    void r3_givesUpAfterTheLastAttempt();
    void r3_minusOneNeverGivesUp();
    void r4_aShortConnectionDoesNotResetTheCounter();
    void r4_aStableConnectionResetsTheCounter();
    void r5_theWaitIsAnnouncedWhenItStarts();
    void r6_closeCodes_data();
    void r6_closeCodes();
    void r6_ourOwnVerdictIsRetried_data();
    void r6_ourOwnVerdictIsRetried();
    void r6_ourOwnVerdictGivesUpInTheEnd();
    void r6_withoutAutoReconnectNothingIsRetried();
    void r7_aWaitEndsWhenTheNetworkIsBack();
    void r7_notAllAtTheSameMoment();
    void r7_aShorterWaitStays();
    void r7_anotherHintDoesNotPutItOff();
    void r7_whoGaveUpForTheNetworkStartsAfresh_data();
    void r7_whoGaveUpForTheNetworkStartsAfresh();
    void r7_anOpenConnectionIsChecked();
    void r7_hintsCostNoAttempts();
    void r7_retryAfterStandsAgainstAHint();
    void r7_itIsNoGate();
    void r8_aLostConnectionIs1006();
    void r9_connectTimeout();
    void r9_tokenTimeoutAbandonsTheRequest();

    void h1_pingAfterSilence();
    void h1_trafficCountsAsLife();
    void h1_aBacklogThatLeavesCountsAsLife();
    void h1_noAnswerIs1006();
    void h1_messageHeartbeat();
    void h1_onlyOurOwnPongIsHidden();
    void h1_off();

    void c4_debugLogsNoPayloadAndNoQuery();
    void c5_configureAppliesFromTheNextAttempt();
    void c5_reconnectAppliesAtOnceAndKeepsTheQueue();
    void c5_reconnectLetsWhatWasSentArrive();
    void q1_whatNobodyHasConfirmedIsTold();
    void q1_aConfirmationUnderWayIsWaitedFor();
    void q1_theServersEndMayComeBeforeItsConfirmation();
    void q15_closeSendsNothingWithoutAuthentication();
    void o6_theEndTakesCloseTimeoutOnce();
    void o6_nothingIsWaitedForIfAllHasArrived();
    void q8_signOutCutsWhatTheSystemSendsMeanwhile();
    void o6_theEndShortensEarlierGoodbyes();
    void o6_theWaitEndsWithTheConfirmation();
    void o6_nothingIsOpenedAfterTheEnd();
    void o6_afterAFailureTheEngineRests();
    void c5_reconnectWhileFetchingAsksAgain();
};

void TestEngineReconnection::r1_delaysDoubleUpToTheLimit()
{
    EngineRig rig(EngineRig::open());
    rig.postOpen();
    QList<int> delays;
    for (int i = 0; i < 9; ++i) {
        rig.wire.current->end(ConnectionError::ConnectionRefused, 0);
        delays.append(int(rig.last().retryDelay.count()));
        QCOMPARE(rig.last().attempt, i + 1);
        const int made = rig.wire.made;
        rig.scheduler.advance(rig.last().retryDelay - 1ms);
        QCOMPARE(rig.wire.made, made);
        rig.scheduler.advance(1ms);
        QCOMPARE(rig.wire.made, made + 1);
    }
    QCOMPARE(delays, (QList{1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000}));
}

void TestEngineReconnection::r2_jitterComesFromTheRandomSource()
{
    EngineRig rig(EngineRig::open().setReconnectJitter(0.2));
    rig.random = 0;
    rig.postOpen();
    rig.wire.current->end(ConnectionError::ConnectionRefused, 0);
    QCOMPARE(rig.last().retryDelay, 800ms);
    rig.random = 0.75;
    rig.scheduler.advance(800ms);
    rig.wire.current->end(ConnectionError::ConnectionRefused, 0);
    QCOMPARE(rig.last().retryDelay, 2200ms);
}

void TestEngineReconnection::r2_aServerMayAskForALongerWait_data()
{
    QTest::addColumn<milliseconds>("asked");
    QTest::addColumn<milliseconds>("delay");
    QTest::newRow("nothing") << 0ms << 1000ms;
    QTest::newRow("less than the back-off") << milliseconds(500) << 1000ms;
    QTest::newRow("more") << milliseconds(7s) << 7700ms;
    QTest::newRow("more than maxReconnectDelay") << milliseconds(2min) << 132'000ms;
    QTest::newRow("a day") << milliseconds(24h) << milliseconds(66min);
    QTest::newRow("nonsense") << -5000ms << 1000ms;
}

void TestEngineReconnection::r2_aServerMayAskForALongerWait()
{
    QFETCH(const milliseconds, asked);
    QFETCH(const milliseconds, delay);
    EngineRig rig(EngineRig::open().setReconnectJitter(0.2));
    rig.random = 0.5; // the middle of the back-off's spread, and a tenth on top of what was asked for
    rig.postOpen();
    rig.wire.current->end(ConnectionError::HandshakeFailed, 0, {}, asked);
    QCOMPARE(rig.last().retryDelay, delay);
    QCOMPARE(rig.last().attempt, 1);
    rig.scheduler.advance(delay);
    QCOMPARE(rig.wire.made, 2);
    rig.wire.current->end(ConnectionError::HandshakeFailed, 0, {}, asked);
    QCOMPARE(rig.last().attempt, 2);
    rig.postOpen(); // ends any wait
    QCOMPARE(rig.wire.made, 3);
    rig.wire.current->end(ConnectionError::ConnectionRefused, 0);
    QCOMPARE(rig.last().attempt, 3);
    QCOMPARE(rig.last().retryDelay, 4000ms); // asked for no more
}

void TestEngineReconnection::r3_givesUpAfterTheLastAttempt()
{
    EngineRig rig(EngineRig::open().setMaxReconnectAttempts(2));
    rig.postOpen();
    for (int i = 0; i < 2; ++i) {
        rig.wire.current->end(ConnectionError::HostNotFound, 0);
        QCOMPARE(rig.state(), u"reconnecting"_s);
        QCOMPARE(rig.last().gaveUpAfter, -1);
        rig.scheduler.advance(rig.last().retryDelay);
    }
    rig.wire.current->end(ConnectionError::HostNotFound, 0);
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().gaveUpAfter, 2);
    QCOMPARE(rig.last().error.code(), ConnectionError::HostNotFound);
    QVERIFY(rig.last().error.isFinal());
    QVERIFY(rig.last().error.message().contains(u'2'));
    rig.scheduler.advance(1h);
    QCOMPARE(rig.wire.made, 3); // the first try and two more
    rig.postOpen();             // starts afresh
    QCOMPARE(rig.last().attempt, 0);
    rig.wire.current->end(ConnectionError::HostNotFound, 0);
    QCOMPARE(rig.last().attempt, 1);
    QCOMPARE(rig.last().retryDelay, 1000ms);
}

void TestEngineReconnection::r3_minusOneNeverGivesUp()
{
    EngineRig rig(EngineRig::open().setMaxReconnectAttempts(-1));
    rig.postOpen();
    for (int i = 0; i < 2000; ++i) {
        rig.wire.current->end(ConnectionError::ConnectionRefused, 0);
        QCOMPARE(rig.state(), u"reconnecting"_s);
        const milliseconds delay = rig.last().retryDelay;
        rig.forget();
        rig.scheduler.advance(delay);
    }
    QCOMPARE(rig.wire.made, 2001);
    QVERIFY(rig.wire.alive <= 1);
}

void TestEngineReconnection::r4_aShortConnectionDoesNotResetTheCounter()
{
    EngineRig rig;
    rig.toConnected();
    for (int attempt = 1; attempt <= 4; ++attempt) {
        rig.scheduler.advance(rig.config.stableAfter() - 1ms);
        rig.lose();
        QCOMPARE(rig.last().attempt, attempt);
        rig.comeBack();
    }
}

void TestEngineReconnection::r4_aStableConnectionResetsTheCounter()
{
    EngineRig rig(EngineRig::plain().setStableAfter(300ms));
    rig.toConnected();
    rig.lose();
    rig.comeBack();
    rig.lose();
    QCOMPARE(rig.last().attempt, 2);
    rig.comeBack();
    rig.scheduler.advance(300ms);
    rig.lose();
    QCOMPARE(rig.last().attempt, 1);
    QCOMPARE(rig.last().retryDelay, 1000ms);
}

void TestEngineReconnection::r5_theWaitIsAnnouncedWhenItStarts()
{
    EngineRig rig;
    rig.toConnected();
    rig.forget();
    rig.lose(); // no time passes
    QCOMPARE(rig.states(), u"reconnecting"_s);
    QCOMPARE(rig.last().attempt, 1);
    QCOMPARE(rig.last().retryDelay, 1000ms);
    QVERIFY(!rig.last().error.message().isEmpty());
}

void TestEngineReconnection::r6_closeCodes_data()
{
    QTest::addColumn<int>("code");
    QTest::addColumn<bool>("retried");
    for (const int code :
         {1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 1015, 3000, 4000, 4001, 4002, 4999})
        QTest::addRow("%d", code) << code << true;
    for (const int code : {1002, 1003, 1007, 1008, 1009, 1010, 4321})
        QTest::addRow("%d", code) << code << false;
}

void TestEngineReconnection::r6_closeCodes()
{
    QFETCH(int, code);
    QFETCH(bool, retried);
    EngineRig rig(EngineRig::plain().setTerminalCloseCodes({4321}));
    rig.toConnected();
    rig.wire.current->end(ConnectionError::ClosedByServer, code);
    QCOMPARE(rig.state(), retried ? u"reconnecting"_s : u"error"_s);
    QCOMPARE(rig.last().closeCode, code);
    QCOMPARE(rig.last().gaveUpAfter, -1);
}

void TestEngineReconnection::r6_ourOwnVerdictIsRetried_data()
{
    QTest::addColumn<int>("code");
    QTest::addColumn<bool>("retried");
    QTest::newRow("a bad frame") << 1002 << true;
    QTest::newRow("no UTF-8") << 1007 << true;
    QTest::newRow("too big") << 1009 << false;
    QTest::newRow("configured as final") << 1010 << false;
}

void TestEngineReconnection::r6_ourOwnVerdictIsRetried()
{
    QFETCH(const int, code);
    QFETCH(const bool, retried);
    for (const bool isUp : {true, false}) {
        EngineRig rig(EngineRig::plain().setTerminalCloseCodes({1010}));
        rig.toOpening();
        rig.wire.current->connectTo();
        if (isUp)
            rig.wire.current->receive(EngineRig::success());
        QVERIFY(rig.push(text(1)).accepted);
        rig.sent().clear();
        rig.wire.current->end(ConnectionError::ProtocolViolation, code);
        QCOMPARE(rig.state(), retried ? u"reconnecting"_s : u"error"_s);
        QCOMPARE(rig.last().closeCode, code);
        if (!retried)
            continue;
        QCOMPARE(rig.last().retryDelay, 1000ms);
        rig.comeBack();
        QCOMPARE(rig.state(), u"connected"_s);
        rig.wire.current->end(ConnectionError::ProtocolViolation, code);
        QCOMPARE(rig.last().retryDelay, 2000ms); // with back-off: it may say so each time
    }
}

void TestEngineReconnection::r6_ourOwnVerdictGivesUpInTheEnd()
{
    EngineRig rig(EngineRig::open().setMaxReconnectAttempts(3));
    rig.toConnected();
    for (int i = 0; i < 3; ++i) {
        rig.wire.current->end(ConnectionError::ProtocolViolation, 1002);
        rig.comeBack();
    }
    rig.wire.current->end(ConnectionError::ProtocolViolation, 1002);
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().gaveUpAfter, 3);
}

void TestEngineReconnection::r6_withoutAutoReconnectNothingIsRetried()
{
    EngineRig rig(EngineRig::plain().setAutoReconnect(false));
    rig.toConnected();
    rig.lose();
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().gaveUpAfter, -1);
    QVERIFY(rig.last().error.isFinal());
}

void TestEngineReconnection::r8_aLostConnectionIs1006()
{
    EngineRig rig;
    rig.toConnected();
    rig.lose();
    QCOMPARE(rig.last().closeCode, 1006);
    QCOMPARE(rig.last().error.closeCode(), 1006);
    QCOMPARE(rig.last().error.code(), ConnectionError::ConnectionLost);
}

void TestEngineReconnection::r9_connectTimeout()
{
    EngineRig rig(EngineRig::plain().setConnectTimeout(1234ms));
    rig.toOpening();
    rig.scheduler.advance(1233ms);
    QCOMPARE(rig.state(), u"connecting"_s);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::ConnectTimeout);
    QCOMPARE(rig.wire.aborts, 1);
    QVERIFY(rig.last().error.message().contains(u"1234"_s));
}

void TestEngineReconnection::r9_tokenTimeoutAbandonsTheRequest()
{
    EngineRig rig(EngineRig::plain().setTokenTimeout(321ms));
    rig.postOpen();
    const quint64 request = rig.lastRequest();
    rig.scheduler.advance(320ms);
    QCOMPARE(rig.state(), u"connecting"_s);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::TokenTimeout);
    QCOMPARE(rig.all<Notice::TokenAbandoned>().size(), 1);
    rig.scheduler.advance(1s);
    rig.post(Command::AnswerToken{request, {TokenResult::Token, u"late"_s, {}}});
    QCOMPARE(rig.wire.made, 0); // the late answer is not the new request's
    rig.giveToken();
    QCOMPARE(rig.wire.made, 1);
}

void TestEngineReconnection::h1_pingAfterSilence()
{
    EngineRig rig;
    rig.toConnected();
    rig.scheduler.advance(24'999ms);
    QCOMPARE(rig.wire.pings, 0);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.wire.pings, 1);
    rig.scheduler.advance(9'999ms);
    rig.wire.current->showLife(); // the pong
    rig.scheduler.advance(24'999ms);
    QCOMPARE(rig.wire.pings, 1);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.wire.pings, 2);
    QCOMPARE(rig.state(), u"connected"_s);
}

void TestEngineReconnection::h1_trafficCountsAsLife()
{
    EngineRig rig;
    rig.toConnected();
    for (int i = 0; i < 10; ++i) {
        rig.scheduler.advance(10s);
        if (i % 3 == 0)
            rig.wire.current->receive(text(i));
        else if (i % 3 == 1)
            rig.wire.current->receiveBinary("x");
        else
            rig.wire.current->showLife();
    }
    QCOMPARE(rig.wire.pings, 0);
    rig.scheduler.advance(24'999ms);
    QCOMPARE(rig.wire.pings, 0);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.wire.pings, 1);
}

// A large message on a slow line: our pings wait behind it.
void TestEngineReconnection::h1_aBacklogThatLeavesCountsAsLife()
{
    EngineRig rig;
    rig.toConnected();
    rig.wire.takesBytes = false;
    QVERIFY(rig.push(text(1)).accepted);
    for (int i = 0; i < 10; ++i) {
        rig.scheduler.advance(20s);
        rig.wire.current->take(1);
    }
    QCOMPARE(rig.wire.pings, 0);
    QCOMPARE(rig.state(), u"connected"_s);
    rig.scheduler.advance(35s); // nothing leaves any more
    QCOMPARE(rig.last().error.code(), ConnectionError::HeartbeatTimeout);
}

void TestEngineReconnection::h1_noAnswerIs1006()
{
    EngineRig rig(EngineRig::plain().setPingInterval(100ms).setPongTimeout(40ms));
    rig.toConnected();
    rig.scheduler.advance(139ms);
    QCOMPARE(rig.state(), u"connected"_s);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::HeartbeatTimeout);
    QCOMPARE(rig.last().closeCode, 1006);
    QCOMPARE(rig.wire.aborts, 1);
    QVERIFY(rig.wire.closeCodes.isEmpty());
}

void TestEngineReconnection::h1_messageHeartbeat()
{
    EngineRig rig(EngineRig::plain().setHeartbeat(ConnectionConfig::Heartbeat::Message));
    rig.toConnected();
    rig.wire.takesBytes = false;
    rig.scheduler.advance(25s);
    QCOMPARE(rig.wire.pings, 0);
    QCOMPARE(rig.sent(), QList<QByteArray>{R"({"type":"ping"})"});
    rig.wire.current->receive(R"({"type":"pong"})");
    QVERIFY(rig.all<Message>().isEmpty()); // nor is the answer the app's
    // It is not the app's: it neither counts as queued nor goes out again, and moves no message's place.
    QCOMPARE(rig.outbox->counters().bytes, 0);
    QVERIFY(rig.push(text(1)).accepted);
    rig.wire.current->take(QByteArrayLiteral(R"({"type":"ping"})").size() + text(1).size() - 1);
    QCOMPARE(rig.outbox->counters().bytes, text(1).size());
    rig.wire.current->take(1);
    QCOMPARE(rig.outbox->counters().bytes, 0);
    rig.scheduler.advance(35s);
    QCOMPARE(rig.last().error.code(), ConnectionError::HeartbeatTimeout);
}

void TestEngineReconnection::h1_onlyOurOwnPongIsHidden()
{
    const QByteArray pong = R"({"type":"pong","session_id":"s-1","timestamp":"t"})";
    EngineRig rig(EngineRig::plain().setHeartbeat(ConnectionConfig::Heartbeat::Message));
    rig.toConnected();
    rig.wire.current->receive(pong); // nobody has asked
    QCOMPARE(rig.all<Message>().size(), 1);
    rig.scheduler.advance(25s);
    rig.wire.current->receive(R"({"type":"news"})"); // life, before the answer
    QVERIFY(rig.push(R"({"type":"ping"})").accepted);
    rig.wire.current->receive(pong);
    QCOMPARE(rig.all<Message>().size(), 2); // late, and ours
    rig.wire.current->receive(pong);
    QCOMPARE(rig.all<Message>().size(), 3); // the app's
    rig.wire.current->receive(R"({"type":"ping"})");
    QCOMPARE(rig.all<Message>().size(), 4); // the server's own is for the app
    rig.wire.current->receive(EngineRig::success());
    QCOMPARE(rig.all<Message>().size(), 5); // and so is what nobody has asked for
    QCOMPARE(rig.all<Notice::SessionRenewed>().size(), 0);
    // On the next connection nobody has asked yet.
    rig.scheduler.advance(25s);
    rig.lose();
    rig.comeBack();
    rig.wire.current->receive(pong);
    QCOMPARE(rig.all<Message>().size(), 6);
}

void TestEngineReconnection::h1_off()
{
    EngineRig rig(EngineRig::plain().setHeartbeat(ConnectionConfig::Heartbeat::Off));
    rig.toConnected();
    rig.scheduler.advance(24h);
    QCOMPARE(rig.wire.pings, 0);
    QVERIFY(rig.sent().isEmpty());
    QCOMPARE(rig.state(), u"connected"_s);
    QCOMPARE(rig.scheduler.pending(), 0);
}

void TestEngineReconnection::c4_debugLogsNoPayloadAndNoQuery()
{
    const LogRecorder recorder;
    EngineRig rig;
    rig.url = QUrl(u"wss://server.example/stream?key=HIDDEN"_s);
    rig.post(Command::SetDebug{true});
    rig.toConnected();
    rig.push(R"({"type":"x","text":"HIDDEN"})");
    rig.wire.current->receive(R"({"type":"x","text":"HIDDEN"})");
    rig.wire.current->receive("HIDDEN");
    rig.lose();
    rig.scheduler.advance(30s);
    const QString log = recorder.lines().join(u'\n');
    QVERIFY(log.contains(u"connecting -> authenticating"_s));
    QVERIFY(log.contains(u"28 bytes"_s));
    QVERIFY2(!log.contains(u"HIDDEN"_s), qPrintable(log));
    rig.post(Command::SetDebug{false});
    const auto before = recorder.lines().size();
    rig.postClose();
    QCOMPARE(recorder.lines().size(), before);
}

void TestEngineReconnection::c5_configureAppliesFromTheNextAttempt()
{
    EngineRig rig;
    rig.toConnected();
    rig.url = QUrl(u"wss://other.example/"_s);
    rig.postConfigure(EngineRig::plain().setProtocols({u"v2"_s}).setConnectTimeout(50ms));
    QCOMPARE(rig.state(), u"connected"_s);
    QCOMPARE(rig.wire.made, 1);
    rig.lose();
    QCOMPARE(rig.last().retryDelay, 1000ms);
    rig.scheduler.advance(1s);
    rig.giveToken();
    QCOMPARE(rig.wire.targets.last().url, rig.url);
    QCOMPARE(rig.wire.targets.last().protocols, QStringList{u"v2"_s});
    rig.scheduler.advance(50ms);
    QCOMPARE(rig.last().error.code(), ConnectionError::ConnectTimeout);
}

void TestEngineReconnection::c5_reconnectAppliesAtOnceAndKeepsTheQueue()
{
    EngineRig rig;
    rig.toConnected();
    rig.wire.takesBytes = false;
    for (int i = 1; i <= 3; ++i)
        QVERIFY(rig.push(text(i)).accepted);
    rig.wire.current->take(text(1).size());
    rig.wire.sent.clear();
    rig.forget();
    rig.url = QUrl(u"wss://other.example/"_s);
    rig.postReconnect();
    QCOMPARE(rig.states(), u"connecting"_s);
    QVERIFY(rig.push(text(4)).accepted);
    rig.wire.takesBytes = true;
    rig.giveToken();
    QCOMPARE(rig.wire.targets.last().url, rig.url);
    rig.connectTo();
    QCOMPARE(rig.state(), u"connected"_s);
    QVERIFY(rig.sent().isEmpty()); // none may overtake those of before (rule Q4)
    rig.scheduler.advance(rig.config.closeTimeout());
    QCOMPARE(rig.wire.cuts, 1);
    QCOMPARE(rig.sent(), texts(2, 4));
    QCOMPARE(rig.discarded(), 0);
    QCOMPARE(rig.wire.mostSockets, 1);
    QCOMPARE(rig.wire.mostGoodbyes, 1);
}

void TestEngineReconnection::c5_reconnectLetsWhatWasSentArrive()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    rig.wire.takesBytes = false;
    QVERIFY(rig.push(text(1)).accepted);
    FakeTransport *const old = rig.wire.current;
    rig.postReconnect();
    QCOMPARE(rig.wire.closeCodes, QList<int>{1000}); // behind it
    QVERIFY(rig.push(text(2)).accepted);
    rig.wire.takesBytes = true;
    rig.connectTo();
    QCOMPARE(rig.sent(), texts(1, 1));
    old->take(old->bytesToWrite());
    QCOMPARE(rig.sent(), texts(1, 1)); // it may lie unread at the server
    old->end(ConnectionError::ClosedByServer, CloseCode::Normal);
    QCOMPARE(rig.sent(), texts(1, 2));
    QCOMPARE(rig.wire.sent.last().socket, 2);
    QCOMPARE(rig.discarded(), 0);
}

// Rules: O3, Q8
void TestEngineReconnection::q1_whatNobodyHasConfirmedIsTold()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    rig.wire.confirms = false;
    for (int i = 1; i <= 3; ++i)
        QVERIFY(rig.push(text(i)).accepted);
    rig.wire.current->confirm(2 * text(1).size() + 1); // the third one not whole
    rig.postReconnect();
    rig.wire.current->connectTo();
    QVERIFY(rig.push(text(4)).accepted);
    rig.scheduler.advance(rig.config.closeTimeout());
    QCOMPARE(rig.wire.cuts, 1); // so that it does not arrive after all
    QCOMPARE(rig.discarded(), 1);
    QCOMPARE(rig.sent(), texts(1, 4)); // and is not sent twice
}

void TestEngineReconnection::q1_aConfirmationUnderWayIsWaitedFor()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    rig.wire.confirms = false;
    rig.wire.isUnderWay = true;
    QVERIFY(rig.push(text(1)).accepted);
    FakeTransport *const old = rig.wire.current;
    rig.postClose();
    rig.scheduler.advance(rig.config.closeTimeout());
    QCOMPARE(rig.state(), u"disconnecting"_s);
    old->confirm(1000);
    rig.wire.isUnderWay = false;
    rig.scheduler.advance(10ms);
    QCOMPARE(rig.state(), u"disconnected"_s);
    QCOMPARE(rig.discarded(), 0);
}

void TestEngineReconnection::q1_theServersEndMayComeBeforeItsConfirmation()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    rig.wire.confirms = false;
    QVERIFY(rig.push(text(1)).accepted);
    rig.postClose();
    rig.wire.current->halfClose();
    QCOMPARE(rig.state(), u"disconnecting"_s);
    rig.wire.current->confirm(1000);
    rig.scheduler.advance(10ms);
    QCOMPARE(rig.state(), u"disconnected"_s);
    QCOMPARE(rig.discarded(), 0);
}

void TestEngineReconnection::c5_reconnectWhileFetchingAsksAgain()
{
    EngineRig rig;
    rig.postOpen();
    const quint64 first = rig.lastRequest();
    rig.postReconnect();
    QVERIFY(rig.lastRequest() > first);
    rig.post(Command::AnswerToken{first, {TokenResult::Token, u"old"_s, {}}});
    QCOMPARE(rig.wire.made, 0);
    rig.giveToken();
    rig.connectTo();
    QCOMPARE(rig.states(), u"connecting authenticating connected"_s);
}

void TestEngineReconnection::r7_aWaitEndsWhenTheNetworkIsBack()
{
    EngineRig rig(EngineRig::open().setInitialReconnectDelay(20s));
    rig.toConnected();
    rig.lose();
    rig.scheduler.advance(1s);
    rig.post(Command::NetworkBack{});
    rig.scheduler.advance(0ms); // no jitter
    QCOMPARE(rig.state(), u"connecting"_s);
    QCOMPARE(rig.last().attempt, 1);
    rig.connectTo();
    rig.scheduler.advance(24s); // the old wait is over, too
    QCOMPARE(rig.states(), u"connecting connected reconnecting connecting connected"_s);
}

void TestEngineReconnection::r7_notAllAtTheSameMoment()
{
    EngineRig rig(EngineRig::open().setInitialReconnectDelay(20s).setReconnectJitter(0.2));
    rig.toConnected();
    rig.lose();
    rig.random = 0.75;
    rig.post(Command::NetworkBack{});
    rig.scheduler.advance(2999ms);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.state(), u"connecting"_s);
}

void TestEngineReconnection::r7_aShorterWaitStays()
{
    EngineRig rig(EngineRig::open().setInitialReconnectDelay(20s).setReconnectJitter(0.2));
    rig.toConnected();
    rig.lose();
    rig.scheduler.advance(rig.last().retryDelay - 1ms);
    rig.random = 0.99;
    rig.post(Command::NetworkBack{});
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.state(), u"connecting"_s);
}

void TestEngineReconnection::r7_anotherHintDoesNotPutItOff()
{
    EngineRig rig(EngineRig::open().setInitialReconnectDelay(20s).setReconnectJitter(0.2));
    rig.toConnected();
    rig.lose();
    rig.random = 0.25;
    rig.post(Command::NetworkBack{}); // in 1 s
    rig.scheduler.advance(500ms);
    rig.random = 0.75;
    rig.post(Command::NetworkBack{}); // 3 s from now would be later
    rig.scheduler.advance(500ms);
    QCOMPARE(rig.state(), u"connecting"_s);
}

void TestEngineReconnection::r7_whoGaveUpForTheNetworkStartsAfresh_data()
{
    QTest::addColumn<int>("code");
    QTest::addColumn<bool>("autoReconnect");
    QTest::addColumn<bool>("startsAfresh");
    QTest::newRow("refused") << int(ConnectionError::ConnectionRefused) << true << true;
    QTest::newRow("no such host") << int(ConnectionError::HostNotFound) << true << true;
    QTest::newRow("no upgrade") << int(ConnectionError::HandshakeFailed) << true << false;
    QTest::newRow("never retried") << int(ConnectionError::ConnectionRefused) << false << false;
}

void TestEngineReconnection::r7_whoGaveUpForTheNetworkStartsAfresh()
{
    QFETCH(int, code);
    QFETCH(bool, autoReconnect);
    QFETCH(bool, startsAfresh);
    EngineRig rig(EngineRig::open().setMaxReconnectAttempts(1).setAutoReconnect(autoReconnect));
    rig.postOpen();
    rig.wire.current->end(ConnectionError::Code(code), 0);
    if (autoReconnect) {
        rig.scheduler.advance(1s);
        rig.wire.current->end(ConnectionError::Code(code), 0);
    }
    QCOMPARE(rig.state(), u"error"_s);
    rig.post(Command::NetworkBack{});
    QCOMPARE(rig.state(), startsAfresh ? u"connecting"_s : u"error"_s);
    if (!startsAfresh)
        return;
    QCOMPARE(rig.last().attempt, 0);
    rig.wire.current->end(ConnectionError::Code(code), 0);
    QCOMPARE(rig.last().attempt, 1); // counted anew
}

void TestEngineReconnection::r7_anOpenConnectionIsChecked()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    rig.post(Command::NetworkBack{});
    QCOMPARE(rig.wire.pings, 1);
    rig.post(Command::NetworkBack{}); // one question at a time
    QCOMPARE(rig.wire.pings, 1);
    rig.scheduler.advance(10s); // pongTimeout
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::HeartbeatTimeout);
}

void TestEngineReconnection::r7_hintsCostNoAttempts()
{
    EngineRig rig(EngineRig::open().setMaxReconnectAttempts(5));
    rig.toConnected();
    rig.lose();
    for (int i = 0; i < 20; ++i) {
        rig.scheduler.advance(200ms);
        rig.post(Command::NetworkBack{});
        rig.scheduler.advance(0ms);
        QCOMPARE(rig.state(), u"connecting"_s);
        rig.wire.current->end(ConnectionError::ConnectionRefused, 0);
        QCOMPARE(rig.state(), u"reconnecting"_s);
        QCOMPARE(rig.last().attempt, i + 2); // which is what a UI shows
        QCOMPARE(rig.last().retryDelay, 1000ms);
    }
    // The five attempts are all to come.
    for (int attempt = 1; attempt <= 5; ++attempt) {
        QCOMPARE(rig.state(), u"reconnecting"_s);
        QCOMPARE(rig.last().attempt, 20 + attempt);
        QCOMPARE(rig.last().retryDelay, 1000ms * (1 << (attempt - 1)));
        rig.scheduler.advance(rig.last().retryDelay);
        rig.wire.current->end(ConnectionError::ConnectionRefused, 0);
    }
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().gaveUpAfter, 5);
    rig.post(Command::NetworkBack{});
    rig.wire.current->connectTo();
    QCOMPARE(rig.state(), u"connected"_s);
    rig.lose(); // which no hint had a part in
    QCOMPARE(rig.last().attempt, 1);
}

void TestEngineReconnection::r7_retryAfterStandsAgainstAHint()
{
    EngineRig rig(EngineRig::open().setMaxReconnectAttempts(2).setReconnectJitter(0.2));
    rig.random = 0.5;
    rig.postOpen();
    rig.wire.current->end(ConnectionError::HandshakeFailed, 0, {}, 30s);
    QCOMPARE(rig.last().retryDelay, 33s);
    for (int i = 0; i < 29; ++i) {
        rig.post(Command::NetworkBack{});
        rig.scheduler.advance(1s);
    }
    QCOMPARE(rig.wire.made, 1);
    rig.scheduler.advance(1s); // what was asked for is over, and the hint brings it forward to here
    QCOMPARE(rig.wire.made, 2);
    rig.wire.current->end(ConnectionError::ConnectionRefused, 0);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    rig.random = 0;
    rig.post(Command::NetworkBack{}); // nothing was asked for this time
    rig.scheduler.advance(0ms);
    QCOMPARE(rig.wire.made, 3);
}

void TestEngineReconnection::r7_itIsNoGate()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    rig.lose();
    rig.scheduler.advance(1s); // nobody has said that there is a network
    QCOMPARE(rig.state(), u"connecting"_s);
}

// Rule: A1
void TestEngineReconnection::q15_closeSendsNothingWithoutAuthentication()
{
    EngineRig rig;
    rig.toConnected();
    rig.wire.takesBytes = false;
    QVERIFY(rig.push(text(1)).accepted);
    rig.postReconnect();
    rig.wire.takesBytes = true;
    rig.wire.sent.clear();
    rig.giveToken();
    rig.wire.current->connectTo();
    QCOMPARE(rig.state(), u"authenticating"_s);
    rig.postClose();
    rig.scheduler.advance(2 * rig.config.closeTimeout());
    QCOMPARE(rig.state(), u"disconnected"_s);
    QVERIFY(rig.sent().isEmpty());
    QCOMPARE(rig.discarded(), 1);
}

void TestEngineReconnection::o6_theEndTakesCloseTimeoutOnce()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    rig.wire.takesBytes = false;
    QVERIFY(rig.push(text(1)).accepted);
    rig.postReconnect();
    rig.connectTo();
    QVERIFY(rig.push(text(2)).accepted); // waits until the first connection has ended
    rig.scheduler.advance(1s);
    rig.post(Command::Close{++rig.generation, Command::Close::Why::ForGood});
    rig.scheduler.advance(rig.config.closeTimeout());
    QCOMPARE(rig.state(), u"disconnected"_s);
    QCOMPARE(rig.discarded(), 2);
}

void TestEngineReconnection::o6_nothingIsWaitedForIfAllHasArrived()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    QVERIFY(rig.push(text(1)).accepted); // and confirmed
    rig.post(Command::Close{++rig.generation, Command::Close::Why::ForGood});
    rig.scheduler.advance(250ms);
    QCOMPARE(rig.state(), u"disconnected"_s);
    QCOMPARE(rig.discarded(), 0);
}

void TestEngineReconnection::q8_signOutCutsWhatTheSystemSendsMeanwhile()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    QVERIFY(rig.push(text(1)).accepted);
    rig.wire.inSystemFirst = {100, 0};
    rig.post(Command::Close{++rig.generation, Command::Close::Why::SignedOut});
    QCOMPARE(rig.wire.cuts, 1);
    QCOMPARE(rig.state(), u"disconnected"_s);
}

void TestEngineReconnection::o6_theEndShortensEarlierGoodbyes()
{
    EngineRig rig(EngineRig::open().setCloseTimeout(30s));
    rig.toConnected();
    rig.postClose();
    rig.scheduler.advance(1s); // no answer
    QCOMPARE(rig.state(), u"disconnecting"_s);
    rig.post(Command::Close{++rig.generation, Command::Close::Why::ForGood});
    rig.scheduler.advance(249ms);
    QCOMPARE(rig.state(), u"disconnecting"_s);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.state(), u"disconnected"_s);
}

void TestEngineReconnection::o6_theWaitEndsWithTheConfirmation()
{
    EngineRig rig(EngineRig::open().setCloseTimeout(30s));
    rig.toConnected();
    rig.wire.confirms = false;
    QVERIFY(rig.push(text(1)).accepted);
    rig.post(Command::Close{++rig.generation, Command::Close::Why::ForGood});
    rig.scheduler.advance(1s);
    QCOMPARE(rig.state(), u"disconnecting"_s);
    rig.wire.current->confirm(1000);
    rig.scheduler.advance(260ms); // the next look, and the time for the server's answer
    QCOMPARE(rig.state(), u"disconnected"_s);
    QCOMPARE(rig.discarded(), 0);
}

// The end of a provider waits until all engines rest, so nothing may be opened meanwhile.
void TestEngineReconnection::o6_nothingIsOpenedAfterTheEnd()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    int rests = 0;
    rig.outbox->post(Command::Close{++rig.generation, Command::Close::Why::ForGood});
    rig.engine->whenAtRest([&rests] { ++rests; }); // with the command still in the outbox
    QCOMPARE(rests, 0);
    rig.postOpen();
    rig.postReconnect();
    rig.scheduler.advance(rig.config.closeTimeout());
    QCOMPARE(rests, 1);
    rig.postOpen();
    rig.postReconnect();
    rig.post(Command::NetworkBack{});
    QCOMPARE(rig.state(), u"disconnected"_s);
    QCOMPARE(rig.wire.made, 1);
    rig.engine->whenAtRest([&rests] { ++rests; });
    QCOMPARE(rests, 2);
}

void TestEngineReconnection::o6_afterAFailureTheEngineRests()
{
    EngineRig rig(EngineRig::open().setAutoReconnect(false));
    rig.toConnected();
    int rests = 0;
    rig.engine->whenAtRest([&rests] { ++rests; });
    rig.lose();
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rests, 1);
}

QTEST_GUILESS_MAIN(TestEngineReconnection)
#include "tst_engine_reconnection.moc"
