// SPDX-License-Identifier: MIT
//
// The simulation of docs/reconnecting.md in small: that it counts right, and what the page says of the options.
#include "results.h"

#include <QJsonObject>
#include <QTest>

using namespace Storms;
using namespace std::chrono_literals;

namespace {

// A client that comes at once, once; or each *wait* for ever.
class Plain final : public Backoff
{
public:
    explicit Plain(milliseconds wait, int attempts = -1)
        : Backoff(QStringLiteral("plain")), m_wait(wait), m_attempts(attempts)
    {
    }
    [[nodiscard]] milliseconds wait(int, milliseconds, double, milliseconds asked) const override
    {
        return std::max(m_wait, asked);
    }
    [[nodiscard]] bool allows(int attempt) const override { return m_attempts < 0 || attempt <= m_attempts; }

private:
    milliseconds m_wait;
    int m_attempts;
};

Storm storm(int clients, milliseconds outage)
{
    Storm storm;
    storm.clients = clients;
    storm.outage = outage;
    return storm;
}

Outcome withJitter(const Storm &storm, double jitter, int attempts = -1, milliseconds longest = 30s)
{
    return live(storm, PolicyBackoff({}, Everwire::ConnectionConfig()
                                             .setReconnectJitter(jitter)
                                             .setMaxReconnectAttempts(attempts)
                                             .setMaxReconnectDelay(longest)));
}

constexpr double Usual = 0.2;
constexpr double Better = 0.5; // what docs/reconnecting.md advises large fleets to set

} // namespace

class TestStorms : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyoneIsCounted();
    void theServerAdmitsWhatItMay();
    void refusedAttemptsCount();
    void theSameSeedIsTheSameStorm();
    void r2_jitterSpreadsTheStorm();
    void r2_theAdviceHolds();
    void r3_whoGivesUp();
    void retryAfterIsWaitedFor();
    void figuresAndTables();
};

void TestStorms::everyoneIsCounted()
{
    const auto choices = allOptions();
    for (const Options &options : choices) {
        for (const auto &backoff : backoffs(options)) {
            for (const milliseconds outage : {milliseconds(1s), milliseconds(60s), milliseconds(1h)}) {
                const Storm one = storm(2000, outage);
                const Outcome outcome = live(one, *backoff);
                QVERIFY(outcome.back + outcome.gaveUp <= one.clients);
                QVERIFY(outcome.back == one.clients || outcome.gaveUp > 0);
                QCOMPARE(outcome.nearlyAll.has_value(), outcome.back * 100 >= one.clients * 99);
                QVERIFY(options.attempts < 0 ? outcome.gaveUp == 0 : true);
                QVERIFY(!outcome.half || !outcome.nearlyAll || *outcome.half <= *outcome.nearlyAll);
            }
        }
    }
}

// 500 at once, and 500 a second from there on: 2,000 clients that never wait are back 3 s after the first.
void TestStorms::theServerAdmitsWhatItMay()
{
    const Outcome outcome = live(storm(2000, 0ms), Plain(1ms));
    QCOMPARE(outcome.back, 2000);
    QVERIFY2(*outcome.nearlyAll >= 2960ms && *outcome.nearlyAll <= 3250ms,
             qPrintable(QString::number(outcome.nearlyAll->count())));
    Storm all = storm(2000, 0ms);
    all.admitted = 2000;
    const Outcome atOnce = live(all, Plain(1ms));
    QCOMPARE(atOnce.refused, 0);
    QVERIFY(*atOnce.nearlyAll <= 301ms); // the notice, the wait and the longest way
}

void TestStorms::refusedAttemptsCount()
{
    const Outcome up = live(storm(2000, 0ms), Plain(10ms, 3));
    QCOMPARE(up.back + up.gaveUp, 2000);
    QVERIFY(up.gaveUp > 0 && up.back >= 500);
    // Three times each who gave up, and at most twice who did not.
    QVERIFY(up.refused >= 3 * qint64(up.gaveUp) && up.refused <= 3 * qint64(up.gaveUp) + 2 * qint64(up.back));
    const Outcome down = live(storm(2000, 1h), Plain(10ms, 3));
    QCOMPARE(down.gaveUp, 2000);
    QCOMPARE(down.inVain, 6000);
    QCOMPARE(down.peak, 0);
}

