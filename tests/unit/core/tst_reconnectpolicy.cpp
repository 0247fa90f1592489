// SPDX-License-Identifier: MIT
#include "core/reconnectpolicy.h"

#include <QTest>

#include <cmath>
#include <limits>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

// The largest number that a random source in [0, 1) gives.
const double AlmostOne = std::nextafter(1.0, 0.0);

} // namespace

class TestReconnectPolicy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void r1_exactSeries();
    void r1_otherDelays();
    void r1_hugeAttempts_data();
    void r1_hugeAttempts();
    void r1_zeroAndExtremeDelays();
    void r2_bounds();
    void r2_neverAboveTheLimit();
    void r2_fullJitter();
    void r3_attempts();
    void r6_retries();
};

void TestReconnectPolicy::r1_exactSeries()
{
    const ReconnectPolicy policy(ConnectionConfig().setReconnectJitter(0));
    const QList<std::chrono::milliseconds> expected{1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s};
    for (const double random : {0.0, 0.3, AlmostOne}) {
        for (int i = 0; i < expected.size(); ++i)
            QCOMPARE(policy.delay(i + 1, random), expected.at(i));
    }
}

void TestReconnectPolicy::r1_otherDelays()
{
    const ReconnectPolicy policy(
        ConnectionConfig().setReconnectJitter(0).setInitialReconnectDelay(150ms).setMaxReconnectDelay(1s));
    QCOMPARE(policy.delay(1, 0), 150ms);
    QCOMPARE(policy.delay(2, 0), 300ms);
    QCOMPARE(policy.delay(3, 0), 600ms);
    QCOMPARE(policy.delay(4, 0), 1000ms);
    const ReconnectPolicy capped(
        ConnectionConfig().setReconnectJitter(0).setInitialReconnectDelay(60s).setMaxReconnectDelay(5s));
    QCOMPARE(capped.delay(1, 0), 5s);
}

void TestReconnectPolicy::r1_hugeAttempts_data()
{
    QTest::addColumn<int>("attempt");
    for (const int attempt : {31, 32, 33, 63, 64, 65, 1000, 1075, 100'000, std::numeric_limits<int>::max()})
        QTest::addRow("%d", attempt) << attempt;
}

void TestReconnectPolicy::r1_hugeAttempts()
{
    QFETCH(int, attempt);
    QCOMPARE(ReconnectPolicy(ConnectionConfig().setReconnectJitter(0)).delay(attempt, 0.5), 30s);
    const auto jittered = ReconnectPolicy(ConnectionConfig()).delay(attempt, 0);
    QCOMPARE(jittered, 24s);
}

void TestReconnectPolicy::r1_zeroAndExtremeDelays()
{
    const auto none = ConnectionConfig().setInitialReconnectDelay(0ms);
    QCOMPARE(ReconnectPolicy(none).delay(1, AlmostOne), 0ms);
    QCOMPARE(ReconnectPolicy(none).delay(std::numeric_limits<int>::max(), AlmostOne), 0ms);
    QCOMPARE(ReconnectPolicy(ConnectionConfig().setMaxReconnectDelay(0ms)).delay(3, AlmostOne), 0ms);
    const auto most = std::chrono::milliseconds(std::numeric_limits<int>::max());
    const auto huge = ConnectionConfig().setInitialReconnectDelay(most).setMaxReconnectDelay(most);
    QCOMPARE(ReconnectPolicy(huge).delay(std::numeric_limits<int>::max(), AlmostOne), most);
}

void TestReconnectPolicy::r2_bounds()
{
    const ReconnectPolicy policy{ConnectionConfig()};
    QCOMPARE(policy.delay(1, 0), 800ms);
    QCOMPARE(policy.delay(1, 0.5), 1000ms);
    QCOMPARE(policy.delay(1, AlmostOne), 1200ms);
    QCOMPARE(policy.delay(4, 0), 6400ms);
    QCOMPARE(policy.delay(4, AlmostOne), 9600ms);
    // Above the limit, only downwards.
    QCOMPARE(policy.delay(9, 0), 24s);
    for (int step = 0; step < 1000; ++step) {
        const auto delay = policy.delay(2, step / 1000.0);
        QVERIFY(delay >= 1600ms && delay <= 2400ms);
    }
}

void TestReconnectPolicy::r2_neverAboveTheLimit()
{
    const ReconnectPolicy policy{ConnectionConfig()};
    for (int attempt = 1; attempt < 100; ++attempt)
        QVERIFY(policy.delay(attempt, AlmostOne) <= 30s);
    QCOMPARE(policy.delay(6, AlmostOne), 30s);
}

void TestReconnectPolicy::r2_fullJitter()
{
    const ReconnectPolicy policy(ConnectionConfig().setReconnectJitter(1));
    QCOMPARE(policy.delay(3, 0), 0ms);
    QCOMPARE(policy.delay(3, AlmostOne), 8s);
}

void TestReconnectPolicy::r3_attempts()
{
    const ReconnectPolicy three(ConnectionConfig().setMaxReconnectAttempts(3));
    QVERIFY(three.allows(1));
    QVERIFY(three.allows(3));
    QVERIFY(!three.allows(4));
    QVERIFY(!ReconnectPolicy(ConnectionConfig().setMaxReconnectAttempts(0)).allows(1));
    QVERIFY(ReconnectPolicy(ConnectionConfig().setMaxReconnectAttempts(-1))
                .allows(std::numeric_limits<int>::max()));
    QVERIFY(ReconnectPolicy(ConnectionConfig()).allows(10));
    QVERIFY(!ReconnectPolicy(ConnectionConfig()).allows(11));
}

void TestReconnectPolicy::r6_retries()
{
    const ReconnectPolicy policy(ConnectionConfig().setTerminalCloseCodes({4000, 1001}));
    for (const int code : {0, 1000, 1005, 1006, 1011, 1012, 4001, 4002})
        QVERIFY2(policy.retries(code), qPrintable(QString::number(code)));
    for (const int code : {1001, 1002, 1003, 1007, 1008, 1009, 1010, 4000})
        QVERIFY2(!policy.retries(code), qPrintable(QString::number(code)));
    const ReconnectPolicy never(ConnectionConfig().setAutoReconnect(false));
    for (const int code : {0, 1000, 1006, 4001})
        QVERIFY(!never.retries(code));
}

QTEST_GUILESS_MAIN(TestReconnectPolicy)
#include "tst_reconnectpolicy.moc"
