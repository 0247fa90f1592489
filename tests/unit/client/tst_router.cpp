// SPDX-License-Identifier: MIT
#include "client/router.h"

#include "client/events.h"

#include <QTest>
#include <QThread>

#include <atomic>

using namespace Everwire;
using namespace Qt::StringLiterals;

namespace {

Message message(const QString &type = u"a"_s)
{
    return Message::fromText("{}", type, Message::Incoming);
}

// A thread with an event loop and an object that lives in it.
class ThreadWithObject
{
public:
    ThreadWithObject() : object(new QObject)
    {
        object->moveToThread(&thread);
        thread.start();
    }
    ~ThreadWithObject()
    {
        if (object)
            destroyObject();
        thread.quit();
        thread.wait();
    }
    Q_DISABLE_COPY_MOVE(ThreadWithObject)

    void destroyObject()
    {
        QObject *const doomed = std::exchange(object, nullptr);
        QMetaObject::invokeMethod(
            doomed, [doomed] { delete doomed; }, Qt::BlockingQueuedConnection);
    }
    // Everything that was posted to the object before has been handled.
    void drain()
    {
        QMetaObject::invokeMethod(
            object, [] {}, Qt::BlockingQueuedConnection);
    }

    QThread thread;
    QObject *object;
};

} // namespace

class TestRouter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void m1_onlyItsOwnType();
    void m6_orderOfSubscription();
    void m4_unsubscribe();
    void m4_droppingTheHandleChangesNothing();
    void m4_endsWithItsContext();
    void m4_unsubscribeInsideItsHandler();
    void m4_unsubscribeAnotherInsideAHandler();
    void m4_subscribeInsideAHandler();
    void m4_contextDestroyedInsideItsHandler();
    void m4_anotherContextDestroyedInsideAHandler();
    void m4_nestedDispatch();
    void o5_whatAHandlerHasCapturedUnsubscribesOthers();
    void o5_routerDestroyedInsideAHandler();
    void o5_routerDestroyedBeforeItsHandles();
    void m6_contextInAnotherThread();
    void m6_contextInAnotherThreadDestroyed();
    void m6_manyMessagesAcrossThreads();
    void m4_unsubscribeEndsWhatIsUnderWay();
    void m6_contextThatWasMoved();
    void m5_reservedNames();
    void m4_manySubscriptionsEnd_data();
    void m4_manySubscriptionsEnd();
    void m4_whatAHandlerHasCapturedGoes();
};

void TestRouter::m1_onlyItsOwnType()
{
    Router router;
    QObject context;
    QStringList heard;
    router.add(u"a"_s, &context, [&](const Message &m) { heard.append(m.type()); });
    QVERIFY(router.hasSubscribers(u"a"_s));
    QVERIFY(!router.hasSubscribers(u"b"_s));
    QVERIFY(router.dispatch(u"a"_s, message(u"a"_s)));
    QVERIFY(router.dispatch(u"b"_s, message(u"b"_s)));
    QVERIFY(router.dispatch(u"A"_s, message(u"A"_s)));
    QCOMPARE(heard, QStringList{u"a"_s});
}

void TestRouter::m6_orderOfSubscription()
{
    Router router;
    QObject context;
    QList<int> heard;
    QList<Subscription> subscriptions;
    for (int i = 0; i < 5; ++i)
        subscriptions.append(router.add(u"a"_s, &context, [&heard, i](const Message &) { heard.append(i); }));
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, (QList{0, 1, 2, 3, 4}));
    subscriptions[2].unsubscribe();
    subscriptions[0].unsubscribe();
    heard.clear();
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, (QList{1, 3, 4}));
}

void TestRouter::m4_unsubscribe()
{
    Router router;
    QObject context;
    int heard = 0;
    Subscription subscription = router.add(u"a"_s, &context, [&](const Message &) { ++heard; });
    QVERIFY(subscription.isActive());
    QVERIFY(bool(subscription));
    Subscription copy = subscription;
    copy.unsubscribe();
    QVERIFY(!subscription.isActive());
    QVERIFY(!router.hasSubscribers(u"a"_s));
    subscription.unsubscribe(); // again
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, 0);
    Subscription().unsubscribe();
    QVERIFY(!Subscription().isActive());
}

void TestRouter::m4_droppingTheHandleChangesNothing()
{
    Router router;
    QObject context;
    int heard = 0;
    {
        const Subscription subscription = router.add(u"a"_s, &context, [&](const Message &) { ++heard; });
    }
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, 1);
}

void TestRouter::m4_endsWithItsContext()
{
    Router router;
    auto context = std::make_unique<QObject>();
    int heard = 0;
    const auto held = std::make_shared<int>(0);
    const Subscription subscription =
        router.add(u"a"_s, context.get(), [&heard, held](const Message &) { ++heard; });
    QCOMPARE(held.use_count(), 2);
    context.reset();
    QVERIFY(!subscription.isActive());
    QVERIFY(!router.hasSubscribers(u"a"_s));
    QCOMPARE(held.use_count(), 1); // what the handler held is let go of
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, 0);
}

