// SPDX-License-Identifier: MIT
//
// The engine rule by rule: states, opening and closing. tst_engine_matrix looks at every phase and event.
#include "enginerig.h"

using namespace Everwire;
using namespace Everwire::Test;
using namespace Qt::StringLiterals;

class TestEngine : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void s1_openWalksToConnected();
    void s1_withoutAuthenticationConnectingLeadsToConnected();
    void s2_reconnectingSaysAttemptAndDelay();
    void s2_openOrReconnectEndsTheWait_data();
    void s2_openOrReconnectEndsTheWait();
    void s3_errorStaysUntilOpen();
    void s4_errorOnlyWhenFinal();
    void s7_shortStatesAreReportedToo();

    void o1_openWhileOpenDoesNothing();
    void o1_theRefusedSocketIsGoneBeforeTheNextOneOpens();
    void o2_closeWhileFetchingOpensNoSocket();
    void o2_closeWhileConnectingAborts();
    void o2_reportsAfterCloseCarryItsGeneration();
    void o2_closeWithdrawsAPendingOpen();
    void o3_closeSays1000AndWaits();
    void o3_aMutePeerIsAbortedAfterCloseTimeout();
    void o3_queuedMessagesGoOutBeforeTheCloseFrame();
    void o5_aTransportMayEndInsideSend_data();
    void o5_aTransportMayEndInsideSend();
    void o5_aTransportMayEndInsideClose();
    void o5_aTransportMayEndInsideAHeartbeat_data();
    void o5_aTransportMayEndInsideAHeartbeat();
    void o6_shutdownSendsWhatItCanAndSaysGoodbye();
    void o6_nothingIsLeftAfterTheEngine();

    void a8_whatIsFinalForTheTransportIsNotRetried();
    void limitsReachTheTransport();
    void a8_theOptionsForTlsReachTheTransport();
};

void TestEngine::s1_openWalksToConnected()
{
    EngineRig rig;
    rig.toConnected();
    QCOMPARE(rig.states(), u"connecting authenticating connected"_s);
    QCOMPARE(rig.wire.made, 1);
    QCOMPARE(rig.wire.targets.first().url, rig.url);
}

void TestEngine::s1_withoutAuthenticationConnectingLeadsToConnected()
{
    EngineRig rig(EngineRig::open());
    rig.postOpen();
    rig.wire.current->connectTo();
    QCOMPARE(rig.states(), u"connecting connected"_s);
    QVERIFY(rig.wire.sent.isEmpty());
    QVERIFY(rig.all<Notice::TokenNeeded>().isEmpty());
}

void TestEngine::s2_reconnectingSaysAttemptAndDelay()
{
    EngineRig rig;
    rig.toConnected();
    rig.lose();
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().attempt, 1);
    QCOMPARE(rig.last().retryDelay, 1000ms);
    rig.scheduler.advance(999ms);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.state(), u"connecting"_s);
    QCOMPARE(rig.last().attempt, 1);
    QCOMPARE(rig.last().retryDelay, 0ms);
}

void TestEngine::s2_openOrReconnectEndsTheWait_data()
{
    QTest::addColumn<bool>("byOpen");
    QTest::newRow("open") << true;
    QTest::newRow("reconnect") << false;
}

void TestEngine::s2_openOrReconnectEndsTheWait()
{
    QFETCH(bool, byOpen);
    EngineRig rig;
    rig.toConnected();
    rig.lose();
    rig.scheduler.advance(10ms);
    if (byOpen)
        rig.postOpen();
    else
        rig.postReconnect();
    QCOMPARE(rig.state(), u"connecting"_s);
    rig.giveToken();
    QCOMPARE(rig.wire.made, 2);
    rig.scheduler.advance(2s); // the wait that was ended does not start another attempt
    QCOMPARE(rig.wire.made, 2);
    QCOMPARE(rig.state(), u"connecting"_s);
}

