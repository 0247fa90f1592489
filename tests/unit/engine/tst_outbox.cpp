// SPDX-License-Identifier: MIT
#include "engine/outbox.h"

#include <QHash>
#include <QTest>

#include <array>
#include <atomic>
#include <thread>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

Outgoing text(const QByteArray &bytes)
{
    return {bytes, false, {}};
}

Outgoing pair(const QByteArray &header, const QByteArray &frame)
{
    return {header, false, frame};
}

// Of 20 ms.
Outgoing chunk(int number)
{
    Outgoing one = pair(QByteArray::number(number), QByteArray(600, 's'));
    one.speech = Outgoing::Speech::Chunk;
    return one;
}

Outgoing endOfTurn()
{
    Outgoing one = text("end");
    one.speech = Outgoing::Speech::End;
    return one;
}

// Open for messages, under these limits.
std::unique_ptr<Outbox> opened(const ConnectionConfig &limits = {})
{
    auto outbox = std::make_unique<Outbox>();
    outbox->setLimits(limits);
    outbox->setAccepting(true);
    return outbox;
}

// And gives the rest of its lot back.
std::optional<Outgoing> takeOne(Outbox &outbox)
{
    std::vector<Outgoing> taken = outbox.take();
    if (taken.empty())
        return {};
    Outgoing first = std::move(taken.front());
    taken.erase(taken.begin());
    outbox.giveBack(std::move(taken));
    return first;
}

QList<QByteArray> takeAll(Outbox &outbox)
{
    QList<QByteArray> all;
    while (const auto message = takeOne(outbox)) {
        all.append(QByteArray(message->bytes.constData(), message->bytes.size())); // it may be in a block
        if (message->attachment)
            all.append(*message->attachment);
        outbox.settle(message->size());
    }
    return all;
}

using Tickets = RequestTickets::Tickets;

Outgoing request(quint64 ticket, const QByteArray &bytes)
{
    Outgoing message = text(bytes);
    message.ticket = ticket;
    return message;
}

bool pushRequest(Outbox &outbox, quint64 ticket, const QByteArray &bytes)
{
    return outbox.pushRequest(request(ticket, bytes), [] { return false; }).accepted;
}

const auto DropOldest = ConnectionConfig::QueueOverflow::DropOldest;

} // namespace

class TestOutbox : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void q1_changingTheUserIsOneStep();
    void q1_whoseMessageItIsAndWhetherItIsAccepted();
    void q1_oneFifo();
    void q2_acceptsOnlyWhileOpen();
    void q3_refusesWhatDoesNotFit();
    void q3_bytesCountToo();
    void q3_dropOldestMakesRoom();
    void q3_dropOldestDropsNothingInVain();
    void q3_noQueueAtAll();
    void q3_whileDrainingOnlyBytesCount();
    void q3_speechIsLimitedByBytesAndTime();
    void q3_theEndOfATurnAlwaysFits();
    void q3_speechTakesNobodysPlace();
    void q3_dropOldestDropsWholeTurns();
    void q3_dropOldestLeavesATurnWithoutItsBeginning();
    void q3_withoutAQueueThereIsNoneForSpeech();
    void q6_refusesWhatIsTooLarge();
    void q6_refusesBinary();
    void q7_takenBytesCountUntilSettled();
    void q8_clearSaysHowMany();
    void q9_aPairIsOneEntryOfTwo();
    void q9_aPairIsDroppedWhole();
    void giveBackGoesToTheFrontInOrder();
    void takesByTheLot();
    void messagesOfAnySizeStayWhatTheyAre();
    void whatIsTakenOutlivesTheRest();
    void wakesOnceUntilTaken();
    void wakesNobodyWhoTakesWhatComes();
    void wakesForWhatWaitedBefore();
    void commandsKeepTheirOrder();
    void q10_manyProducers();
    void q11_aRequestIsWithdrawnFromTheQueue();
    void q11_whatWasTakenIsWithdrawnIfItComesBack();
    void q11_anEndedRequestIsNotDiscardedAgain();
    void q11_aCancelledRequestIsNotHandedOver();
    void q11_requestsThatAreLostAreTold();
    void q11_aDroppedRequestIsTold();
    void q2_whatFollowsAGoodbyeWaits();
    void q2_whatFollowsAGoodbyeHasLimitsOfItsOwn();
    void q2_whatFollowsAGoodbyeCanBeDiscarded();
};

void TestOutbox::q1_oneFifo()
{
    const auto outbox = opened();
    QVERIFY(outbox->push(text("1")).accepted);
    QVERIFY(outbox->push({"2", true, {}}).accepted);
    QVERIFY(outbox->push(text("3")).accepted);
    QCOMPARE(outbox->counters().messages, 3);
    QCOMPARE(outbox->counters().bytes, 3);
    QVERIFY(!takeOne(*outbox)->isBinary);
    QVERIFY(takeOne(*outbox)->isBinary);
    QCOMPARE(takeOne(*outbox)->bytes, QByteArray("3"));
    QVERIFY(!takeOne(*outbox));
}

