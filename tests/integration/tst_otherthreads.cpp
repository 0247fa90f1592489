// SPDX-License-Identifier: MIT
//
// Subscribers whose context lives in another thread than the provider's: they get messages from the wire thread, whatever the
// provider's thread does.
#include "support/logrecorder.h"
#include "support/testserver.h"

#include <Everwire/WebSocketProvider>

#include <QEventLoop>
#include <QScopeGuard>
#include <QSemaphore>
#include <QSignalSpy>
#include <QTest>
#include <QThread>
#include <QTimer>

#include <atomic>
#include <stdexcept>

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

// A class as a plugin might bring it: none of it may be there any more once nobody is subscribed.
class Tracked
{
    Q_GADGET
    Q_PROPERTY(int n READ n WRITE setN)

public:
    Tracked() { enter(); }
    Tracked(const Tracked &other) : m_n(other.m_n) { enter(); }
    Tracked &operator=(const Tracked &other) = default;
    ~Tracked()
    {
        --living;
        isUsed();
    }
    [[nodiscard]] int n() const { return m_n; }
    void setN(int n)
    {
        isUsed();
        if (n == throwsAt)
            throw std::runtime_error("the setter refuses");
        m_n = n;
    }

    static inline std::atomic<int> living{0};
    static inline std::atomic<bool> isUnloaded{false};
    static inline std::atomic<int> usedLate{0};
    static inline std::atomic<int> throwsAt{-1};

private:
    static void enter()
    {
        ++living;
        isUsed();
    }
    static void isUsed()
    {
        if (isUnloaded)
            ++usedLate;
    }

    int m_n = 0;
};

// What a handler has captured.
class Captured
{
public:
    explicit Captured(std::atomic<bool> *isGone) : m_isGone(isGone) {}
    ~Captured() { *m_isGone = true; }
    Q_DISABLE_COPY_MOVE(Captured)

private:
    std::atomic<bool> *m_isGone;
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
    void m4_aContextMovesInItsHandler_data();
    void m4_aContextMovesInItsHandler();
    void m4_aContextMovesInAHandlerOfAnother();
    void m4_aContextIsDeletedWhileItIsHandedOver();
    void m4_unsubscribeWaitsForTheHandler_data();
    void m4_unsubscribeWaitsForTheHandler();
    void m4_aContextThatGoesTakesItsHandlerAlong();
    void m4_gadgetsGoWithTheirSubscription();
    void m4_noCodeOfAGadgetRunsAfterwards();
    void m6_aHandlerThatThrows_data();
    void m6_aHandlerThatThrows();
    void m6_aSetterThatThrows();
    void m8_readingGoesOnInADialog_data();
    void m8_readingGoesOnInADialog();

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
    QVERIFY(heard.waitFor(before + 1)); // it needs nobody to go on
    QTRY_COMPARE(here, LargeMessages);
    QVERIFY(heard.waitFor(LargeMessages - before - 1));
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

namespace {

// Sees to it that handlers of one context are called one at a time, in the context's thread.
class Watch
{
public:
    explicit Watch(QObject *context) : m_context(context) {}
    // Runs what a handler does; it may move the context.
    template<typename Function>
    void run(Function &&function)
    {
        if (m_isInside.exchange(true))
            ++overlaps;
        if (m_context->thread() != QThread::currentThread())
            ++strays;
        function();
        for (int i = 0; i < 20; ++i) // so that another thread would meet us here
            QThread::yieldCurrentThread();
        m_isInside = false;
    }

