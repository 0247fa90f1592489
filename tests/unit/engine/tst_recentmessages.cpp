// SPDX-License-Identifier: MIT
#include "engine/recentmessages.h"

#include <QRandomGenerator>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;

class TestRecentMessages : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void m7_theNewestOldestFirst_data();
    void m7_theNewestOldestFirst();
    void m7_howManyAreKeptChanges();
    void m7_sentTexts();
    void m7_whatIsTooOldIsUsedAgain();
    void o2_receivedOnesAreForgotten();
    void m7_bytesAreBounded();
    void m7_whatIsTooLargeIsNotKept();
    void m7_randomWalk();
};

namespace {

void addReceived(RecentMessages &recent, int number, int keep)
{
    recent.add({{Message::fromText(QByteArray::number(number), {}, Message::Incoming), 1}, 0, false}, keep);
}

QByteArray take(RecentMessages &recent)
{
    QByteArrayList all;
    for (const auto &record : recent.take())
        all.append((record.isSent ? "s" : "") + record.counted.message.bytes());
    return all.join(' ');
}

} // namespace

void TestRecentMessages::m7_theNewestOldestFirst_data()
{
    QTest::addColumn<int>("count");
    QTest::addColumn<QByteArray>("kept");
    QTest::newRow("none") << 0 << QByteArray();
    QTest::newRow("fewer") << 2 << QByteArray("0 1");
    QTest::newRow("as many") << 3 << QByteArray("0 1 2");
    QTest::newRow("one more") << 4 << QByteArray("1 2 3");
    QTest::newRow("many more") << 1001 << QByteArray("998 999 1000");
}

void TestRecentMessages::m7_theNewestOldestFirst()
{
    QFETCH(const int, count);
    QFETCH(const QByteArray, kept);
    RecentMessages recent;
    for (int i = 0; i < count; ++i) {
        addReceived(recent, i, 3);
        QVERIFY(recent.size() <= 3);
    }
    QCOMPARE(take(recent), kept);
    QCOMPARE(take(recent), QByteArray());
    addReceived(recent, 7, 3);
    QCOMPARE(take(recent), QByteArray("7"));
}

void TestRecentMessages::m7_howManyAreKeptChanges()
{
    RecentMessages recent;
    for (int i = 0; i < 5; ++i)
        addReceived(recent, i, 3);
    addReceived(recent, 5, 5);
    addReceived(recent, 6, 5);
    addReceived(recent, 7, 5);
    addReceived(recent, 8, 2);
    QCOMPARE(take(recent), QByteArray("7 8"));
}

