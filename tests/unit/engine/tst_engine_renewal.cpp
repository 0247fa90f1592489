// SPDX-License-Identifier: MIT
//
// The engine: the token of a live connection is renewed before it expires.
#include "enginerig.h"

#include <QJsonDocument>
#include <QScopeGuard>
#include <QTimeZone>

#include <ctime>

using namespace Everwire;
using namespace Everwire::Test;
using namespace Qt::StringLiterals;

namespace {

QByteArray accepted(const QString &timestamp = {}, const QString &session = u"s-1"_s)
{
    return QJsonDocument(QJsonObject{{u"type"_s, u"auth_success"_s},
                                     {u"session_id"_s, session},
                                     {u"user_id"_s, u"u-1"_s},
                                     {u"timestamp"_s, timestamp}})
        .toJson();
}

struct RenewalRig : EngineRig
{
    explicit RenewalRig(ConnectionConfig::TokenRenewal how, ConnectionConfig others = plain())
        : EngineRig(others.setTokenRenewal(how).setHeartbeat(ConnectionConfig::Heartbeat::Off))
    {
    }

    void connectWith(const QString &token, const QByteArray &answer = accepted())
    {
        toOpening(token);
        wire.current->connectTo();
        wire.current->receive(answer);
    }
    void say(Outgoing::Speech what)
    {
        Outgoing chunk;
        chunk.bytes = what == Outgoing::Speech::End ? "end" : "chunk";
        chunk.speech = what;
        QVERIFY(outbox->push(std::move(chunk)).accepted);
        engine->processOutbox();
    }
    // Receives until reading pauses.
    void fallBehind()
    {
        wire.canPause = true;
        for (int i = 0; i < 4; ++i)
            wire.current->receiveBinary(QByteArray(3000, 'x'));
        QVERIFY(wire.paused);
    }
    void catchUp()
    {
        forget();
        post(Command::ResumeReading{});
    }
    void speak() { say(Outgoing::Speech::Chunk); }
    [[nodiscard]] qsizetype asked() { return all<Notice::TokenNeeded>().size(); }
};

} // namespace

class TestEngineRenewal : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void a5_aTimeWithoutAnOffsetIsUtc_data();
    void a5_aTimeWithoutAnOffsetIsUtc();
    void asksAMinuteBeforeItExpires();
    void asksInTimeForShortOnes();
    void theServersClockCounts();
    void aServersTimestampOfAnotherDayDoesNot();
    void aClockThatIsWrongIsNotBelieved();
    void offAndOpaqueTokensAreLeftAlone();
    void aFarExpiryIsNoOverflow();
    void reconnectsQuietly();
    void aQuietReconnectLosesNothing();
    void aSwitchMayBeInterrupted();
    void noLaterTokenIsAskedForAgain();
    void aProviderThatHangsIsAskedAgain();
    void reauthenticatesOnTheLiveConnection();
    void reauthenticationThatIsIgnoredReconnects();
    void reauthenticationThatIsRefusedReconnects();
    void a3_aRefusedRenewalIsNeverSentAgain();
    void a3_aLateRefusalInASwitch();
    void m8_aPausedConnectionIsNotIdle();
    void m8_aSwitchWaitsForTheApp();
    void m8_inAPauseTimeStandsStill();
    void o3_aPausedSwitchReadsThePeersEnd();
    void a9_aLateAnswerEndsTheWait();
    void a9_aTokenOfWeeksIsRenewedNearItsEnd();
    void a9_r7_asksAtOnceAfterASleep();
    void a9_aTurnIsNotCut();
    void a9_theTokensEndIsWaitedForNoLonger();
    void a9_aRefusedRenewalDoesNotCutATurnEither();
    void a9_anotherUsersTokenIsNoRenewal();
    void a7_theOfferedTokenIsInNoError();
    void o2_closeEndsIt();
};

