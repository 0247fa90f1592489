// SPDX-License-Identifier: MIT
//
// The engine rule by rule: messages out and in.
#include "enginerig.h"

using namespace Everwire;
using namespace Everwire::Test;
using namespace Qt::StringLiterals;

class TestEngineMessages : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void q2_theQueueSurvivesReconnecting();
    void q4_orderOfTheCalls();
    void q4_messagesQueuedWhileConnectingKeepTheirOrder();
    void q7_highWaterKeepsMessagesInTheQueue();
    void q7_aPeerThatDoesNotReadFillsTheQueue();
    void q7_whatTheSocketHoldsCounts();
    void q8_closeDiscardsAndSaysHowMany();
    void q8_whatWasTakenIsNotDiscarded();
    void q8_whatThePeerDidNotReadIsDiscarded();
    void q8_whatCloseTakesAlongIsNotDiscarded();
    void q7_aFloodIsTakenByTheClock();
    void q7_muchOfAFloodWaitsForNoClock();
    void q7_aFloodGivesWayToTheEventLoop();
    void q9_aPairGoesOutTogether();
    void q9_aPairInterruptedIsSentAgainWhole();
    void q_messagesNotTakenAreSentAgainOnceInOrder();
    void q_whatWasTakenIsNotSentAgain();
    void q11_aLossTellsWhichRequestsHaveHadTheirTurn();
    void q11_whatHasFailedMeanwhileIsNotSentAgain();
    void q11_aRefusedTokenLosesTheRequestsThatWait();
    void q2_whatFollowsAGoodbyeIsNotSentWithIt();

    void m1_messagesInWireOrder();
    void m2_malformedTextIsReported();
    void m3_binary();
    void m8_whatNobodyHearsWakesNobody();
    void m8_readingPausesAndGoesOn();
    void m8_oneMessageMayAlwaysWait();
    void m8_overloadedReconnects();
    void m8_overloadedSendsNothingTwice();
    void m8_overloadedDiscards();
    void m8_discardedIsReportedAtTheEndToo();
};

void TestEngineMessages::q2_theQueueSurvivesReconnecting()
{
    EngineRig rig;
    rig.toConnected();
    rig.lose();
    QVERIFY(rig.push(text(1)).accepted);
    QVERIFY(rig.sent().isEmpty());
    rig.scheduler.advance(1s);
    QVERIFY(rig.push(text(2)).accepted);
    rig.giveToken();
    rig.wire.current->end(ConnectionError::ConnectionRefused, 0);
    rig.comeBack();
    QCOMPARE(rig.sent(), texts(1, 2));
    QCOMPARE(rig.discarded(), 0);
}

void TestEngineMessages::q4_orderOfTheCalls()
{
    EngineRig rig;
    rig.toConnected();
    for (int i = 1; i <= 500; ++i) {
        if (i % 7 == 0)
            QVERIFY(rig.outbox->push({text(i), true, {}}).accepted); // one FIFO for text and binary (Q1)
        else
            QVERIFY(rig.outbox->push({text(i), false, {}}).accepted);
        if (i % 13 == 0)
            rig.engine->processOutbox();
    }
    rig.engine->processOutbox();
    QCOMPARE(rig.sent(), texts(1, 500));
    QVERIFY(rig.wire.sent.at(7).isBinary);
}

void TestEngineMessages::q4_messagesQueuedWhileConnectingKeepTheirOrder()
{
    EngineRig rig;
    rig.toOpening();
    for (int i = 1; i <= 100; ++i)
        QVERIFY(rig.push(text(i)).accepted);
    rig.connectTo();
    QCOMPARE(rig.sent(), texts(1, 100));
}