void TestRouter::m4_unsubscribeInsideItsHandler()
{
    Router router;
    QObject context;
    QStringList heard;
    Subscription subscription;
    const auto held = std::make_shared<QString>(u"first"_s);
    subscription = router.add(u"a"_s, &context, [&, held](const Message &) {
        subscription.unsubscribe();
        heard.append(*held); // the handler outlives its own end
    });
    router.add(u"a"_s, &context, [&](const Message &) { heard.append(u"second"_s); });
    router.dispatch(u"a"_s, message());
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, (QStringList{u"first"_s, u"second"_s, u"second"_s}));
    QCOMPARE(held.use_count(), 1);
}

void TestRouter::m4_unsubscribeAnotherInsideAHandler()
{
    Router router;
    QObject context;
    QStringList heard;
    Subscription before;
    Subscription after;
    before = router.add(u"a"_s, &context, [&](const Message &) { heard.append(u"before"_s); });
    router.add(u"a"_s, &context, [&](const Message &) {
        heard.append(u"here"_s);
        before.unsubscribe();
        after.unsubscribe();
    });
    after = router.add(u"a"_s, &context, [&](const Message &) { heard.append(u"after"_s); });
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, (QStringList{u"before"_s, u"here"_s})); // it is not called once it has ended
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, (QStringList{u"before"_s, u"here"_s, u"here"_s}));
}

void TestRouter::m4_subscribeInsideAHandler()
{
    Router router;
    QObject context;
    QStringList heard;
    router.add(u"a"_s, &context, [&](const Message &) {
        heard.append(u"old"_s);
        if (heard.size() > 1)
            return;
        for (int i = 0; i < 50; ++i) // enough for the list to move
            router.add(u"a"_s, &context, [&](const Message &) { heard.append(u"new"_s); });
        for (int i = 0; i < 50; ++i)
            router.add(u"type%1"_s.arg(i), &context, [](const Message &) {});
    });
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, QStringList{u"old"_s}); // what is added first hears the next message
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard.count(u"new"_s), 50);
}

void TestRouter::m4_contextDestroyedInsideItsHandler()
{
    Router router;
    auto *context = new QObject;
    QObject other;
    QStringList heard;
    const auto held = std::make_shared<QString>(u"first"_s);
    router.add(u"a"_s, context, [&heard, context, held](const Message &) {
        delete context;
        heard.append(*held);
    });
    router.add(u"a"_s, &other, [&](const Message &) { heard.append(u"second"_s); });
    router.dispatch(u"a"_s, message());
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, (QStringList{u"first"_s, u"second"_s, u"second"_s}));
}

void TestRouter::m4_anotherContextDestroyedInsideAHandler()
{
    Router router;
    QObject context;
    auto victim = std::make_unique<QObject>();
    int heard = 0;
    router.add(u"a"_s, &context, [&](const Message &) { victim.reset(); });
    router.add(u"a"_s, victim.get(), [&](const Message &) { ++heard; });
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, 0);
}

void TestRouter::m4_nestedDispatch()
{
    Router router;
    QObject context;
    QStringList heard;
    Subscription inner;
    router.add(u"a"_s, &context, [&](const Message &) {
        heard.append(u"a"_s);
        router.dispatch(u"b"_s, message(u"b"_s));
        heard.append(u"a ends"_s);
    });
    inner = router.add(u"b"_s, &context, [&](const Message &) {
        heard.append(u"b"_s);
        inner.unsubscribe();
    });
    router.dispatch(u"a"_s, message());
    QCOMPARE(heard, (QStringList{u"a"_s, u"b"_s, u"a ends"_s}));
    QVERIFY(!router.hasSubscribers(u"b"_s));
    QVERIFY(router.hasSubscribers(u"a"_s));
}

// It goes when its handler does, while the router puts its lists in order.
void TestRouter::o5_whatAHandlerHasCapturedUnsubscribesOthers()
{
    struct Guard
    {
        ~Guard()
        {
            for (Subscription &other : others)
                other.unsubscribe();
        }
        QList<Subscription> others;
    };
    Router router;
    QObject context;
    QStringList heard;
    const auto add = [&](const QString &event) {
        return router.add(event, &context, [&heard, event](const Message &) { heard.append(event); });
    };
    auto guard = std::make_shared<Guard>();
    guard->others = {add(u"a"_s), add(u"b"_s)};
    Subscription subscription;
    subscription =
        router.add(u"a"_s, &context, [&subscription, guard](const Message &) { subscription.unsubscribe(); });
    guard->others += {add(u"a"_s), add(u"c"_s)};
    const Subscription stays = add(u"a"_s);
    const std::weak_ptr<Guard> watched = guard;
    guard.reset();
    router.dispatch(u"a"_s, message());
    QVERIFY(watched.expired());
    QCOMPARE(heard, (QStringList{u"a"_s, u"a"_s, u"a"_s}));
    heard.clear();
    for (const QString &event : {u"a"_s, u"b"_s, u"c"_s})
        router.dispatch(event, message(event));
    QCOMPARE(heard, QStringList{u"a"_s});
    QVERIFY(stays.isActive());
}

