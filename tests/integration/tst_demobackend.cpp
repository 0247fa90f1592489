// SPDX-License-Identifier: MIT
//
// The examples' backend, as the library's own connections see it.
#include "backendthread.h"
#include "content.h"

#include <Everwire/NotificationFeed>
#include <Everwire/WebSocketProvider>

#include <QSignalSpy>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

class tst_DemoBackend : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void notificationsGoOnAfterACut();
    void anAssessmentRunsToItsScore();
    void pricesAreMany();
    void aWrongTokenIsRefused();
    void anUnknownPathIsRefused();
    void theContentIsTheSameAtEveryRun();

private:
    Connection *open(const QString &type);

    std::unique_ptr<Demo::BackendThread> backend;
    std::unique_ptr<WebSocketProvider> provider;
};

void tst_DemoBackend::init()
{
    backend = std::make_unique<Demo::BackendThread>(100);
    QVERIFY2(!backend->url().isEmpty(), qPrintable(backend->errorString()));
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(backend->token());
    for (const QString &type : {u"notifications"_s, u"assessments"_s, u"prices"_s, u"nothing"_s})
        QVERIFY(provider->configure(type, ConnectionConfig()
                                              .setUrl(backend->url().toString() + u'/' + type)
                                              .setInitialReconnectDelay(1ms)));
}

void tst_DemoBackend::cleanup()
{
    provider.reset();
    backend.reset();
}

Connection *tst_DemoBackend::open(const QString &type)
{
    Connection *connection = provider->connection(type);
    connection->open();
    return connection;
}

void tst_DemoBackend::notificationsGoOnAfterACut()
{
    NotificationFeed feed(provider.get());
    QSignalSpy received(&feed, &NotificationFeed::notificationReceived);
    QSignalSpy connected(feed.connection(), &Connection::connected);
    QTRY_VERIFY(received.size() > Demo::Content::missedNotifications);
    backend->dropAll();
    QTRY_COMPARE(connected.size(), 2);
    const qsizetype before = received.size();
    QTRY_VERIFY(received.size() > before + 1);
    // What is sent again is known, and nothing is missing.
    for (qsizetype i = 0; i < received.size(); ++i)
        QCOMPARE(received[i][0].toJsonObject().value(u"id"_s).toString(),
                 u"ntf-%1"_s.arg(i + 1, 4, 10, QChar(u'0')));
}

void tst_DemoBackend::anAssessmentRunsToItsScore()
{
    Connection *connection = open(u"assessments"_s);
    QList<int> percents;
    int score = 0;
    connection->subscribe(u"progress"_s, this, [&](const QJsonObject &progress) {
        percents.append(progress.value(u"percent"_s).toInt(-1));
    });
    connection->subscribe(u"complete"_s, this, [&](const QJsonObject &complete) {
        if (score == 0)
            score = complete.value(u"score"_s).toInt();
    });
    QTRY_VERIFY(score > 0);
    QVERIFY(score <= 100);
    QCOMPARE(percents.first(), 0);
    QCOMPARE(percents.mid(0, 51).last(), 100);
    QVERIFY(std::is_sorted(percents.begin(), percents.begin() + 51));
}

void tst_DemoBackend::pricesAreMany()
{
    int prices = 0;
    double last = 0;
    open(u"prices"_s)->subscribe(u"price"_s, this, [&](const QJsonObject &price) {
        ++prices;
        last = price.value(u"value"_s).toDouble();
    });
    QTRY_VERIFY(prices >= 100);
    QVERIFY(last > 100);
}

void tst_DemoBackend::aWrongTokenIsRefused()
{
    provider->setToken(u"not.a.token"_s);
    Connection *connection = open(u"prices"_s);
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::AuthenticationFailed);
}

void tst_DemoBackend::anUnknownPathIsRefused()
{
    Connection *connection = open(u"nothing"_s);
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->closeCode(), 1008);
}

void tst_DemoBackend::theContentIsTheSameAtEveryRun()
{
    const QDateTime now = QDateTime::currentDateTimeUtc();
    QSet<QString> ids;
    for (int step = 0; step < 100; ++step) {
        const QJsonObject notification = Demo::Content::notification(step, now, now);
        QCOMPARE(notification, Demo::Content::notification(step, now, now));
        QVERIFY(!notification.value(u"title"_s).toString().isEmpty());
        ids.insert(notification.value(u"id"_s).toString());
        QCOMPARE(Demo::Content::price(step), Demo::Content::price(step));
    }
    QCOMPARE(ids.size(), 100);
}

QTEST_GUILESS_MAIN(tst_DemoBackend)
#include "tst_demobackend.moc"