void TestEngineMessages::q7_highWaterKeepsMessagesInTheQueue()
{
    EngineRig rig(EngineRig::plain().setMaxMessageSize(1024 * 1024));
    rig.toConnected();
    rig.wire.takesBytes = false;
    const QByteArray big(600 * 1024, 'x');
    for (int i = 0; i < 5; ++i)
        QVERIFY(rig.push(big).accepted);
    // The socket gets no more once it holds 1 MiB.
    QCOMPARE(rig.sent().size(), 2);
    QCOMPARE(rig.outbox->counters().messages, 3);
    QCOMPARE(rig.outbox->counters().bytes, 5 * big.size());
    rig.wire.current->take(big.size());
    QCOMPARE(rig.sent().size(), 3);
    QCOMPARE(rig.outbox->counters().bytes, 4 * big.size());
    rig.wire.current->take(100 * big.size());
    rig.wire.current->take(100 * big.size());
    QCOMPARE(rig.sent().size(), 5);
    rig.wire.current->take(100 * big.size());
    QCOMPARE(rig.outbox->counters().messages, 0);
    QCOMPARE(rig.outbox->counters().bytes, 0);
}

void TestEngineMessages::q7_aPeerThatDoesNotReadFillsTheQueue()
{
    EngineRig rig(EngineRig::plain().setMaxMessageSize(1024 * 1024).setMaxQueuedMessages(2));
    rig.toConnected();
    for (int i = 1; i <= 10; ++i) // while it reads, nothing queues
        QVERIFY(rig.outbox->push({text(i), false, {}}).accepted);
    rig.engine->processOutbox();
    rig.wire.takesBytes = false;
    QVERIFY(rig.push(QByteArray(1024 * 1024, 'x')).accepted);
    QVERIFY(rig.push(text(11)).accepted);
    QVERIFY(rig.push(text(12)).accepted);
    QVERIFY(!rig.push(text(13)).accepted); // rule Q3 counts again
    rig.wire.current->take(1024 * 1024);
    QVERIFY(rig.push(text(14)).accepted);
}

void TestEngineMessages::q7_whatTheSocketHoldsCounts()
{
    EngineRig rig(EngineRig::plain().setMaxQueuedBytes(1000));
    rig.toConnected();
    rig.wire.takesBytes = false;
    const QByteArray message(300, 'x');
    for (int i = 0; i < 3; ++i)
        QVERIFY(rig.push(message).accepted);
    QCOMPARE(rig.sent().size(), 3); // all in the socket
    QVERIFY(!rig.push(message).accepted);
    rig.wire.current->take(299); // not the whole of it
    QVERIFY(!rig.push(message).accepted);
    rig.wire.current->take(1);
    QVERIFY(rig.push(message).accepted);
    QVERIFY(!rig.push(message).accepted);
}

void TestEngineMessages::q8_closeDiscardsAndSaysHowMany()
{
    EngineRig rig;
    rig.toConnected();
    rig.lose();
    for (int i = 1; i <= 3; ++i)
        QVERIFY(rig.push(text(i)).accepted);
    rig.postClose();
    QCOMPARE(rig.discarded(), 3);
    QCOMPARE(rig.outbox->counters().messages, 0);
    rig.postOpen();
    rig.giveToken();
    rig.connectTo();
    QVERIFY(rig.sent().isEmpty());
}

void TestEngineMessages::q8_whatWasTakenIsNotDiscarded()
{
    EngineRig rig;
    rig.toConnected();
    QVERIFY(rig.outbox->push({text(1), false, {}}).accepted);
    rig.postClose();
    rig.wire.current->end(ConnectionError::ClosedByServer, 1000);
    QCOMPARE(rig.sent(), texts(1, 1));
    QCOMPARE(rig.discarded(), 0);
    QCOMPARE(rig.outbox->counters().bytes, 0);
}

void TestEngineMessages::q8_whatThePeerDidNotReadIsDiscarded()
{
    EngineRig rig;
    rig.toConnected();
    rig.wire.takesBytes = false;
    for (int i = 1; i <= 3; ++i)
        QVERIFY(rig.push(text(i)).accepted);
    rig.wire.current->take(text(1).size());
    rig.postClose();
    rig.scheduler.advance(rig.config.closeTimeout());
    QCOMPARE(rig.discarded(), 2);
    QCOMPARE(rig.outbox->counters().messages, 0);
    QCOMPARE(rig.outbox->counters().bytes, 0);
}

void TestEngineMessages::q8_whatCloseTakesAlongIsNotDiscarded()
{
    EngineRig rig;
    rig.toConnected();
    rig.wire.buffers = true;
    QVERIFY(rig.outbox->push({text(1), false, {}}).accepted);
    rig.postClose(); // sends it, and the Close frame right behind it
    rig.lose();
    QCOMPARE(rig.sent(), texts(1, 1));
    QCOMPARE(rig.state(), u"disconnected"_s);
    QCOMPARE(rig.discarded(), 0);
    QCOMPARE(rig.outbox->counters().bytes, 0);
}