void TestEngineRenewal::asksAMinuteBeforeItExpires()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3539s);
    QCOMPARE(rig.asked(), 1);
    rig.scheduler.advance(1s);
    QCOMPARE(rig.asked(), 2);
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    QVERIFY(!rig.all<Notice::TokenNeeded>().first().fresh);
    QCOMPARE(rig.state(), u"connected"_s);
}

void TestEngineRenewal::asksInTimeForShortOnes()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(Now + 20));
    rig.scheduler.advance(14'999ms);
    QCOMPARE(rig.asked(), 1);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.asked(), 2);
}

void TestEngineRenewal::theServersClockCounts()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.wallClock -= 7200'000; // ours is two hours late
    rig.connectWith(jwt(Now + 3600),
                    accepted(QDateTime::fromSecsSinceEpoch(Now, QTimeZone::utc()).toString(Qt::ISODate)));
    rig.scheduler.advance(3540s);
    QCOMPARE(rig.asked(), 2);
}

void TestEngineRenewal::aServersTimestampOfAnotherDayDoesNot()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(Now + 3600),
                    accepted(u"2024-01-01T00:00:00Z"_s)); // when the session was made, perhaps
    rig.scheduler.advance(3540s);
    QCOMPARE(rig.asked(), 2);
}

void TestEngineRenewal::aClockThatIsWrongIsNotBelieved()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.wallClock += 7200'000; // by ours it has expired; the server has just accepted it
    rig.connectWith(jwt(Now + 3600, Now));
    rig.scheduler.advance(3539s);
    QCOMPARE(rig.asked(), 1);
    rig.scheduler.advance(1s);
    QCOMPARE(rig.asked(), 2);
    // From here on the server's clock is known.
    rig.lose();
    rig.scheduler.advance(1s);
    rig.giveToken(jwt(Now + 3600));
    QCOMPARE(rig.wire.made, 2);
    rig.lose();
    rig.wallClock += 3601'000;
    rig.scheduler.advance(2s);
    rig.giveToken(jwt(Now + 3600));
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    QCOMPARE(rig.wire.made, 2);
}

void TestEngineRenewal::offAndOpaqueTokensAreLeftAlone()
{
    RenewalRig off(ConnectionConfig::TokenRenewal::Off);
    off.connectWith(jwt(Now + 60));
    RenewalRig opaque(ConnectionConfig::TokenRenewal::Reconnect);
    opaque.connectWith(u"opaque"_s);
    for (RenewalRig *rig : {&off, &opaque}) {
        rig->scheduler.advance(24h);
        QCOMPARE(rig->asked(), 1);
        QCOMPARE(rig->state(), u"connected"_s);
    }
}

void TestEngineRenewal::aFarExpiryIsNoOverflow()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(200'000'000'000));
    rig.scheduler.advance(24h * 19);
    QCOMPARE(rig.asked(), 1);
}

void TestEngineRenewal::reconnectsQuietly()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    (void)rig.lastRequest();
    rig.forget();
    rig.giveToken(jwt(Now + 7200));
    QCOMPARE(rig.wire.closeCodes, QList<int>{1000});
    QVERIFY(rig.states().isEmpty()); // until the connection is finished
    rig.answerClose();
    rig.wire.current->connectTo();
    rig.wire.current->receive(accepted({}, u"s-2"_s));
    QCOMPARE(rig.states(), u"connecting authenticating connected"_s);
    for (const Transition &transition : rig.all<Transition>())
        QCOMPARE(transition.error.code(), ConnectionError::NoError);
    QCOMPARE(rig.asked(), 0); // the token that was fetched is the one that is sent
    QVERIFY(rig.tokensSent().last().contains(jwt(Now + 7200).toLatin1()));
    // And so on.
    rig.wallClock += 3540'000;
    rig.scheduler.advance(2h);
    QVERIFY(rig.asked() >= 1);
}

