// SPDX-License-Identifier: MIT
#include "run.h"

#include <QTest>

namespace {

constexpr int Steps = 300;
constexpr quint64 Seeds = 150;

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
    void theSameSeedIsTheSameTrace();
};

void tst_Chaos::everySeedFollowsTheModel()
{
    for (quint64 seed = 1; seed <= Seeds; ++seed) {
        std::optional<Chaos::Violation> violation;
        {
            const Chaos::LogKeeper log;
            violation = Chaos::Run(seed).go(Steps);
        }
        QVERIFY2(!violation, violation ? qPrintable(violation->toString()) : "");
    }
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