void TestRecentMessages::m7_sentTexts()
{
    RecentMessages recent;
    recent.addSentText(7, "a much longer text", 300, 2);
    const quint64 number = nextMessageNumber();
    recent.addSentText(7, "", 256, 2);
    recent.addSentText(8, "short", 261, 2); // in the first one's place
    const auto records = recent.take();
    QCOMPARE(records.size(), 2U);
    const MessageData &empty = MessageData::of(records[0].counted.message);
    const MessageData &last = MessageData::of(records[1].counted.message);
    QCOMPARE(empty.bytes, QByteArray());
    QCOMPARE(last.bytes, QByteArray("short"));
    QCOMPARE(last.direction, Message::Outgoing);
    QVERIFY(!last.isBinary && last.type().isEmpty());
    QVERIFY(number < empty.sequence && empty.sequence < last.sequence);
    QVERIFY(qAbs(QDateTime::currentMSecsSinceEpoch() - last.timestamp) < 60'000);
    QVERIFY(records[1].isSent);
    QCOMPARE(records[1].generation, 8U);
    QCOMPARE(records[1].counted.cost, 261);
}

void TestRecentMessages::m7_whatIsTooOldIsUsedAgain()
{
    const auto pool = std::make_shared<MessagePool>();
    RecentMessages recent(pool);
    QSet<const MessageData *> made;
    constexpr int count = 1000;
    for (int i = 0; i < count; ++i) {
        Decoded former;
        Message message = pool->text("{}", nullptr, &former);
        made.insert(&MessageData::of(message));
        recent.add({{std::move(message), 300}, 0, false}, 10);
    }
    QVERIFY2(made.size() < count / 5, qPrintable(QString::number(made.size())));
}

void TestRecentMessages::o2_receivedOnesAreForgotten()
{
    RecentMessages recent;
    for (int i = 0; i < 4; ++i) {
        addReceived(recent, i, 5);
        recent.addSentText(0, QByteArray::number(i), 1, 5);
    }
    recent.forgetReceived();
    QCOMPARE(take(recent), QByteArray("s1 s2 s3"));
}

void TestRecentMessages::m7_bytesAreBounded()
{
    RecentMessages recent;
    QVERIFY(!recent.hasDropped());
    const auto add = [&](int number, qint64 cost) {
        recent.add({{Message::fromText(QByteArray::number(number), {}, Message::Incoming), cost}, 0, false},
                   100, 1000);
        QVERIFY(recent.bytes() <= 1000);
    };
    for (int i = 0; i < 10; ++i)
        add(i, 100);
    QCOMPARE(recent.bytes(), 1000);
    QVERIFY(!recent.hasDropped());
    add(10, 250); // for which three go
    QVERIFY(recent.hasDropped());
    QCOMPARE(recent.bytes(), 950);
    recent.addSentText(0, "11", 1000, 100, 1000);
    QCOMPARE(take(recent), QByteArray("s11"));
    QVERIFY(!recent.hasDropped());
    QCOMPARE(recent.bytes(), 0);
}

void TestRecentMessages::m7_whatIsTooLargeIsNotKept()
{
    RecentMessages recent;
    recent.addSentText(0, "0", 300, 10, 1000);
    recent.add({{Message::fromText("1", {}, Message::Incoming), 1001}, 0, false}, 10, 1000);
    recent.addSentText(0, "2", 1001, 10, 1000);
    recent.addSentText(0, "3", 700, 10, 1000);
    QCOMPARE(take(recent), QByteArray("s0 s3"));
}

// Beside a list that does the same in the plainest way.
void TestRecentMessages::m7_randomWalk()
{
    QRandomGenerator random(20261127);
    RecentMessages recent;
    QByteArrayList expected;
    int keep = 5;
    qint64 keepBytes = 100;
    const auto bytesOf = [](const QByteArrayList &list) { return qint64(list.join().size()); };
    for (int i = 0; i < 20'000; ++i) {
        switch (random.bounded(40)) {
        case 0: keep = 1 + random.bounded(20); break;
        case 1:
            QCOMPARE(take(recent), expected.join(' '));
            expected.clear();
            break;
        case 2:
            recent.forgetReceived();
            expected.erase(std::remove_if(expected.begin(), expected.end(),
                                          [](const QByteArray &one) { return !one.startsWith('s'); }),
                           expected.end());
            break;
        case 3: keepBytes = random.bounded(300); break;
        default: {
            const bool isSent = random.bounded(2) == 0;
            const QByteArray text = QByteArray::number(i).rightJustified(1 + random.bounded(30), '0');
            const QByteArray shown = (isSent ? "s" : "") + text;
            if (isSent)
                recent.addSentText(0, text, shown.size(), keep, keepBytes);
            else
                recent.add({{Message::fromText(text, {}, Message::Incoming), shown.size()}, 0, false}, keep,
                           keepBytes);
            if (shown.size() > keepBytes)
                break;
            expected.append(shown);
            while (expected.size() > keep || bytesOf(expected) > keepBytes)
                expected.removeFirst();
            QCOMPARE(recent.bytes(), bytesOf(expected));
        }
        }
    }
    QCOMPARE(take(recent), expected.join(' '));
}

QTEST_GUILESS_MAIN(TestRecentMessages)
#include "tst_recentmessages.moc"