void TestEngineRenewal::aQuietReconnectLosesNothing()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.wire.takesBytes = false;
    QVERIFY(rig.push(text(1)).accepted);
    rig.scheduler.advance(1s); // idle
    rig.giveToken(jwt(Now + 7200));
    QVERIFY(rig.push(text(2)).accepted);
    rig.wire.takesBytes = true;
    rig.wire.current->take(text(1).size());
    // What the server says before it has seen our Close frame is heard as ever.
    rig.forget();
    rig.wire.current->receive(R"({"type":"chat"})");
    rig.wire.current->receiveBinary("voice");
    QCOMPARE(rig.all<Message>().size(), 2);
    QCOMPARE(rig.state(), u"connected"_s);
    rig.answerClose();
    rig.wire.current->connectTo();
    QVERIFY(rig.push(text(3)).accepted);
    QCOMPARE(rig.sent(), texts(1, 1));
    rig.wire.current->receive(accepted());
    QCOMPARE(rig.sent(), texts(1, 3));
    QCOMPARE(rig.discarded(), 0);
}

// Rules: O2, M8
void TestEngineRenewal::aSwitchMayBeInterrupted()
{
    const auto toSwitch = [](RenewalRig &rig) {
        rig.connectWith(jwt(Now + 3600));
        rig.scheduler.advance(3540s);
        rig.wire.takesBytes = false;
        QVERIFY(rig.push(text(1)).accepted);
        rig.scheduler.advance(1s); // idle
        rig.giveToken(jwt(Now + 7200));
        QVERIFY(rig.push(text(2)).accepted);
        rig.wire.takesBytes = true;
        rig.forget();
    };
    {
        RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
        toSwitch(rig);
        rig.postClose();
        rig.wire.current->receive(R"({"type":"chat"})");
        QVERIFY(rig.all<Message>().isEmpty());
        QCOMPARE(rig.state(), u"disconnecting"_s);
        rig.scheduler.advance(rig.config.closeTimeout());
        QCOMPARE(rig.state(), u"disconnected"_s);
        QCOMPARE(rig.discarded(), 2);
    }
    {
        RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
        toSwitch(rig);
        rig.postReconnect();
        rig.wire.current->receive(R"({"type":"chat"})");
        QVERIFY(rig.all<Message>().isEmpty());
        rig.giveToken(jwt(Now + 7200));
        rig.connectTo();
        QCOMPARE(rig.state(), u"connected"_s);
        rig.scheduler.advance(rig.config.closeTimeout());
        QCOMPARE(rig.sent(), (QList<QByteArray>{text(1)} + texts(1, 2))); // the first time cut off
        QCOMPARE(rig.discarded(), 0);
    }
    {
        RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
        toSwitch(rig);
        rig.scheduler.advance(rig.config.closeTimeout()); // a mute server
        QCOMPARE(rig.wire.cuts, 1);
        QCOMPARE(rig.state(), u"connecting"_s);
        rig.connectTo();
        QCOMPARE(rig.sent(), (QList<QByteArray>{text(1)} + texts(1, 2)));
        QCOMPARE(rig.discarded(), 0);
    }
}

void TestEngineRenewal::noLaterTokenIsAskedForAgain()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    const QString token = jwt(Now + 3600);
    rig.connectWith(token);
    rig.scheduler.advance(3540s);
    rig.giveToken(token);
    rig.scheduler.advance(5s);
    QCOMPARE(rig.asked(), 3);
    rig.giveToken(jwt(Now + 3000)); // another, and no better
    rig.scheduler.advance(5s);
    rig.answer({TokenResult::Failed, {}, u"offline"_s});
    rig.scheduler.advance(5s);
    rig.answer({TokenResult::None, {}, {}});
    QCOMPARE(rig.asked(), 5);
    QCOMPARE(rig.state(), u"connected"_s);
    rig.scheduler.advance(5s);
    QCOMPARE(rig.asked(), 6);
    rig.giveToken(jwt(Now + 9000));
    rig.answerClose();
    QCOMPARE(rig.state(), u"connecting"_s);
}

