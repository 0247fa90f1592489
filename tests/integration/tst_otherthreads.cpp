// SPDX-License-Identifier: MIT
//
// Subscribers whose context lives in another thread than the provider's: they get messages from the wire thread, whatever the
// provider's thread does.
#include "support/testserver.h"

#include <Everwire/WebSocketProvider>

#include <QSemaphore>
#include <QSignalSpy>
#include <QTest>
#include <QThread>

#include <atomic>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

constexpr int Patience = 20'000; // ms
constexpr int LargeMessages = 300;

// A thread with an event loop, and an object that lives in it.
class Worker
{
public:
    Worker()
    {
        m_context->moveToThread(&m_thread);
        m_thread.start();
    }
    ~Worker()
    {
        m_gate.release(1000);
        if (m_context)
            destroyContext();
        m_thread.quit();
        m_thread.wait();
    }
    Q_DISABLE_COPY_MOVE(Worker)

    [[nodiscard]] QObject *context() const { return m_context; }
    [[nodiscard]] QThread *thread() { return &m_thread; }

    void destroyContext()
    {
        QObject *context = std::exchange(m_context, nullptr);
        QMetaObject::invokeMethod(
            context, [context] { delete context; }, Qt::BlockingQueuedConnection);
    }
    // Its thread does nothing until unblock().
    void block()
    {
        QSemaphore blocked;
        QMetaObject::invokeMethod(
            m_context,
            [this, &blocked] {
                blocked.release();
                m_gate.acquire();
            },
            Qt::QueuedConnection);
        blocked.acquire();
    }
    void unblock() { m_gate.release(); }
    // What was posted to it before is done.
    void catchUp()
    {
        QMetaObject::invokeMethod(
            m_context, [] {}, Qt::BlockingQueuedConnection);
    }

private:
    QThread m_thread;
    QObject *m_context = new QObject;
    QSemaphore m_gate;
};

QByteArray number(int n)
{
    return R"({"type":"n","n":)" + QByteArray::number(n) + '}';
}

QList<int> range(int from, int to)
{
    QList<int> numbers;
    for (int n = from; n <= to; ++n)
        numbers.append(n);
    return numbers;
}

// What was heard in one thread and is asked for in another.
class Heard
{
public:
    void add(int n)
    {
        {
            const QMutexLocker lock(&m_mutex);
            m_numbers.append(n);
        }
        m_count.release();
    }
    // Without an event loop of this thread.
    [[nodiscard]] bool waitFor(int count) { return m_count.tryAcquire(count, Patience); }
    [[nodiscard]] QList<int> numbers() const
    {
        const QMutexLocker lock(&m_mutex);
        return QList<int>(m_numbers.begin(), m_numbers.end()); // a copy of its own
    }

private:
    mutable QMutex m_mutex;
    QList<int> m_numbers;
    QSemaphore m_count;
};

} // namespace

class Reading
{
    Q_GADGET
    Q_PROPERTY(int n MEMBER n)

public:
    int n = 0;
};

class tst_OtherThreads : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void m1_theProvidersThreadIsNotNeeded();
    void m1_m3_twoSubscriptionsOfAThreadKeepTheOrder();
    void m1_gadgetsAreMadeForThem();
    void m4_whatWaitsIsHeardOnceAndFirst();
    void m4_aContextThatMovesLosesNothing();
    void m4_endsInAFlood_data();
    void m4_endsInAFlood();
    void m5_lifecycleEventsComeThroughTheProvider();
    void o2_nothingIsHeardAfterClose();
    void m8_aBlockedThreadPausesReading();
    void m8_whoHasStoppedHoldsNothing();
    void m6_anEventLoopInAHandlerKeepsTheOrder();

private:
    void openConnection(const ConnectionConfig &config = {});
    void sendNumbers(int from, int to)
    {
        server->sendMany(to - from + 1, [from](int i) { return number(from + i); });
    }
    // Connections with room for a mebibyte, and how many messages the second has heard.
    void openBoth(int *elsewhere)
    {
        openConnection(ConnectionConfig().setMaxPendingBytes(1024 * 1024));
        Connection *other = provider->connection(QStringLiteral("other"));
        other->subscribe(QStringLiteral("n"), this, [elsewhere] { ++*elsewhere; });
        other->open(ConnectionConfig().setUrl(server->url()));
        QTRY_VERIFY(other->isConnected());
    }
    void sendLarge()
    {
        const QByteArray large(64 * 1024, 'x');
        server->sendMany(LargeMessages, [large](int i) {
            return R"({"type":"n","n":)" + QByteArray::number(i + 1) + R"(,"x":")" + large + R"("})";
        });
    }
    Subscription hear(Heard *heard, Worker *worker)
    {
        return connection->subscribe(
            QStringLiteral("n"), worker->context(),
            [heard](const QJsonObject &message) { heard->add(message.value(QLatin1String("n")).toInt()); });
    }

    std::unique_ptr<TestServer> server;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
};