void TestOutbox::q2_acceptsOnlyWhileOpen()
{
    Outbox outbox;
    const auto refused = outbox.push(text("1"));
    QVERIFY(!refused.accepted);
    QVERIFY(refused.refusal.contains(u"open()"_s));
    outbox.setAccepting(true);
    QVERIFY(outbox.isAccepting());
    QVERIFY(outbox.push(text("1")).accepted);
    outbox.setAccepting(false);
    QVERIFY(!outbox.push(text("2")).accepted);
    QCOMPARE(outbox.counters().messages, 1);
}

void TestOutbox::q3_refusesWhatDoesNotFit()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(2));
    QVERIFY(outbox->push(text("1")).accepted);
    QVERIFY(outbox->push(text("2")).accepted);
    const auto refused = outbox->push(text("3"));
    QVERIFY(!refused.accepted);
    QVERIFY(refused.refusal.contains(u"maxQueuedMessages 2"_s));
    QCOMPARE(refused.dropped, 0);
    QCOMPARE(outbox->counters().messages, 2);
    (void)takeOne(*outbox);
    QVERIFY(outbox->push(text("3")).accepted);
    // The defaults.
    const auto usual = opened();
    for (int i = 0; i < 100; ++i)
        QVERIFY(usual->push(text("x")).accepted);
    QVERIFY(!usual->push(text("x")).accepted);
}

void TestOutbox::q3_bytesCountToo()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedBytes(10));
    QVERIFY(outbox->push(text("123456")).accepted);
    QVERIFY(!outbox->push(text("12345")).accepted);
    QVERIFY(outbox->push(text("1234")).accepted);
    QVERIFY(!outbox->push(text("1")).accepted);
    QVERIFY(outbox->push(text("")).accepted);
    QCOMPARE(outbox->counters().bytes, 10);
}

void TestOutbox::q3_dropOldestMakesRoom()
{
    const auto outbox =
        opened(ConnectionConfig().setMaxQueuedMessages(3).setMaxQueuedBytes(10).setQueueOverflow(DropOldest));
    for (const char *one : {"1", "2", "3"})
        QCOMPARE(outbox->push(text(one)).dropped, 0);
    auto pushed = outbox->push(text("4"));
    QVERIFY(pushed.accepted);
    QCOMPARE(pushed.dropped, 1);
    pushed = outbox->push(text("123456789"));
    QVERIFY(pushed.accepted);
    QCOMPARE(pushed.dropped, 2);
    QCOMPARE(outbox->counters().messages, 2);
    QCOMPARE(takeAll(*outbox), (QList<QByteArray>{"4", "123456789"}));
}

void TestOutbox::q3_dropOldestDropsNothingInVain()
{
    const auto outbox =
        opened(ConnectionConfig().setMaxQueuedMessages(1).setMaxQueuedBytes(10).setQueueOverflow(DropOldest));
    QVERIFY(outbox->push(text("keep")).accepted);
    for (const Outgoing &tooMuch : {text("12345678901"), pair("a", "b")}) {
        const auto pushed = outbox->push(tooMuch);
        QVERIFY(!pushed.accepted);
        QCOMPARE(pushed.dropped, 0);
    }
    QCOMPARE(takeAll(*outbox), QList<QByteArray>{"keep"});

    // Not for speech that is too late, nor where an open turn has the room.
    std::chrono::milliseconds now{0};
    const auto late = opened(ConnectionConfig().setMaxQueuedBytes(3000).setQueueOverflow(DropOldest));
    late->setClock([&now] { return now; });
    QVERIFY(late->push(text("keep")).accepted);
    QVERIFY(late->push(chunk(1)).accepted);
    now += 61s;
    const auto full = opened(ConnectionConfig().setMaxQueuedBytes(2000).setQueueOverflow(DropOldest));
    QVERIFY(full->push(text("keep")).accepted);
    for (int i = 1; i <= 3; ++i)
        QVERIFY(full->push(chunk(i)).accepted);
    for (Outbox *const each : {late.get(), full.get()}) {
        Outbox::Pushed pushed;
        do
            pushed = each->push(chunk(4));
        while (pushed.accepted);
        QCOMPARE(pushed.dropped, 0);
        QCOMPARE(takeAll(*each).first(), QByteArray("keep"));
    }
}

void TestOutbox::q3_noQueueAtAll()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(0));
    QVERIFY(!outbox->push(text("1")).accepted);
    outbox->setDraining(true);
    QVERIFY(outbox->push(text("1")).accepted); // connected: it is sent, not queued
}

void TestOutbox::q3_whileDrainingOnlyBytesCount()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(2).setMaxQueuedBytes(100));
    outbox->setDraining(true);
    for (int i = 0; i < 100; ++i)
        QVERIFY(outbox->push(text("x")).accepted);
    QVERIFY(!outbox->push(text("x")).accepted);
}