void TestEngineRenewal::aProviderThatHangsIsAskedAgain()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.scheduler.advance(10s); // tokenTimeout
    QCOMPARE(rig.all<Notice::TokenAbandoned>().size(), 1);
    rig.scheduler.advance(5s);
    QCOMPARE(rig.asked(), 3);
    // Once it has expired, what happens is the server's to decide.
    rig.scheduler.advance(24h);
    QCOMPARE(rig.asked(), 5);
    QCOMPARE(rig.state(), u"connected"_s);
}

void TestEngineRenewal::reauthenticatesOnTheLiveConnection()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reauthenticate);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    const QString next = jwt(Now + 7200);
    rig.giveToken(next);
    QCOMPARE(rig.tokensSent().size(), 2);
    QVERIFY(rig.wire.sent.last().isSecret);
    rig.forget();
    rig.wire.current->receive(R"({"type":"chat"})");
    rig.wire.current->receive(R"({"type":"error","payload":{"error":"of the app"}})");
    QCOMPARE(rig.all<Message>().size(), 2); // messages go on meanwhile
    rig.wire.current->receive(accepted({}, u"s-2"_s));
    QCOMPARE(rig.all<Message>().size(), 2);
    QCOMPARE(rig.all<Notice::SessionRenewed>().size(), 1);
    QCOMPARE(rig.all<Notice::SessionRenewed>().first().session.sessionId(), u"s-2"_s);
    QVERIFY(rig.all<Transition>().isEmpty());
    QCOMPARE(rig.state(), u"connected"_s);
    rig.scheduler.advance(6s); // authTimeout is off
    QCOMPARE(rig.state(), u"connected"_s);
    QVERIFY(rig.push(text(1)).accepted);
    QCOMPARE(rig.sent(), texts(1, 1));
}

void TestEngineRenewal::reauthenticationThatIsIgnoredReconnects()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reauthenticate);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.giveToken(jwt(Now + 7200));
    rig.scheduler.advance(4999ms);
    QCOMPARE(rig.state(), u"connected"_s);
    rig.scheduler.advance(1ms);
    rig.answerClose();
    QCOMPARE(rig.state(), u"connecting"_s);
    rig.connectTo();
    QCOMPARE(rig.state(), u"connected"_s);
    QVERIFY(rig.tokensSent().last().contains(jwt(Now + 7200).toLatin1()));
}

void TestEngineRenewal::reauthenticationThatIsRefusedReconnects()
{
    for (const QByteArray &no :
         {AuthError, QByteArray(R"({"type":"error","payload":{"error":"no","code":"auth_failed"}})")}) {
        RenewalRig rig(ConnectionConfig::TokenRenewal::Reauthenticate);
        rig.connectWith(jwt(Now + 3600));
        rig.scheduler.advance(3540s);
        rig.giveToken(jwt(Now + 7200));
        QVERIFY(rig.push(text(1)).accepted);
        rig.forget();
        rig.wire.current->receive(no);
        rig.answerClose();
        QCOMPARE(rig.state(), u"connecting"_s);
        QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
        QVERIFY(rig.push(text(2)).accepted);
        rig.giveToken(jwt(Now + 8000));
        rig.connectTo();
        QCOMPARE(rig.state(), u"connected"_s);
        QCOMPARE(tokenIn(rig.tokensSent().last()), jwt(Now + 8000));
        QCOMPARE(rig.tokensSent().size(), 3);
        QCOMPARE(rig.sent(), texts(1, 2));
        QCOMPARE(rig.discarded(), 0);
    }
}

// However often the provider gives it.
void TestEngineRenewal::a3_aRefusedRenewalIsNeverSentAgain()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reauthenticate);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    const QString bad = jwt(Now + 7200);
    rig.giveToken(bad);
    rig.wire.current->receive(AuthError);
    rig.answerClose();
    rig.giveToken(bad);
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::AuthenticationFailed);
    QCOMPARE(rig.tokensSent().size(), 2);
    rig.postOpen();
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
    rig.giveToken(bad);
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.tokensSent().size(), 2);
}