void TestEngineMessages::q7_aFloodIsTakenByTheClock()
{
    EngineRig rig;
    rig.toConnected();
    int wakes = 0;
    rig.outbox->setWake([&] { ++wakes; });
    for (int i = 1; i <= 40; ++i)
        QVERIFY(rig.outbox->push({text(i), false, {}}).accepted);
    QCOMPARE(wakes, 1);
    rig.engine->processOutbox();
    QCOMPARE(rig.sent(), texts(1, 40));
    QVERIFY(rig.outbox->push({text(41), false, {}}).accepted);
    QCOMPARE(wakes, 1); // it is fetched
    QCOMPARE(rig.sent(), texts(1, 40));
    rig.scheduler.advance(1ms);
    QCOMPARE(rig.sent(), texts(1, 41));
    QVERIFY(rig.outbox->push({text(42), false, {}}).accepted);
    QCOMPARE(wakes, 2); // the flood is over
    rig.engine->processOutbox();
    QCOMPARE(rig.sent(), texts(1, 42));
    QCOMPARE(rig.outbox->counters().bytes, 0);
}

void TestEngineMessages::q7_muchOfAFloodWaitsForNoClock()
{
    EngineRig rig;
    rig.toConnected();
    for (int i = 1; i <= 40; ++i)
        QVERIFY(rig.outbox->push({text(i), false, {}}).accepted);
    rig.engine->processOutbox();
    bool woken = false;
    rig.outbox->setWake([&] { woken = true; });
    int pushed = 0;
    for (; !woken && pushed < 1'000; ++pushed)
        QVERIFY(rig.outbox->push({QByteArray(1024, 'x'), false, {}}).accepted);
    QCOMPARE(pushed, 256); // KiB
    rig.engine->processOutbox();
    QCOMPARE(rig.sent().size(), 40 + pushed);
}

void TestEngineMessages::q7_aFloodGivesWayToTheEventLoop()
{
    EngineRig rig;
    rig.toConnected();
    for (int i = 0; i < 100; ++i)
        QVERIFY(rig.outbox->push({QByteArray(64 * 1024, 'x'), false, {}}).accepted);
    rig.engine->processOutbox();
    QVERIFY(rig.sent().size() >= 16 && rig.sent().size() < 50); // a mebibyte
    for (int turns = 0; rig.sent().size() < 100 && turns < 20; ++turns)
        rig.scheduler.advance(0ms);
    QCOMPARE(rig.sent().size(), 100);
    QCOMPARE(rig.outbox->counters().bytes, 0);
}

void TestEngineMessages::q9_aPairGoesOutTogether()
{
    EngineRig rig;
    rig.toOpening();
    QVERIFY(rig.outbox->push({text(1), false, {}}).accepted);
    QVERIFY(rig.outbox->push({text(2), false, "audio"}).accepted);
    QVERIFY(rig.outbox->push({text(3), false, {}}).accepted);
    rig.connectTo();
    QCOMPARE(rig.sent(), (QList<QByteArray>{text(1), text(2), "audio", text(3)}));
    QVERIFY(rig.wire.sent.at(3).isBinary);
    QVERIFY(!rig.wire.sent.at(2).isBinary);
}

void TestEngineMessages::q9_aPairInterruptedIsSentAgainWhole()
{
    EngineRig rig;
    rig.toConnected();
    rig.wire.duringSend = [](FakeTransport &t) { t.end(ConnectionError::ConnectionLost, 1006); };
    QVERIFY(rig.outbox->push({text(1), false, "audio"}).accepted);
    rig.engine->processOutbox();
    QCOMPARE(rig.sent(), texts(1, 1)); // its frame did not follow on a dead socket
    rig.comeBack();
    QCOMPARE(rig.sent(), (QList<QByteArray>{text(1), text(1), "audio"}));
}

// Rules: Q4, C5
void TestEngineMessages::q_messagesNotTakenAreSentAgainOnceInOrder()
{
    EngineRig rig;
    rig.toConnected();
    rig.wire.takesBytes = false;
    for (int i = 1; i <= 5; ++i)
        QVERIFY(rig.push(text(i)).accepted);
    QCOMPARE(rig.sent(), texts(1, 5));
    // The second has gone but for a byte, so it cannot have arrived.
    rig.wire.current->take(text(1).size() + text(2).size() - 1);
    rig.lose();
    QVERIFY(rig.push(text(6)).accepted);
    rig.wire.sent.clear();
    rig.wire.takesBytes = true;
    rig.comeBack();
    QCOMPARE(rig.sent(), texts(2, 6));
    QCOMPARE(rig.discarded(), 0);
    QCOMPARE(rig.outbox->counters().bytes, 0);
    rig.lose();
    rig.wire.sent.clear();
    rig.comeBack();
    QVERIFY(rig.sent().isEmpty());
}

// Rules: Q4, C5
void TestEngineMessages::q_whatWasTakenIsNotSentAgain()
{
    EngineRig rig;
    rig.toConnected();
    for (int i = 1; i <= 3; ++i)
        QVERIFY(rig.push(text(i)).accepted);
    rig.lose();
    rig.comeBack();
    QCOMPARE(rig.sent(), texts(1, 3));
}

namespace {

void pushRequest(EngineRig &rig, quint64 ticket)
{
    Outgoing message{text(int(ticket)), false, {}};
    message.ticket = ticket;
    QVERIFY(rig.outbox->pushRequest(std::move(message), [] { return false; }).accepted);
    rig.engine->processOutbox();
}

} // namespace

void TestEngineMessages::q11_aLossTellsWhichRequestsHaveHadTheirTurn()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    pushRequest(rig, 1);
    rig.wire.takesBytes = false;
    pushRequest(rig, 2);
    rig.wire.current->take(text(2).size() - 1); // it cannot have arrived whole
    pushRequest(rig, 3);
    rig.lose();
    QCOMPARE(rig.last().lostRequests, RequestTickets::Tickets{1});
    QCOMPARE(rig.outbox->counters().messages, 2);
    rig.wire.takesBytes = true;
    rig.comeBack();
    QCOMPARE(rig.sent(), (QList<QByteArray>{text(1), text(2), text(3), text(2), text(3)}));
    rig.postReconnect();
    QCOMPARE(rig.last().lostRequests, (RequestTickets::Tickets{2, 3}));
}

