// SPDX-License-Identifier: MIT
#include "testkit/manualworld.h"

#include <Everwire/FilteredMessages>
#include <Everwire/MessageModel>
#include <Everwire/WebSocketProvider>

#include <QAbstractItemModelTester>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QSignalSpy>
#include <QTest>
#include <QTimer>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

// A connection's history, which takes messages in as they come where somebody is told of its rows, and else when it is
// asked for them. Nobody can tell which it was.
class TestHistory : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void m7_isThereWhenItIsAskedFor();
    void m7_whoConnectsFindsWhatThereIs_data();
    void m7_whoConnectsFindsWhatThereIs();
    void m7_aFilterFindsWhatThereIs();
    void m7_whatIsSentIsThereAtOnce();
    void m7_theNewestOfBothDirections();
    void m7_outdatedRowsAreNotKept();
    void m7_indexesOfRowsThatStayFollowThem();
    void m7_closeKeepsWhatWasReceived();
    void o2_whatComesBehindCloseIsNotInIt();
    void o6_nothingIsLeftOfAnotherUser();
    void m7_theLimitChanges();
    void m7_bytesAreBounded_data();
    void m7_bytesAreBounded();
    void m7_clear();
    void m7_theModelOutlivesNothing();
    void nobodyIsWokenForWhatIsSent();
    void aSteadyStreamIsHandledOnceAFrame();

private:
    void receive(int from, int to);
    void receiveAndHandle(int from, int to);
    [[nodiscard]] QString texts() const;

    std::unique_ptr<ManualWorld> world;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
    MessageModel *model = nullptr;
    int handled = 0;
};

