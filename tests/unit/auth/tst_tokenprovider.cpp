// SPDX-License-Identifier: MIT
#include "auth/functiontokenprovider.h"
#include "auth/statictokenprovider.h"

#include <QPromise>
#include <QTest>
#include <QThread>

#include <stdexcept>
#include <thread>

using namespace Everwire;
using namespace Qt::StringLiterals;

namespace {

// Answers when the test says so.
class ManualTokenProvider : public TokenProvider
{
public:
    QList<TokenRequest> requests;

protected:
    void fetch(const TokenRequest &request) override { requests.append(request); }
};

// Stands for a connection that asks.
class Asker : public QObject
{
public:
    void ask(TokenProvider &provider, bool fresh = false)
    {
        provider.request(
            this,
            [this](const TokenResult &result) {
                thread = QThread::currentThread();
                results.append(result);
            },
            fresh);
    }

    QList<TokenResult> results;
    QThread *thread = nullptr;
};

void runEvents()
{
    QCoreApplication::processEvents();
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
}

// QtFuture's own way to make one has another name from Qt 6.6 on.
QFuture<QString> readyFuture(const QString &token)
{
    QPromise<QString> promise;
    promise.start();
    promise.addResult(token);
    promise.finish();
    return promise.future();
}

} // namespace

class TestTokenProvider : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void a1_static();
    void a4_staticEmptyIsNone();
    void a1_functionRunsForEveryRequest();
    void a4_functionEmptyIsNone();
    void a1_future();
    void a1_futureLater();
    void a4_futureEmptyIsNone();
    void a4_futureFailures_data();
    void a4_futureFailures();
    void neverFromInsideRequest();
    void oneFetchForManyAskers();
    void laterAnswersAreIgnored();
    void rejectAndNone();
    void abandonEndsOneWait();
    void abandonedByAllItFetchesAgain();
    void abandonedBetweenTheAnswerAndItsDelivery();
    void aGoneContextHearsNothing();
    void askAgainInsideTheAnswer();
    void deleteTheProviderInsideTheAnswer();
    void answerFromAnotherThread();
    void answersFromManyThreads();
    void freshTokensAreFetchedOnTheirOwn();
    void providerGoneWhilePending();
    void providerGoneWhileTheFutureIsPending();
};

void TestTokenProvider::a1_static()
{
    StaticTokenProvider provider(u"one"_s);
    Asker asker;
    asker.ask(provider);
    runEvents();
    QCOMPARE(asker.results.size(), 1);
    QCOMPARE(asker.results.first().kind, TokenResult::Token);
    QCOMPARE(asker.results.first().token, u"one"_s);
    provider.setToken(u"two"_s);
    asker.ask(provider);
    runEvents();
    QCOMPARE(asker.results.value(1).token, u"two"_s);
}

void TestTokenProvider::a4_staticEmptyIsNone()
{
    StaticTokenProvider provider{QString()};
    Asker asker;
    asker.ask(provider);
    runEvents();
    QCOMPARE(asker.results.size(), 1);
    QCOMPARE(asker.results.first().kind, TokenResult::None);
}

void TestTokenProvider::a1_functionRunsForEveryRequest()
{
    int calls = 0;
    FunctionTokenProvider provider([&calls] { return u"t%1"_s.arg(++calls); });
    Asker asker;
    for (int i = 0; i < 3; ++i) {
        asker.ask(provider);
        runEvents();
    }
    QCOMPARE(calls, 3);
    QCOMPARE(asker.results.value(2).token, u"t3"_s);
}

void TestTokenProvider::a4_functionEmptyIsNone()
{
    FunctionTokenProvider provider([] { return QString(); });
    Asker asker;
    asker.ask(provider);
    runEvents();
    QCOMPARE(asker.results.value(0, {TokenResult::Failed, {}, {}}).kind, TokenResult::None);
}