void TestOutbox::q3_speechIsLimitedByBytesAndTime()
{
    std::chrono::milliseconds now{0};
    const auto outbox = opened();
    outbox->setClock([&now] { return now; });
    // 20 ms a chunk, for a minute without a connection.
    for (int i = 0; i < 3000; ++i) {
        QVERIFY(outbox->push(chunk(i)).accepted);
        now += 20ms;
    }
    QVERIFY(outbox->isInTurn());
    now += 1ms;
    const auto late = outbox->push(chunk(3001));
    QVERIFY(!late.accepted);
    QVERIFY2(late.refusal.contains(u"60 s"_s), qPrintable(late.refusal));
    QVERIFY(outbox->push(text("other")).accepted);
    QVERIFY(outbox->push(endOfTurn()).accepted);
    QCOMPARE(outbox->counters().messages, 6002);
    QCOMPARE(takeAll(*outbox).size(), 6002);
    outbox->setDraining(true); // there is a connection again
    outbox->setDraining(false);
    QVERIFY(outbox->push(chunk(1)).accepted);

    const auto small = opened(ConnectionConfig().setMaxQueuedBytes(2000));
    QVERIFY(small->push(chunk(1)).accepted);
    QVERIFY(small->push(chunk(2)).accepted);
    QVERIFY(small->push(chunk(3)).accepted);
    const auto refused = small->push(chunk(4));
    QVERIFY(!refused.accepted);
    QVERIFY(refused.refusal.contains(u"maxQueuedBytes 2000"_s));
}

void TestOutbox::q3_theEndOfATurnAlwaysFits()
{
    for (const auto overflow : {ConnectionConfig::QueueOverflow::Reject, DropOldest}) {
        const auto outbox = opened(
            ConnectionConfig().setMaxQueuedMessages(2).setMaxQueuedBytes(700).setQueueOverflow(overflow));
        QVERIFY(outbox->push(text("a")).accepted);
        QVERIFY(outbox->push(text("b")).accepted);
        QVERIFY(outbox->push(chunk(1)).accepted);
        QVERIFY(outbox->push(endOfTurn()).accepted);
        QVERIFY(!outbox->isInTurn());
        // Once for each turn.
        QCOMPARE(outbox->push(endOfTurn()).accepted, overflow == DropOldest);
    }
}

void TestOutbox::q3_speechTakesNobodysPlace()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(2).setQueueOverflow(DropOldest));
    for (int i = 1; i <= 50; ++i)
        QCOMPARE(outbox->push(chunk(i)).dropped, 0);
    QCOMPARE(outbox->push(text("a")).dropped, 0);
    QCOMPARE(outbox->push(text("b")).dropped, 0);
    QCOMPARE(outbox->push(text("c")).dropped, 1); // the oldest that counts, not the speech
    QCOMPARE(outbox->push(endOfTurn()).dropped, 0);
    QCOMPARE(outbox->counters().messages, 103);
    const QList<QByteArray> all = takeAll(*outbox);
    QCOMPARE(all.size(), 103);
    QVERIFY(!all.contains("a"));
    QCOMPARE(outbox->counters().messages, 0);
    QCOMPARE(outbox->counters().bytes, 0);
}

void TestOutbox::q3_dropOldestDropsWholeTurns()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedBytes(2600).setQueueOverflow(DropOldest));
    QVERIFY(outbox->push(chunk(1)).accepted);
    QVERIFY(outbox->push(text("between")).accepted);
    QVERIFY(outbox->push(chunk(2)).accepted);
    QVERIFY(outbox->push(endOfTurn()).accepted);
    QVERIFY(outbox->push(chunk(3)).accepted);
    QVERIFY(outbox->push(chunk(4)).accepted);
    const auto pushed = outbox->push(chunk(5));
    QVERIFY(pushed.accepted);
    QCOMPARE(pushed.dropped, 5); // both halves of two chunks, and the end
    QVERIFY(outbox->push(chunk(6)).accepted);
    // The turn that is being spoken gets no hole, and without it there is too little to drop.
    const auto refused = outbox->push(chunk(7));
    QVERIFY(!refused.accepted);
    QCOMPARE(refused.dropped, 0);
    QVERIFY(outbox->push(endOfTurn()).accepted);
    const QByteArray sound(600, 's');
    QCOMPARE(takeAll(*outbox),
             (QList<QByteArray>{"between", "3", sound, "4", sound, "5", sound, "6", sound, "end"}));
    QCOMPARE(outbox->counters().bytes, 0);
}

