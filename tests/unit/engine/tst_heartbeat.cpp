// SPDX-License-Identifier: MIT
#include "engine/heartbeat.h"
#include "engine/qtscheduler.h"
#include "testkit/manualscheduler.h"

#include <QTest>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

struct Watched
{
    explicit Watched(const ConnectionConfig &config = {})
        : heartbeat(
              std::make_unique<Heartbeat>(scheduler, config,
                                          Heartbeat::Callbacks{[this] { pings.append(scheduler.now()); },
                                                               [this] { deaths.append(scheduler.now()); }}))
    {
    }

    ManualScheduler scheduler;
    QList<std::chrono::milliseconds> pings;
    QList<std::chrono::milliseconds> deaths;
    std::unique_ptr<Heartbeat> heartbeat;
};

} // namespace

class TestHeartbeat : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void h1_pingsAfterTheInterval();
    void h1_trafficPutsThePingOff();
    void h1_anAnswerAtTheLastMoment();
    void h1_deadOnceAfterTheTimeout();
    void h1_burstsCostNoTimers();
    void h1_off();
    void h1_restsWhileReadingIsPaused();
    void h1_mayEndInsideItsCallbacks_data();
    void h1_mayEndInsideItsCallbacks();
    void h1_endsWithItsTimer();
    void a9_aWaitOfWeeksIsNoShortOne();
};

void TestHeartbeat::h1_pingsAfterTheInterval()
{
    Watched watched(ConnectionConfig().setPingInterval(100ms).setPongTimeout(30ms));
    for (int i = 0; i < 3; ++i) {
        watched.scheduler.advance(100ms);
        watched.heartbeat->alive(); // at once
    }
    QCOMPARE(watched.pings, (QList<std::chrono::milliseconds>{100ms, 200ms, 300ms}));
    QVERIFY(watched.deaths.isEmpty());
}

void TestHeartbeat::h1_trafficPutsThePingOff()
{
    Watched watched;
    watched.scheduler.advance(1s);
    watched.heartbeat->alive();
    watched.scheduler.advance(23s);
    watched.heartbeat->alive(); // at 24 s
    watched.scheduler.advance(24'999ms);
    QVERIFY(watched.pings.isEmpty());
    watched.scheduler.advance(1ms);
    QCOMPARE(watched.pings, QList<std::chrono::milliseconds>{49s});
}

void TestHeartbeat::h1_anAnswerAtTheLastMoment()
{
    Watched watched;
    watched.scheduler.advance(34'999ms);
    watched.heartbeat->alive();
    watched.scheduler.advance(24'999ms);
    QVERIFY(watched.deaths.isEmpty());
    QCOMPARE(watched.pings.size(), 1);
    watched.scheduler.advance(1ms);
    QCOMPARE(watched.pings.last(), 34'999ms + 25s);
}

void TestHeartbeat::h1_deadOnceAfterTheTimeout()
{
    Watched watched;
    watched.scheduler.advance(1h);
    QCOMPARE(watched.pings, QList<std::chrono::milliseconds>{25s});
    QCOMPARE(watched.deaths, QList<std::chrono::milliseconds>{35s});
}

void TestHeartbeat::h1_burstsCostNoTimers()
{
    Watched watched;
    for (int i = 0; i < 1000; ++i)
        watched.heartbeat->alive();
    QCOMPARE(watched.scheduler.pending(), 1);
}

void TestHeartbeat::h1_off()
{
    Watched watched(ConnectionConfig().setHeartbeat(ConnectionConfig::Heartbeat::Off));
    watched.heartbeat->alive();
    QCOMPARE(watched.scheduler.pending(), 0);
}

void TestHeartbeat::h1_restsWhileReadingIsPaused()
{
    Watched watched(ConnectionConfig().setPingInterval(100ms).setPongTimeout(30ms));
    watched.scheduler.advance(110ms); // a ping is out
    watched.heartbeat->pause();
    watched.scheduler.advance(1h);
    QCOMPARE(watched.pings.size(), 1);
    QVERIFY(watched.deaths.isEmpty());

    const std::chrono::milliseconds resumed = watched.scheduler.now();
    watched.heartbeat->resume();
    watched.scheduler.advance(1s);
    QCOMPARE(watched.pings.size(), 2);
    QCOMPARE(watched.pings[1], resumed + 100ms);
    QCOMPARE(watched.deaths, QList<std::chrono::milliseconds>{resumed + 130ms});

    Watched off(ConnectionConfig().setHeartbeat(ConnectionConfig::Heartbeat::Off));
    off.heartbeat->pause();
    off.heartbeat->resume();
    off.scheduler.advance(1h);
    QVERIFY(off.pings.isEmpty());
}

void TestHeartbeat::h1_mayEndInsideItsCallbacks_data()
{
    QTest::addColumn<bool>("inPing");
    QTest::newRow("ping") << true;
    QTest::newRow("dead") << false;
}

void TestHeartbeat::h1_mayEndInsideItsCallbacks()
{
    QFETCH(bool, inPing);
    ManualScheduler scheduler;
    std::unique_ptr<Heartbeat> heartbeat;
    // What a callback holds must outlive the heartbeat for as long as it runs.
    const auto held = std::make_shared<int>(0);
    const auto end = [&heartbeat, held] {
        heartbeat.reset();
        *held += int(held.use_count() > 1);
    };
    const auto nothing = [] {};
    heartbeat = std::make_unique<Heartbeat>(scheduler, ConnectionConfig(),
                                            inPing ? Heartbeat::Callbacks{end, nothing}
                                                   : Heartbeat::Callbacks{nothing, end});
    scheduler.advance(1h);
    QVERIFY(!heartbeat);
    QCOMPARE(*held, 1);
    QCOMPARE(scheduler.pending(), 0);
}

void TestHeartbeat::h1_endsWithItsTimer()
{
    Watched watched;
    watched.heartbeat.reset();
    QCOMPARE(watched.scheduler.pending(), 0);
}

// A QTimer's interval has 31 bits of milliseconds.
void TestHeartbeat::a9_aWaitOfWeeksIsNoShortOne()
{
    QtScheduler scheduler;
    QStringList called;
    const auto call = [&called](const QString &name) { return [&called, name] { called.append(name); }; };
    const auto weeks = scheduler.after(24h * 60, call(QStringLiteral("weeks")));
    const auto years = scheduler.after(24h * 365 * 8000, call(QStringLiteral("years")));
    const auto past = scheduler.after(-24h * 60, call(QStringLiteral("past")));
    const auto soon = scheduler.after(1ms, call(QStringLiteral("soon")));
    QTRY_COMPARE(called, (QStringList{QStringLiteral("past"), QStringLiteral("soon")}));
}

QTEST_GUILESS_MAIN(TestHeartbeat)
#include "tst_heartbeat.moc"
