// SPDX-License-Identifier: MIT
#include "engine/inbox.h"

#include <QSemaphore>
#include <QTest>

#include <atomic>
#include <thread>

using namespace Everwire;
using namespace Qt::StringLiterals;

class TestInbox : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void m1_oneOrderForEverything();
    void wakesOnceUntilTaken();
    void wakesForWhatWaitedBefore();
    void m8_pendingBytesUntilHandled();
    void m8_whatWeSendDoesNotCount();
    void m8_recordsOfWhatWasSentAreBounded();
    void q3_whatIsToldIsBounded();
    void q3_whatIsToldIsBoundedUntilHandled();
    void m8_roomIsToldOfOnce();
    void m8_everyPauseEnds();
    void aHeldInboxWakesNobody();
    void m7_whatIsRecycledIsFreedWithTheNext();
    void manyProducers();
};

void TestInbox::m1_oneOrderForEverything()
{
    Inbox inbox;
    inbox.push(1, Transition{});
    inbox.push(1, Message::fromText("{}", {}, Message::Incoming));
    inbox.push(2, Notice::Discarded{3, u"why"_s});
    const auto entries = inbox.takeAll();
    QCOMPARE(entries.size(), 3u);
    QVERIFY(entries[0].as<Transition>());
    QVERIFY(entries[1].as<Message>());
    QCOMPARE(entries[2].as<Notice::Discarded>()->count, 3);
    QCOMPARE(entries[1].generation, 1u);
    QCOMPARE(entries[2].generation, 2u);
    QVERIFY(inbox.takeAll().empty());
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
    const auto entries = inbox.takeAll();
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
        return inbox.takeAll();
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
    inbox.hold();
    inbox.push(0, Transition{});
    QCOMPARE(wakes, 0);
    QCOMPARE(inbox.takeAll().size(), 1u);
    inbox.push(0, Transition{});
    QCOMPARE(wakes, 1);
}

void TestInbox::m7_whatIsRecycledIsFreedWithTheNext()
{
    Inbox inbox;
    const auto isShared = [](const QByteArray &bytes) { return !bytes.isDetached(); };
    const QByteArray small(100, 'x');
    std::vector<Message> messages{Message::fromBinary(small, Message::Incoming)};
    inbox.recycle(std::move(messages));
    QVERIFY(isShared(small));
    inbox.push(0, Transition{});
    QVERIFY(!isShared(small));

    // Large ones would lie there for as long as nothing comes.
    const QByteArray large(2 * 1024 * 1024, 'x');
    {
        std::vector<Message> more{Message::fromBinary(large, Message::Incoming)};
        inbox.recycle(std::move(more));
    }
    QVERIFY(!isShared(large));
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
    const auto entries = inbox.takeAll();
    QCOMPARE(inbox.pendingBytes(), pending); // taken is not handled
    qint64 sum = 0;
    for (const auto &entry : entries) {
        sum += Inbox::costOf(entry);
        inbox.handled(Inbox::costOf(entry));
        QCOMPARE(inbox.pendingBytes(), pending - sum);
    }
    QCOMPARE(inbox.pendingBytes(), 0);
    // A flood of empty messages costs memory too.
    QVERIFY(Inbox::costOf(Message::fromText({}, {}, Message::Incoming)) > 0);
}

void TestInbox::m8_whatWeSendDoesNotCount()
{
    Inbox inbox;
    inbox.push(0, Message::fromText(QByteArray(1000, 'x'), {}, Message::Outgoing));
    inbox.push(0, Notice::Discarded{1, {}});
    QCOMPARE(inbox.pendingBytes(), 0);
}

void TestInbox::m8_recordsOfWhatWasSentAreBounded()
{
    Inbox inbox;
    const auto record = [&inbox](int n) {
        inbox.record(0, Message::fromText(QByteArray::number(n), u"n"_s, Message::Outgoing), 5);
    };
    inbox.push(1, Transition{});
    for (int n = 0; n < 10'000; ++n) {
        if (n == 5'000)
            inbox.push(1, Message::fromText("in", {}, Message::Incoming));
        record(n);
    }
    auto entries = inbox.takeAll();
    QVERIFY(entries.size() >= 2u + 5u && entries.size() <= 2u + 10u);
    QVERIFY(entries[0].as<Transition>()); // what was received is never dropped
    QCOMPARE(entries[1].as<Message>()->bytes(), QByteArray("in"));
    const int kept = int(entries.size()) - 2;
    for (int i = 0; i < kept; ++i)
        QCOMPARE(entries[size_t(2 + i)].as<Message>()->bytes().toInt(), 10'000 - kept + i);
    record(1);
    QCOMPARE(inbox.takeAll().size(), 1u);
}

void TestInbox::m8_roomIsToldOfOnce()
{
    Inbox inbox;
    QVERIFY(!inbox.takeRoomAgain());
    inbox.askForRoom(100);
    inbox.push(0, Message::fromBinary(QByteArray(5000, 'x'), Message::Incoming));
    QVERIFY(!inbox.takeRoomAgain());
    for (const auto &entry : inbox.takeAll())
        inbox.handled(Inbox::costOf(entry));
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
        for (const auto &entry : inbox.takeAll()) {
            inbox.handled(Inbox::costOf(entry));
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
        const auto entries = inbox.takeAll();
        batches += entries.empty() ? 0 : 1;
        for (const auto &entry : entries) {
            ++taken;
            const int number = entry.as<Message>()->bytes().toInt();
            inOrder &= number == last.at(int(entry.generation)) + 1;
            last[int(entry.generation)] = number;
            inbox.handled(Inbox::costOf(entry));
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