void TestStorms::theSameSeedIsTheSameStorm()
{
    Storm one = storm(3000, 60s);
    const auto config = Everwire::ConnectionConfig();
    const auto told = [&] {
        const Outcome outcome = live(one, PolicyBackoff({}, config));
        return QStringLiteral("%1 %2 %3 %4 %5")
            .arg(outcome.peak)
            .arg(outcome.refused)
            .arg(outcome.inVain)
            .arg(outcome.half->count())
            .arg(outcome.nearlyAll->count());
    };
    const QString first = told();
    QCOMPARE(told(), first);
    one.seed = 2;
    QVERIFY(told() != first);
}

// What jitter is there for, and each step of it.
void TestStorms::r2_jitterSpreadsTheStorm()
{
    const Storm one = storm(10'000, 60s);
    const Outcome none = withJitter(one, 0);
    const Outcome usual = withJitter(one, Usual);
    QVERIFY2(none.peak > 5 * usual.peak, qPrintable(QString::number(double(none.peak) / double(usual.peak))));
    QVERIFY(*none.nearlyAll > 3 * *usual.nearlyAll);
    QVERIFY(none.refused > 10 * usual.refused);
}

void TestStorms::r2_theAdviceHolds()
{
    for (const milliseconds outage : {milliseconds(1s), milliseconds(60s)}) {
        const Outcome usual = withJitter(storm(10'000, outage), Usual);
        const Outcome better = withJitter(storm(10'000, outage), Better);
        QVERIFY(usual.peak > 2 * better.peak);
        QVERIFY(*usual.nearlyAll * 10 > *better.nearlyAll * 15);
    }
    // Nobody can be back sooner than the server admits them.
    const Storm large = storm(200'000, 60s);
    const Outcome often = withJitter(large, Better);
    const Outcome seldom = withJitter(large, Better, -1, 5min);
    QVERIFY(*often.nearlyAll >= 396s - 2s && *often.nearlyAll <= 410s);
    QVERIFY(*seldom.nearlyAll < *often.nearlyAll * 3 / 2);
    QVERIFY2(often.refused > 2 * seldom.refused,
             qPrintable(QStringLiteral("%1 %2").arg(often.refused).arg(seldom.refused)));
}

// Ten attempts last three minutes: an outage of an hour is longer, and so is the queue of a large fleet.
void TestStorms::r3_whoGivesUp()
{
    QCOMPARE(withJitter(storm(10'000, 60s), Usual, 10).gaveUp, 0);
    QCOMPARE(withJitter(storm(10'000, 60s), Usual, 5).gaveUp, 10'000); // notifications
    QCOMPARE(withJitter(storm(10'000, 1h), Usual, 10).gaveUp, 10'000);
    QVERIFY(withJitter(storm(200'000, 60s), Usual, 10).gaveUp > 100'000);
    QCOMPARE(withJitter(storm(200'000, 60s), Usual, -1).gaveUp, 0);
}

void TestStorms::retryAfterIsWaitedFor()
{
    Storm asking = storm(10'000, 1s);
    asking.retryAfter = 20s;
    const Outcome asked = withJitter(asking, 1);
    const Outcome silent = withJitter(storm(10'000, 1s), 1);
    QCOMPARE(asked.back, 10'000);
    QVERIFY2(2 * asked.refused < silent.refused, qPrintable(QString::number(asked.refused)));
}

void TestStorms::figuresAndTables()
{
    const auto results = runAll({500}, 1);
    QCOMPARE(results.size(), size_t(3 * 6 * 3));
    const QString text = toMarkdown(results);
    QCOMPARE(text.count(QStringLiteral("### 500 clients")), 3);
    QCOMPARE(text.count(QStringLiteral("jitter 0.2, default |")), 3);
    QVERIFY(toFigures(results).size() > 54);
    QVERIFY(toFigures(results).at(0).toObject().value(QStringLiteral("ratio")).isNull());
}

QTEST_GUILESS_MAIN(TestStorms)
#include "tst_storms.moc"