void TestEngine::s3_errorStaysUntilOpen()
{
    EngineRig rig;
    rig.toConnected();
    rig.wire.current->end(ConnectionError::ClosedByServer, 1008, u"policy"_s);
    QCOMPARE(rig.state(), u"error"_s);
    QVERIFY(rig.last().error.isFinal());
    QVERIFY(!rig.last().error.message().isEmpty());
    QCOMPARE(rig.last().error.code(), ConnectionError::ClosedByServer);
    QCOMPARE(rig.last().closeCode, 1008);
    QCOMPARE(rig.last().closeReason, u"policy"_s);
    rig.scheduler.advance(24h);
    QCOMPARE(rig.state(), u"error"_s);
    rig.forget();
    rig.postOpen();
    QCOMPARE(rig.state(), u"connecting"_s);
    QCOMPARE(rig.last().attempt, 0); // afresh
    rig.giveToken();
    rig.connectTo();
    QCOMPARE(rig.state(), u"connected"_s);
}

void TestEngine::s4_errorOnlyWhenFinal()
{
    EngineRig rig(EngineRig::plain().setMaxReconnectAttempts(1));
    rig.toOpening();
    rig.wire.current->end(ConnectionError::ConnectionRefused, 0);
    QCOMPARE(rig.states(), u"connecting reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::ConnectionRefused);
    QVERIFY(!rig.last().error.isFinal());
    rig.scheduler.advance(1s);
    rig.giveToken();
    rig.wire.current->end(ConnectionError::ConnectionRefused, 0);
    QCOMPARE(rig.states(), u"connecting reconnecting connecting error"_s);
    rig.postOpen();
    rig.giveToken();
    rig.connectTo();
    QCOMPARE(rig.last().error, ConnectionError());
}

void TestEngine::s7_shortStatesAreReportedToo()
{
    EngineRig rig;
    rig.outbox->setAccepting(true);
    rig.outbox->post(Command::Open{rig.config, rig.url});
    rig.outbox->post(Command::Close{1});
    rig.outbox->post(Command::Open{rig.config, rig.url});
    rig.engine->processOutbox();
    QCOMPARE(rig.states(), u"connecting disconnecting disconnected connecting"_s);
}

void TestEngine::o1_openWhileOpenDoesNothing()
{
    EngineRig rig;
    rig.postOpen();
    const quint64 request = rig.lastRequest();
    rig.postOpen();
    QCOMPARE(rig.lastRequest(), request);
    rig.giveToken();
    rig.postOpen();
    rig.wire.current->connectTo();
    rig.postOpen();
    rig.wire.current->receive(EngineRig::success());
    rig.postOpen();
    QCOMPARE(rig.states(), u"connecting authenticating connected"_s);
    QCOMPARE(rig.wire.made, 1);
}

void TestEngine::o1_theRefusedSocketIsGoneBeforeTheNextOneOpens()
{
    EngineRig rig(EngineRig::plain().setInitialReconnectDelay(10ms).setMaxReconnectDelay(10ms));
    rig.postOpen();
    for (int i = 0; i < 8; ++i) {
        rig.refuse(u"bad-%1"_s.arg(i));
        rig.scheduler.advance(10ms); // far less than closeTimeout
    }
    QCOMPARE(rig.wire.made, 8);
    QCOMPARE(rig.wire.mostSockets, 1);
    QCOMPARE(rig.wire.mostGoodbyes, 1);
    QVERIFY2(rig.wire.alive <= 2, "refused transports pile up");
}

void TestEngine::o2_closeWhileFetchingOpensNoSocket()
{
    EngineRig rig;
    rig.postOpen();
    const quint64 request = rig.lastRequest();
    rig.postClose();
    QCOMPARE(rig.states(), u"connecting disconnecting disconnected"_s);
    rig.post(Command::AnswerToken{request, {TokenResult::Token, u"late"_s, {}}});
    rig.scheduler.advance(1h);
    QCOMPARE(rig.wire.made, 0);
    QCOMPARE(rig.states(), u"connecting disconnecting disconnected"_s);
}

void TestEngine::o2_closeWhileConnectingAborts()
{
    EngineRig rig;
    rig.toOpening();
    FakeTransport *const transport = rig.wire.current;
    rig.postClose();
    QCOMPARE(rig.states(), u"connecting disconnecting disconnected"_s);
    QCOMPARE(rig.wire.aborts, 1);
    transport->connectTo(); // too late: nobody listens
    transport->end(ConnectionError::ConnectionLost, 1006);
    QCOMPARE(rig.states(), u"connecting disconnecting disconnected"_s);
    rig.scheduler.advance(0ms);
    QCOMPARE(rig.wire.alive, 0);
}

void TestEngine::o2_reportsAfterCloseCarryItsGeneration()
{
    EngineRig rig;
    rig.toConnected();
    QCOMPARE(rig.entries().back().generation, 0u);
    rig.forget();
    rig.postClose();
    rig.wire.current->end(ConnectionError::ClosedByServer, 1000);
    QVERIFY(!rig.entries().empty());
    for (const auto &entry : rig.entries())
        QCOMPARE(entry.generation, 1u);
}

void TestEngine::o2_closeWithdrawsAPendingOpen()
{
    EngineRig rig;
    rig.toConnected();
    rig.postClose();
    rig.postOpen();
    rig.postClose();
    rig.wire.current->end(ConnectionError::ClosedByServer, 1000);
    QCOMPARE(rig.state(), u"disconnected"_s);
    rig.scheduler.advance(1h);
    QCOMPARE(rig.wire.made, 1);
}

void TestEngine::o3_closeSays1000AndWaits()
{
    EngineRig rig;
    rig.toConnected();
    rig.postClose();
    QCOMPARE(rig.wire.closeCodes, QList<int>{1000});
    QCOMPARE(rig.state(), u"disconnecting"_s);
    QCOMPARE(rig.wire.aborts, 0);
    rig.wire.current->end(ConnectionError::ClosedByServer, 1000);
    QCOMPARE(rig.state(), u"disconnected"_s);
    QCOMPARE(rig.last().closeCode, 1000);
    QCOMPARE(rig.last().closeReason, u"Client disconnect"_s);
}

void TestEngine::o3_aMutePeerIsAbortedAfterCloseTimeout()
{
    EngineRig rig(EngineRig::plain().setCloseTimeout(700ms));
    rig.toConnected();
    rig.postClose();
    rig.scheduler.advance(699ms);
    QCOMPARE(rig.state(), u"disconnecting"_s);
    QCOMPARE(rig.wire.aborts, 0);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.state(), u"disconnected"_s);
    QCOMPARE(rig.wire.aborts, 1);
}