void TestHistory::init()
{
    provider.reset();
    world.reset();
    world = std::make_unique<ManualWorld>();
    provider = std::make_unique<WebSocketProvider>();
    connection = provider->connection(u"history"_s);
    model = connection->messages();
    handled = 0;
    QVERIFY(provider->configure(connection->type(),
                                ConnectionConfig()
                                    .setUrl(QUrl(u"ws://127.0.0.1/"_s))
                                    .setAuthentication(ConnectionConfig::Authentication::None)
                                    .setDrainBudget(60'000ms) // however slow it is, each drain is one go
                                    .setHistoryLimit(3)));
    connection->subscribe(u"n"_s, this, [this] { ++handled; });
    connection->open();
    world->runWire();
    world->wire.current->connectTo();
    QTRY_VERIFY(connection->isConnected());
}

void TestHistory::receive(int from, int to)
{
    for (int i = from; i <= to; ++i)
        world->wire.current->receive(R"({"type":"n","n":)" + QByteArray::number(i) + '}');
}

void TestHistory::receiveAndHandle(int from, int to)
{
    const int before = handled;
    receive(from, to);
    QTRY_COMPARE(handled, before + to - from + 1);
}

QString TestHistory::texts() const
{
    QStringList all;
    for (int row = 0; row < model->rowCount(); ++row) {
        const Message message = model->at(row);
        all.append(message.direction() == Message::Outgoing
                       ? QString::fromUtf8(message.bytes())
                       : QString::number(message.json().value("n"_L1).toInt()));
    }
    return all.join(u' ');
}

void TestHistory::m7_isThereWhenItIsAskedFor()
{
    receiveAndHandle(1, 2);
    QCOMPARE(model->count(), 2);
    QCOMPARE(texts(), u"1 2"_s);
    receiveAndHandle(3, 3);
    QCOMPARE(model->index(2).data(MessageModel::TypeRole), QVariant(u"n"_s));
    receiveAndHandle(4, 4);
    QCOMPARE(model->at(0).json().value("n"_L1), QJsonValue(2));
    receiveAndHandle(5, 9);
    QCOMPARE(texts(), u"7 8 9"_s);
}

void TestHistory::m7_whoConnectsFindsWhatThereIs_data()
{
    QTest::addColumn<QByteArray>("signal");
    for (const char *const name :
         {"rowsInserted(QModelIndex,int,int)", "rowsRemoved(QModelIndex,int,int)", "countChanged()",
          "rowsAboutToBeInserted(QModelIndex,int,int)", "rowsAboutToBeRemoved(QModelIndex,int,int)"})
        QTest::newRow(name) << '2' + QByteArray(name); // what SIGNAL() makes of it
}

void TestHistory::m7_whoConnectsFindsWhatThereIs()
{
    QFETCH(const QByteArray, signal);
    receiveAndHandle(1, 2);
    QSignalSpy spy(model, signal.constData());
    QCOMPARE(texts(), u"1 2"_s);
    QCOMPARE(spy.size(), 0); // they were there before
    receive(3, 3);
    receive(4, 4); // in whose place 1 goes
    QTRY_COMPARE(texts(), u"2 3 4"_s);
    QTRY_VERIFY(!spy.isEmpty());
    if (signal.contains("Inserted"))
        QCOMPARE(spy.first().at(2).toInt(), 2);
    connection->send("5");
    const auto before = spy.size();
    QTRY_COMPARE(texts(), u"3 4 5"_s);
    QVERIFY(signal.contains("count") || spy.size() > before);
}

void TestHistory::m7_aFilterFindsWhatThereIs()
{
    receiveAndHandle(1, 2);
    FilteredMessages filter;
    const QAbstractItemModelTester tester(&filter, QAbstractItemModelTester::FailureReportingMode::QtTest);
    filter.setTypes({u"n"_s});
    filter.setSource(model);
    QCOMPARE(filter.count(), 2);
    receiveAndHandle(3, 4);
    QTRY_COMPARE(filter.count(), 3);
    QCOMPARE(filter.at(2).json().value("n"_L1), QJsonValue(4));
    filter.setSource(nullptr);
    receiveAndHandle(5, 5);
    filter.setSource(model);
    QCOMPARE(filter.at(2).json().value("n"_L1), QJsonValue(5));
}

void TestHistory::m7_whatIsSentIsThereAtOnce()
{
    receiveAndHandle(1, 1);
    const QDateTime before = QDateTime::currentDateTimeUtc();
    QVERIFY(connection->send(QByteArray("zwei")));
    QVERIFY(connection->send(u"drei ü"_s));
    QVERIFY(connection->sendJson({{u"type"_s, u"four"_s}}));
    QCOMPARE(texts(), uR"(zwei drei ü {"type":"four"})"_s);
    const Message sent = model->at(1);
    QVERIFY(sent.timestamp() >= before && sent.timestamp() <= QDateTime::currentDateTimeUtc());
    QVERIFY(model->at(0).messageId().toInt() < sent.messageId().toInt());
    QVERIFY(sent.messageId().toInt() < model->at(2).messageId().toInt());
    QVERIFY(!sent.isBinary() && model->at(0).isBinary());
    QCOMPARE(model->at(2).type(), u"four"_s);
}

void TestHistory::m7_theNewestOfBothDirections()
{
    for (int i = 0; i < 50; ++i) {
        receiveAndHandle(i, i);
        QVERIFY(connection->send(u"s%1"_s.arg(i)));
    }
    QCOMPARE(texts(), u"s48 49 s49"_s);
    QCOMPARE(texts(), u"s48 49 s49"_s); // and still are
}

// When as many wait as it keeps, what it has shown before is memory that nobody will ever look at.
void TestHistory::m7_outdatedRowsAreNotKept()
{
    receiveAndHandle(1, 3);
    const QPersistentModelIndex first(model->index(0));
    const QPersistentModelIndex last(model->index(2));
    QVERIFY(first.isValid() && last.isValid());
    receiveAndHandle(4, 5);
    QVERIFY(last.isValid()); // 3 is one of the newest
    receiveAndHandle(6, 6);
    receiveAndHandle(7, 7); // before which it was seen
    QVERIFY(!first.isValid() && !last.isValid());
    QCOMPARE(texts(), u"5 6 7"_s);
}

void TestHistory::m7_indexesOfRowsThatStayFollowThem()
{
    receiveAndHandle(1, 3);
    const QPersistentModelIndex last(model->index(2));
    receiveAndHandle(4, 5);
    QCOMPARE(texts(), u"3 4 5"_s);
    QCOMPARE(last.row(), 0);
}

void TestHistory::m7_closeKeepsWhatWasReceived()
{
    receiveAndHandle(1, 2);
    connection->close();
    world->runWire();
    QCOMPARE(texts(), u"1 2"_s);
    connection->open();
    QCOMPARE(texts(), u"1 2"_s);
}

// The wire thread does not know yet.
void TestHistory::o2_whatComesBehindCloseIsNotInIt()
{
    receiveAndHandle(1, 2);
    connection->close();
    receive(3, 9);
    world->runWire();
    QCoreApplication::processEvents();
    QCOMPARE(texts(), u"1 2"_s);
    QCOMPARE(handled, 2);
}

void TestHistory::o6_nothingIsLeftOfAnotherUser()
{
    receiveAndHandle(1, 2);
    connection->send("3");
    connection->forget();
    QCOMPARE(model->count(), 0);
    QCoreApplication::processEvents();
    QCOMPARE(model->count(), 0);
}

void TestHistory::m7_theLimitChanges()
{
    const auto limit = [this](int rows) {
        QVERIFY(provider->configure(connection->type(), ConnectionConfig().setHistoryLimit(rows)));
    };
    receiveAndHandle(1, 3);
    limit(2);
    QCOMPARE(texts(), u"2 3"_s);
    receiveAndHandle(4, 6);
    limit(5);
    QCOMPARE(texts(), u"5 6"_s);
    receiveAndHandle(7, 9);
    QCOMPARE(texts(), u"5 6 7 8 9"_s);
    receiveAndHandle(10, 11);
    limit(0);
    QCOMPARE(texts(), QString());
    receiveAndHandle(12, 13);
    QCOMPARE(texts(), QString());
}

void TestHistory::m7_bytesAreBounded_data()
{
    QTest::addColumn<bool>("isWatched");
    QTest::newRow("watched") << true;
    QTest::newRow("not watched") << false;
}

// Of both directions, watched or not. What is too large for it leaves what there is.
void TestHistory::m7_bytesAreBounded()
{
    QFETCH(const bool, isWatched);
    connection->disconnect(this);
    QVERIFY(
        provider->configure(connection->type(), ConnectionConfig(provider->configuration(connection->type()))
                                                    .setHistoryLimit(100)
                                                    .setHistoryBytes(20'000)));
    QSignalSpy inserted(isWatched ? model : nullptr, &MessageModel::rowsInserted);
    const auto receiveLarge = [&](int number, int size) {
        const int before = handled;
        world->wire.current->receive(R"({"type":"n","n":)" + QByteArray::number(number) + R"(,"pad":")" +
                                     QByteArray(size, 'x') + R"("})");
        QTRY_COMPARE(handled, before + 1);
    };
    for (int i = 1; i <= 4; ++i)
        receiveLarge(i, 6'000);
    QCOMPARE(texts(), u"2 3 4"_s);
    receiveLarge(5, 30'000);
    QCOMPARE(texts(), u"2 3 4"_s);
    QVERIFY(connection->send(QByteArray(7'000, '.')));
    QTRY_COMPARE(model->at(model->count() - 1).bytes().size(), 7'000);
    QCOMPARE(model->count(), 3);
    QVERIFY(connection->send(QString(13'000, u'-')));
    QTRY_COMPARE(model->count(), 1);
    for (int i = 0; i < 10; ++i)
        QVERIFY(connection->send(QString(3'000, u'-')));
    QTRY_COMPARE(model->count(), 20'000 / 3'256);
    receiveAndHandle(6, 6);
    QVERIFY(model->bytes() <= 20'000);
    QCOMPARE(model->at(model->count() - 1).json().value("n"_L1).toInt(), 6);
    QVERIFY(provider->configure(
        connection->type(),
        ConnectionConfig(provider->configuration(connection->type())).setHistoryBytes(4'000)));
    QVERIFY(model->bytes() <= 4'000);
    QCOMPARE(model->at(model->count() - 1).json().value("n"_L1).toInt(), 6);
}

void TestHistory::m7_clear()
{
    receiveAndHandle(1, 2);
    model->clear();
    QCOMPARE(texts(), QString());
    receiveAndHandle(3, 3);
    QCOMPARE(texts(), u"3"_s);
}

// Whoever hears of the connection's end may ask it once more.
void TestHistory::m7_theModelOutlivesNothing()
{
    receiveAndHandle(1, 2);
    int rows = -1;
    connect(connection, &QObject::destroyed, this, [&] { rows = model->rowCount(); });
    provider.reset();
    QVERIFY(rows >= 0);
}

void TestHistory::nobodyIsWokenForWhatIsSent()
{
    QCOMPARE(model->count(), 0);
    receiveAndHandle(1, 1); // with which it is known that nobody watches
    int wakes = 0;
    world->inbox->setWake([&] { ++wakes; });
    connection->send("2");
    connection->send(u"3"_s);
    QCOMPARE(wakes, 0);
    QCOMPARE(texts(), u"1 2 3"_s);
    connection->send("4"); // somebody has asked, and may be told
    QCOMPARE(wakes, 1);
}

// 12 messages a millisecond: more often than at 60 Hz nobody sees anything, and each wake-up costs.
void TestHistory::aSteadyStreamIsHandledOnceAFrame()
{
    constexpr int perMs = 12;
    const QSignalSpy goes(model, &QAbstractItemModel::rowsInserted);
    QElapsedTimer clock;
    qint64 fed = 0;
    QEventLoop loop;
    QTimer feed;
    feed.setTimerType(Qt::PreciseTimer);
    connect(&feed, &QTimer::timeout, this, [&] {
        for (const qint64 now = clock.elapsed(); fed < now; ++fed)
            receive(1, perMs);
        if (fed >= 500)
            loop.quit();
    });
    clock.start();
    feed.start(1);
    loop.exec(); // and no QTRY_VERIFY, which sleeps between its looks
    feed.stop();
    QTRY_COMPARE(handled, int(fed) * perMs);
    // A timer is late, or a twentieth too early.
    QVERIFY2(goes.size() <= clock.elapsed() / 15 + 5, qPrintable(QString::number(goes.size())));
}

QTEST_GUILESS_MAIN(TestHistory)
#include "tst_history.moc"