void TestTokenProvider::a1_future()
{
    FunctionTokenProvider provider([] { return readyFuture(u"ready"_s); });
    Asker asker;
    asker.ask(provider);
    QVERIFY(asker.results.isEmpty());
    QTRY_COMPARE(asker.results.size(), 1);
    QCOMPARE(asker.results.first().token, u"ready"_s);
}

void TestTokenProvider::a1_futureLater()
{
    QPromise<QString> promise;
    promise.start();
    FunctionTokenProvider provider([&] { return promise.future(); });
    Asker asker;
    asker.ask(provider);
    runEvents();
    QVERIFY(asker.results.isEmpty());
    std::thread([&] {
        promise.addResult(u"late"_s);
        promise.finish();
    }).join();
    QTRY_COMPARE(asker.results.size(), 1);
    QCOMPARE(asker.results.first().token, u"late"_s);
    QCOMPARE(asker.thread, QThread::currentThread());
}

void TestTokenProvider::a4_futureEmptyIsNone()
{
    FunctionTokenProvider provider([] { return readyFuture({}); });
    Asker asker;
    asker.ask(provider);
    QTRY_COMPARE(asker.results.size(), 1);
    QCOMPARE(asker.results.first().kind, TokenResult::None);
}

void TestTokenProvider::a4_futureFailures_data()
{
    QTest::addColumn<QString>("how");
    QTest::addColumn<QString>("reason");
    QTest::newRow("cancelled") << u"cancel"_s << u"cancelled"_s;
    QTest::newRow("dropped") << u"drop"_s << u"cancelled"_s;
    QTest::newRow("exception") << u"throw"_s << u"keychain locked"_s;
}

void TestTokenProvider::a4_futureFailures()
{
    QFETCH(QString, how);
    QFETCH(QString, reason);
    auto promise = std::make_unique<QPromise<QString>>();
    promise->start();
    FunctionTokenProvider provider([&] { return promise->future(); });
    Asker asker;
    asker.ask(provider);
    if (how == u"throw")
        promise->setException(std::make_exception_ptr(std::runtime_error("keychain locked")));
    else if (how == u"cancel")
        promise->future().cancel();
    if (how == u"drop")
        promise.reset();
    else
        promise->finish();
    QTRY_COMPARE(asker.results.size(), 1);
    QCOMPARE(asker.results.first().kind, TokenResult::Failed);
    QVERIFY2(asker.results.first().reason.contains(reason), qPrintable(asker.results.first().reason));
}

void TestTokenProvider::neverFromInsideRequest()
{
    StaticTokenProvider provider(u"t"_s);
    Asker asker;
    asker.ask(provider);
    QVERIFY(asker.results.isEmpty());
    runEvents();
    QCOMPARE(asker.results.size(), 1);
}

void TestTokenProvider::oneFetchForManyAskers()
{
    ManualTokenProvider provider;
    Asker askers[5];
    for (Asker &asker : askers)
        asker.ask(provider);
    QCOMPARE(provider.requests.size(), 1);
    provider.requests.first().resolve(u"t"_s);
    runEvents();
    for (const Asker &asker : askers) {
        QCOMPARE(asker.results.size(), 1);
        QCOMPARE(asker.results.first().token, u"t"_s);
    }
    askers[0].ask(provider); // the answer was for those who waited
    QCOMPARE(provider.requests.size(), 2);
}

void TestTokenProvider::laterAnswersAreIgnored()
{
    ManualTokenProvider provider;
    Asker asker;
    asker.ask(provider);
    const TokenRequest request = provider.requests.first();
    const TokenRequest copy = request;
    request.resolve(u"first"_s);
    copy.resolve(u"second"_s);
    request.reject(u"third"_s);
    runEvents();
    QCOMPARE(asker.results.size(), 1);
    QCOMPARE(asker.results.first().token, u"first"_s);
    asker.ask(provider);
    request.resolve(u"old request"_s); // not the new request's answer
    runEvents();
    QCOMPARE(asker.results.size(), 1);
}