void TestEngine::o3_queuedMessagesGoOutBeforeTheCloseFrame()
{
    EngineRig rig;
    rig.toConnected();
    qsizetype sentBeforeClose = 0;
    rig.wire.duringClose = [&](FakeTransport &) { sentBeforeClose = rig.sent().size(); };
    QVERIFY(rig.outbox->push({text(1), false, {}}).accepted); // the engine has not woken yet
    rig.postClose();
    QCOMPARE(rig.sent(), texts(1, 1));
    QCOMPARE(sentBeforeClose, 1);
}

void TestEngine::o5_aTransportMayEndInsideSend_data()
{
    QTest::addColumn<bool>("authenticating");
    QTest::newRow("the token") << true;
    QTest::newRow("a message") << false;
}

void TestEngine::o5_aTransportMayEndInsideSend()
{
    QFETCH(bool, authenticating);
    EngineRig rig;
    rig.toOpening();
    const auto lose = [](FakeTransport &t) { t.end(ConnectionError::ConnectionLost, 1006); };
    if (authenticating) {
        rig.wire.duringSend = lose;
        rig.wire.current->connectTo();
    } else {
        rig.connectTo();
        QVERIFY(rig.outbox->push({text(1), false, {}}).accepted);
        QVERIFY(rig.outbox->push({text(2), false, {}}).accepted);
        rig.wire.duringSend = lose;
        rig.engine->processOutbox();
    }
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.wire.deletedInCall, 0);
    rig.comeBack();
    QCOMPARE(rig.state(), u"connected"_s);
    if (!authenticating) {
        QCOMPARE(rig.sent(), (QList{text(1), text(1), text(2)})); // the first one was cut off
        QCOMPARE(rig.outbox->counters().bytes, 0);
    }
}

void TestEngine::o5_aTransportMayEndInsideClose()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    rig.wire.duringClose = [](FakeTransport &t) { t.end(ConnectionError::ConnectionLost, 1006); };
    rig.postClose();
    QCOMPARE(rig.state(), u"disconnected"_s);
    rig.scheduler.advance(rig.config.closeTimeout());
    QCOMPARE(rig.scheduler.pending(), 0);
    QCOMPARE(rig.wire.alive, 0);
    QCOMPARE(rig.states(), u"connecting connected disconnecting disconnected"_s);
}

void TestEngine::o5_aTransportMayEndInsideAHeartbeat_data()
{
    QTest::addColumn<bool>("byMessage");
    QTest::newRow("ping") << false;
    QTest::newRow("message") << true;
}