void TestEngineMessages::q11_whatHasFailedMeanwhileIsNotSentAgain()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    rig.wire.takesBytes = false;
    for (const quint64 ticket : {1u, 2u, 3u})
        pushRequest(rig, ticket);
    QCOMPARE(rig.outbox->withdraw({1}), 0); // the transport has it
    rig.lose();
    QCOMPARE(rig.outbox->withdraw({2}), 1);
    rig.wire.sent.clear();
    rig.wire.takesBytes = true;
    rig.comeBack();
    QCOMPARE(rig.sent(), QList<QByteArray>{text(3)});
    QCOMPARE(rig.outbox->counters().bytes, 0);
}

void TestEngineMessages::q11_aRefusedTokenLosesTheRequestsThatWait()
{
    EngineRig rig;
    rig.postOpen();
    pushRequest(rig, 1);
    rig.refuse(u"token-1"_s);
    QVERIFY(rig.last().lostRequests.empty()); // another token is to be tried (rule A3)
    rig.scheduler.advance(rig.config.initialReconnectDelay());
    rig.giveToken(u"token-1"_s);
    QCOMPARE(rig.state(), u"error"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::AuthenticationFailed);
    QCOMPARE(rig.last().lostRequests, RequestTickets::Tickets{1});
}

void TestEngineMessages::q2_whatFollowsAGoodbyeIsNotSentWithIt()
{
    EngineRig rig(EngineRig::open());
    rig.toConnected();
    QVERIFY(rig.outbox->push({text(1), false, {}}).accepted);
    rig.outbox->setAccepting(false);
    rig.outbox->post(Command::Close{++rig.generation});
    rig.outbox->beginNext(rig.config); // before the engine has heard of the close()
    QVERIFY(rig.outbox->push({text(2), false, {}}).accepted);
    rig.engine->processOutbox();
    QCOMPARE(rig.sent(), QList<QByteArray>{text(1)});
    rig.wire.current->end(ConnectionError::ClosedByServer, CloseCode::Normal);
    QCOMPARE(rig.state(), u"disconnected"_s);
    QCOMPARE(rig.discarded(), 0);
    rig.outbox->startNext();
    rig.toConnected();
    QCOMPARE(rig.sent(), texts(1, 2));
}

