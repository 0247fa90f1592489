// SPDX-License-Identifier: MIT
#include "conflater.h"

#include <QElapsedTimer>
#include <QEventLoop>
#include <QSignalSpy>
#include <QTest>

using namespace Everwire;

class TestConflater : public QObject
{
    Q_OBJECT

private:
    static Message message(int n)
    {
        return Message::fromText(QByteArray::number(n), QStringLiteral("n"), Message::Incoming);
    }
    // The numbers of the messages that have come through.
    static QList<int> passed(const QSignalSpy &spy)
    {
        QList<int> numbers;
        for (const QList<QVariant> &arguments : spy)
            numbers.append(arguments.first().value<Message>().bytes().toInt());
        return numbers;
    }

private Q_SLOTS:
    void withoutAnIntervalEveryMessagePassesAtOnce()
    {
        Conflater conflater;
        QSignalSpy due(&conflater, &Conflater::due);
        for (int n = 1; n <= 3; ++n)
            conflater.push(message(n));
        QCOMPARE(passed(due), (QList<int>{1, 2, 3}));
        QVERIFY(conflater.isIdle());
    }

    void theFirstPassesAtOnceAndTheNewestAfterTheInterval()
    {
        Conflater conflater;
        conflater.setInterval(1000);
        QSignalSpy due(&conflater, &Conflater::due);
        for (int n = 1; n <= 5; ++n)
            conflater.push(message(n));
        QCOMPARE(passed(due), QList<int>{1});
        QTRY_COMPARE(passed(due), (QList<int>{1, 5}));
        QVERIFY(conflater.isIdle());
        conflater.push(message(6));
        QVERIFY(!conflater.isIdle());
        QCOMPARE(passed(due), (QList<int>{1, 5}));
        QTRY_COMPARE(passed(due), (QList<int>{1, 5, 6}));
    }

    void afterAPauseTheNextPassesAtOnce()
    {
        constexpr int interval = 50;
        Conflater conflater;
        conflater.setInterval(interval);
        QSignalSpy due(&conflater, &Conflater::due);
        conflater.push(message(1));
        QTimer pause;
        pause.setTimerType(Qt::PreciseTimer);
        const QSignalSpy over(&pause, &QTimer::timeout);
        pause.start(interval);
        QTRY_VERIFY(!over.isEmpty());
        QVERIFY(conflater.isIdle());
        conflater.push(message(2));
        QCOMPARE(passed(due), (QList<int>{1, 2}));
        QVERIFY(conflater.isIdle());
    }

    // A source that is a little too fast for the interval, and never waits for long.
    void onTheWholeNoMorePassThanIntervals()
    {
        constexpr int interval = 16;
        Conflater conflater;
        conflater.setInterval(interval);
        const QSignalSpy due(&conflater, &Conflater::due);
        QElapsedTimer elapsed;
        elapsed.start();
        int pushed = 0;
        QTimer source;
        source.setTimerType(Qt::PreciseTimer);
        QEventLoop loop; // QTRY_VERIFY sleeps between its looks
        connect(&source, &QTimer::timeout, &source, [&] {
            conflater.push(message(++pushed));
            if (pushed == 100)
                loop.quit();
        });
        source.start(interval * 3 / 4);
        loop.exec();
        const qint64 intervals = elapsed.elapsed() / interval;
        QVERIFY2(due.size() <= intervals + 3, qPrintable(QStringLiteral("%1 in %2 intervals of %3 that came")
                                                             .arg(due.size())
                                                             .arg(intervals)
                                                             .arg(pushed)));
    }

    void clearForgetsWhatWaits()
    {
        Conflater conflater;
        conflater.setInterval(100000);
        QSignalSpy due(&conflater, &Conflater::due);
        conflater.push(message(1));
        conflater.push(message(2));
        conflater.clear();
        QVERIFY(conflater.isIdle());
        conflater.push(message(3));
        QCOMPARE(passed(due), (QList<int>{1, 3}));
    }

    void anotherIntervalLetsThroughWhatWaits()
    {
        Conflater conflater;
        conflater.setInterval(100000);
        QSignalSpy due(&conflater, &Conflater::due);
        conflater.push(message(1));
        conflater.push(message(2));
        conflater.setInterval(0);
        QCOMPARE(passed(due), (QList<int>{1, 2}));
        QVERIFY(conflater.isIdle());
    }

    void o5_deletedByWhoeverHearsIt()
    {
        auto *conflater = new Conflater;
        conflater->setInterval(20);
        int heard = 0;
        connect(conflater, &Conflater::due, this, [&] {
            if (++heard == 2)
                delete conflater;
        });
        conflater->push(message(1));
        conflater->push(message(2));
        QTRY_COMPARE(heard, 2);
    }
};

QTEST_GUILESS_MAIN(TestConflater)

#include "tst_conflater.moc"
