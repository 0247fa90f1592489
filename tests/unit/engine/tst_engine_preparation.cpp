// SPDX-License-Identifier: MIT
//
// The engine: what has to be done before a connection's socket.
#include "enginerig.h"

using namespace Everwire;
using namespace Everwire::Test;
using namespace Qt::StringLiterals;

namespace {

struct PreparationRig : EngineRig
{
    explicit PreparationRig(const ConnectionConfig &configuration = plain()) : EngineRig(configuration) {}

    void toPreparing(const QString &token = u"token-1"_s)
    {
        outbox->setAccepting(true);
        post(Command::Open{config, {}, true});
        if (authenticates())
            giveToken(token);
    }
    void answerPreparation(PreparationResult::Kind kind, const QString &reason = {})
    {
        const bool ready = kind == PreparationResult::Ready;
        post(Command::AnswerPreparation{
            all<Notice::PreparationNeeded>().last().request, {kind, {}, reason}, ready ? url : QUrl()});
    }
    [[nodiscard]] qsizetype prepared() { return all<Notice::PreparationNeeded>().size(); }
};

} // namespace

class TestEnginePreparation : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void s1_behindTheTokenBeforeTheSocket();
    void withoutAuthenticationToo();
    void r_onceForAnOpen();
    void openStartsAfresh();
    void aFailureIsTriedAgain();
    void aRefusalIsFinal();
    void a3_aRefusedTokenIsFetchedAfresh();
    void a9_aTokenThatExpiresMeanwhileIsFetchedAfresh();
    void a7_theReasonQuotesNoToken();
    void itsTimeIsBounded();
    void o2_closeMeanwhile();
    void q2_whatIsSentMeanwhileWaits();
};

void TestEnginePreparation::s1_behindTheTokenBeforeTheSocket()
{
    PreparationRig rig;
    rig.toPreparing();
    QCOMPARE(rig.prepared(), 1);
    QCOMPARE(rig.all<Notice::PreparationNeeded>().first().token, u"token-1"_s);
    QVERIFY(!rig.wire.current);
    QCOMPARE(rig.states(), u"connecting"_s);
    rig.answerPreparation(PreparationResult::Ready);
    QVERIFY(rig.wire.current);
    rig.connectTo();
    QCOMPARE(rig.states(), u"connecting authenticating connected"_s);
}

void TestEnginePreparation::withoutAuthenticationToo()
{
    PreparationRig rig(EngineRig::open());
    rig.toPreparing();
    QCOMPARE(rig.all<Notice::PreparationNeeded>().first().token, QString());
    rig.answerPreparation(PreparationResult::Ready);
    rig.connectTo();
    QCOMPARE(rig.states(), u"connecting connected"_s);
}

void TestEnginePreparation::r_onceForAnOpen()
{
    PreparationRig rig;
    rig.toPreparing();
    rig.answerPreparation(PreparationResult::Ready);
    rig.connectTo();
    rig.lose();
    rig.comeBack(u"token-2"_s);
    QCOMPARE(rig.state(), u"connected"_s);
    QCOMPARE(rig.prepared(), 1);
}

void TestEnginePreparation::openStartsAfresh()
{
    PreparationRig rig;
    rig.toPreparing();
    rig.answerPreparation(PreparationResult::Ready);
    rig.connectTo();
    rig.postClose();
    rig.wire.current->end(ConnectionError::ClosedByServer, 1000);
    rig.toPreparing(u"token-2"_s);
    QCOMPARE(rig.prepared(), 2);
    QCOMPARE(rig.all<Notice::PreparationNeeded>().last().token, u"token-2"_s);
}

void TestEnginePreparation::aFailureIsTriedAgain()
{
    PreparationRig rig;
    rig.toPreparing();
    rig.answerPreparation(PreparationResult::Failed, u"503"_s);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::PreparationFailed);
    QVERIFY(rig.last().error.message().contains("503"_L1));
    rig.scheduler.advance(1s);
    rig.giveToken(u"token-2"_s);
    QCOMPARE(rig.prepared(), 2);
    rig.answerPreparation(PreparationResult::Ready);
    rig.connectTo();
    QCOMPARE(rig.state(), u"connected"_s);
}

void TestEnginePreparation::aRefusalIsFinal()
{
    PreparationRig rig;
    rig.toPreparing();
    rig.answerPreparation(PreparationResult::Refused, u"no such scenario"_s);
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::PreparationFailed);
    QVERIFY(rig.last().error.isFinal());
}

void TestEnginePreparation::a3_aRefusedTokenIsFetchedAfresh()
{
    PreparationRig rig;
    rig.toPreparing();
    rig.answerPreparation(PreparationResult::TokenRefused, u"401"_s);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::AuthenticationFailed);
    rig.scheduler.advance(1s);
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    rig.giveToken(); // the same
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.prepared(), 1);
}

void TestEnginePreparation::a9_aTokenThatExpiresMeanwhileIsFetchedAfresh()
{
    PreparationRig rig;
    rig.toPreparing(jwt(Now + 5));
    rig.wallClock += 9000;
    rig.answerPreparation(PreparationResult::Ready);
    QVERIFY(!rig.wire.current);
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    rig.giveToken(jwt(Now + 500));
    QCOMPARE(rig.prepared(), 1); // what it found holds
    rig.connectTo();
    QCOMPARE(tokenIn(rig.tokensSent().last()), jwt(Now + 500));
    QCOMPARE(rig.states(), u"connecting authenticating connected"_s);
}

void TestEnginePreparation::a7_theReasonQuotesNoToken()
{
    PreparationRig rig;
    rig.toPreparing(u"secret-token"_s);
    rig.answerPreparation(PreparationResult::Failed, u"Bearer secret-token is odd"_s);
    QVERIFY(!rig.last().error.message().contains("secret-token"_L1));
}

void TestEnginePreparation::itsTimeIsBounded()
{
    PreparationRig rig;
    rig.toPreparing();
    rig.scheduler.advance(9999ms);
    QCOMPARE(rig.state(), u"connecting"_s);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::PreparationFailed);
    rig.answerPreparation(PreparationResult::Ready); // too late
    QVERIFY(!rig.wire.current);
}

void TestEnginePreparation::o2_closeMeanwhile()
{
    PreparationRig rig;
    rig.toPreparing();
    rig.postClose();
    QCOMPARE(rig.state(), u"disconnected"_s);
    rig.answerPreparation(PreparationResult::Ready);
    QVERIFY(!rig.wire.current);
    QCOMPARE(rig.scheduler.pending(), 0);
}

void TestEnginePreparation::q2_whatIsSentMeanwhileWaits()
{
    PreparationRig rig;
    rig.toPreparing();
    QVERIFY(rig.push(text(1)).accepted);
    rig.answerPreparation(PreparationResult::Ready);
    rig.connectTo();
    QCOMPARE(rig.sent(), texts(1, 1));
}

QTEST_GUILESS_MAIN(TestEnginePreparation)
#include "tst_engine_preparation.moc"