void TestTokenProvider::rejectAndNone()
{
    ManualTokenProvider provider;
    Asker asker;
    for (int i = 0; i < 4; ++i) {
        asker.ask(provider);
        const TokenRequest request = provider.requests.last();
        if (i == 0)
            request.reject(u"why"_s);
        else if (i == 1)
            request.reject({});
        else if (i == 2)
            request.resolveNone();
        else
            request.resolve({});
        runEvents();
    }
    QCOMPARE(asker.results.size(), 4);
    QCOMPARE(asker.results.at(0).kind, TokenResult::Failed);
    QCOMPARE(asker.results.at(0).reason, u"why"_s);
    QVERIFY(!asker.results.at(1).reason.isEmpty());
    QCOMPARE(asker.results.at(2).kind, TokenResult::None);
    QCOMPARE(asker.results.at(3).kind, TokenResult::None);
}

void TestTokenProvider::abandonEndsOneWait()
{
    ManualTokenProvider provider;
    Asker stays;
    Asker leaves;
    stays.ask(provider);
    leaves.ask(provider);
    provider.abandon(&leaves);
    provider.requests.first().resolve(u"t"_s);
    runEvents();
    QCOMPARE(stays.results.size(), 1);
    QVERIFY(leaves.results.isEmpty());
    provider.abandon(&leaves); // nothing to abandon
}

void TestTokenProvider::abandonedByAllItFetchesAgain()
{
    ManualTokenProvider provider;
    Asker asker;
    asker.ask(provider);
    provider.abandon(&asker);
    asker.ask(provider);
    QCOMPARE(provider.requests.size(), 2);
    provider.requests.first().resolve(u"old"_s);
    runEvents();
    QVERIFY(asker.results.isEmpty());
    provider.requests.last().resolve(u"new"_s);
    runEvents();
    QCOMPARE(asker.results.size(), 1);
    QCOMPARE(asker.results.first().token, u"new"_s);
}

void TestTokenProvider::abandonedBetweenTheAnswerAndItsDelivery()
{
    ManualTokenProvider provider;
    Asker asker;
    Asker other;
    asker.ask(provider);
    provider.requests.first().resolve(u"old"_s);
    provider.abandon(&asker);
    asker.ask(provider);
    QCOMPARE(provider.requests.size(), 2);
    runEvents();
    QVERIFY(asker.results.isEmpty());
    other.ask(provider); // waits for the second request's answer too
    QCOMPARE(provider.requests.size(), 2);
    provider.requests.last().resolve(u"new"_s);
    runEvents();
    QCOMPARE(asker.results.size(), 1);
    QCOMPARE(asker.results.first().token, u"new"_s);
    QCOMPARE(other.results.size(), 1);
}

void TestTokenProvider::aGoneContextHearsNothing()
{
    ManualTokenProvider provider;
    int heard = 0;
    auto context = std::make_unique<QObject>();
    provider.request(context.get(), [&heard](const TokenResult &) { ++heard; });
    context.reset();
    provider.requests.first().resolve(u"t"_s);
    runEvents();
    QCOMPARE(heard, 0);
}

void TestTokenProvider::askAgainInsideTheAnswer()
{
    ManualTokenProvider provider;
    Asker again;
    QObject context;
    provider.request(&context, [&](const TokenResult &) { again.ask(provider); });
    provider.requests.first().resolve(u"t"_s);
    runEvents();
    QCOMPARE(provider.requests.size(), 2); // a new request, not the old one's answer
    provider.requests.last().resolve(u"u"_s);
    runEvents();
    QCOMPARE(again.results.size(), 1);
    QCOMPARE(again.results.first().token, u"u"_s);
}

// Rules: O5
void TestTokenProvider::deleteTheProviderInsideTheAnswer()
{
    auto *provider = new ManualTokenProvider;
    Asker second;
    QObject context;
    provider->request(&context, [&](const TokenResult &) { delete provider; });
    second.ask(*provider);
    const TokenRequest request = provider->requests.first();
    request.resolve(u"t"_s);
    runEvents();
    QCOMPARE(second.results.size(), 1);
    request.resolve(u"again"_s); // nobody there
    runEvents();
}