void TestOutbox::q3_dropOldestLeavesATurnWithoutItsBeginning()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedBytes(1300).setQueueOverflow(DropOldest));
    QVERIFY(outbox->push(chunk(1)).accepted);
    outbox->settle(takeOne(*outbox)->size()); // the server has it
    QVERIFY(outbox->push(chunk(2)).accepted);
    QVERIFY(outbox->push(endOfTurn()).accepted);
    QVERIFY(outbox->push(text(QByteArray(600, 'x'))).accepted);
    const auto pushed = outbox->push(text(QByteArray(601, 'y')));
    QVERIFY(pushed.accepted);
    QCOMPARE(pushed.dropped, 1);
    const QList<QByteArray> all = takeAll(*outbox);
    QCOMPARE(all.size(), 4);
    QCOMPARE(all.first(), QByteArray("2"));
    QCOMPARE(all.last(), QByteArray(601, 'y'));
}

void TestOutbox::q3_withoutAQueueThereIsNoneForSpeech()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(0));
    QVERIFY(!outbox->push(chunk(1)).accepted);
    outbox->setDraining(true);
    QVERIFY(outbox->push(chunk(1)).accepted);
}

void TestOutbox::q6_refusesWhatIsTooLarge()
{
    const auto outbox = opened(ConnectionConfig().setMaxMessageSize(5));
    QVERIFY(outbox->push(text("12345")).accepted);
    auto refused = outbox->push(text("123456"));
    QVERIFY(!refused.accepted);
    QVERIFY(refused.refusal.contains(u'5') && refused.refusal.contains(u'6'));
    QVERIFY(outbox->push(pair("12345", "12345")).accepted); // two messages
    QVERIFY(!outbox->push(pair("1", "123456")).accepted);
    QVERIFY(!outbox->push(pair("123456", "1")).accepted);
    QCOMPARE(outbox->counters().messages, 3);
}

void TestOutbox::q6_refusesBinary()
{
    const auto outbox = opened(ConnectionConfig().setBinarySupported(false));
    QVERIFY(outbox->push({"x", true, {}}).refusal.contains(u"binarySupported"_s));
    QVERIFY(!outbox->push(pair("x", "y")).accepted);
    QVERIFY(outbox->push(text("x")).accepted);
}

void TestOutbox::q7_takenBytesCountUntilSettled()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedBytes(10));
    QVERIFY(outbox->push(text("123456")).accepted);
    (void)takeOne(*outbox);
    QCOMPARE(outbox->counters().messages, 0);
    QCOMPARE(outbox->counters().bytes, 6);
    QVERIFY(!outbox->push(text("12345")).accepted);
    outbox->settle(6);
    QCOMPARE(outbox->counters().bytes, 0);
    QVERIFY(outbox->push(text("1234567890")).accepted);
}

void TestOutbox::q8_clearSaysHowMany()
{
    const auto outbox = opened();
    QVERIFY(outbox->push(text("held")).accepted);
    (void)takeOne(*outbox);
    QVERIFY(outbox->push(text("1")).accepted);
    QVERIFY(outbox->push(pair("2", "3")).accepted);
    QCOMPARE(outbox->clear(), 3);
    QCOMPARE(outbox->counters().messages, 0);
    QCOMPARE(outbox->counters().bytes, 4); // still in the socket
    QCOMPARE(outbox->clear(), 0);
    QVERIFY(!takeOne(*outbox));
}

void TestOutbox::q9_aPairIsOneEntryOfTwo()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(3).setMaxQueuedBytes(100));
    QVERIFY(outbox->push(pair("h1", "f1")).accepted);
    QCOMPARE(outbox->counters().messages, 2);
    QVERIFY(!outbox->push(pair("h2", "f2")).accepted); // whole or not at all
    QCOMPARE(outbox->counters().messages, 2);
    QVERIFY(outbox->push(text("x")).accepted);
    QCOMPARE(takeAll(*outbox), (QList<QByteArray>{"h1", "f1", "x"}));
    QCOMPARE(outbox->counters().bytes, 0);
}

void TestOutbox::q9_aPairIsDroppedWhole()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(3).setQueueOverflow(DropOldest));
    QVERIFY(outbox->push(pair("h", "f")).accepted);
    QVERIFY(outbox->push(text("1")).accepted);
    QCOMPARE(outbox->push(text("2")).dropped, 2);
    QCOMPARE(takeAll(*outbox), (QList<QByteArray>{"1", "2"}));
}

void TestOutbox::giveBackGoesToTheFrontInOrder()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(4));
    for (const char *one : {"1", "22"})
        QVERIFY(outbox->push(text(one)).accepted);
    QVERIFY(outbox->push(pair("333", "4444")).accepted);
    std::vector<Outgoing> taken;
    while (auto message = takeOne(*outbox))
        taken.push_back(std::move(*message));
    for (const char *one : {"5", "6"})
        QVERIFY(outbox->push(text(one)).accepted);
    outbox->giveBack(std::move(taken));
    QCOMPARE(outbox->counters().messages, 6);
    QCOMPARE(outbox->counters().bytes, 12);
    QVERIFY(!outbox->push(text("7")).accepted);
    QCOMPARE(takeAll(*outbox), (QList<QByteArray>{"1", "22", "333", "4444", "5", "6"}));
    QCOMPARE(outbox->counters().messages, 0);
    QCOMPARE(outbox->counters().bytes, 0);
    outbox->giveBack({});
    QVERIFY(!takeOne(*outbox));
}

