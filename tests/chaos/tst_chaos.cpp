// SPDX-License-Identifier: MIT
#include "crowd.h"

#include <QTest>

namespace {

constexpr int Steps = 300;

QByteArray traceOf(quint64 seed)
{
    Chaos::Run run(seed);
    (void)run.go(Steps);
    return run.hash();
}

} // namespace

class tst_Chaos : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everySeedFollowsTheModel();
    void everyCrowdsLedgerAddsUp();
    void theSameSeedIsTheSameTrace();

private:
    template<typename Run>
    void runAll(quint64 seeds);
};

template<typename Run>
void tst_Chaos::runAll(quint64 seeds)
{
    for (quint64 seed = 1; seed <= seeds; ++seed) {
        std::optional<Chaos::Violation> violation;
        {
            const Chaos::LogKeeper log;
            violation = Run(seed).go(Steps);
        }
        QVERIFY2(!violation, violation ? qPrintable(violation->toString()) : "");
    }
}

void tst_Chaos::everySeedFollowsTheModel()
{
    runAll<Chaos::Run>(150);
}

void tst_Chaos::everyCrowdsLedgerAddsUp()
{
    runAll<Chaos::Crowd>(60);
}

void tst_Chaos::theSameSeedIsTheSameTrace()
{
    QByteArray first;
    QByteArray second;
    QByteArray other;
    {
        const Chaos::LogKeeper log;
        first = traceOf(7);
        second = traceOf(7);
        other = traceOf(8);
    }
    QCOMPARE(first, second);
    QVERIFY(first != other);
}

QTEST_GUILESS_MAIN(tst_Chaos)
#include "tst_chaos.moc"
