// SPDX-License-Identifier: MIT
#include "testkit/manualworld.h"

#include <Everwire/WebSocketProvider>

#include <QElapsedTimer>
#include <QTest>

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
};

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
    ManualWorld world;
    WebSocketProvider provider;
    Connection *connection = provider.connection(u"draining"_s);
    QVERIFY(
        provider.configure(connection->type(), ConnectionConfig()
                                                   .setUrl(QUrl(u"ws://127.0.0.1/"_s))
                                                   .setAuthentication(ConnectionConfig::Authentication::None)
                                                   .setDrainBudget(drainBudget)));
    int handled = 0;
    connection->subscribe(u"n"_s, this, [&](const Message &) {
        ++handled;
        QElapsedTimer busy;
        busy.start();
        while (busy.nsecsElapsed() < 20'000)
            continue;
    });
    connection->open();
    world.runWire();
    world.wire.current->connectTo();
    QTRY_VERIFY(connection->isConnected());

    for (int i = 0; i < 1000; ++i)
        world.wire.current->receive(QByteArray(R"({"type":"n"})"));
    QCoreApplication::sendPostedEvents(connection);
    QCOMPARE(handled, inOneGo);
    QTRY_COMPARE(handled, 1000);
}

QTEST_GUILESS_MAIN(TestDraining)
#include "tst_draining.moc"