void TestOutbox::takesByTheLot()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(10'000));
    for (int i = 0; i < 1'000; ++i)
        QVERIFY(outbox->push(text(QByteArray::number(i))).accepted);
    QVERIFY(outbox->push(text(QByteArray(200'000, 'x'))).accepted);
    QVERIFY(outbox->push(text("last")).accepted);
    int next = 0;
    int lots = 0;
    std::vector<Outgoing> lot;
    for (;;) {
        lot = outbox->take(std::move(lot));
        if (lot.empty())
            break;
        ++lots;
        QVERIFY(lot.size() <= 200);
        for (const Outgoing &message : lot) {
            if (next < 1'000)
                QCOMPARE(message.bytes, QByteArray::number(next));
            ++next;
        }
        QCOMPARE(outbox->counters().messages, 1'002 - next);
    }
    QCOMPARE(next, 1'002);
    QVERIFY(lots >= 6 && lots < 20);
}

void TestOutbox::messagesOfAnySizeStayWhatTheyAre()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(10'000).setMaxQueuedBytes(64 << 20));
    QList<QByteArray> sent;
    for (int i = 0; i < 4'000; ++i) {
        const int size = i % 7 == 0 ? 4'090 + i % 13 : (i * 37) % 600;
        sent.append(QByteArray(size, char('a' + i % 26)));
        QByteArray pushed(sent.last().constData(), size); // nobody else has it
        QVERIFY(outbox->push(i % 5 == 0 ? pair(pushed, "frame") : text(pushed)).accepted);
        pushed.fill('!');
        if (i % 5 == 0)
            sent.append("frame");
    }
    QCOMPARE(takeAll(*outbox), sent);
}

// Close() forgets what waits, and the transport still has what was before it.
void TestOutbox::whatIsTakenOutlivesTheRest()
{
    auto outbox = opened();
    for (const char *one : {"first", "second", "third"})
        QVERIFY(outbox->push(text(one)).accepted);
    std::vector<Outgoing> taken = outbox->take();
    QCOMPARE(taken.size(), 3u);
    outbox->giveBack({std::exchange(taken.back(), {})});
    taken.pop_back();
    QCOMPARE(outbox->clear(), 1);
    QVERIFY(outbox->push(text("fourth")).accepted);
    QCOMPARE(taken.at(0).bytes, "first");
    QCOMPARE(taken.at(1).bytes, "second");
    outbox.reset();
    QCOMPARE(taken.at(0).bytes, "first");
    QCOMPARE(taken.at(1).bytes, "second");
}

void TestOutbox::wakesNobodyWhoTakesWhatComes()
{
    const auto outbox = opened();
    int wakes = 0;
    outbox->setWake([&] { ++wakes; });
    outbox->setDraining(true);
    QVERIFY(outbox->push(text("1")).accepted);
    QCOMPARE(wakes, 0);
    QVERIFY(!outbox->rest()); // there is one
    QVERIFY(outbox->push(text("2")).accepted);
    QCOMPARE(takeAll(*outbox), (QList<QByteArray>{"1", "2"}));
    QVERIFY(outbox->rest());
    QVERIFY(outbox->push(text("3")).accepted);
    QCOMPARE(wakes, 1);
    (void)outbox->takeCommands();
    outbox->setDraining(true);
    outbox->post(Command::Close{}); // which it does not look for
    QCOMPARE(wakes, 2);
    outbox->setDraining(false);
    QVERIFY(outbox->rest()); // whoever drains next asks again
}

void TestOutbox::wakesOnceUntilTaken()
{
    const auto outbox = opened();
    int wakes = 0;
    outbox->setWake([&] { ++wakes; });
    QVERIFY(outbox->push(text("1")).accepted);
    QCOMPARE(wakes, 0); // nobody could send it
    outbox->setDraining(true);
    (void)takeOne(*outbox);
    QVERIFY(outbox->rest());
    for (int i = 0; i < 10; ++i)
        QVERIFY(outbox->push(text("1")).accepted);
    outbox->post(Command::Close{});
    QCOMPARE(wakes, 1);
    QCOMPARE(outbox->takeCommands().size(), 1u);
    QVERIFY(outbox->push(text("1")).accepted);
    QCOMPARE(wakes, 2);
    (void)outbox->takeCommands();
    outbox->post(Command::Close{});
    outbox->post(Command::Close{});
    QCOMPARE(wakes, 3);
    outbox->setWake({});
    outbox->post(Command::Close{});
    QCOMPARE(wakes, 3);
}

void TestOutbox::wakesForWhatWaitedBefore()
{
    const auto outbox = opened();
    outbox->post(Command::Close{});
    int wakes = 0;
    outbox->setWake([&] { ++wakes; });
    QCOMPARE(wakes, 1);
}

void TestOutbox::commandsKeepTheirOrder()
{
    const auto outbox = opened();
    outbox->post(Command::Open{});
    outbox->post(Command::Close{7});
    outbox->post(Command::SetDebug{true});
    const auto commands = outbox->takeCommands();
    QCOMPARE(commands.size(), 3u);
    QVERIFY(std::holds_alternative<Command::Open>(commands[0]));
    QCOMPARE(std::get<Command::Close>(commands[1]).generation, 7u);
    QVERIFY(std::get<Command::SetDebug>(commands[2]).on);
    QVERIFY(outbox->takeCommands().empty());
}

void TestOutbox::q10_manyProducers()
{
    constexpr int producers = 4;
    constexpr int each = 5'000;
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(50).setMaxQueuedBytes(1'000));
    std::atomic<int> wakes{0};
    outbox->setWake([&] { ++wakes; });
    std::atomic<int> running{producers};
    std::atomic<int> accepted{0};
    std::vector<std::thread> threads;
    for (int id = 0; id < producers; ++id) {
        threads.emplace_back([&, id] {
            for (int i = 0; i < each; ++i) {
                const QByteArray bytes = QByteArray::number(id) + ':' + QByteArray::number(i);
                // Every third is a pair; whoever is refused does not try again.
                const bool isPair = i % 3 == 0;
                if (outbox->push(isPair ? pair(bytes, bytes) : text(bytes)).accepted)
                    ++accepted;
            }
            --running;
        });
    }
    int taken = 0;
    QList<int> last(producers, -1);
    bool inOrder = true;
    std::vector<Outgoing> held;
    for (bool done = false; !done;) {
        done = running.load() == 0;
        (void)outbox->takeCommands();
        outbox->setDraining(taken % 2 == 0);
        (void)outbox->rest();
        while (auto message = takeOne(*outbox)) {
            done = false;
            if (held.empty() && taken % 7 == 0) { // now and then one comes back
                held.push_back(std::move(*message));
                outbox->giveBack(std::exchange(held, {}));
                message = takeOne(*outbox);
            }
            ++taken;
            const auto parts = message->bytes.split(':');
            const int id = parts.at(0).toInt();
            const int number = parts.at(1).toInt();
            inOrder &= number > last.at(id);
            last[id] = number;
            inOrder &= !message->attachment || *message->attachment == message->bytes;
            outbox->settle(message->size());
        }
        std::this_thread::yield();
    }
    for (auto &thread : threads)
        thread.join();
    QVERIFY(inOrder);
    QCOMPARE(taken, accepted.load());
    QVERIFY(taken > 0);
    QVERIFY(wakes.load() <= taken + 1);
    QCOMPARE(outbox->counters().messages, 0);
    QCOMPARE(outbox->counters().bytes, 0);
}

void TestOutbox::q11_aRequestIsWithdrawnFromTheQueue()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(1'000));
    QList<QByteArray> others;
    Tickets odd;
    for (quint64 ticket = 1; ticket <= 300; ++ticket) { // more than one lot
        const QByteArray bytes = QByteArray::number(ticket);
        QVERIFY(pushRequest(*outbox, ticket, bytes));
        QVERIFY(outbox->push(text("m" + bytes)).accepted);
        if (ticket % 2 == 1)
            odd.push_back(ticket);
        else
            others.append(bytes);
        others.append("m" + bytes);
    }
    qint64 bytes = 0;
    for (const QByteArray &one : std::as_const(others))
        bytes += one.size();
    QCOMPARE(outbox->withdraw(odd), 150);
    QCOMPARE(outbox->withdraw(odd), 0);
    QCOMPARE(outbox->counters().messages, 450);
    QCOMPARE(outbox->counters().bytes, bytes);
    QCOMPARE(takeAll(*outbox), others);
    QCOMPARE(outbox->counters().bytes, 0);
    // The only ones of a queue.
    QVERIFY(pushRequest(*outbox, 301, "x"));
    QVERIFY(pushRequest(*outbox, 302, "y"));
    QCOMPARE(outbox->withdraw({301, 302}), 2);
    QCOMPARE(outbox->counters().messages, 0);
    QVERIFY(!takeOne(*outbox));
    QVERIFY(outbox->push(text("z")).accepted);
    QCOMPARE(takeAll(*outbox), QList<QByteArray>{"z"});
}

void TestOutbox::q11_whatWasTakenIsWithdrawnIfItComesBack()
{
    const auto outbox = opened();
    QVERIFY(pushRequest(*outbox, 1, "one"));
    QVERIFY(outbox->push(text("message")).accepted);
    QVERIFY(pushRequest(*outbox, 2, "two"));
    std::vector<Outgoing> taken = outbox->take();
    QCOMPARE(taken.size(), 3u);
    QCOMPARE(outbox->withdraw({1}), 0); // the transport has it
    outbox->giveBack(std::move(taken));
    QCOMPARE(outbox->counters().messages, 2);
    QCOMPARE(outbox->counters().bytes, 10);
    QCOMPARE(outbox->withdraw({2}), 1); // it is in the queue again
    QCOMPARE(takeAll(*outbox), QList<QByteArray>{"message"});
    QCOMPARE(outbox->counters().bytes, 0);
}

void TestOutbox::q11_anEndedRequestIsNotDiscardedAgain()
{
    const auto outbox = opened();
    QVERIFY(pushRequest(*outbox, 1, "one"));
    QVERIFY(outbox->push(text("message")).accepted);
    QVERIFY(pushRequest(*outbox, 2, "two"));
    std::vector<Outgoing> taken = outbox->take();
    QCOMPARE(outbox->withdraw({1}), 0);
    QVERIFY(outbox->push(text("later")).accepted);
    QCOMPARE(outbox->discard(std::move(taken)), 2);
    QCOMPARE(outbox->takeLostRequests(false), Tickets{2});
    QCOMPARE(takeAll(*outbox), QList<QByteArray>{"later"});
    QCOMPARE(outbox->counters().messages, 0);
    QCOMPARE(outbox->counters().bytes, 0);
}

void TestOutbox::q11_aCancelledRequestIsNotHandedOver()
{
    const auto outbox = opened();
    bool isCancelled = false;
    for (const quint64 ticket : {1u, 2u})
        QVERIFY(outbox->pushRequest(request(ticket, "request"), [&] { return isCancelled; }).accepted);
    isCancelled = true; // a whole lot of them
    QVERIFY(outbox->take().empty());
    QCOMPARE(outbox->counters().messages, 0);
    QCOMPARE(outbox->counters().bytes, 0);
    isCancelled = false;
    QVERIFY(outbox->pushRequest(request(3, "request"), [&] { return isCancelled; }).accepted);
    QVERIFY(outbox->push(text("message")).accepted);
    std::vector<Outgoing> taken = outbox->take();
    QCOMPARE(taken.size(), 2u);
    isCancelled = true; // while the transport has it
    outbox->giveBack(std::move(taken));
    QCOMPARE(takeAll(*outbox), QList<QByteArray>{"message"});
    QCOMPARE(outbox->counters().bytes, 0);
}

void TestOutbox::q11_requestsThatAreLostAreTold()
{
    const auto outbox = opened();
    for (const quint64 ticket : {1u, 2u, 3u, 4u})
        QVERIFY(pushRequest(*outbox, ticket, "request"));
    std::vector<Outgoing> taken = outbox->take();
    QCOMPARE(taken.size(), 4u);
    QVERIFY(pushRequest(*outbox, 5, "request"));
    QVERIFY(outbox->takeLostRequests(false).empty());
    outbox->withdraw({1}); // it has had its reply
    std::vector<Outgoing> unsent;
    unsent.push_back(std::move(taken.back()));
    outbox->giveBack(std::move(unsent));
    QCOMPARE(outbox->takeLostRequests(true), (Tickets{2, 3}));
    QVERIFY(outbox->takeLostRequests(true).empty());
    QCOMPARE(outbox->clear(), 2);
    QCOMPARE(outbox->takeLostRequests(false), (Tickets{4, 5}));
}

void TestOutbox::q11_aDroppedRequestIsTold()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(2).setQueueOverflow(DropOldest));
    QVERIFY(pushRequest(*outbox, 1, "request"));
    QVERIFY(outbox->push(text("1")).accepted);
    QVERIFY(outbox->takeDropped().empty());
    QCOMPARE(outbox->push(text("2")).dropped, 1);
    QCOMPARE(outbox->takeDropped(), Tickets{1});
    QVERIFY(outbox->takeDropped().empty());
    QCOMPARE(outbox->withdraw({1}), 0);
    QCOMPARE(takeAll(*outbox), (QList<QByteArray>{"1", "2"}));
}

void TestOutbox::q2_whatFollowsAGoodbyeWaits()
{
    const auto outbox = opened();
    QVERIFY(outbox->push(text("old")).accepted);
    outbox->setAccepting(false);
    QVERIFY(!outbox->push(text("refused")).accepted);
    outbox->beginNext({});
    QVERIFY(outbox->push(text("1")).accepted);
    QVERIFY(outbox->push({"2", true, {}}).accepted);
    QVERIFY(outbox->push(pair("3", "4")).accepted);
    QVERIFY(pushRequest(*outbox, 1, "5"));
    QVERIFY(pushRequest(*outbox, 2, "6"));
    QCOMPARE(outbox->counters().messages, 7);
    QCOMPARE(outbox->withdraw({1}), 1);
    QCOMPARE(takeAll(*outbox), QList<QByteArray>{"old"}); // the goodbye takes no more
    QCOMPARE(outbox->clear(), 0);
    QCOMPARE(outbox->counters().messages, 5);
    QVERIFY(outbox->takeLostRequests(true).empty());
    outbox->startNext();
    QVERIFY(outbox->push(text("7")).accepted);
    QCOMPARE(outbox->counters().messages, 6);
    QCOMPARE(takeAll(*outbox), (QList<QByteArray>{"1", "2", "3", "4", "6", "7"}));
    QCOMPARE(outbox->counters().messages, 0);
    QCOMPARE(outbox->counters().bytes, 0);
}

void TestOutbox::q2_whatFollowsAGoodbyeHasLimitsOfItsOwn()
{
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(2));
    QVERIFY(outbox->push(text("old")).accepted);
    QVERIFY(outbox->push(text("old")).accepted);
    outbox->beginNext(ConnectionConfig().setMaxQueuedMessages(1).setQueueOverflow(DropOldest));
    QVERIFY(outbox->push(text("1")).accepted);
    QCOMPARE(outbox->push(text("2")).dropped, 1); // none of the old ones
    outbox->beginNext(ConnectionConfig().setMaxQueuedMessages(1));
    QVERIFY(outbox->push(text("3")).refusal.contains(u"1 messages"_s));
    QCOMPARE(takeAll(*outbox), (QList<QByteArray>{"old", "old"}));
    outbox->startNext();
    QCOMPARE(takeAll(*outbox), QList<QByteArray>{"2"});
}

void TestOutbox::q2_whatFollowsAGoodbyeCanBeDiscarded()
{
    const auto outbox = opened();
    QVERIFY(outbox->push(text("old")).accepted);
    outbox->beginNext({});
    QVERIFY(outbox->push(text("1")).accepted);
    QVERIFY(outbox->push(pair("2", "3")).accepted);
    QCOMPARE(outbox->discardNext(), 3);
    QCOMPARE(outbox->discardNext(), 0);
    QCOMPARE(outbox->counters().messages, 1);
    outbox->startNext();
    QCOMPARE(takeAll(*outbox), QList<QByteArray>{"old"});
    QCOMPARE(outbox->counters().bytes, 0);
}

void TestOutbox::q1_changingTheUserIsOneStep()
{
    const auto outbox = opened();
    const quint32 before = outbox->user();
    QCOMPARE(outbox->push(text("a")).user, before);
    QVERIFY(outbox->push(pair("b", "c")).accepted);
    QCOMPARE(outbox->changeUser(), 3);
    QVERIFY(outbox->user() != before);
    QVERIFY(!outbox->isAccepting());
    QVERIFY(!outbox->push(text("d")).accepted);
    QCOMPARE(outbox->counters().messages, 0);
    QCOMPARE(outbox->counters().bytes, 0);
    outbox->setAccepting(true);
    QCOMPARE(outbox->push(text("e")).user, outbox->user());
    QCOMPARE(takeAll(*outbox), QList<QByteArray>{"e"});
}

// Whatever the threads do, a message that was accepted for one user is not taken behind the next one's beginning.
void TestOutbox::q1_whoseMessageItIsAndWhetherItIsAccepted()
{
    constexpr int users = 300;
    const auto outbox = opened(ConnectionConfig().setMaxQueuedMessages(1 << 30));
    std::atomic<bool> goesOn{true};
    std::array<QHash<QByteArray, quint32>, 6> accepted; // whose, by the message
    std::vector<std::thread> threads;
    for (size_t i = 0; i < accepted.size(); ++i) {
        threads.emplace_back([&, i] {
            for (int n = 0; goesOn; ++n) {
                const QByteArray id = QByteArray::number(quint64(i)) + ' ' + QByteArray::number(n);
                if (const Outbox::Pushed pushed = outbox->push(text(id)); pushed.accepted)
                    accepted.at(i).insert(id, pushed.user);
                if (n % 50 == 0)
                    std::this_thread::yield();
            }
        });
    }
    QHash<QByteArray, quint32> taken;
    for (int i = 0; i < users; ++i) {
        for (int n = 0; n < 20;) {
            const std::optional<Outgoing> message = takeOne(*outbox);
            if (!message) {
                std::this_thread::yield();
                continue;
            }
            taken.insert(QByteArray(message->bytes.constData(), message->bytes.size()), outbox->user());
            outbox->settle(message->size());
            ++n;
        }
        (void)outbox->changeUser();
        outbox->setAccepting(true);
    }
    goesOn = false;
    for (std::thread &thread : threads)
        thread.join();
    QVERIFY(!taken.isEmpty());
    QHash<QByteArray, quint32> all;
    for (const auto &some : accepted)
        all.insert(some);
    for (auto it = taken.cbegin(); it != taken.cend(); ++it)
        QCOMPARE(all.value(it.key(), 1'000'000), it.value());
}

QTEST_GUILESS_MAIN(TestOutbox)
#include "tst_outbox.moc"
