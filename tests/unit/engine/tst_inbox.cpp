// SPDX-License-Identifier: MIT
#include "core/typename.h"
#include "engine/inbox.h"

#include <QSemaphore>
#include <QTest>

#include <atomic>
#include <thread>

using namespace Everwire;
using namespace Qt::StringLiterals;

namespace {

Message received(const QByteArray &text, Audience audience, const QString *type = nullptr,
                 quint32 interest = 1)
{
    static MessagePool pool;
    Decoded former;
    const Message message = pool.text(text, type, &former);
    auto &data = const_cast<MessageData &>(MessageData::of(message));
    data.audience = audience;
    data.interest = interest;
    return message;
}

} // namespace

class TestInbox : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void m1_oneOrderForEverything();
    void wakesOnceUntilTaken();
    void wakesForWhatWaitedBefore();
    void m8_pendingBytesUntilHandled();
    void m8_whatWeSendDoesNotCount();
    void q3_whatIsToldIsBounded();
    void q3_whatIsToldIsBoundedUntilHandled();
    void m8_roomIsToldOfOnce();
    void m8_everyPauseEnds();
    void aHeldInboxWakesNobody();
    void whatCanWaitMayBeHeldAlone();
    void theNewestTakesThePlaceOfOlderOnes();
    void m7_theNewestAreRecordedInOrder();
    void m7_theHistorysMayBeLeft();
    void o2_aNewGenerationsHistory();
    void whatIsGivenBackIsUsedAgain();
    void manyProducers();
};

void TestInbox::m1_oneOrderForEverything()
{
    Inbox inbox;
    inbox.push(1, Transition{});
    inbox.push(1, Message::fromText("{}", {}, Message::Incoming));
    inbox.push(2, Notice::Discarded{3, u"why"_s});
    const auto entries = inbox.takeAll().entries;
    QCOMPARE(entries.size(), 3u);
    QVERIFY(entries[0].as<Transition>());
    QVERIFY(entries[1].as<Message>());
    QCOMPARE(entries[2].as<Notice::Discarded>()->count, 3);
    QCOMPARE(entries[1].generation, 1u);
    QCOMPARE(entries[2].generation, 2u);
    QVERIFY(inbox.takeAll().entries.empty());
}

// The first ones one by one, the others together, and each in its kind.
void TestInbox::q3_whatIsToldIsBounded()
{
    Inbox inbox;
    int wakes = 0;
    inbox.setWake([&] { ++wakes; });
    constexpr int count = 5 * Inbox::MostTold;
    for (int i = 0; i < count; ++i) {
        inbox.tell(Notice::Rejected{QString::number(i)});
        if (i % 2 == 0)
            inbox.tell(Notice::Discarded{2, u"for newer ones"_s});
    }
    QCOMPARE(wakes, 1);
    const auto entries = inbox.takeAll().entries;
    QCOMPARE(entries.size(), size_t(Inbox::MostTold));
    int rejected = 0;
    int discarded = 0;
    QString lastReason;
    for (const Inbox::Entry &entry : entries) {
        if (const auto *notice = entry.as<Notice::Rejected>()) {
            QVERIFY(notice->count == 1 || notice->reason == QString::number(count - 1));
            rejected += notice->count;
            lastReason = notice->reason;
        } else {
            discarded += entry.as<Notice::Discarded>()->count;
        }
    }
    QCOMPARE(rejected, count);
    QCOMPARE(discarded, count);
    QCOMPARE(lastReason, QString::number(count - 1));
}

// Whoever takes and does not handle has one more each time, and no more.
void TestInbox::q3_whatIsToldIsBoundedUntilHandled()
{
    Inbox inbox;
    const auto tellMany = [&] {
        for (int i = 0; i < 2 * Inbox::MostTold; ++i)
            inbox.tell(Notice::Rejected{u"full"_s});
        return inbox.takeAll().entries;
    };
    const auto first = tellMany();
    QCOMPARE(first.size(), size_t(Inbox::MostTold));
    const auto second = tellMany();
    QCOMPARE(second.size(), 1u);
    QCOMPARE(second[0].as<Notice::Rejected>()->count, 2 * Inbox::MostTold);
    for (const Inbox::Entry &entry : first)
        inbox.handled(*entry.other);
    inbox.handled(*second[0].other);
    QCOMPARE(tellMany().size(), size_t(Inbox::MostTold));
}

