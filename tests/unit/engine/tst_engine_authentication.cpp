// SPDX-License-Identifier: MIT
//
// The engine rule by rule: authentication.
#include "enginerig.h"
#include "support/logrecorder.h"

#include <QJsonDocument>
#include <QUrl>

using namespace Everwire;
using namespace Everwire::Test;
using namespace Qt::StringLiterals;

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
    void a3_theQueueGoesOutWithAFreshToken();
    void a3_theLastAttemptDiscards();
    void a9_anExpiredTokenIsNotSent();
    void a9_anExpiredTokenIsAskedForAgainOnce();
    void a9_aClockMayBeWrong();
    void a9_theServersClockSaysWhatHasExpired_data();
    void a9_theServersClockSaysWhatHasExpired();
    void a9_itExpiresWhileTheSocketOpens();
    void a3_aFailedFetchStaysAFreshOne();
    void a3_anotherUserDoesNotSendWhatWaits_data();
    void a3_anotherUserDoesNotSendWhatWaits();
    void a3_norWhatAnEarlierConnectionHolds_data();
    void a3_norWhatAnEarlierConnectionHolds();
    void a3_behindARefusalForGoodTheQueueIsTheNextUsers();
    void a3_closeCodesThatRefuseTheToken_data();
    void a3_closeCodesThatRefuseTheToken();
    void a3_closeCodesAreConfigured();
    void a3_aLiveConnectionThatIsClosedSoFetchesAFreshOne();
    void a3_refusedTokenIsNeverSentTwice();
    void a3_norAfterAnotherOneWasRefused();
    void a3_norAfterOpen();
    void a3_aFreshTokenConnects();
    void a4_noToken();
    void a4_aFailedProviderIsAskedAgain();
    void a5_sessionInfo();
    void a6_earlyMessagesAreIgnored();
    void a7_tokenIsInNoReportAndNoLog();
    void a7_noPartOfTheTokenIsShown_data();
    void a7_noPartOfTheTokenIsShown();
    void a7_aShortTokenSpoilsNoSentence();
    void c4_textOfTheServerIsEscaped_data();
    void c4_textOfTheServerIsEscaped();
    void c4_aLongTypeIsCut();
    void q6_aTokenAboveTheLimitIsNotSent_data();
    void q6_aTokenAboveTheLimitIsNotSent();
};

void TestEngineAuthentication::a1_aTokenForEveryAttempt()
{
    EngineRig rig;
    rig.toConnected(u"one"_s);
    rig.lose();
    rig.comeBack(u"two"_s);
    QCOMPARE(rig.all<Notice::TokenNeeded>().size(), 2);
    QCOMPARE(rig.tokensSent().size(), 2);
    QCOMPARE(tokenIn(rig.tokensSent().at(0)), u"one"_s);
    QCOMPARE(tokenIn(rig.tokensSent().at(1)), u"two"_s);
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
    QCOMPARE(rig.outbox->counters().messages, 2); // another token is still to be tried
    const quint64 request = rig.lastRequest();
    rig.scheduler.advance(1s);
    QVERIFY(rig.lastRequest() > request); // a fresh one is fetched
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    rig.refuse(u"other"_s); // and may be refused in its turn
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().attempt, 2);
    QCOMPARE(rig.discarded(), 0);
    rig.scheduler.advance(2s);
    rig.giveToken(u"other"_s); // there is no other
    QCOMPARE(rig.state(), u"error"_s);
    const auto discarded = rig.all<Notice::Discarded>();
    QCOMPARE(discarded.size(), 1);
    QCOMPARE(discarded.first().count, 2);
    QVERIFY(!discarded.first().reason.isEmpty());
    QCOMPARE(rig.outbox->counters().messages, 0);
}

void TestEngineAuthentication::a3_theQueueGoesOutWithAFreshToken()
{
    EngineRig rig;
    rig.postOpen();
    for (int i = 1; i <= 3; ++i)
        QVERIFY(rig.push(text(i)).accepted);
    rig.refuse(u"bad"_s);
    rig.comeBack(u"good"_s);
    QCOMPARE(rig.sent(), texts(1, 3));
    QCOMPARE(rig.discarded(), 0);
}