// The answer to a token that was offered comes after authTimeout, while the reconnect waits for an idle moment.
void TestEngineRenewal::a9_aLateAnswerEndsTheWait()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reauthenticate);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.giveToken(jwt(Now + 7200));
    rig.speak();
    rig.scheduler.advance(5s);
    QCOMPARE(rig.state(), u"connected"_s);
    rig.wire.current->receive(accepted());
    rig.scheduler.advance(1min);
    QCOMPARE(rig.state(), u"connected"_s);
    QCOMPARE(rig.wire.made, 1);
}

void TestEngineRenewal::a9_aTokenOfWeeksIsRenewedNearItsEnd()
{
    constexpr qint64 day = 24 * 3600;
    for (const int days : {19, 25, 60, 400}) {
        RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
        rig.connectWith(jwt(Now + days * day));
        rig.scheduler.advance(24h * days - 61s);
        QCOMPARE(rig.asked(), 1);
        rig.scheduler.advance(1s);
        QCOMPARE(rig.asked(), 2);
    }
}

void TestEngineRenewal::a9_r7_asksAtOnceAfterASleep()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(60s); // which are hours, but the scheduler's clock stood still
    rig.post(Command::NetworkBack{});
    rig.scheduler.advance(1s);
    QCOMPARE(rig.asked(), 1); // by the wall clock nothing has happened
    rig.wallClock += 3590'000;
    rig.post(Command::NetworkBack{});
    rig.scheduler.advance(8s);
    QCOMPARE(rig.asked(), 2);
    rig.giveToken(jwt(Now + 9000));
    rig.answerClose();
    QCOMPARE(rig.state(), u"connecting"_s);
}

void TestEngineRenewal::a9_aTurnIsNotCut()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.speak();
    rig.giveToken(jwt(Now + 7200));
    for (int i = 0; i < 500; ++i) { // 10 s
        rig.scheduler.advance(20ms);
        rig.speak();
    }
    // A pause is no end.
    rig.scheduler.advance(5s);
    QCOMPARE(rig.state(), u"connected"_s);
    rig.say(Outgoing::Speech::End);
    // Nor is the end, while the answer comes.
    for (int i = 0; i < 10; ++i) {
        rig.scheduler.advance(300ms);
        QCOMPARE(rig.state(), u"connected"_s);
        rig.wire.current->receive(R"({"type":"ai_response","content":"word","isFinal":false})");
    }
    rig.scheduler.advance(1s);
    rig.answerClose();
    QCOMPARE(rig.state(), u"connecting"_s);
    rig.connectTo();
    QCOMPARE(tokenIn(rig.tokensSent().last()), jwt(Now + 7200));
    rig.speak();
    for (const FakeTransport::Frame &frame : std::as_const(rig.wire.sent)) {
        const bool isLast = &frame == &rig.wire.sent.last();
        if (frame.bytes == "chunk")
            QCOMPARE(frame.socket, isLast ? 2 : 1);
    }
}

void TestEngineRenewal::a9_theTokensEndIsWaitedForNoLonger()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.giveToken(jwt(Now + 7200)); // idle: at once
    rig.answerClose();
    QCOMPARE(rig.state(), u"connecting"_s);

    RenewalRig talks(ConnectionConfig::TokenRenewal::Reconnect);
    talks.connectWith(jwt(Now + 3600));
    talks.scheduler.advance(3540s);
    talks.speak();
    talks.giveToken(jwt(Now + 7200));
    talks.scheduler.advance(54'999ms);
    QCOMPARE(talks.state(), u"connected"_s);
    talks.scheduler.advance(1ms);
    talks.answerClose();
    QCOMPARE(talks.state(), u"connecting"_s);
    // What is said meanwhile comes after.
    talks.speak();
    talks.connectTo();
    QCOMPARE(talks.wire.sent.last().bytes, QByteArray("chunk"));
    QCOMPARE(talks.discarded(), 0);
}