void TestEngineMessages::m1_messagesInWireOrder()
{
    EngineRig rig;
    rig.toConnected();
    for (int i = 0; i < 50; ++i) {
        rig.wire.current->receive(text(i));
        rig.wire.current->receiveBinary(QByteArray::number(i));
    }
    const auto messages = rig.all<Message>();
    QCOMPARE(messages.size(), 100);
    for (int i = 0; i < 50; ++i) {
        QCOMPARE(messages.at(2 * i).bytes(), text(i));
        QCOMPARE(messages.at(2 * i).type(), u"n"_s);
        QCOMPARE(messages.at(2 * i).direction(), Message::Incoming);
        QCOMPARE(messages.at(2 * i + 1).bytes(), QByteArray::number(i));
        QVERIFY(messages.at(2 * i + 1).isBinary());
    }
}

void TestEngineMessages::m2_malformedTextIsReported()
{
    EngineRig rig;
    rig.toConnected();
    rig.wire.current->receive("oops");
    rig.wire.current->receive("[1,2]");
    rig.wire.current->receive(R"({"no":"type"})");
    const auto errors = rig.all<Notice::ParseError>();
    QCOMPARE(errors.size(), 1);
    QCOMPARE(errors.first().text, QByteArray("oops"));
    QVERIFY(!errors.first().reason.isEmpty());
    QCOMPARE(rig.all<Message>().size(), 2);
    QCOMPARE(rig.state(), u"connected"_s);
}

void TestEngineMessages::m3_binary()
{
    EngineRig rig;
    rig.toConnected();
    const QByteArray bytes("\x00\xff\x01", 3);
    rig.wire.current->receiveBinary(bytes);
    QCOMPARE(rig.all<Message>().size(), 1);
    QVERIFY(rig.all<Message>().first().isBinary());
    QCOMPARE(rig.all<Message>().first().bytes(), bytes);
}

// It waits for the app's next look, and nothing beside it is a reason to look at once.
void TestEngineMessages::m8_whatNobodyHearsWakesNobody()
{
    EngineRig rig;
    rig.toConnected();
    (void)rig.interest->publish(std::make_shared<const Interest>());
    int wakes = 0;
    rig.inbox->setWake([&] { ++wakes; });
    (void)rig.inbox->takeAll();
    rig.inbox->hold(Inbox::Hold::WhatCanWait);
    wakes = 0;
    for (int i = 0; i < 100; ++i)
        rig.wire.current->receive(text(i));
    QCOMPARE(wakes, 0);
    QCOMPARE(rig.inbox->takeAll().entries.size(), 100U);
    rig.wire.current->receive(text(100));
    QCOMPARE(wakes, 1);
    rig.inbox->setWake({});
}