// The app has said that it comes by itself.
void TestInbox::aHeldInboxWakesNobody()
{
    Inbox inbox;
    int wakes = 0;
    inbox.setWake([&] { ++wakes; });
    inbox.hold(Inbox::Hold::Everything);
    inbox.push(0, Transition{});
    QCOMPARE(wakes, 0);
    QCOMPARE(inbox.takeAll().entries.size(), 1u);
    inbox.push(0, Transition{});
    QCOMPARE(wakes, 1);
}

// What nobody hears waits for the app, what somebody hears does not.
void TestInbox::whatCanWaitMayBeHeldAlone()
{
    Inbox inbox;
    inbox.setHistoryLimit(10);
    int wakes = 0;
    inbox.setWake([&] { ++wakes; });
    inbox.hold(Inbox::Hold::WhatCanWait);
    inbox.push(0, received("{}", Audience::Nobody));
    inbox.push(0, received("{}", Audience::Newest, internType("a")));
    inbox.record(0, Message::fromText("{}", {}, Message::Outgoing));
    QCOMPARE(wakes, 0);
    inbox.push(0, received("{}", Audience::Each));
    inbox.push(0, received("{}", Audience::Each));
    QCOMPARE(wakes, 1);
    QCOMPARE(inbox.takeAll().entries.size(), 4u);
    inbox.push(0, received("{}", Audience::Nobody));
    QCOMPARE(wakes, 2);
    inbox.hold(Inbox::Hold::WhatCanWait); // too late: the app has been woken
    inbox.push(0, received("{}", Audience::Each));
    QCOMPARE(wakes, 2);
}

// Only the last of a type is for those who take the newest, while it waits here.
void TestInbox::theNewestTakesThePlaceOfOlderOnes()
{
    Inbox inbox;
    const QString *a = internType("a");
    const QString *b = internType("b");
    const auto push = [&](const QString *type, quint32 interest) {
        inbox.push(0, received("{}", Audience::Newest, type, interest));
    };
    const auto audiences = [&] {
        QList<int> list;
        for (const auto &entry : inbox.takeAll().entries)
            list.append(int(entry.audience));
        return list;
    };
    const int newest = int(Audience::Newest);
    const int nobody = int(Audience::Nobody);
    push(a, 1);
    push(b, 1);
    push(a, 1);
    push(a, 1);
    QCOMPARE(audiences(), QList({nobody, newest, nobody, newest}));
    push(a, 1); // nothing waits any more
    QCOMPARE(audiences(), QList({newest}));
    push(a, 1);
    push(a, 2); // who knows whether the same ones take it
    QCOMPARE(audiences(), QList({newest, newest}));
}

void TestInbox::m7_theNewestAreRecordedInOrder()
{
    Inbox inbox;
    inbox.setHistoryLimit(3);
    const quint32 generation = inbox.beginGeneration();
    for (int n = 0; n < 100; ++n) {
        const QByteArray text = QByteArray::number(n);
        if (n % 2)
            inbox.push(generation, received(text, Audience::Nobody));
        else
            inbox.record(8, Message::fromText(text, {}, Message::Outgoing));
    }
    const Inbox::Contents contents = inbox.takeAll();
    QCOMPARE(contents.entries.size(), 50u); // what was received is never dropped
    QCOMPARE(contents.records.size(), 3u);
    int expected = 97;
    for (const auto &record : contents.records) {
        QCOMPARE(record.counted.message.bytes().toInt(), expected);
        QCOMPARE(record.isSent, expected % 2 == 0);
        QCOMPARE(record.generation, expected % 2 ? generation : 8u);
        ++expected;
    }
    inbox.setHistoryLimit(0);
    inbox.push(generation, received("1", Audience::Nobody));
    inbox.record(8, Message::fromText("2", {}, Message::Outgoing));
    QVERIFY(inbox.takeAll().records.empty());
}

