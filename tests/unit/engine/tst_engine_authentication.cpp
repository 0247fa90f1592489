// SPDX-License-Identifier: MIT
//
// The engine rule by rule: authentication.
#include "enginerig.h"
#include "support/logrecorder.h"

#include <QJsonDocument>

using namespace Everwire;
using namespace Everwire::Test;
using namespace Qt::StringLiterals;

namespace {

QString token(const QByteArray &authMessage)
{
    return QJsonDocument::fromJson(authMessage).object().value("token"_L1).toString();
}

} // namespace

class TestEngineAuthentication : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void a1_aTokenForEveryAttempt();
    void a1_nothingButTheTokenBeforeTheAnswer();
    void c6_onlyTheTokenIsSecret();
    void a2_noAnswerCloses4002();
    void a2_theServersOwn4002();
    void a3_failureClosesAndDiscards_data();
    void a3_failureClosesAndDiscards();
    void a3_refusedTokenIsNeverSentTwice();
    void a3_norAfterAnotherOneWasRefused();
    void a3_norAfterOpen();
    void a3_aFreshTokenConnects();
    void a4_noToken();
    void a4_aFailedProviderIsAskedAgain();
    void a5_sessionInfo();
    void a6_earlyMessagesAreIgnored();
    void a7_tokenIsInNoReportAndNoLog();
};

void TestEngineAuthentication::a1_aTokenForEveryAttempt()
{
    EngineRig rig;
    rig.toConnected(u"one"_s);
    rig.lose();
    rig.comeBack(u"two"_s);
    QCOMPARE(rig.all<Notice::TokenNeeded>().size(), 2);
    QCOMPARE(rig.tokensSent().size(), 2);
    QCOMPARE(token(rig.tokensSent().at(0)), u"one"_s);
    QCOMPARE(token(rig.tokensSent().at(1)), u"two"_s);
}

void TestEngineAuthentication::a1_nothingButTheTokenBeforeTheAnswer()
{
    EngineRig rig;
    rig.postOpen();
    QVERIFY(rig.push(text(1)).accepted);
    rig.giveToken();
    QVERIFY(rig.push(text(2)).accepted);
    QVERIFY(rig.wire.sent.isEmpty());
    rig.wire.current->connectTo();
    QVERIFY(rig.push(text(3)).accepted);
    QCOMPARE(rig.wire.sent.size(), 1);
    const QJsonObject first = QJsonDocument::fromJson(rig.wire.sent.first().bytes).object();
    QCOMPARE(first, (QJsonObject{{u"type"_s, u"auth"_s}, {u"token"_s, u"token-1"_s}}));
    rig.wire.current->receive(EngineRig::success());
    QCOMPARE(rig.sent(), texts(1, 3));
}

// A secret text is never compressed (transport.h).
void TestEngineAuthentication::c6_onlyTheTokenIsSecret()
{
    EngineRig rig;
    rig.toConnected();
    QVERIFY(rig.push(text(1)).accepted);
    QCOMPARE(rig.wire.sent.size(), 2);
    QVERIFY(rig.wire.sent[0].isSecret);
    QVERIFY(!rig.wire.sent[1].isSecret);
}

void TestEngineAuthentication::a2_noAnswerCloses4002()
{
    EngineRig rig;
    rig.toOpening();
    rig.wire.current->connectTo();
    rig.scheduler.advance(4999ms);
    QCOMPARE(rig.state(), u"authenticating"_s);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.wire.closeCodes, QList<int>{4002});
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::AuthenticationTimeout);
    QCOMPARE(rig.last().closeCode, 4002);
    // The token was not refused: it may go out again.
    rig.comeBack();
    QCOMPARE(rig.state(), u"connected"_s);
}

void TestEngineAuthentication::a2_theServersOwn4002()
{
    EngineRig rig;
    rig.toOpening();
    rig.wire.current->connectTo();
    rig.wire.current->end(ConnectionError::ClosedByServer, 4002);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::AuthenticationTimeout);
}

void TestEngineAuthentication::a3_failureClosesAndDiscards_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("form 1") << AuthError;
    QTest::newRow("form 2") << QByteArray(
        R"({"type":"error","payload":{"error":"Invalid token","code":"auth_failed"}})");
    QTest::newRow("closed 4001") << QByteArray();
}

void TestEngineAuthentication::a3_failureClosesAndDiscards()
{
    QFETCH(QByteArray, answer);
    EngineRig rig;
    rig.toOpening();
    rig.wire.current->connectTo();
    QVERIFY(rig.push(text(1)).accepted);
    QVERIFY(rig.push(text(2)).accepted);
    if (answer.isEmpty())
        rig.wire.current->end(ConnectionError::ClosedByServer, 4001, u"Invalid token"_s);
    else
        rig.wire.current->receive(answer);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::AuthenticationFailed);
    QCOMPARE(rig.last().closeCode, 4001);
    QVERIFY(rig.last().error.message().contains(u"Invalid token"_s));
    QCOMPARE(rig.wire.closeCodes, QList<int>{4001});
    const auto discarded = rig.all<Notice::Discarded>();
    QCOMPARE(discarded.size(), 1);
    QCOMPARE(discarded.first().count, 2);
    QVERIFY(!discarded.first().reason.isEmpty());
    QCOMPARE(rig.outbox->counters().messages, 0);
    const quint64 request = rig.lastRequest();
    rig.scheduler.advance(1s);
    QVERIFY(rig.lastRequest() > request); // a fresh one is fetched
    rig.refuse(u"other"_s);               // and may be refused in its turn
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().attempt, 2);
}