void TestEngineAuthentication::a3_theLastAttemptDiscards()
{
    EngineRig rig(EngineRig::plain().setMaxReconnectAttempts(1));
    rig.postOpen();
    QVERIFY(rig.push(text(1)).accepted);
    rig.refuse(u"bad-1"_s);
    rig.scheduler.advance(1s);
    rig.refuse(u"bad-2"_s);
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.discarded(), 1);
}

// A provider with a cache that obeys wantsFresh.
void TestEngineAuthentication::a9_anExpiredTokenIsNotSent()
{
    EngineRig rig;
    const QString old = jwt(Now + 100);
    const QString next = jwt(Now + 4000);
    rig.toConnected(old);
    rig.lose();
    for (int i = 1; i <= 3; ++i)
        QVERIFY(rig.push(text(i)).accepted);
    rig.wallClock += 200'000;
    rig.scheduler.advance(1s);
    QVERIFY(!rig.all<Notice::TokenNeeded>().last().fresh);
    rig.giveToken(old);
    QCOMPARE(rig.wire.made, 1); // no socket for it
    QCOMPARE(rig.state(), u"connecting"_s);
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    rig.giveToken(next);
    rig.connectTo();
    QCOMPARE(rig.tokensSent().size(), 2);
    QCOMPARE(tokenIn(rig.tokensSent().last()), next);
    QCOMPARE(rig.sent(), texts(1, 3));
    QCOMPARE(rig.discarded(), 0);
    QCOMPARE(rig.all<Notice::TokenNeeded>().size(), 3);
}

void TestEngineAuthentication::a9_anExpiredTokenIsAskedForAgainOnce()
{
    EngineRig rig;
    const QString old = jwt(Now + 1);
    rig.postOpen();
    QVERIFY(rig.push(text(1)).accepted);
    rig.giveToken(old);
    rig.wire.current->end(ConnectionError::ConnectionRefused, 0); // it has never been connected
    rig.wallClock += 1000;
    rig.scheduler.advance(1s);
    rig.giveToken(old);
    QCOMPARE(rig.wire.made, 1);
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    rig.giveToken(old); // there is no other, and the server has the last word
    rig.wire.current->connectTo();
    QCOMPARE(rig.tokensSent().size(), 1);
    rig.wire.current->receive(AuthError);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.discarded(), 0);
    rig.scheduler.advance(2s);
    rig.giveToken(old);
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.tokensSent().size(), 1);
    QCOMPARE(rig.discarded(), 1);
}

// Until the server, or a token that is good by it, speaks for it.
void TestEngineAuthentication::a9_aClockMayBeWrong()
{
    EngineRig rig;
    rig.postOpen();
    rig.refuse(jwt(Now - 60)); // it is sent: the server knows better
    QCOMPARE(rig.tokensSent().size(), 1);
    rig.scheduler.advance(1s);
    rig.refuse(jwt(Now - 50));
    QCOMPARE(rig.tokensSent().size(), 2);
    rig.scheduler.advance(2s);
    rig.giveToken(jwt(Now + 100));
    rig.connectTo();
    rig.lose();
    rig.scheduler.advance(4s);
    rig.giveToken(jwt(Now - 40));
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    QCOMPARE(rig.tokensSent().size(), 3);
}

void TestEngineAuthentication::a9_theServersClockSaysWhatHasExpired_data()
{
    QTest::addColumn<qint64>("ahead");
    QTest::addColumn<qint64>("left"); // by our clock
    QTest::addColumn<bool>("hasExpired");
    QTest::newRow("the same, good") << qint64(0) << qint64(3600) << false;
    QTest::newRow("the same, expired") << qint64(0) << qint64(-1) << true;
    QTest::newRow("two hours ahead") << qint64(7200) << qint64(3600) << true;
    QTest::newRow("two hours behind") << qint64(-7200) << qint64(-3600) << false;
}