void TestInbox::m7_theHistorysMayBeLeft()
{
    Inbox inbox;
    inbox.setHistoryLimit(3);
    int wakes = 0;
    inbox.setWake([&] { ++wakes; });
    inbox.record(0, Message::fromText("1", {}, Message::Outgoing));
    QCOMPARE(wakes, 1);
    QVERIFY(!inbox.takeAll(Inbox::Records::Left).isHistoryOutdated);
    inbox.recordText(0, "2");
    inbox.push(0, received("3", Audience::Each));
    QCOMPARE(wakes, 2); // for what was received
    const Inbox::Contents contents = inbox.takeAll(Inbox::Records::Left);
    QVERIFY(contents.isHistoryOutdated);
    QCOMPARE(contents.entries.size(), 1u);
    QVERIFY(contents.records.empty());
    const auto records = inbox.takeRecords();
    QCOMPARE(records.size(), 3u);
    for (int i = 0; i < 3; ++i)
        QCOMPARE(records[size_t(i)].counted.message.bytes().toInt(), i + 1);
    inbox.recordText(0, "4"); // somebody has asked
    QCOMPARE(wakes, 3);
    QVERIFY(!inbox.takeAll().isHistoryOutdated);
}

void TestInbox::o2_aNewGenerationsHistory()
{
    Inbox inbox;
    inbox.setHistoryLimit(10);
    inbox.push(inbox.generation(), received("1", Audience::Each));
    inbox.recordText(0, "2");
    const quint32 before = inbox.generation();
    const quint32 now = inbox.beginGeneration();
    inbox.push(before, received("3", Audience::Each));
    inbox.push(now, received("4", Audience::Each));
    QByteArrayList all;
    for (const auto &record : inbox.takeRecords())
        all.append(record.counted.message.bytes());
    QCOMPARE(all, (QByteArrayList{"2", "4"}));
}

// What nobody hears is let go of where it was made, and so is the room for it.
void TestInbox::whatIsGivenBackIsUsedAgain()
{
    const auto pool = std::make_shared<MessagePool>();
    Inbox inbox(pool);
    const auto make = [&] {
        Decoded former;
        return pool->text("{}", nullptr, &former);
    };
    inbox.push(0, make());
    std::vector<Inbox::Entry> entries = inbox.takeAll().entries;
    const Inbox::Entry *const room = entries.data();
    const MessageData *const made = &MessageData::of(entries[0].message);
    entries[0].other = std::make_unique<Inbox::Event>(Transition{}); // what else was in it goes as well
    inbox.giveBack(std::move(entries));
    inbox.push(0, make()); // which was made before they were taken back
    const Message next = make();
    QCOMPARE(&MessageData::of(next), made);
    (void)inbox.takeAll();
    inbox.push(0, next);
    entries = inbox.takeAll().entries;
    QCOMPARE(entries.data(), room);
    QCOMPARE(entries.size(), 1u);
}

void TestInbox::wakesOnceUntilTaken()
{
    Inbox inbox;
    int wakes = 0;
    inbox.setWake([&] { ++wakes; });
    QCOMPARE(wakes, 0);
    inbox.push(0, Transition{});
    inbox.push(0, Transition{});
    inbox.poke();
    QCOMPARE(wakes, 1);
    (void)inbox.takeAll();
    inbox.poke();
    QCOMPARE(wakes, 2);
    (void)inbox.takeAll();
    QCOMPARE(wakes, 2);
    inbox.setWake({});
    inbox.push(0, Transition{});
    QCOMPARE(wakes, 2);
}

void TestInbox::wakesForWhatWaitedBefore()
{
    Inbox inbox;
    inbox.push(0, Transition{});
    int wakes = 0;
    inbox.setWake([&] { ++wakes; });
    QCOMPARE(wakes, 1);
}