void TestRouter::o5_routerDestroyedInsideAHandler()
{
    auto router = std::make_unique<Router>();
    QObject context;
    int heard = 0;
    const Subscription subscription = router->add(u"a"_s, &context, [&](const Message &) {
        ++heard;
        router.reset();
    });
    (void)router->add(u"a"_s, &context, [&](const Message &) { ++heard; });
    Router *const raw = router.get();
    QVERIFY(!raw->dispatch(u"a"_s, message()));
    QCOMPARE(heard, 1);
    QVERIFY(!subscription.isActive());
}

void TestRouter::o5_routerDestroyedBeforeItsHandles()
{
    auto context = std::make_unique<QObject>();
    Subscription subscription;
    {
        Router router;
        subscription = router.add(u"a"_s, context.get(), [](const Message &) {});
    }
    QVERIFY(!subscription.isActive());
    subscription.unsubscribe();
    context.reset(); // nothing is connected to it any more
}

void TestRouter::m6_contextInAnotherThread()
{
    Router router;
    ThreadWithObject other;
    QObject here;
    QThread *deliveredIn = nullptr;
    QString type;
    bool heardHere = false;
    router.add(u"a"_s, other.object, [&](const Message &m) {
        deliveredIn = QThread::currentThread();
        type = m.type();
    });
    router.add(u"a"_s, &here, [&](const Message &) { heardHere = true; });
    router.dispatch(u"a"_s, message());
    QVERIFY(heardHere);
    other.drain();
    QCOMPARE(deliveredIn, &other.thread);
    QCOMPARE(type, u"a"_s);
}

void TestRouter::m6_contextInAnotherThreadDestroyed()
{
    Router router;
    ThreadWithObject other;
    std::atomic<int> heard{0};
    const Subscription subscription = router.add(u"a"_s, other.object, [&](const Message &) { ++heard; });
    other.destroyObject();
    router.dispatch(u"a"_s, message()); // may come before the news of its end
    QCoreApplication::processEvents();
    QVERIFY(!subscription.isActive());
    QVERIFY(!router.hasSubscribers(u"a"_s));
    QCOMPARE(heard.load(), 0);
}

