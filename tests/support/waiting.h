// SPDX-License-Identifier: MIT
#pragma once

#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QTest>
#include <QTimer>

#include <chrono>

// As QTest::qWaitFor() and QTRY_VERIFY(), which sleep for up to 50 ms between two looks: in a test of hundreds of rows
// that would be what takes the time.
template<typename Condition>
bool becomesTrue(const Condition &condition, std::chrono::milliseconds patience = std::chrono::seconds(30))
{
    const QDeadlineTimer deadline(patience);
    QTimer waker;
    waker.start(std::chrono::milliseconds(20));
    while (!condition()) {
        if (deadline.hasExpired())
            return false;
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    }
    return true;
}

#define SOON_VERIFY(condition)                                                                               \
    QVERIFY2(becomesTrue([&] { return bool(condition); }), "this is still not so: " #condition)

#define SOON_COMPARE(actual, expected)                                                                       \
    do {                                                                                                     \
        (void)becomesTrue([&] { return (actual) == (expected); });                                           \
        QCOMPARE(actual, expected);                                                                          \
    } while (false)