void TestInbox::m8_pendingBytesUntilHandled()
{
    Inbox inbox;
    inbox.push(0, Message::fromText(QByteArray(1000, 'x'), {}, Message::Incoming));
    inbox.push(0, Message::fromBinary(QByteArray(500, 'x'), Message::Incoming));
    inbox.push(0, Notice::ParseError{QByteArray(200, 'x'), u"why"_s});
    inbox.push(0, Transition{});
    const qint64 pending = inbox.pendingBytes();
    QVERIFY(pending >= 1700);
    const auto entries = inbox.takeAll().entries;
    QCOMPARE(inbox.pendingBytes(), pending); // taken is not handled
    qint64 sum = 0;
    for (const auto &entry : entries) {
        sum += entry.cost;
        inbox.handled(entry.cost);
        QCOMPARE(inbox.pendingBytes(), pending - sum);
    }
    QCOMPARE(inbox.pendingBytes(), 0);
    // A flood of empty messages costs memory too.
    QVERIFY(Inbox::costOf(Message::fromText({}, {}, Message::Incoming)) > 0);
}

void TestInbox::m8_whatWeSendDoesNotCount()
{
    Inbox inbox;
    inbox.setHistoryLimit(5);
    inbox.record(0, Message::fromText(QByteArray(1000, 'x'), {}, Message::Outgoing));
    inbox.push(0, Notice::Discarded{1, {}});
    QCOMPARE(inbox.pendingBytes(), 0);
}

void TestInbox::m8_roomIsToldOfOnce()
{
    Inbox inbox;
    QVERIFY(!inbox.takeRoomAgain());
    inbox.askForRoom(100);
    inbox.push(0, Message::fromBinary(QByteArray(5000, 'x'), Message::Incoming));
    QVERIFY(!inbox.takeRoomAgain());
    for (const auto &entry : inbox.takeAll().entries)
        inbox.handled(entry.cost);
    QVERIFY(inbox.takeRoomAgain());
    QVERIFY(!inbox.takeRoomAgain());
}

// A producer that waits for room as the engine does, and a consumer that looks only when it is woken.
void TestInbox::m8_everyPauseEnds()
{
    constexpr int count = 20'000;
    constexpr qint64 most = 2000;
    Inbox inbox;
    QSemaphore wakes;
    QSemaphore resumes;
    inbox.setWake([&] { wakes.release(); });
    std::thread producer([&] {
        for (int i = 0; i < count; ++i) {
            const Message message = Message::fromBinary(QByteArray(300, 'x'), Message::Incoming);
            const bool isFull = inbox.pendingBytes() + Inbox::costOf(message) > most;
            if (isFull)
                inbox.askForRoom(most / 2);
            inbox.push(0, message);
            if (isFull && !resumes.tryAcquire(1, 30'000))
                return;
        }
    });
    int seen = 0;
    while (seen < count && wakes.tryAcquire(1, 30'000)) {
        for (const auto &entry : inbox.takeAll().entries) {
            inbox.handled(entry.cost);
            ++seen;
        }
        if (inbox.takeRoomAgain())
            resumes.release();
    }
    producer.join();
    QCOMPARE(seen, count);
}

void TestInbox::manyProducers()
{
    constexpr int producers = 4;
    constexpr int each = 5'000;
    Inbox inbox;
    std::atomic<int> wakes{0};
    inbox.setWake([&] { ++wakes; });
    std::atomic<int> running{producers};
    std::vector<std::thread> threads;
    threads.reserve(producers);
    for (int id = 0; id < producers; ++id) {
        threads.emplace_back([&, id] {
            for (int i = 0; i < each; ++i)
                inbox.push(quint32(id), Message::fromBinary(QByteArray::number(i), Message::Incoming));
            --running;
        });
    }
    int taken = 0;
    int batches = 0;
    bool inOrder = true;
    QList<int> last(producers, -1);
    for (bool done = false; !done;) {
        done = running.load() == 0;
        const auto entries = inbox.takeAll().entries;
        batches += entries.empty() ? 0 : 1;
        for (const auto &entry : entries) {
            ++taken;
            const int number = entry.as<Message>()->bytes().toInt();
            inOrder &= number == last.at(int(entry.generation)) + 1;
            last[int(entry.generation)] = number;
            inbox.handled(entry.cost);
        }
        std::this_thread::yield();
    }
    for (auto &thread : threads)
        thread.join();
    QVERIFY(inOrder);
    QCOMPARE(taken, producers * each);
    QCOMPARE(inbox.pendingBytes(), 0);
    QCOMPARE(wakes.load(), batches); // one for each time that it turned non-empty
}

QTEST_GUILESS_MAIN(TestInbox)
#include "tst_inbox.moc"