    std::atomic<int> overlaps{0};
    std::atomic<int> strays{0};

private:
    QObject *const m_context;
    std::atomic<bool> m_isInside{false};
};

} // namespace

void tst_OtherThreads::m4_aContextMovesInItsHandler_data()
{
    QTest::addColumn<bool>("beginsHere");
    QTest::addColumn<int>("every");
    QTest::addColumn<int>("threads");
    QTest::newRow("once") << false << 350 << 2;
    QTest::newRow("once, from the provider's thread") << true << 350 << 2;
    QTest::newRow("now and then") << false << 50 << 2;
    QTest::newRow("each time") << false << 1 << 2;
    QTest::newRow("each time, from the provider's thread") << true << 1 << 2;
    QTest::newRow("between three, the provider's among them") << true << 3 << 3;
}

void tst_OtherThreads::m4_aContextMovesInItsHandler()
{
    QFETCH(const bool, beginsHere);
    QFETCH(const int, every);
    QFETCH(const int, threads);
    constexpr int count = 500;
    Worker one;
    Worker two;
    QList<QThread *> places{one.thread(), two.thread(), QThread::currentThread()};
    places.resize(threads);
    auto *context = new QObject;
    if (!beginsHere)
        context->moveToThread(one.thread());
    Watch watch(context);
    Heard heard;
    Heard heardAll; // by another subscription of the context
    int next = 0;   // one call at a time
    connection->subscribe(QStringLiteral("n"), context, [&](const QJsonObject &message) {
        watch.run([&] {
            const int n = message.value(QLatin1String("n")).toInt();
            if (n % every == 0) {
                next = (next + 1) % threads;
                context->moveToThread(places.at(next));
            }
            heard.add(n);
        });
    });
    connection->subscribe(QStringLiteral("*"), context, [&](const QJsonObject &message) {
        watch.run([&] { heardAll.add(message.value(QLatin1String("n")).toInt()); });
    });
    openConnection();
    sendNumbers(1, count);
    QTRY_COMPARE_WITH_TIMEOUT(heard.numbers().size(), count, Patience);
    QTRY_COMPARE_WITH_TIMEOUT(heardAll.numbers().size(), count, Patience);
    QCOMPARE(heard.numbers(), range(1, count));
    QCOMPARE(heardAll.numbers(), range(1, count));
    QCOMPARE(watch.overlaps.load(), 0);
    QCOMPARE(watch.strays.load(), 0);
    connection->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    one.catchUp();
    two.catchUp();
    if (context->thread() == QThread::currentThread())
        delete context;
    else
        QMetaObject::invokeMethod(
            context, [context] { delete context; }, Qt::BlockingQueuedConnection);
}

// Two contexts of the provider's thread: a handler of the one moves the other, which takes the same message.
void tst_OtherThreads::m4_aContextMovesInAHandlerOfAnother()
{
    constexpr int count = 500;
    Worker worker;
    auto *context = new QObject;
    Watch watch(context);
    Heard heard;
    int here = 0;
    connection->subscribe(QStringLiteral("n"), context, [&](const QJsonObject &message) {
        watch.run([&] { heard.add(message.value(QLatin1String("n")).toInt()); });
    });
    connection->subscribe(QStringLiteral("n"), this, [&] {
        if (++here == 100)
            context->moveToThread(worker.thread());
    });
    connection->subscribe(QStringLiteral("*"), context,
                          [&](const QJsonObject &message) { watch.run([&] { (void)message.size(); }); });
    openConnection();
    sendNumbers(1, count);
    QTRY_COMPARE_WITH_TIMEOUT(heard.numbers().size(), count, Patience);
    QCOMPARE(heard.numbers(), range(1, count));
    QCOMPARE(watch.overlaps.load(), 0);
    QCOMPARE(watch.strays.load(), 0);
    QMetaObject::invokeMethod(
        context, [context] { delete context; }, Qt::BlockingQueuedConnection);
}

// Which they may have been moved to, without a subscription hearing of it.
void tst_OtherThreads::m4_aContextIsDeletedWhileItIsHandedOver()
{
    Worker worker;
    int here = 0;
    connection->subscribe(QStringLiteral("n"), this, [&] { ++here; });
    openConnection();
    constexpr int rounds = 200;
    std::atomic<int> heard{0};
    for (int round = 0; round < rounds; ++round) {
        auto *context = new QObject;
        const Subscription subscription =
            connection->subscribe(QStringLiteral("n"), context, [&heard] { ++heard; });
        context->moveToThread(worker.thread());
        QMetaObject::invokeMethod(
            worker.context(), [context] { delete context; }, Qt::QueuedConnection);
        sendNumbers(1, 5);
        if (round % 10 == 0)
            QTRY_COMPARE(here, 5 * (round + 1));
    }
    QTRY_COMPARE(here, 5 * rounds);
    worker.catchUp();
    QVERIFY(heard <= 5 * rounds);
}

void tst_OtherThreads::m4_unsubscribeWaitsForTheHandler_data()
{
    QTest::addColumn<QString>("how");
    for (const char *how : {"unsubscribe", "connection", "provider"})
        QTest::newRow(how) << QString::fromLatin1(how);
}

// A plugin may be unloaded behind it: neither the handler runs any more, nor do destructors of what it captured.
void tst_OtherThreads::m4_unsubscribeWaitsForTheHandler()
{
    QFETCH(const QString, how);
    for (int round = 0; round < 20; ++round) {
        Worker worker;
        QSemaphore entered;
        std::atomic<bool> isEnding{false};
        std::atomic<bool> isInside{false};
        std::atomic<bool> isGone{false};
        std::atomic<int> calls{0};
        auto captured = std::make_shared<Captured>(&isGone);
        Subscription subscription =
            connection->subscribe(QStringLiteral("n"), worker.context(), [&, captured] {
                isInside = true;
                ++calls;
                entered.release();
                while (!isEnding)
                    QThread::yieldCurrentThread();
                for (int i = 0; i < 1000; ++i)
                    QThread::yieldCurrentThread();
                isInside = false;
            });
        captured.reset();
        openConnection();
        sendNumbers(1, 10);
        QVERIFY(entered.tryAcquire(1, Patience));
        isEnding = true;
        if (how == QLatin1String("unsubscribe")) {
            subscription.unsubscribe();
        } else if (how == QLatin1String("connection")) {
            delete connection;
            connection = nullptr;
        } else {
            provider.reset();
        }
        QVERIFY(!isInside);
        QVERIFY(isGone);
        const int before = calls;
        worker.catchUp();
        QCOMPARE(calls.load(), before);
        cleanup();
        init();
    }
}

void tst_OtherThreads::m4_aContextThatGoesTakesItsHandlerAlong()
{
    for (const bool isElsewhere : {false, true}) {
        Worker worker;
        std::atomic<bool> isGone{false};
        std::atomic<bool> wasGone{false}; // when its context was
        auto *context = new QObject;
        if (isElsewhere)
            context->moveToThread(worker.thread());
        auto captured = std::make_shared<Captured>(&isGone);
        Heard heard;
        const Subscription subscription =
            connection->subscribe(QStringLiteral("n"), context, [&heard, captured] { heard.add(1); });
        captured.reset();
        if (!connection->isConnected())
            openConnection();
        sendNumbers(1, 100);
        QTRY_VERIFY(!heard.numbers().isEmpty());
        const auto destroy = [&] {
            delete context;
            wasGone = isGone.load();
        };
        if (isElsewhere)
            QMetaObject::invokeMethod(worker.context(), destroy, Qt::BlockingQueuedConnection);
        else
            destroy();
        QVERIFY(wasGone);
        QVERIFY(!subscription.isActive());
    }
}

// In whatever memory they are: the history, the pool, or somebody's copy of a message.
void tst_OtherThreads::m4_gadgetsGoWithTheirSubscription()
{
    Worker worker;
    Heard heard;
    Heard heardElsewhere;
    QList<Message> kept;
    QCOMPARE(Tracked::living.load(), 0);
    connect(connection, &Connection::messageReceived, this,
            [&](const Message &message) { kept.append(message); });
    Subscription here = connection->subscribe(QStringLiteral("n"), this,
                                              [&](const Tracked &tracked) { heard.add(tracked.n()); });
    Subscription there =
        connection->subscribe(QStringLiteral("n"), worker.context(),
                              [&](const Tracked &tracked) { heardElsewhere.add(tracked.n()); });
    openConnection();
    sendNumbers(1, 500);
    QTRY_COMPARE(heard.numbers().size(), 500);
    QVERIFY(heardElsewhere.waitFor(500));
    QCOMPARE(heard.numbers(), range(1, 500));
    here.unsubscribe();
    QVERIFY(Tracked::living > 0); // there is another, who takes them
    sendNumbers(501, 600);
    QVERIFY(heardElsewhere.waitFor(100));
    there.unsubscribe();
    QCOMPARE(Tracked::living.load(), 0);
    QTRY_COMPARE(kept.size(), 600);
    QCOMPARE(kept.constLast().json().value(QLatin1String("n")).toInt(), 600);
    // A new one hears as before.
    QList<int> again;
    connection->subscribe(QStringLiteral("n"), this,
                          [&](const Tracked &tracked) { again.append(tracked.n()); });
    sendNumbers(601, 700);
    QTRY_COMPARE(again, range(601, 700));
    QCOMPARE(heardElsewhere.numbers(), range(1, 600));
    delete connection;
    connection = nullptr;
    QCOMPARE(Tracked::living.load(), 0);
}

void tst_OtherThreads::m4_noCodeOfAGadgetRunsAfterwards()
{
    Worker worker;
    int here = 0;
    connection->subscribe(QStringLiteral("*"), this, [&] { ++here; });
    openConnection();
    int sent = 0;
    for (int round = 0; round < 30; ++round) {
        Heard heard;
        Subscription subscription =
            connection->subscribe(QStringLiteral("n"), round % 2 ? worker.context() : this,
                                  [&](const Tracked &tracked) { heard.add(tracked.n()); });
        sendNumbers(1, 300);
        sent += 300;
        QTRY_VERIFY(!heard.numbers().isEmpty());
        subscription.unsubscribe(); // while the wire thread makes more
        Tracked::isUnloaded = true;
        QCOMPARE(Tracked::living.load(), 0);
        QTRY_COMPARE(here, sent);
        QCOMPARE(Tracked::usedLate.load(), 0);
        Tracked::isUnloaded = false;
    }
}

void tst_OtherThreads::m6_aHandlerThatThrows_data()
{
    QTest::addColumn<bool>("isElsewhere");
    QTest::addColumn<bool>("isStandard");
    QTest::newRow("in the provider's thread") << false << true;
    QTest::newRow("in another thread") << true << true;
    QTest::newRow("what is no std::exception") << false << false;
    QTest::newRow("what is no std::exception, in another thread") << true << false;
}

void tst_OtherThreads::m6_aHandlerThatThrows()
{
    QFETCH(const bool, isElsewhere);
    QFETCH(const bool, isStandard);
    const LogRecorder log;
    Worker worker;
    Heard heard;
    int here = 0;
    QObject *const context = isElsewhere ? worker.context() : this;
    connection->subscribe(QStringLiteral("n"), context, [isStandard] {
        if (isStandard)
            throw std::runtime_error("out of paper");
        throw 5;
    });
    connection->subscribe(QStringLiteral("n"), context, [&](const QJsonObject &message) {
        heard.add(message.value(QLatin1String("n")).toInt());
    });
    connection->subscribe(QStringLiteral("n"), this, [&] { ++here; });
    openConnection();
    sendNumbers(1, 20);
    QTRY_COMPARE(here, 20);
    QVERIFY(heard.waitFor(20));
    QCOMPARE(heard.numbers(), range(1, 20));
    const QString line =
        QStringLiteral("threads - a handler of \"n\" threw: ") +
        (isStandard ? QStringLiteral("out of paper") : QStringLiteral("something that is no std::exception"));
    QCOMPARE(log.lines().count(line), 20);
    QVERIFY(connection->isConnected());
}

// On the wire thread first, and then again where its handler is called.
void tst_OtherThreads::m6_aSetterThatThrows()
{
    const LogRecorder log;
    Worker worker;
    Heard heard;
    QList<int> here;
    QList<int> others;
    Tracked::throwsAt = 3;
    const auto calm = qScopeGuard([] { Tracked::throwsAt = -1; });
    connection->subscribe(QStringLiteral("n"), worker.context(),
                          [&](const Tracked &tracked) { heard.add(tracked.n()); });
    connection->subscribe(QStringLiteral("n"), this,
                          [&](const Tracked &tracked) { here.append(tracked.n()); });
    connection->subscribe(QStringLiteral("n"), this, [&](const QJsonObject &message) {
        others.append(message.value(QLatin1String("n")).toInt());
    });
    openConnection();
    sendNumbers(1, 5);
    QTRY_COMPARE(others, range(1, 5));
    QVERIFY(heard.waitFor(4));
    QCOMPARE(here, (QList<int>{1, 2, 4, 5}));
    QCOMPARE(heard.numbers(), (QList<int>{1, 2, 4, 5}));
    QVERIFY(!log.lines().filter(QStringLiteral("the setter refuses")).isEmpty());
    QVERIFY(connection->isConnected());
    delete connection;
    connection = nullptr;
    QCOMPARE(Tracked::living.load(), 0);
}

void tst_OtherThreads::m8_readingGoesOnInADialog_data()
{
    QTest::addColumn<bool>("isElsewhere");
    QTest::addColumn<bool>("isProcessEvents");
    QTest::addColumn<int>("size");   // of the message whose handler runs it
    QTest::addColumn<int>("before"); // as many as large come before it at once
    for (const bool isElsewhere : {false, true}) {
        const QByteArray where = isElsewhere ? "another thread: " : "";
        QTest::newRow(where + "a large message") << isElsewhere << false << 60'000 << 0;
        QTest::newRow(where + "a small one") << isElsewhere << false << 10 << 0;
        QTest::newRow(where + "the last of several") << isElsewhere << false << 20'000 << 5;
        QTest::newRow(where + "processEvents()") << isElsewhere << true << 60'000 << 0;
    }
}

void tst_OtherThreads::m8_readingGoesOnInADialog()
{
    QFETCH(const bool, isElsewhere);
    QFETCH(const bool, isProcessEvents);
    QFETCH(const int, size);
    QFETCH(const int, before);
    Worker worker;
    QObject *const context = isElsewhere ? worker.context() : this;
    const int count = before + 41;
    std::atomic<int> heard{0};
    std::atomic<int> heardInside{-1};
    QSemaphore isOver;
    connection->subscribe(QStringLiteral("n"), context, [&](const QJsonObject &message) {
        ++heard;
        if (message.value(QLatin1String("n")).toInt() != before + 1)
            return;
        QDeadlineTimer patience(Patience);
        QEventLoop dialog;
        QTimer look;
        QObject::connect(&look, &QTimer::timeout, &dialog, [&] {
            if (heard == count || patience.hasExpired())
                dialog.quit();
        });
        look.start(1);
        if (isProcessEvents) {
            while (heard < count && !patience.hasExpired())
                QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
        } else {
            dialog.exec();
        }
        heardInside = heard.load();
        isOver.release();
    });
    openConnection(ConnectionConfig().setMaxPendingBytes(64 * 1024));
    server->sendMany(count, [size, before](int i) {
        const QByteArray pad(i <= before ? size : 30'000, 'x');
        return R"({"type":"n","n":)" + QByteArray::number(i + 1) + R"(,"pad":")" + pad + R"("})";
    });
    QTRY_VERIFY_WITH_TIMEOUT(heardInside >= 0, 2 * Patience);
    QCOMPARE(heardInside.load(), count);
    QVERIFY(isOver.tryAcquire(1, Patience));
}

QTEST_GUILESS_MAIN(tst_OtherThreads)
#include "tst_otherthreads.moc"