void TestEngineAuthentication::a9_theServersClockSaysWhatHasExpired()
{
    QFETCH(const qint64, ahead);
    QFETCH(const qint64, left);
    QFETCH(const bool, hasExpired);
    EngineRig rig;
    rig.toOpening(jwt(Now + 90'000));
    rig.wire.current->connectTo();
    const QString time = QDateTime::fromSecsSinceEpoch(Now + ahead, Qt::UTC).toString(Qt::ISODate);
    rig.wire.current->receive(R"({"type":"auth_success","session_id":"s","user_id":"u","timestamp":")" +
                              time.toLatin1() + "\"}");
    QCOMPARE(rig.state(), u"connected"_s);
    rig.lose();
    rig.scheduler.advance(1s);
    rig.giveToken(jwt(Now + left));
    QCOMPARE(rig.all<Notice::TokenNeeded>().last().fresh, hasExpired);
    QCOMPARE(rig.wire.made, hasExpired ? 1 : 2);
}

void TestEngineAuthentication::a9_itExpiresWhileTheSocketOpens()
{
    EngineRig rig;
    rig.toOpening(jwt(Now + 5));
    QVERIFY(rig.push(text(1)).accepted);
    rig.wallClock += 6000;
    rig.wire.current->connectTo();
    QVERIFY(rig.tokensSent().isEmpty());
    QCOMPARE(rig.state(), u"connecting"_s);
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    rig.giveToken(jwt(Now + 10));
    rig.wallClock += 6000; // as slow again: this time it is sent, or it would never end
    rig.connectTo();
    QCOMPARE(rig.state(), u"connected"_s);
    QCOMPARE(rig.sent(), texts(1, 1));
    QCOMPARE(rig.last().attempt, 0);
    QCOMPARE(rig.wire.mostSockets, 1);
}

void TestEngineAuthentication::a3_aFailedFetchStaysAFreshOne()
{
    EngineRig rig;
    rig.postOpen();
    QVERIFY(rig.push(text(1)).accepted);
    rig.refuse(u"bad"_s);
    rig.scheduler.advance(1s);
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    rig.answer({TokenResult::Failed, {}, u"offline"_s});
    rig.scheduler.advance(2s);
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    rig.scheduler.advance(10s); // tokenTimeout
    rig.scheduler.advance(4s);
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    rig.giveToken(u"good"_s);
    rig.connectTo();
    QCOMPARE(rig.sent(), texts(1, 1));
    rig.lose();
    rig.scheduler.advance(8s);
    QVERIFY(!rig.all<Notice::TokenNeeded>().last().fresh);
    rig.giveToken(u"bad"_s); // from a cache
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    QCOMPARE(rig.state(), u"connecting"_s);
    rig.giveToken(u"better"_s);
    rig.connectTo();
    QCOMPARE(rig.state(), u"connected"_s);
}

void TestEngineAuthentication::a3_anotherUserDoesNotSendWhatWaits_data()
{
    QTest::addColumn<bool>("isRefused");
    QTest::newRow("after a loss") << false;
    QTest::newRow("after a refusal") << true;
}

void TestEngineAuthentication::a3_anotherUserDoesNotSendWhatWaits()
{
    QFETCH(const bool, isRefused);
    EngineRig rig;
    rig.postOpen();
    if (isRefused) {
        rig.refuse(jwt(Now + 100, {}, {}, u"ann"_s));
    } else {
        rig.giveToken(jwt(Now + 100, {}, {}, u"ann"_s));
        rig.connectTo();
        rig.lose();
    }
    QVERIFY(rig.push(text(1)).accepted);
    rig.comeBack(jwt(Now + 200, {}, {}, u"bob"_s));
    QCOMPARE(rig.state(), u"connected"_s);
    QVERIFY(rig.sent().isEmpty());
    QCOMPARE(rig.discarded(), 1);
    QVERIFY(!rig.all<Notice::Discarded>().first().reason.isEmpty());
    QVERIFY(rig.push(text(2)).accepted);
    QCOMPARE(rig.sent(), texts(2, 2));
    // After close() nothing of bob's waits, and ann may come back.
    rig.postClose();
    rig.scheduler.advance(3s);
    rig.postOpen();
    QVERIFY(rig.push(text(3)).accepted);
    rig.giveToken(jwt(Now + 300, {}, {}, u"ann"_s));
    rig.connectTo();
    QCOMPARE(rig.sent(), texts(2, 3));
}

void TestEngineAuthentication::a3_behindARefusalForGoodTheQueueIsTheNextUsers()
{
    EngineRig rig(EngineRig::plain().setMaxReconnectAttempts(0));
    rig.postOpen();
    QVERIFY(rig.push(text(1)).accepted);
    rig.refuse(jwt(Now + 100, {}, {}, u"ann"_s));
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.discarded(), 1);
    QVERIFY(rig.push(text(2)).accepted); // rule Q2
    rig.postOpen();
    rig.giveToken(jwt(Now + 100, {}, {}, u"bob"_s));
    rig.connectTo();
    QCOMPARE(rig.sent(), texts(2, 2));
    QCOMPARE(rig.discarded(), 1);
}