void TestEngineAuthentication::a3_refusedTokenIsNeverSentTwice()
{
    EngineRig rig;
    rig.postOpen();
    rig.refuse(u"bad"_s);
    rig.scheduler.advance(1s);
    rig.giveToken(u"bad"_s);
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::AuthenticationFailed);
    QVERIFY(rig.last().error.isFinal());
    QCOMPARE(rig.tokensSent().size(), 1);
    QCOMPARE(rig.wire.made, 1); // not even a socket
}

void TestEngineAuthentication::a3_norAfterAnotherOneWasRefused()
{
    EngineRig rig;
    rig.postOpen();
    rig.refuse(u"bad-1"_s);
    rig.scheduler.advance(1s);
    rig.refuse(u"bad-2"_s);
    rig.scheduler.advance(2s);
    rig.giveToken(u"bad-1"_s);
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.tokensSent().size(), 2);
}

void TestEngineAuthentication::a3_norAfterOpen()
{
    EngineRig rig;
    rig.postOpen();
    rig.refuse(u"bad"_s);
    rig.postClose();
    rig.scheduler.advance(3s);
    rig.postOpen();
    rig.giveToken(u"bad"_s);
    QCOMPARE(rig.state(), u"error"_s);
    rig.postOpen();
    rig.giveToken(u"good"_s);
    rig.connectTo();
    QCOMPARE(rig.state(), u"connected"_s);
    QCOMPARE(rig.tokensSent().size(), 2);
}

void TestEngineAuthentication::a3_aFreshTokenConnects()
{
    EngineRig rig;
    rig.postOpen();
    rig.refuse(u"bad"_s);
    rig.scheduler.advance(1s);
    rig.giveToken(u"good"_s);
    rig.connectTo();
    QCOMPARE(rig.state(), u"connected"_s);
    QCOMPARE(rig.last().error, ConnectionError());
}

void TestEngineAuthentication::a4_noToken()
{
    EngineRig rig;
    rig.postOpen();
    rig.answer({TokenResult::None, {}, {}});
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::NoToken);
    QCOMPARE(rig.wire.made, 0);
    QCOMPARE(rig.scheduler.pending(), 0);
}

void TestEngineAuthentication::a4_aFailedProviderIsAskedAgain()
{
    EngineRig rig(EngineRig::plain().setMaxReconnectAttempts(1));
    rig.postOpen();
    rig.answer({TokenResult::Failed, {}, u"keychain locked"_s});
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::TokenFailed);
    QVERIFY(rig.last().error.message().contains(u"keychain locked"_s));
    rig.scheduler.advance(1s);
    rig.answer({TokenResult::Failed, {}, u"keychain locked"_s});
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().gaveUpAfter, 1);
    QCOMPARE(rig.last().error.code(), ConnectionError::TokenFailed);
}

void TestEngineAuthentication::a5_sessionInfo()
{
    EngineRig rig;
    rig.toConnected();
    QCOMPARE(rig.last().session, SessionInfo(u"s-1"_s, u"u-1"_s, u"2024-01-01T00:00:00Z"_s));
    rig.lose();
    QCOMPARE(rig.last().session, SessionInfo());
    rig.comeBack();
    rig.postClose();
    QCOMPARE(rig.last().to, ConnectionState::Disconnecting);
    QCOMPARE(rig.last().session, SessionInfo());
}

void TestEngineAuthentication::a6_earlyMessagesAreIgnored()
{
    EngineRig rig;
    rig.toOpening();
    rig.wire.current->connectTo();
    QTest::ignoreMessage(QtWarningMsg, "test - ignored a message of type status that arrived before the "
                                       "answer to the token");
    rig.wire.current->receive(R"({"type":"status","secret":1})");
    QTest::ignoreMessage(QtWarningMsg, "test - ignored a text that is not JSON that arrived before the "
                                       "answer to the token");
    rig.wire.current->receive("not json");
    QTest::ignoreMessage(QtWarningMsg,
                         "test - ignored a binary message that arrived before the answer to the token");
    rig.wire.current->receiveBinary("\x01\x02");
    QCOMPARE(rig.state(), u"authenticating"_s);
    rig.wire.current->receive(EngineRig::success());
    QVERIFY(rig.all<Message>().isEmpty());
    QVERIFY(rig.all<Notice::ParseError>().isEmpty());
}

void TestEngineAuthentication::a7_tokenIsInNoReportAndNoLog()
{
    const QString secret = u"SECRET.TOKEN"_s;
    const LogRecorder recorder;
    EngineRig rig;
    rig.post(Command::SetDebug{true});
    // The server quotes it in an answer, in a Close reason and in the transport's own words.
    rig.postOpen();
    rig.refuse(secret, R"({"type":"auth_error","error":"bad token SECRET.TOKEN"})");
    rig.scheduler.advance(1s);
    rig.giveToken(secret + u"2"_s);
    rig.wire.current->connectTo();
    rig.wire.current->end(ConnectionError::ClosedByServer, 4001, u"no SECRET.TOKEN2"_s);
    rig.scheduler.advance(2s);
    rig.giveToken(secret + u"3"_s);
    rig.wire.current->connectTo();
    rig.wire.current->end(ConnectionError::ClosedByServer, 4000, u"no SECRET.TOKEN3"_s);
    rig.scheduler.advance(4s);
    rig.giveToken(secret + u'\n');
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::InvalidToken);
    QCOMPARE(rig.tokensSent().size(), 3);
    for (const Transition &transition : rig.all<Transition>()) {
        QVERIFY2(!transition.error.message().contains(secret), qPrintable(transition.error.message()));
        QVERIFY2(!transition.closeReason.contains(secret), qPrintable(transition.closeReason));
    }
    QVERIFY(recorder.lines().size() > 4); // debugging was on
    QVERIFY(!recorder.lines().join(u'\n').contains(secret));
}

QTEST_GUILESS_MAIN(TestEngineAuthentication)
#include "tst_engine_authentication.moc"