void TestEngineRenewal::a9_aRefusedRenewalDoesNotCutATurnEither()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reauthenticate);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.giveToken(jwt(Now + 7200));
    rig.speak();
    rig.wire.current->receive(AuthError);
    QCOMPARE(rig.state(), u"connected"_s);
    rig.say(Outgoing::Speech::End);
    rig.scheduler.advance(100ms);
    rig.answerClose();
    QCOMPARE(rig.state(), u"connecting"_s);
    QVERIFY(rig.all<Notice::TokenNeeded>().last().fresh);
}

void TestEngineRenewal::a9_anotherUsersTokenIsNoRenewal()
{
    for (const auto how :
         {ConnectionConfig::TokenRenewal::Reconnect, ConnectionConfig::TokenRenewal::Reauthenticate}) {
        RenewalRig rig(how);
        rig.connectWith(jwt(Now + 3600, {}, {}, u"ann"_s));
        rig.scheduler.advance(3540s);
        rig.giveToken(jwt(Now + 7200, {}, {}, u"bob"_s));
        QCOMPARE(rig.state(), u"connected"_s);
        QCOMPARE(rig.tokensSent().size(), 1);
        rig.scheduler.advance(5s);
        QCOMPARE(rig.asked(), 3);
        rig.giveToken(jwt(Now + 7300, {}, {}, u"ann"_s));
        if (how == ConnectionConfig::TokenRenewal::Reconnect) {
            rig.answerClose();
            rig.connectTo();
        }
        QCOMPARE(tokenIn(rig.tokensSent().last()), jwt(Now + 7300, {}, {}, u"ann"_s));
    }
}

void TestEngineRenewal::a7_theOfferedTokenIsInNoError()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reauthenticate);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    const QString next = jwt(Now + 7200);
    rig.giveToken(next);
    rig.wire.current->end(ConnectionError::ClosedByServer, 4003, u"do not like "_s + next);
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QVERIFY(!rig.last().error.message().contains(next));
    QVERIFY(!rig.last().closeReason.contains(next));
}

void TestEngineRenewal::o2_closeEndsIt()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.postClose();
    rig.giveToken(jwt(Now + 7200));
    rig.scheduler.advance(24h);
    QCOMPARE(rig.state(), u"disconnected"_s);
    QCOMPARE(rig.tokensSent().size(), 1);
}

void TestEngineRenewal::a5_aTimeWithoutAnOffsetIsUtc_data()
{
    QTest::addColumn<QByteArray>("timestamp"); // 20 s ahead of this machine
    const QDateTime ahead = QDateTime::fromSecsSinceEpoch(Now + 20, Qt::UTC);
    QTest::newRow("Python's utcnow()")
        << '"' + ahead.toString(u"yyyy-MM-ddTHH:mm:ss.zzz000"_s).toUtf8() + '"';
    QTest::newRow("a space") << '"' + ahead.toString(u"yyyy-MM-dd HH:mm:ss"_s).toUtf8() + '"';
    QTest::newRow("Z") << '"' + ahead.toString(Qt::ISODate).toUtf8() + '"';
    QTest::newRow("an offset") << '"' + ahead.toOffsetFromUtc(-5 * 3600).toString(Qt::ISODate).toUtf8() + '"';
    QTest::newRow("seconds") << QByteArray::number(Now + 20);
    QTest::newRow("milliseconds") << QByteArray::number((Now + 20) * 1000);
}

// Read as local time in Tokyo it would be nine hours off, and the token would not be renewed in time.
void TestEngineRenewal::a5_aTimeWithoutAnOffsetIsUtc()
{
    QFETCH(QByteArray, timestamp);
    const QByteArray zone = qgetenv("TZ");
    const auto restored = qScopeGuard([&] {
        zone.isEmpty() ? qunsetenv("TZ") : qputenv("TZ", zone);
        tzset();
    });
    qputenv("TZ", "Asia/Tokyo");
    tzset();
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect);
    rig.connectWith(jwt(Now + 100), R"({"type":"auth_success","timestamp":)" + timestamp + '}');
    QCOMPARE(rig.state(), u"connected"_s);
    // Of the 80 s that are left a quarter is the margin.
    rig.scheduler.advance(59'999ms);
    QCOMPARE(rig.asked(), 1);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.asked(), 2);
}