void TestEngineAuthentication::a3_closeCodesThatRefuseTheToken_data()
{
    QTest::addColumn<int>("code");
    for (const int code : {1008, 4001, 4401, 4403})
        QTest::addRow("%d", code) << code;
}

void TestEngineAuthentication::a3_closeCodesThatRefuseTheToken()
{
    QFETCH(const int, code);
    EngineRig rig;
    rig.postOpen();
    QVERIFY(rig.push(text(1)).accepted);
    const auto refuse = [&rig, code](const QString &token) {
        rig.giveToken(token);
        rig.wire.current->connectTo();
        rig.wire.current->end(ConnectionError::ClosedByServer, code, u"no entry"_s);
        QCOMPARE(rig.last().error.code(), ConnectionError::AuthenticationFailed);
        QCOMPARE(rig.last().closeCode, code);
        QVERIFY(rig.last().error.message().contains(u"no entry"_s));
    };
    refuse(u"one"_s);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    rig.scheduler.advance(1s);
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    QCOMPARE(rig.discarded(), 0);
    refuse(u"two"_s);
    QCOMPARE(rig.state(), u"error"_s);
    QVERIFY(rig.last().error.isFinal());
    QCOMPARE(rig.discarded(), 1);
    rig.scheduler.advance(1h);
    QCOMPARE(rig.wire.made, 2);
    // open() begins afresh, with a token that neither of them is.
    rig.postOpen();
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    refuse(u"three"_s);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    rig.comeBack(u"four"_s);
    QCOMPARE(rig.state(), u"connected"_s);
    QCOMPARE(rig.tokensSent().size(), 4);
}

void TestEngineAuthentication::a3_closeCodesAreConfigured()
{
    EngineRig rig(EngineRig::plain().setAuthFailureCloseCodes({4123}).setTerminalCloseCodes({4124}));
    rig.toOpening(u"one"_s);
    rig.wire.current->connectTo();
    rig.wire.current->end(ConnectionError::ClosedByServer, 4401); // one of the app's own, here
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::ClosedByServer);
    rig.scheduler.advance(1s);
    QVERIFY(!rig.all<Notice::TokenNeeded>().last().fresh);
    rig.giveToken(u"one"_s);
    rig.wire.current->connectTo();
    rig.wire.current->end(ConnectionError::ClosedByServer, 4123);
    QCOMPARE(rig.last().error.code(), ConnectionError::AuthenticationFailed);
    rig.scheduler.advance(2s);
    rig.giveToken(u"two"_s);
    rig.connectTo();
    rig.wire.current->end(ConnectionError::ClosedByServer, 4124);
    QCOMPARE(rig.state(), u"error"_s);
}