void TestTokenProvider::answerFromAnotherThread()
{
    ManualTokenProvider provider;
    Asker asker;
    asker.ask(provider);
    std::thread([request = provider.requests.first()] { request.resolve(u"t"_s); }).join();
    QVERIFY(asker.results.isEmpty());
    runEvents();
    QCOMPARE(asker.results.size(), 1);
    QCOMPARE(asker.thread, QThread::currentThread());
}

void TestTokenProvider::answersFromManyThreads()
{
    for (int round = 0; round < 50; ++round) {
        auto provider = std::make_unique<ManualTokenProvider>();
        Asker asker;
        asker.ask(*provider);
        const TokenRequest request = provider->requests.first();
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; ++i)
            threads.emplace_back([request, i] { request.resolve(QString::number(i)); });
        if (round % 2)
            provider.reset(); // goes while they answer
        for (auto &thread : threads)
            thread.join();
        runEvents();
        QCOMPARE(asker.results.size(), 1);
        QCOMPARE(asker.results[0].kind, round % 2 ? TokenResult::Failed : TokenResult::Token);
    }
}

void TestTokenProvider::freshTokensAreFetchedOnTheirOwn()
{
    ManualTokenProvider provider;
    Asker any;
    Asker fresh;
    Asker another;
    any.ask(provider);
    fresh.ask(provider, true);
    another.ask(provider, true);
    QCOMPARE(provider.requests.size(), 1); // one at a time
    QVERIFY(!provider.requests[0].wantsFresh());
    provider.requests[0].resolve(u"kept"_s);
    runEvents();
    QCOMPARE(any.results.size(), 1);
    QVERIFY(fresh.results.isEmpty());
    QCOMPARE(provider.requests.size(), 2);
    QVERIFY(provider.requests[1].wantsFresh());
    Asker late;
    late.ask(provider); // a fresh one will do for everybody
    provider.requests[1].resolve(u"new"_s);
    runEvents();
    QCOMPARE(provider.requests.size(), 2);
    for (const Asker *asker : {&fresh, &another, &late}) {
        QCOMPARE(asker->results.size(), 1);
        QCOMPARE(asker->results[0].token, u"new"_s);
    }
    // Abandoned, it makes way.
    any.ask(provider);
    fresh.ask(provider, true);
    provider.abandon(&any);
    QCOMPARE(provider.requests.size(), 4);
    QVERIFY(provider.requests[3].wantsFresh());
    provider.abandon(&fresh);
}

void TestTokenProvider::providerGoneWhilePending()
{
    auto provider = std::make_unique<ManualTokenProvider>();
    Asker asker;
    asker.ask(*provider);
    const TokenRequest request = provider->requests.first();
    provider.reset();
    request.resolve(u"t"_s);
    runEvents();
    QCOMPARE(asker.results.size(), 1);
    QCOMPARE(asker.results[0].kind, TokenResult::Failed);
    QCOMPARE(asker.results[0].reason, u"the token provider is gone"_s);
}

void TestTokenProvider::providerGoneWhileTheFutureIsPending()
{
    QPromise<QString> promise;
    promise.start();
    auto provider = std::make_unique<FunctionTokenProvider>([&] { return promise.future(); });
    Asker asker;
    asker.ask(*provider);
    provider.reset();
    promise.addResult(u"t"_s);
    promise.finish();
    runEvents();
    QCOMPARE(asker.results.size(), 1);
    QCOMPARE(asker.results[0].kind, TokenResult::Failed);
    QCOMPARE(asker.results[0].reason, u"the token provider is gone"_s);
}

QTEST_GUILESS_MAIN(TestTokenProvider)
#include "tst_tokenprovider.moc"