void TestEngineRenewal::a3_aLateRefusalInASwitch()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reauthenticate);
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    const QString refused = jwt(Now + 7200);
    rig.giveToken(refused);
    QCOMPARE(rig.tokensSent().size(), 2);
    rig.scheduler.advance(rig.config.authTimeout() + 2s);
    QCOMPARE(rig.wire.closeCodes, QList<int>{1000}); // to send it on another connection
    rig.wire.current->receive(AuthError);
    rig.forget();
    rig.answerClose();
    QCOMPARE(rig.asked(), 1); // for another one
    rig.giveToken(jwt(Now + 7300));
    rig.scheduler.advance(0ms);
    rig.wire.current->connectTo();
    QCOMPARE(rig.tokensSent().size(), 3);
    QVERIFY(!rig.tokensSent().last().contains(refused.toLatin1()));
}

void TestEngineRenewal::m8_aPausedConnectionIsNotIdle()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect, EngineRig::plain().setMaxPendingBytes(10'000));
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.fallBehind();
    rig.giveToken(jwt(Now + 7200));
    rig.scheduler.advance(2min);
    QVERIFY(rig.wire.closeCodes.isEmpty());
    rig.catchUp();
    rig.scheduler.advance(2s);
    QCOMPARE(rig.wire.closeCodes, QList<int>{1000});
}

void TestEngineRenewal::m8_aSwitchWaitsForTheApp()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect, EngineRig::plain().setMaxPendingBytes(10'000));
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.giveToken(jwt(Now + 7200));
    QCOMPARE(rig.wire.closeCodes, QList<int>{1000});
    rig.fallBehind();
    rig.scheduler.advance(10 * rig.config.closeTimeout());
    QCOMPARE(rig.wire.cuts + rig.wire.aborts, 0); // or what the transport holds would be lost
    rig.catchUp();
    QVERIFY(!rig.wire.paused);
    rig.wire.current->receiveBinary("last");
    QCOMPARE(rig.all<Message>().size(), 1);
    rig.answerClose();
    QCOMPARE(rig.state(), u"connecting"_s);
}

void TestEngineRenewal::m8_inAPauseTimeStandsStill()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect, EngineRig::plain().setMaxPendingBytes(10'000));
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.giveToken(jwt(Now + 7200));
    const std::chrono::milliseconds timeout = rig.config.closeTimeout();
    rig.scheduler.advance(timeout / 2 - 1ms);
    rig.fallBehind();
    rig.scheduler.advance(timeout);
    QCOMPARE(rig.wire.halfCloses, 0);
    rig.catchUp();
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.wire.halfCloses, 1);
    rig.scheduler.advance(timeout - timeout / 2 - 1ms);
    QCOMPARE(rig.wire.cuts + rig.wire.aborts, 0);
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.wire.cuts + rig.wire.aborts, 1);
}

void TestEngineRenewal::o3_aPausedSwitchReadsThePeersEnd()
{
    RenewalRig rig(ConnectionConfig::TokenRenewal::Reconnect, EngineRig::plain().setMaxPendingBytes(10'000));
    rig.connectWith(jwt(Now + 3600));
    rig.scheduler.advance(3540s);
    rig.giveToken(jwt(Now + 7200));
    rig.fallBehind();
    rig.postClose();
    QVERIFY(!rig.wire.paused);
    rig.answerClose();
    QCOMPARE(rig.state(), u"disconnected"_s);
}

QTEST_GUILESS_MAIN(TestEngineRenewal)
#include "tst_engine_renewal.moc"