void TestEngine::o5_aTransportMayEndInsideAHeartbeat()
{
    QFETCH(bool, byMessage);
    using Heartbeat = ConnectionConfig::Heartbeat;
    EngineRig rig(EngineRig::plain().setHeartbeat(byMessage ? Heartbeat::Message : Heartbeat::Ping));
    rig.toConnected();
    const auto lose = [](FakeTransport &t) { t.end(ConnectionError::ConnectionLost, 1006); };
    (byMessage ? rig.wire.duringSend : rig.wire.duringPing) = lose;
    rig.scheduler.advance(rig.config.pingInterval());
    QCOMPARE(rig.state(), u"reconnecting"_s);
    rig.comeBack();
    QCOMPARE(rig.state(), u"connected"_s);
}

void TestEngine::o6_shutdownSendsWhatItCanAndSaysGoodbye()
{
    EngineRig rig;
    rig.toConnected();
    QVERIFY(rig.outbox->push({text(1), false, {}}).accepted);
    QCOMPARE(rig.engine->shutdown(), 0);
    QCOMPARE(rig.sent(), texts(1, 1));
    QCOMPARE(rig.wire.closeCodes, QList<int>{1000});
    QCOMPARE(rig.wire.aborts, 1); // without waiting for the answer
    QCOMPARE(rig.wire.alive, 0);
    QCOMPARE(rig.state(), u"disconnected"_s);
}

void TestEngine::o6_nothingIsLeftAfterTheEngine()
{
    EngineRig rig;
    rig.postOpen();
    rig.refuse(u"bad"_s); // a goodbye and a wait are under way
    QVERIFY(rig.scheduler.pending() > 0);
    QCOMPARE(rig.engine->shutdown(), 0);
    rig.engine.reset();
    QCOMPARE(rig.scheduler.pending(), 0);
    QCOMPARE(rig.wire.alive, 0);
}

// Rules: Q6, M8
void TestEngine::a8_whatIsFinalForTheTransportIsNotRetried()
{
    EngineRig rig(EngineRig::open());
    rig.postOpen();
    rig.wire.current->end(ConnectionError::InvalidConfiguration, 0, {}, {}, true);
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::InvalidConfiguration);
    QVERIFY(rig.last().error.isFinal());
    rig.scheduler.advance(1h);
    QCOMPARE(rig.wire.made, 1);
}

void TestEngine::a8_theOptionsForTlsReachTheTransport()
{
    EngineRig rig(EngineRig::open()
                      .setCaCertificates({u"ca.pem"_s})
                      .setClientCertificate(u"me.pem"_s)
                      .setClientKey(u"me.key"_s)
                      .setPinnedPublicKeys({u"sha256/x"_s})
                      .setIgnoreTlsErrors({u"CertificateExpired"_s})
                      .setProxy(u"none"_s));
    rig.postOpen();
    const TransportTarget target = rig.wire.targets.constFirst();
    QCOMPARE(target.tls.caCertificates, QStringList{u"ca.pem"_s});
    QCOMPARE(target.tls.clientCertificate, u"me.pem"_s);
    QCOMPARE(target.tls.clientKey, u"me.key"_s);
    QCOMPARE(target.tls.pinnedPublicKeys, QStringList{u"sha256/x"_s});
    QCOMPARE(target.tls.ignoreTlsErrors, QStringList{u"CertificateExpired"_s});
    QCOMPARE(target.proxy, u"none"_s);
}

void TestEngine::limitsReachTheTransport()
{
    EngineRig rig(EngineRig::plain()
                      .setMaxFrameSize(4096)
                      .setMaxPendingBytes(123'456)
                      .setHeaders({{u"X-Client"_s, u"qt"_s}})
                      .setProtocols({u"a"_s, u"b"_s}));
    rig.toOpening();
    const TransportTarget target = rig.wire.targets.first();
    QCOMPARE(target.maxFrameSize, 4096);
    QCOMPARE(target.maxIncomingSize, 123'456);
    QCOMPARE(target.headers, (QVariantMap{{u"X-Client"_s, u"qt"_s}}));
    QCOMPARE(target.protocols, (QStringList{u"a"_s, u"b"_s}));
}

QTEST_GUILESS_MAIN(TestEngine)
#include "tst_engine.moc"