void tst_OtherThreads::init()
{
    server = std::make_unique<TestServer>();
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(QStringLiteral("good"));
    connection = provider->connection(QStringLiteral("threads"));
}

void tst_OtherThreads::cleanup()
{
    provider.reset();
    server.reset();
}

void tst_OtherThreads::openConnection(const ConnectionConfig &config)
{
    QVERIFY(provider->configure(connection->type(), ConnectionConfig(config).setUrl(server->url())));
    connection->open();
    QTRY_VERIFY(connection->isConnected());
}

void tst_OtherThreads::m1_theProvidersThreadIsNotNeeded()
{
    Heard heard;
    Worker worker;
    hear(&heard, &worker);
    QList<int> here;
    connection->subscribe(QStringLiteral("n"), this, [&](const QJsonObject &message) {
        here.append(message.value(QLatin1String("n")).toInt());
    });
    openConnection();
    sendNumbers(1, 3'000);
    QVERIFY(heard.waitFor(3'000)); // while this thread handles nothing
    QCOMPARE(heard.numbers(), range(1, 3'000));
    QVERIFY(here.isEmpty());
    QTRY_COMPARE(here, range(1, 3'000));
    QCOMPARE(heard.numbers(), range(1, 3'000)); // and not once more
}

// The header of some audio and its frame.
void tst_OtherThreads::m1_m3_twoSubscriptionsOfAThreadKeepTheOrder()
{
    Heard heard;
    Worker worker;
    hear(&heard, &worker);
    connection->subscribe(QStringLiteral("binaryMessage"), worker.context(),
                          [&](const Message &message) { heard.add(-message.bytes().toInt()); });
    openConnection();
    QList<int> expected;
    worker.block(); // so that they could join
    for (int n = 1; n <= 500; ++n) {
        server->sendText(number(n));
        expected.append(n);
        for (int frame = 0; frame < n % 3; ++frame) {
            server->sendBinary(QByteArray::number(n));
            expected.append(-n);
        }
    }
    QVERIFY(!expected.isEmpty());
    worker.unblock();
    QVERIFY(heard.waitFor(int(expected.size())));
    QCOMPARE(heard.numbers(), expected);
}

void tst_OtherThreads::m1_gadgetsAreMadeForThem()
{
    Heard heard;
    Worker worker;
    std::atomic<QThread *> heardIn{nullptr};
    connection->subscribe(QStringLiteral("n"), worker.context(), [&](const Reading &reading) {
        heardIn = QThread::currentThread();
        heard.add(reading.n);
    });
    openConnection();
    sendNumbers(1, 100);
    QVERIFY(heard.waitFor(100));
    QCOMPARE(heard.numbers(), range(1, 100));
    QCOMPARE(heardIn.load(), worker.thread());
}

// Subscribed in a handler while more has been received already, and more still comes.
void tst_OtherThreads::m4_whatWaitsIsHeardOnceAndFirst()
{
    for (int round = 0; round < 10; ++round) {
        Heard heard;
        Worker worker;
        int next = 1;
        Subscription here = connection->subscribe(QStringLiteral("n"), this, [&](const QJsonObject &message) {
            QCOMPARE(message.value(QLatin1String("n")).toInt(), next);
            if (next++ == 100 + 37 * round)
                hear(&heard, &worker);
        });
        if (round == 0)
            openConnection();
        sendNumbers(1, 2'000);
        QTRY_COMPARE(next, 2'001);
        const QList<int> expected = range(101 + 37 * round, 2'000);
        QVERIFY(heard.waitFor(int(expected.size())));
        QCOMPARE(heard.numbers(), expected);
        here.unsubscribe();
    }
}

void tst_OtherThreads::m4_aContextThatMovesLosesNothing()
{
    Heard heard;
    Worker worker;
    auto *context = new QObject;
    int next = 1;
    connection->subscribe(QStringLiteral("*"), this, [&] {
        if (next++ == 300)
            context->moveToThread(worker.thread());
    });
    connection->subscribe(QStringLiteral("n"), context, [&](const QJsonObject &message) {
        heard.add(message.value(QLatin1String("n")).toInt());
    });
    openConnection();
    sendNumbers(1, 2'000);
    QTRY_COMPARE(next, 2'001);
    QVERIFY(heard.waitFor(2'000));
    QCOMPARE(heard.numbers(), range(1, 2'000));
    QMetaObject::invokeMethod(
        context, [context] { delete context; }, Qt::BlockingQueuedConnection);
}

void tst_OtherThreads::m4_endsInAFlood_data()
{
    QTest::addColumn<QString>("how");
    for (const char *how : {"unsubscribe", "context", "connection", "provider"})
        QTest::newRow(how) << QString::fromLatin1(how);
}

void tst_OtherThreads::m4_endsInAFlood()
{
    QFETCH(const QString, how);
    for (int round = 0; round < 20; ++round) {
        Heard heard;
        Worker worker;
        Subscription subscription = hear(&heard, &worker);
        connection->subscribe(QStringLiteral("*"), worker.context(), [] {});
        openConnection();
        sendNumbers(1, 500);
        QVERIFY(heard.waitFor(1 + 20 * round));
        if (how == QLatin1String("unsubscribe")) {
            subscription.unsubscribe();
        } else if (how == QLatin1String("context")) {
            worker.destroyContext();
            QTRY_VERIFY(!subscription.isActive());
        } else if (how == QLatin1String("connection")) {
            delete connection;
            connection = nullptr;
        } else {
            provider.reset();
        }
        if (worker.context())
            worker.catchUp();
        const QList<int> all = heard.numbers();
        QCOMPARE(all, range(1, int(all.size())));
        QVERIFY(!subscription.isActive());
        if (worker.context()) {
            worker.catchUp();
            QCOMPARE(heard.numbers(), all);
        }
        cleanup();
        init();
    }
}

void tst_OtherThreads::m5_lifecycleEventsComeThroughTheProvider()
{
    Heard heard;
    Worker worker;
    connection->subscribe(QStringLiteral("connected"), worker.context(), [&] { heard.add(1); });
    connection->subscribe(QStringLiteral("disconnected"), worker.context(), [&] { heard.add(2); });
    openConnection();
    server->sendText(R"({"type":"connected"})"); // which poses as one
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QVERIFY(heard.waitFor(2));
    worker.catchUp();
    QCOMPARE(heard.numbers(), (QList<int>{1, 2}));
}

void tst_OtherThreads::o2_nothingIsHeardAfterClose()
{
    Heard heard;
    Worker worker;
    hear(&heard, &worker);
    int here = 0;
    connection->subscribe(QStringLiteral("n"), this, [&] { ++here; });
    openConnection();
    sendNumbers(1, 1);
    QVERIFY(heard.waitFor(1));
    worker.block();
    sendNumbers(2, 100);
    QTRY_COMPARE(here, 100); // so they wait there, too
    connection->close();
    worker.unblock();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    worker.catchUp();
    QCOMPARE(heard.numbers(), (QList<int>{1}));
    connection->open();
    QTRY_VERIFY(connection->isConnected());
    sendNumbers(2, 3);
    QVERIFY(heard.waitFor(2));
    QCOMPARE(heard.numbers(), range(1, 3));
}

// The server sends as much to another connection, with nobody in another thread: when all has come there, it would have come
// here, too.
void tst_OtherThreads::m8_aBlockedThreadPausesReading()
{
    Heard heard;
    Worker worker;
    hear(&heard, &worker);
    int here = 0;
    connection->subscribe(QStringLiteral("n"), this, [&] { ++here; });
    int elsewhere = 0;
    openBoth(&elsewhere);
    QSignalSpy discarded(connection, &Connection::messagesDiscarded);
    worker.block();
    sendLarge();
    QTRY_COMPARE(elsewhere, LargeMessages);
    QVERIFY(here > 0);
    QVERIFY(here < 20); // a mebibyte, as it is and decoded, counted for both threads, and one more
    const int before = here;
    worker.unblock();
    QVERIFY(heard.waitFor(2 * before)); // it needs nobody to go on
    QTRY_COMPARE(here, LargeMessages);
    QVERIFY(heard.waitFor(LargeMessages - 2 * before));
    QCOMPARE(heard.numbers(), range(1, LargeMessages));
    QCOMPARE(discarded.size(), 0);
}

void tst_OtherThreads::m8_whoHasStoppedHoldsNothing()
{
    Heard heard;
    Worker worker;
    Subscription subscription = hear(&heard, &worker);
    int here = 0;
    connection->subscribe(QStringLiteral("n"), this, [&] { ++here; });
    int elsewhere = 0;
    openBoth(&elsewhere);
    worker.block();
    sendLarge();
    QTRY_COMPARE(elsewhere, LargeMessages);
    QVERIFY(here < 20);
    subscription.unsubscribe(); // it is blocked for good, as far as anybody knows
    QTRY_COMPARE(here, LargeMessages);
    worker.unblock();
    worker.catchUp();
    QVERIFY(heard.numbers().isEmpty());
}

void tst_OtherThreads::m6_anEventLoopInAHandlerKeepsTheOrder()
{
    Heard heard;
    Worker worker;
    connection->subscribe(QStringLiteral("n"), worker.context(), [&](const QJsonObject &message) {
        const int n = message.value(QLatin1String("n")).toInt();
        heard.add(n);
        if (n % 50 == 0)
            QCoreApplication::processEvents();
    });
    openConnection();
    worker.block();
    sendNumbers(1, 1'000);
    worker.unblock();
    QVERIFY(heard.waitFor(1'000));
    QCOMPARE(heard.numbers(), range(1, 1'000));
}

QTEST_GUILESS_MAIN(tst_OtherThreads)
#include "tst_otherthreads.moc"