void TestEngineMessages::m8_readingPausesAndGoesOn()
{
    EngineRig rig(EngineRig::plain().setMaxPendingBytes(10'000));
    rig.wire.canPause = true;
    rig.toConnected();
    rig.forget();
    const QByteArray message = R"({"type":"x","pad":")" + QByteArray(3000, 'p') + "\"}";
    for (int i = 0; i < 3; ++i)
        rig.wire.current->receive(message);
    QVERIFY(!rig.wire.paused);
    rig.wire.current->receive(message); // what was read already is delivered
    QVERIFY(rig.wire.paused);
    QCOMPARE(rig.all<Message>().size(), 4);
    rig.forget();
    QCOMPARE(rig.inbox->pendingBytes(), 0);
    rig.post(Command::ResumeReading{});
    QVERIFY(!rig.wire.paused);
    rig.wire.current->receive(message);
    QVERIFY(!rig.wire.paused);
    for (int i = 0; i < 4; ++i)
        rig.wire.current->receive(message);
    QVERIFY(rig.wire.paused); // again
    QCOMPARE(rig.discarded(), 0);
    QCOMPARE(rig.state(), u"connected"_s);
    QVERIFY(rig.all<Notice::Overloaded>().isEmpty());
}

void TestEngineMessages::m8_oneMessageMayAlwaysWait()
{
    EngineRig rig(EngineRig::plain().setMaxPendingBytes(100));
    rig.toConnected();
    rig.forget();
    rig.wire.current->receiveBinary(QByteArray(5000, 'x'));
    QCOMPARE(rig.all<Message>().size(), 1);
    QCOMPARE(rig.state(), u"connected"_s);
}

void TestEngineMessages::m8_overloadedReconnects()
{
    EngineRig rig(EngineRig::plain().setMaxPendingBytes(10'000));
    rig.toConnected();
    rig.forget();
    for (int i = 0; i < 4; ++i)
        rig.wire.current->receiveBinary(QByteArray(3000, 'x'));
    QCOMPARE(rig.state(), u"reconnecting"_s);
    QCOMPARE(rig.last().error.code(), ConnectionError::Overloaded);
    QVERIFY(rig.last().error.message().contains(u"maxPendingBytes"_s));
    QCOMPARE(rig.all<Message>().size(), 3);
    QCOMPARE(rig.discarded(), 1); // nothing silently
    QCOMPARE(rig.wire.closeCodes, QList<int>{1001});
    rig.forget();
    rig.comeBack();
    QCOMPARE(rig.state(), u"connected"_s);
}

// Rule: Q1
void TestEngineMessages::m8_overloadedSendsNothingTwice()
{
    EngineRig rig(EngineRig::plain().setMaxPendingBytes(10'000));
    rig.toConnected();
    rig.wire.takesBytes = false;
    QVERIFY(rig.push(text(1)).accepted);
    QVERIFY(rig.push(text(2)).accepted);
    for (int i = 0; i < 4; ++i)
        rig.wire.current->receiveBinary(QByteArray(3000, 'x'));
    QCOMPARE(rig.state(), u"reconnecting"_s);
    // They leave in front of the Close frame. What has not left when closeTimeout is over never does there.
    QCOMPARE(rig.wire.closeCodes, QList<int>{1001});
    rig.wire.current->take(text(1).size());
    rig.scheduler.advance(rig.config.initialReconnectDelay());
    rig.wire.takesBytes = true;
    rig.giveToken();
    rig.wire.sent.clear();
    rig.connectTo();
    QVERIFY(rig.sent().isEmpty()); // nothing overtakes what the server may still read
    rig.scheduler.advance(rig.config.closeTimeout());
    QCOMPARE(rig.wire.cuts, 1);
    QCOMPARE(rig.sent(), texts(2, 2));
    QCOMPARE(rig.discarded(), 1); // received while overloaded
}

void TestEngineMessages::m8_overloadedDiscards()
{
    EngineRig rig(EngineRig::plain().setMaxPendingBytes(10'000).setPendingOverflow(
        ConnectionConfig::PendingOverflow::Discard));
    rig.toConnected();
    rig.forget();
    for (int i = 0; i < 8; ++i)
        rig.wire.current->receiveBinary(QByteArray(3000, char('a' + i)));
    QCOMPARE(rig.state(), u"connected"_s);
    QCOMPARE(rig.all<Notice::Overloaded>().size(), 1);
    QCOMPARE(rig.all<Message>().size(), 3);
    rig.forget();
    rig.wire.current->receiveBinary("next");
    // How many were lost comes before what follows the gap.
    QCOMPARE(rig.discarded(), 5);
    QVERIFY(rig.entries().front().as<Notice::Discarded>());
    QCOMPARE(rig.all<Message>().size(), 1);
}

void TestEngineMessages::m8_discardedIsReportedAtTheEndToo()
{
    EngineRig rig(EngineRig::plain().setMaxPendingBytes(1000).setPendingOverflow(
        ConnectionConfig::PendingOverflow::Discard));
    rig.toConnected();
    rig.forget();
    for (int i = 0; i < 3; ++i)
        rig.wire.current->receiveBinary(QByteArray(900, 'x'));
    rig.lose();
    QCOMPARE(rig.discarded(), 2);
}

QTEST_GUILESS_MAIN(TestEngineMessages)
#include "tst_engine_messages.moc"