// The token has expired while the connection was up.
void TestEngineAuthentication::a3_aLiveConnectionThatIsClosedSoFetchesAFreshOne()
{
    for (const int code : {4001, 4401, 4403}) {
        EngineRig rig;
        rig.toConnected(u"one"_s);
        rig.wire.current->end(ConnectionError::ClosedByServer, code);
        QCOMPARE(rig.state(), u"reconnecting"_s);
        QVERIFY(rig.push(text(1)).accepted);
        rig.scheduler.advance(1s);
        QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
        rig.giveToken(u"one"_s); // nobody has said that it is bad
        rig.connectTo();
        QCOMPARE(rig.state(), u"connected"_s);
        QCOMPARE(rig.sent(), texts(1, 1));
    }
    EngineRig rig;
    rig.toConnected();
    rig.wire.current->end(ConnectionError::ClosedByServer, 1008); // about what was done, not about the token
    QCOMPARE(rig.state(), u"error"_s);
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

namespace {

const QString LongToken = u"eyJhbGciOiJIUzI1NiJ9."_s +
                          QString::fromLatin1(QByteArray("{\"sub\":\"alice\"}").toBase64()) + u'.' +
                          QString::fromLatin1(QByteArray(150, 's').toBase64());

// What is said and logged of a connection that the server ends while it authenticates.
QString saidOf(EngineRig &rig, const LogRecorder &recorder)
{
    QStringList all = recorder.lines();
    for (const Transition &transition : rig.all<Transition>())
        all << transition.error.message() << transition.closeReason;
    return all.join(u'\n');
}

} // namespace

void TestEngineAuthentication::a7_noPartOfTheTokenIsShown_data()
{
    QTest::addColumn<QString>("quoted");
    QTest::newRow("whole") << LongToken;
    QTest::newRow("cut by the Close frame") << LongToken.left(100);
    QTest::newRow("8 characters") << LongToken.left(8);
    QTest::newRow("the signature") << LongToken.section(u'.', 2, 2);
    QTest::newRow("percent-encoded") << QString::fromLatin1(
        QUrl::toPercentEncoding(LongToken, {}, "eyJhbGciOiJIUzI1NiJ9"));
    QTest::newRow("base64") << QString::fromLatin1(LongToken.toUtf8().toBase64());
}

void TestEngineAuthentication::a7_noPartOfTheTokenIsShown()
{
    QFETCH(QString, quoted);
    const QJsonObject answer{{u"type"_s, u"auth_error"_s}, {u"error"_s, u"bad <"_s + quoted + u">"_s}};
    const QJsonObject early{{u"type"_s, u"x-"_s + quoted}};
    for (const bool answers : {true, false}) {
        const LogRecorder recorder;
        EngineRig rig;
        rig.post(Command::SetDebug{true});
        rig.postOpen();
        rig.giveToken(LongToken);
        rig.wire.current->connectTo();
        rig.wire.current->receive(QJsonDocument(early).toJson());
        if (answers)
            rig.wire.current->receive(QJsonDocument(answer).toJson());
        else
            rig.wire.current->end(ConnectionError::ClosedByServer, 4001, u"bad <"_s + quoted + u">"_s);
        QCOMPARE(rig.state(), u"reconnecting"_s);
        QCOMPARE(rig.last().error.message(), u"The server refused the token: bad <[token]>"_s);
        const QString said = saidOf(rig, recorder);
        QVERIFY(said.contains("type x-[token]"_L1));
        for (qsizetype from = 0; from + 8 <= quoted.size(); ++from)
            QVERIFY2(!said.contains(quoted.mid(from, 8)), qPrintable(said));
    }
}

// Only the server's own words are looked at.
void TestEngineAuthentication::a7_aShortTokenSpoilsNoSentence()
{
    for (const QString &token : {u"server"_s, u"token"_s, u"the"_s, u"The"_s}) {
        EngineRig rig;
        rig.postOpen();
        rig.refuse(token, R"({"type":"auth_error","error":"no )" + token.toUtf8() + R"( for developers"})");
        QCOMPARE(rig.last().error.message(), u"The server refused the token: no [token] for developers"_s);
    }
}

void TestEngineAuthentication::c4_textOfTheServerIsEscaped_data()
{
    QTest::addColumn<QString>("words");
    QTest::addColumn<QString>("shown");
    QTest::newRow("a forged line") << u"x\n\u001b[31mFAKE LOG LINE"_s << u"x\\n\\u001b[31mFAKE LOG LINE"_s;
    QTest::newRow("C1") << u"\u009b2J"_s << u"\\u009b2J"_s;
    QTest::newRow("bidi") << u"\u202eabc"_s << u"\\u202eabc"_s;
    QTest::newRow("half a pair") << u"a\xd83d"_s << u"a\\ud83d"_s;
    QTest::newRow("endless") << QString(100'000, u'x') << QString(PeerText::Longest, u'x') + u'…';
}

void TestEngineAuthentication::c4_textOfTheServerIsEscaped()
{
    QFETCH(QString, words);
    QFETCH(QString, shown);
    const LogRecorder recorder;
    for (const QByteArray &answer :
         {QJsonDocument(QJsonObject{{u"type"_s, u"auth_error"_s}, {u"error"_s, words}}).toJson(),
          QJsonDocument(
              QJsonObject{{u"type"_s, u"error"_s}, {u"payload"_s, QJsonObject{{u"error"_s, words}}}})
              .toJson()}) {
        EngineRig rig;
        rig.post(Command::SetDebug{true});
        rig.postOpen();
        rig.refuse(u"token-1"_s, answer);
        if (!words.contains(QChar(0xd83d))) // Qt's writer has no such character
            QCOMPARE(rig.last().error.message(), u"The server refused the token: "_s + shown);
    }
    EngineRig rig;
    rig.post(Command::SetDebug{true});
    rig.toConnected();
    rig.wire.current->end(ConnectionError::ClosedByServer, 4000, words);
    QCOMPARE(rig.last().closeReason, shown);
    for (const QString &line : recorder.lines()) {
        QVERIFY(line.size() < 1000);
        for (const QChar c : line)
            QVERIFY2(c.unicode() >= 0x20 && (c.unicode() < 0x7f || c.unicode() > 0x9f) && c != u'\u202e',
                     qPrintable(line));
    }
}

void TestEngineAuthentication::c4_aLongTypeIsCut()
{
    const QByteArray type(30 * 1024 * 1024, 't');
    const LogRecorder recorder;
    EngineRig rig;
    rig.post(Command::SetDebug{true});
    rig.toOpening();
    rig.wire.current->connectTo();
    rig.wire.current->receive("{\"type\":\"" + type + "\"}");
    rig.wire.current->receive(EngineRig::success());
    rig.wire.current->receive("{\"type\":\"" + type + "\"}");
    QCOMPARE(rig.all<Message>().size(), 1); // whole: it is the app's
    QCOMPARE(rig.all<Message>().first().type().size(), type.size());
    QVERIFY(recorder.lines().join(u'\n').contains(u"type "_s + QString(PeerText::LongestName, u't') + u'…'));
    for (const QString &line : recorder.lines())
        QVERIFY(line.size() < 1000);
}

void TestEngineAuthentication::q6_aTokenAboveTheLimitIsNotSent_data()
{
    QTest::addColumn<QString>("token");
    QTest::addColumn<bool>("isSent");
    // {"token":"","type":"auth"} around it.
    QTest::newRow("at the limit") << QString(1000 - 26, u't') << true;
    QTest::newRow("above it") << QString(1001 - 26, u't') << false;
    QTest::newRow("above it by its quotes") << QString(500, u'"') << false;
    QTest::newRow("above it in UTF-8") << QString(600, u'ä') << false;
    QTest::newRow("1 MiB") << QString(1024 * 1024, u't') << false;
}

void TestEngineAuthentication::q6_aTokenAboveTheLimitIsNotSent()
{
    QFETCH(QString, token);
    QFETCH(bool, isSent);
    EngineRig rig(EngineRig::plain().setMaxMessageSize(1000));
    rig.postOpen();
    rig.giveToken(token);
    QCOMPARE(rig.wire.made, isSent ? 1 : 0);
    if (isSent) {
        rig.wire.current->connectTo();
        QCOMPARE(rig.tokensSent().first().size(), 1000);
        return;
    }
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::InvalidToken);
    QVERIFY(rig.last().error.isFinal());
    QVERIFY2(rig.last().error.message().contains("maxMessageSize is 1000"_L1),
             qPrintable(rig.last().error.message()));
    QVERIFY(!rig.last().error.message().contains("tttttttt"_L1));
}

void TestEngineAuthentication::a3_norWhatAnEarlierConnectionHolds_data()
{
    QTest::addColumn<bool>("isRefused");
    QTest::newRow("another token") << false;
    QTest::newRow("a refusal for good") << true;
}

void TestEngineAuthentication::a3_norWhatAnEarlierConnectionHolds()
{
    QFETCH(const bool, isRefused);
    EngineRig rig;
    rig.toConnected(jwt(Now + 100, {}, {}, u"ann"_s));
    rig.wire.takesBytes = false;
    QVERIFY(rig.push(text(1)).accepted);
    rig.postReconnect();
    rig.wire.takesBytes = true;
    rig.wire.sent.clear();
    if (isRefused) {
        rig.refuse(jwt(Now + 200, {}, {}, u"ann"_s));
        rig.scheduler.advance(1s);
        rig.giveToken(jwt(Now + 200, {}, {}, u"ann"_s)); // no other
        QCOMPARE(rig.state(), u"error"_s);
        rig.postOpen();
    }
    rig.giveToken(jwt(Now + 300, {}, {}, u"bob"_s));
    rig.connectTo();
    QCOMPARE(rig.state(), u"connected"_s);
    rig.scheduler.advance(rig.config.closeTimeout());
    QVERIFY(rig.sent().isEmpty());
    QCOMPARE(rig.discarded(), 1);
    QVERIFY(rig.push(text(2)).accepted);
    QCOMPARE(rig.sent(), texts(2, 2));
    QCOMPARE(rig.outbox->counters().bytes, 0);
}

QTEST_GUILESS_MAIN(TestEngineAuthentication)
#include "tst_engine_authentication.moc"
