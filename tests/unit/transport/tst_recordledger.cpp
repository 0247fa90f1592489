// SPDX-License-Identifier: MIT
#include "transport/recordledger.h"

#include <QTest>

using namespace Everwire;

namespace {

constexpr qint64 Whole = RecordLedger::LargestRecord;

} // namespace

// What has left of a stream over TLS (rule Q1).
class TestRecordLedger : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void q1_partOfARecordIsNone();
    void q1_recordsMadeTogetherAreToldApart();
    void q1_recordsThatCannotBeToldApartCountAsOne();
    void whatIsForgottenIsKnownToHaveLeft();
};

void TestRecordLedger::q1_partOfARecordIsNone()
{
    RecordLedger ledger;
    ledger.add(100, 122, 0);
    ledger.add(300, 344, 0);
    QCOMPARE(ledger.plainEnd(), 300);
    QCOMPARE(ledger.plainBefore(0), 0);
    QCOMPARE(ledger.plainBefore(121), 0);
    QCOMPARE(ledger.plainBefore(122), 100);
    QCOMPARE(ledger.plainBefore(343), 100);
    QCOMPARE(ledger.plainBefore(344), 300);
    QCOMPARE(ledger.plainBefore(10'000), 300);
}

void TestRecordLedger::q1_recordsMadeTogetherAreToldApart()
{
    constexpr qint64 overhead = 22;
    RecordLedger ledger;
    ledger.add(10, 10 + overhead, 0);
    const qint64 before = 10 + overhead;
    ledger.add(10 + 3 * Whole, before + 3 * (Whole + overhead), 3);
    QCOMPARE(ledger.size(), 4);
    for (qint64 i = 1; i <= 3; ++i) {
        QCOMPARE(ledger.plainBefore(before + i * (Whole + overhead) - 1), 10 + (i - 1) * Whole);
        QCOMPARE(ledger.plainBefore(before + i * (Whole + overhead)), 10 + i * Whole);
    }
}

void TestRecordLedger::q1_recordsThatCannotBeToldApartCountAsOne()
{
    for (const auto &[plain, encrypted, records] :
         {std::tuple<qint64, qint64, qint64>{2 * Whole, 2 * Whole + 45, 2},
          {2 * Whole + 1, 2 * Whole + 66, 2},
          {Whole - 1, Whole + 21, 0}}) {
        RecordLedger ledger;
        ledger.add(plain, encrypted, records);
        QCOMPARE(ledger.size(), 1);
        QCOMPARE(ledger.plainBefore(encrypted - 1), 0);
        QCOMPARE(ledger.plainBefore(encrypted), plain);
    }
}

void TestRecordLedger::whatIsForgottenIsKnownToHaveLeft()
{
    RecordLedger ledger;
    for (qint64 i = 1; i <= 10; ++i)
        ledger.add(i * 100, i * 122, 0);
    ledger.forgetBefore(4 * 122 + 5);
    QCOMPARE(ledger.size(), 6);
    QCOMPARE(ledger.plainBefore(5 * 122 - 1), 400);
    QCOMPARE(ledger.plainBefore(10 * 122), 1000);
    QCOMPARE(ledger.plainEnd(), 1000);
}

QTEST_GUILESS_MAIN(TestRecordLedger)
#include "tst_recordledger.moc"