void TestRouter::m6_manyMessagesAcrossThreads()
{
    Router router;
    ThreadWithObject other;
    QList<int> heard; // in the other thread only, until it has drained
    Subscription subscription = router.add(
        u"a"_s, other.object, [&](const Message &m) { heard.append(m.json().value("n"_L1).toInt()); });
    for (int i = 0; i < 1'000; ++i)
        router.dispatch(
            u"a"_s, Message::fromText(R"({"n":)" + QByteArray::number(i) + '}', u"a"_s, Message::Incoming));
    other.drain();
    QCOMPARE(heard.size(), 1'000);
    for (int i = 0; i < 1'000; ++i)
        QCOMPARE(heard.at(i), i);
    subscription.unsubscribe();
    router.dispatch(u"a"_s, message());
    other.drain();
    QCOMPARE(heard.size(), 1'000);
}

void TestRouter::m4_unsubscribeEndsWhatIsUnderWay()
{
    Router router;
    ThreadWithObject other;
    std::atomic<int> heard{0};
    std::atomic<bool> go{false};
    QMetaObject::invokeMethod(other.object, [&go] {
        while (!go)
            QThread::yieldCurrentThread();
    });
    Subscription subscription = router.add(u"a"_s, other.object, [&](const Message &) { ++heard; });
    router.dispatch(u"a"_s, message()); // waits for the busy thread
    subscription.unsubscribe();
    go = true;
    other.drain();
    QCOMPARE(heard.load(), 0);
}

void TestRouter::m6_contextThatWasMoved()
{
    Router router;
    QThread thread;
    auto *context = new QObject;
    QThread *deliveredIn = nullptr;
    router.add(u"a"_s, context, [&](const Message &) { deliveredIn = QThread::currentThread(); });
    context->moveToThread(&thread); // as a constructor that subscribes cannot foresee
    thread.start();
    router.dispatch(u"a"_s, message());
    QMetaObject::invokeMethod(
        context, [context] { delete context; }, Qt::BlockingQueuedConnection);
    QCOMPARE(deliveredIn, &thread);
    QCoreApplication::processEvents(); // the news of its end
    QVERIFY(!router.hasSubscribers(u"a"_s));
    thread.quit();
    thread.wait();
}

void TestRouter::m5_reservedNames()
{
    for (const QString &name :
         {u"stateChange"_s, u"connected"_s, u"disconnected"_s, u"connectionError"_s, u"authenticationError"_s,
          u"authenticationTimeout"_s, u"reconnecting"_s, u"maxReconnectAttemptsReached"_s, u"message"_s,
          u"binaryMessage"_s, u"parseError"_s})
        QVERIFY2(Events::isReserved(name), qPrintable(name));
    QVERIFY(!Events::isReserved(u"error"_s)); // the backend uses it
    QVERIFY(!Events::isReserved(u"Connected"_s));
    QVERIFY(!Events::isReserved(u"status"_s));
}

void TestRouter::m4_manySubscriptionsEnd_data()
{
    QTest::addColumn<bool>("areElsewhere");
    QTest::addColumn<bool>("areOfOneEvent");
    QTest::addColumn<bool>("endWithContext");
    for (const bool elsewhere : {false, true}) {
        for (const bool oneEvent : {false, true}) {
            for (const bool withContext : {false, true}) {
                const QString name = u"%1, %2, %3"_s.arg(
                    elsewhere ? u"elsewhere"_s : u"here"_s, oneEvent ? u"one event"_s : u"many events"_s,
                    withContext ? u"with the context"_s : u"one by one"_s);
                QTest::newRow(qPrintable(name)) << elsewhere << oneEvent << withContext;
            }
        }
    }
}

// What the wire thread calls is put together anew a few times, and not for each that ends.
void TestRouter::m4_manySubscriptionsEnd()
{
    QFETCH(const bool, areElsewhere);
    QFETCH(const bool, areOfOneEvent);
    QFETCH(const bool, endWithContext);
    constexpr int count = 40'000;
    int changes = 0;
    TakeMessage wire;
    Router router;
    Router::Source source;
    source.divert = [&](const std::function<void()> &change, TakeMessage all, const TakeMessage &) {
        ++changes;
        change();
        wire = std::move(all);
    };
    router.setSource(source);
    ThreadWithObject other;
    std::atomic<int> heard{0};
    (void)router.add(u"listened"_s, other.object, [&](const Message &) { ++heard; });
    QCOMPARE(changes, 1);
    const auto event = [&](int i) { return areOfOneEvent ? u"a"_s : u"a%1"_s.arg(i); };
    {
        ThreadWithObject elsewhere;
        QObject here;
        QObject *const context = areElsewhere ? elsewhere.object : &here;
        QList<Subscription> all;
        for (int i = 0; i < count; ++i)
            all.append(router.add(event(i), context, [&](const Message &) { ++heard; }));
        changes = 0;
        if (!endWithContext) {
            for (Subscription &one : all)
                one.unsubscribe();
        }
    }
    QCoreApplication::processEvents();
    QVERIFY2(changes <= (areElsewhere ? 20 : 0), qPrintable(QString::number(changes)));
    for (int i = 0; i < count; i += 1000)
        QVERIFY(!router.hasSubscribers(event(i)));
    QVERIFY(wire);
    wire(message(u"listened"_s), 1, 0);
    wire(message(event(0)), 1, 0);
    router.dispatchMessage(message(event(0)));
    other.drain();
    QCOMPARE(heard.load(), 1);
}

// Behind unsubscribe(), behind the end of the context, and behind the handler that ends itself.
void TestRouter::m4_whatAHandlerHasCapturedGoes()
{
    for (const QString &how :
         {u"unsubscribe"_s, u"itself"_s, u"context"_s, u"contextItself"_s, u"router"_s, u"routerItself"_s}) {
        auto router = std::make_unique<Router>();
        auto context = std::make_unique<QObject>();
        auto captured = std::make_shared<int>(5);
        const std::weak_ptr<int> watched = captured;
        Subscription subscription;
        bool wasThere = false;
        subscription = router->add(u"a"_s, context.get(), [&, captured](const Message &) {
            if (how == u"itself")
                subscription.unsubscribe();
            else if (how == u"contextItself")
                context.reset();
            else if (how == u"routerItself")
                router.reset();
            wasThere = !watched.expired() && *captured == 5;
        });
        captured.reset();
        router.get()->dispatch(u"a"_s, message());
        QVERIFY(wasThere);
        if (how == u"unsubscribe")
            subscription.unsubscribe();
        else if (how == u"context")
            context.reset();
        else if (how == u"router")
            router.reset();
        QVERIFY2(watched.expired(), qPrintable(how));
        QVERIFY(!subscription.isActive());
    }
}

QTEST_GUILESS_MAIN(TestRouter)
#include "tst_router.moc"
