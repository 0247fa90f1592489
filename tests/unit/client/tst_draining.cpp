// SPDX-License-Identifier: MIT
#include "testkit/manualworld.h"

#include <Everwire/MessageModel>
#include <Everwire/WebSocketProvider>

#include <QElapsedTimer>
#include <QTest>
#include <QTimer>

#include <utility>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

// How the app's thread shares its time between messages and all else.
class TestDraining : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void budget_data();
    void budget();
    void whatArrivesBehindABacklogWaits();
    void whatArrivesInsideAHandlerIsHandled();
    void whatArrivesInsideAModelsSlotIsHandled();
    void aConversationIsNoFlood();
    void whatIsDueMeanwhileComesFirst();
    void rowsThatTakeLongLeaveMessagesToTheNextGo();

private:
    // Opens it, and spends so long in each message's handler.
    void openConnection(std::chrono::milliseconds drainBudget, std::chrono::microseconds work);
    void receive(int messages)
    {
        for (int i = 0; i < messages; ++i)
            world->wire.current->receive(QByteArray(R"({"type":"n"})"));
    }

    std::unique_ptr<ManualWorld> world;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
    int handled = 0;
};

namespace {

void keepBusy(std::chrono::nanoseconds time)
{
    QElapsedTimer busy;
    busy.start();
    while (busy.nsecsElapsed() < time.count())
        continue;
}

} // namespace

void TestDraining::openConnection(std::chrono::milliseconds drainBudget, std::chrono::microseconds work)
{
    provider.reset();
    world.reset();
    world = std::make_unique<ManualWorld>();
    provider = std::make_unique<WebSocketProvider>();
    connection = provider->connection(u"draining"_s);
    handled = 0;
    QVERIFY(
        provider->configure(connection->type(), ConnectionConfig()
                                                    .setUrl(QUrl(u"ws://127.0.0.1/"_s))
                                                    .setAuthentication(ConnectionConfig::Authentication::None)
                                                    .setDrainBudget(drainBudget)));
    connection->subscribe(u"n"_s, this, [this, work](const Message &) {
        ++handled;
        keepBusy(work);
    });
    connection->open();
    world->runWire();
    world->wire.current->connectTo();
    QTRY_VERIFY(connection->isConnected());
}

void TestDraining::budget_data()
{
    QTest::addColumn<std::chrono::milliseconds>("drainBudget");
    QTest::addColumn<int>("inOneGo"); // messages
    QTest::newRow("the least") << 1ms << 64;
    QTest::newRow("a long one") << 60'000ms << 1000;
}

// The clock is looked at after every 64 messages.
void TestDraining::budget()
{
    QFETCH(std::chrono::milliseconds, drainBudget);
    QFETCH(int, inOneGo);
    openConnection(drainBudget, 20us);
    receive(1000);
    QCoreApplication::sendPostedEvents(connection);
    QCOMPARE(handled, inOneGo);
    QTRY_COMPARE(handled, 1000);
}

// The rest of a burst comes by a timer, behind painting and input. What wakes the app meanwhile is no reason to spend
// another budget in the same turn of the event loop.
void TestDraining::whatArrivesBehindABacklogWaits()
{
    openConnection(1ms, 20us);
    receive(1000);
    QCoreApplication::sendPostedEvents(connection);
    QCOMPARE(handled, 64);
    receive(1);
    QCoreApplication::sendPostedEvents(connection);
    QCOMPARE(handled, 64);
    QTRY_COMPARE(handled, 1001);
}

// Its wake-up is over by the time that the handler returns, and no other comes.
void TestDraining::whatArrivesInsideAHandlerIsHandled()
{
    openConnection(60'000ms, 0us);
    connection->subscribe(u"n"_s, this, [this](const Message &) {
        if (handled > 1)
            return;
        receive(1);
        QCoreApplication::sendPostedEvents(connection);
    });
    receive(3);
    QTRY_COMPARE(handled, 4);
}

void TestDraining::whatArrivesInsideAModelsSlotIsHandled()
{
    openConnection(60'000ms, 0us);
    bool first = true;
    connect(connection->messages(), &QAbstractItemModel::rowsInserted, this, [&] {
        if (!std::exchange(first, false))
            return;
        receive(1);
        QCoreApplication::sendPostedEvents(connection);
    });
    receive(3);
    QTRY_COMPARE(handled, 4);
}

// However fast a peer answers what the app sends, its answers wait for no clock.
void TestDraining::aConversationIsNoFlood()
{
    openConnection(4ms, 0us);
    connection->subscribe(u"n"_s, this, [this](const Message &) { connection->send("{}"); });
    for (int i = 1; i <= 200; ++i) {
        receive(1);
        QCoreApplication::sendPostedEvents(connection);
        QCOMPARE(handled, i);
        world->runWire();
    }
}

// A frame, say, that took long: another go right behind it would keep what has become due waiting for both.
void TestDraining::whatIsDueMeanwhileComesFirst()
{
    openConnection(1ms, 20us);
    receive(1000);
    QCoreApplication::sendPostedEvents(connection);
    QCOMPARE(handled, 64);
    int handledBefore = 0;
    QTimer tick;
    tick.setSingleShot(true);
    tick.setTimerType(Qt::PreciseTimer);
    connect(&tick, &QTimer::timeout, this, [&] { handledBefore = handled; });
    tick.start(1ms);
    keepBusy(5ms);
    QTRY_VERIFY(handledBefore > 0);
    QCOMPARE(handledBefore, 64);
    QTRY_COMPARE(handled, 1000);
}

// A view that makes its items as rows come has spent the budget, and messages are handled in the next go, whatever
// has come by then.
void TestDraining::rowsThatTakeLongLeaveMessagesToTheNextGo()
{
    openConnection(1ms, 0us);
    int insertions = 0;
    connect(connection->messages(), &QAbstractItemModel::rowsInserted, this, [&] {
        ++insertions;
        keepBusy(5ms);
    });
    int insertionsBefore = 0;
    connection->subscribe(u"n"_s, this, [&](const Message &) {
        if (handled == 1)
            insertionsBefore = insertions;
    });
    receive(100);
    QCoreApplication::sendPostedEvents(connection);
    QCOMPARE(insertions, 1);
    QCOMPARE(handled, 0);
    receive(1);
    QTRY_COMPARE(handled, 101);
    QCOMPARE(insertionsBefore, 1);
    QCOMPARE(connection->messages()->count(), 101);
}

QTEST_GUILESS_MAIN(TestDraining)
#include "tst_draining.moc"
