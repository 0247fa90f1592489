// SPDX-License-Identifier: MIT
//
// NotificationFeed against a server: what it keeps, what it says, and what it does with bad input.
#include "support/testserver.h"

#include <Everwire/NotificationFeed>
#include <Everwire/WebSocketProvider>

#include <QAbstractItemModelTester>
#include <QEventLoop>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QTest>
#include <QTimeZone>

#include <functional>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

QByteArray notification(const QString &id, const QString &title = u"Title"_s)
{
    return QJsonDocument({{u"type"_s, u"notification"_s},
                          {u"id"_s, id},
                          {u"title"_s, title},
                          {u"message"_s, u"Words"_s},
                          {u"timestamp"_s, u"2026-03-01T10:00:00Z"_s}})
        .toJson(QJsonDocument::Compact);
}

QByteArray numbered(int n)
{
    return notification(QString::number(n));
}

const char *const Signals[] = {"notificationReceived", "unreadCountChanged", "errorChanged",
                               "limitChanged",         "autoConnectChanged", "rowsInserted",
                               "rowsRemoved",          "dataChanged",        "countChanged"};

} // namespace

class tst_NotificationFeed : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void newestFirst();
    void readAndUnread();
    void removeAndClear();
    void theSameIdIsTheSameNotification();
    void theSameIdTwiceInOneBatch();
    void aRemovedOneIsNewWhenItComesAgain();
    void theLimitLetsTheOldestGo();
    void aBurstIsBoundedAndInsertedInBatches();
    void whatIsNotText_data();
    void whatIsNotText();
    void timestamps_data();
    void timestamps();
    void markupIsLeftAsItIs();
    void otherMessagesAreNone();
    void o7_theFeedsShareAConnection();
    void autoConnectCanBeTakenBack();
    void theConnectionsErrorIsTheFeeds();
    void survivesAReconnect();
    void o5_deletedInAnySignal_data();
    void o5_deletedInAnySignal();
    void o5_changedInAnySignal_data();
    void o5_changedInAnySignal();
    void aHandlerWithAnEventLoopKeepsTheOrder();
    void theInstanceIsTheDefault();

private:
    [[nodiscard]] NotificationModel *model() const { return feed->notifications(); }
    [[nodiscard]] QStringList ids() const;
    void connectFeed();
    // All at once, and behind them one whose arrival shows that they are there.
    void sendAll(const QList<QByteArray> &messages);
    // What happens to the feed in one of its signals or its model's, once.
    void onSignal(const QString &signal, std::function<void()> action);

    // After the provider's connections, which the feed has a share in.
    std::unique_ptr<TestServer> server;
    std::unique_ptr<WebSocketProvider> provider;
    std::unique_ptr<NotificationFeed> feed;
    std::unique_ptr<QAbstractItemModelTester> tester;
    Connection *connection = nullptr;
    int markers = 0;
};

void tst_NotificationFeed::init()
{
    server = std::make_unique<TestServer>();
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(u"good"_s);
    QVERIFY(provider->configure(
        u"notifications"_s,
        ConnectionConfig().setUrl(server->url()).setInitialReconnectDelay(1ms).setLinger(0ms)));
    feed = std::make_unique<NotificationFeed>(provider.get());
    tester = std::make_unique<QAbstractItemModelTester>(
        feed->notifications(), QAbstractItemModelTester::FailureReportingMode::QtTest);
    connection = feed->connection();
}

void tst_NotificationFeed::cleanup()
{
    tester.reset();
    feed.reset();
    provider.reset();
    server.reset();
}

QStringList tst_NotificationFeed::ids() const
{
    QStringList ids;
    for (int row = 0; row < model()->count(); ++row)
        ids.append(model()->at(row).notificationId);
    return ids;
}

void tst_NotificationFeed::connectFeed()
{
    QTRY_VERIFY(connection->isConnected());
}

void tst_NotificationFeed::sendAll(const QList<QByteArray> &messages)
{
    int heard = 0;
    const QString marker = u"marker"_s + QString::number(++markers);
    Subscription subscription = connection->subscribe(marker, this, [&heard] { ++heard; });
    for (const QByteArray &message : messages)
        server->sendText(message);
    server->sendText(R"({"type":")" + marker.toUtf8() + R"("})");
    QTRY_COMPARE(heard, 1);
    subscription.unsubscribe();
    QCoreApplication::sendPostedEvents(); // the batch that came with it
}

void tst_NotificationFeed::newestFirst()
{
    QSignalSpy received(feed.get(), &NotificationFeed::notificationReceived);
    connectFeed();
    sendAll({notification(u"a"_s, u"First"_s), notification(u"b"_s, u"Second"_s)});
    QCOMPARE(ids(), QStringList({u"b"_s, u"a"_s}));
    QCOMPARE(feed->unreadCount(), 2);
    QCOMPARE(received.size(), 2);
    const QJsonObject first = received[0][0].toJsonObject();
    QCOMPARE(first.value(u"id"_s).toString(), u"a"_s);
    QCOMPARE(first.value(u"title"_s).toString(), u"First"_s);
    QCOMPARE(first.value(u"message"_s).toString(), u"Words"_s);
    QCOMPARE(first.value(u"timestamp"_s).toString(), u"2026-03-01T10:00:00.000Z"_s);

    const QModelIndex index = model()->index(0);
    QCOMPARE(index.data(NotificationModel::NotificationIdRole).toString(), u"b"_s);
    QCOMPARE(index.data(NotificationModel::TitleRole).toString(), u"Second"_s);
    QCOMPARE(index.data(Qt::DisplayRole).toString(), u"Second"_s);
    QCOMPARE(index.data(NotificationModel::MessageRole).toString(), u"Words"_s);
    QCOMPARE(index.data(NotificationModel::TimestampRole).toDateTime(),
             QDateTime({2026, 3, 1}, {10, 0}, QTimeZone::utc()));
    QCOMPARE(index.data(NotificationModel::IsReadRole).toBool(), false);
    QCOMPARE(index.data(NotificationModel::PayloadRole).toJsonObject().value(u"type"_s).toString(),
             u"notification"_s);
    QCOMPARE(model()->roleNames().value(NotificationModel::NotificationIdRole), QByteArray("notificationId"));
}

void tst_NotificationFeed::readAndUnread()
{
    connectFeed();
    sendAll({numbered(1), numbered(2), numbered(3)});
    QSignalSpy unread(feed.get(), &NotificationFeed::unreadCountChanged);
    feed->markAsRead(u"2"_s);
    feed->markAsRead(u"2"_s);
    feed->markAsRead(u"unknown"_s);
    QCOMPARE(feed->unreadCount(), 2);
    QCOMPARE(unread.size(), 1);
    QVERIFY(model()->at(1).isRead);
    feed->markAllAsRead();
    feed->markAllAsRead();
    QCOMPARE(feed->unreadCount(), 0);
    QCOMPARE(unread.size(), 2);
    QVERIFY(model()->at(0).isRead && model()->at(2).isRead);
}

void tst_NotificationFeed::removeAndClear()
{
    connectFeed();
    sendAll({numbered(1), numbered(2), numbered(3), numbered(4)});
    QSignalSpy counts(model(), &NotificationModel::countChanged);
    feed->markAsRead(u"2"_s);
    feed->remove(u"2"_s);
    QCOMPARE(feed->unreadCount(), 3);
    feed->remove(u"3"_s);
    feed->remove(u"unknown"_s);
    QCOMPARE(ids(), QStringList({u"4"_s, u"1"_s}));
    QCOMPARE(feed->unreadCount(), 2);
    QCOMPARE(counts.size(), 2);
    feed->markAsRead(u"1"_s); // found behind the gap
    QCOMPARE(model()->at(1).isRead, true);
    feed->clear();
    feed->clear();
    QCOMPARE(model()->count(), 0);
    QCOMPARE(feed->unreadCount(), 0);
    QCOMPARE(counts.size(), 3);
}

void tst_NotificationFeed::theSameIdIsTheSameNotification()
{
    QSignalSpy received(feed.get(), &NotificationFeed::notificationReceived);
    connectFeed();
    sendAll({notification(u"a"_s, u"Old"_s), notification(u"b"_s)});
    feed->markAsRead(u"a"_s);
    QSignalSpy changed(model(), &NotificationModel::dataChanged);
    sendAll({notification(u"a"_s, u"New"_s), notification(u"b"_s),
             R"({"type":"notification","id":"b","title":"No time"})"});
    QCOMPARE(ids(), QStringList({u"b"_s, u"a"_s}));
    QCOMPARE(model()->at(1).title, u"New"_s);
    QVERIFY(model()->at(1).isRead);
    QCOMPARE(model()->at(0).title, u"No time"_s);
    QCOMPARE(model()->at(0).timestamp, QDateTime({2026, 3, 1}, {10, 0}, QTimeZone::utc())); // the one it had
    QCOMPARE(changed.size(), 2); // not for the one that is as it was
    QCOMPARE(received.size(), 2);
    QCOMPARE(feed->unreadCount(), 1);
}

void tst_NotificationFeed::theSameIdTwiceInOneBatch()
{
    QSignalSpy received(feed.get(), &NotificationFeed::notificationReceived);
    connectFeed();
    sendAll({notification(u"a"_s, u"1"_s), notification(u"b"_s), notification(u"a"_s, u"2"_s)});
    QCOMPARE(ids(), QStringList({u"b"_s, u"a"_s}));
    QCOMPARE(model()->at(1).title, u"2"_s);
    QCOMPARE(feed->unreadCount(), 2);
    QCOMPARE(received.size(), 2);
}

void tst_NotificationFeed::aRemovedOneIsNewWhenItComesAgain()
{
    connectFeed();
    sendAll({numbered(1)});
    feed->remove(u"1"_s);
    sendAll({numbered(1)});
    QCOMPARE(ids(), QStringList({u"1"_s}));
    QCOMPARE(feed->unreadCount(), 1);
}

void tst_NotificationFeed::theLimitLetsTheOldestGo()
{
    QCOMPARE(feed->limit(), 200);
    QSignalSpy limits(feed.get(), &NotificationFeed::limitChanged);
    feed->setLimit(3);
    connectFeed();
    sendAll({numbered(1), numbered(2)});
    sendAll({numbered(3), numbered(4), numbered(5)});
    QCOMPARE(ids(), QStringList({u"5"_s, u"4"_s, u"3"_s}));
    QCOMPARE(feed->unreadCount(), 3);
    feed->markAsRead(u"5"_s);
    feed->setLimit(1);
    QCOMPARE(ids(), QStringList({u"5"_s}));
    QCOMPARE(feed->unreadCount(), 0);
    feed->setLimit(-7);
    QCOMPARE(feed->limit(), 0);
    QSignalSpy received(feed.get(), &NotificationFeed::notificationReceived);
    sendAll({numbered(6)});
    QCOMPARE(model()->count(), 0);
    QCOMPARE(received.size(), 1); // heard, not kept
    QCOMPARE(limits.size(), 3);
}

void tst_NotificationFeed::aBurstIsBoundedAndInsertedInBatches()
{
    constexpr int burst = 10000;
    int most = 0;
    connect(model(), &NotificationModel::rowsInserted, this, [&] { most = qMax(most, model()->count()); });
    QSignalSpy inserted(model(), &NotificationModel::rowsInserted);
    QSignalSpy received(feed.get(), &NotificationFeed::notificationReceived);
    connectFeed();
    tester.reset(); // it looks at every row at every change
    server->sendMany(burst, numbered);
    QTRY_COMPARE(received.size(), burst);
    QCOMPARE(model()->count(), 200);
    QCOMPARE(most, 200);
    QCOMPARE(feed->unreadCount(), 200);
    QCOMPARE(model()->at(0).notificationId, received.last()[0].toJsonObject().value(u"id"_s).toString());
    QVERIFY2(inserted.size() < burst / 4, qPrintable(QString::number(inserted.size())));
    for (int row = 0; row < 200; ++row)
        QCOMPARE(model()->rowOf(model()->at(row).notificationId), row);
}

void tst_NotificationFeed::whatIsNotText_data()
{
    QTest::addColumn<QByteArray>("fields");
    QTest::addColumn<QString>("id"); // empty: one is given
    QTest::addColumn<QString>("title");
    QTest::addColumn<QString>("message");
    QTest::newRow("nothing") << QByteArray() << QString() << QString() << QString();
    QTest::newRow("numbers") << QByteArray(R"(,"id":42,"title":1.5,"message":7)") << u"42"_s << u"1.5"_s
                             << u"7"_s;
    QTest::newRow("a large id") << QByteArray(R"(,"id":1700000000123)") << u"1700000000123"_s << QString()
                                << QString();
    QTest::newRow("null") << QByteArray(R"(,"id":null,"title":null,"message":null)") << QString() << QString()
                          << QString();
    QTest::newRow("structures") << QByteArray(R"(,"id":{},"title":["a"],"message":{"b":1})") << QString()
                                << QString() << QString();
    QTest::newRow("booleans") << QByteArray(R"(,"id":"x","title":true,"message":false)") << u"x"_s
                              << u"true"_s << u"false"_s;
    QTest::newRow("an empty id") << QByteArray(R"(,"id":"","title":"t","message":"m")") << QString() << u"t"_s
                                 << u"m"_s;
}

void tst_NotificationFeed::whatIsNotText()
{
    QFETCH(const QByteArray, fields);
    QFETCH(const QString, id);
    QSignalSpy received(feed.get(), &NotificationFeed::notificationReceived);
    connectFeed();
    sendAll({R"({"type":"notification")" + fields + "}"});
    QCOMPARE(model()->count(), 1);
    const NotificationModel::Notification got = model()->at(0);
    QTEST(got.title, "title");
    QTEST(got.message, "message");
    if (!id.isEmpty())
        QCOMPARE(got.notificationId, id);
    QVERIFY(!got.notificationId.isEmpty());
    QVERIFY(got.timestamp.isValid());
    const QJsonObject heard = received[0][0].toJsonObject();
    QCOMPARE(heard.value(u"id"_s).toString(), got.notificationId);
    QVERIFY(heard.value(u"title"_s).isString() && heard.value(u"message"_s).isString());
    feed->markAsRead(heard.value(u"id"_s).toString());
    QCOMPARE(feed->unreadCount(), 0);
}

void tst_NotificationFeed::timestamps_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QDateTime>("expected"); // invalid: when it arrived
    const QDateTime noon({2026, 3, 1}, {12, 0}, QTimeZone::utc());
    QTest::newRow("UTC") << QByteArray(R"("2026-03-01T12:00:00Z")") << noon;
    QTest::newRow("milliseconds") << QByteArray(R"("2026-03-01T12:00:00.250Z")") << noon.addMSecs(250);
    QTest::newRow("microseconds") << QByteArray(R"("2026-03-01T12:00:00.250000+00:00")")
                                  << noon.addMSecs(250);
    QTest::newRow("nanoseconds") << QByteArray(R"("2026-03-01T12:00:00.250000000Z")") << noon.addMSecs(250);
    QTest::newRow("an offset") << QByteArray(R"("2026-03-01T14:00:00+02:00")") << noon;
    QTest::newRow("a number") << QByteArray::number(noon.toMSecsSinceEpoch()) << noon;
    QTest::newRow("a fraction") << QByteArray::number(noon.toMSecsSinceEpoch()) + ".5" << noon;
    QTest::newRow("words") << QByteArray(R"("yesterday")") << QDateTime();
    QTest::newRow("empty") << QByteArray(R"("")") << QDateTime();
    QTest::newRow("null") << QByteArray("null") << QDateTime();
    QTest::newRow("a structure") << QByteArray(R"({"seconds":1})") << QDateTime();
    QTest::newRow("beyond all time") << QByteArray("1e300") << QDateTime();
}

void tst_NotificationFeed::timestamps()
{
    QFETCH(const QByteArray, json);
    QFETCH(const QDateTime, expected);
    connectFeed();
    const QDateTime before = QDateTime::currentDateTimeUtc();
    sendAll({R"({"type":"notification","id":"a","timestamp":)" + json + "}"});
    QCOMPARE(model()->count(), 1);
    const QDateTime got = model()->at(0).timestamp;
    QCOMPARE(got.timeSpec(), Qt::UTC);
    if (expected.isValid())
        QCOMPARE(got, expected);
    else
        QVERIFY(got >= before && got <= QDateTime::currentDateTimeUtc());
}

void tst_NotificationFeed::markupIsLeftAsItIs()
{
    connectFeed();
    const QString title = u"<b>Bold</b> &amp; <img src=\"http://127.0.0.1/x\">\u202e"_s;
    sendAll({notification(u"a"_s, title)});
    QCOMPARE(model()->at(0).title, title);
}

void tst_NotificationFeed::otherMessagesAreNone()
{
    QSignalSpy received(feed.get(), &NotificationFeed::notificationReceived);
    connectFeed();
    sendAll({R"({"type":"status","id":"a","title":"t"})", R"({"id":"a"})", "[1]"});
    server->sendBinary("notification");
    sendAll({});
    QCOMPARE(model()->count(), 0);
    QCOMPARE(received.size(), 0);
}

void tst_NotificationFeed::o7_theFeedsShareAConnection()
{
    auto second = std::make_unique<NotificationFeed>(provider.get());
    connectFeed();
    sendAll({numbered(1)});
    QCOMPARE(second->connection(), connection);
    QCOMPARE(second->notifications()->count(), 1);
    second->markAllAsRead();
    QCOMPARE(feed->unreadCount(), 1); // read by whom is each feed's own
    second.reset();
    sendAll({numbered(2)});
    QCOMPARE(server->connectionsSoFar(), 1);
    tester.reset();
    feed.reset();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
}

void tst_NotificationFeed::autoConnectCanBeTakenBack()
{
    QVERIFY(feed->autoConnect());
    QSignalSpy changed(feed.get(), &NotificationFeed::autoConnectChanged);
    feed->setAutoConnect(false);
    QCOMPARE(changed.size(), 1);
    QCoreApplication::sendPostedEvents();
    QCOMPARE(connection->state(), Connection::Disconnected);
    feed->open();
    connectFeed();
    feed->close();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(server->connectionsSoFar(), 1);
}

void tst_NotificationFeed::theConnectionsErrorIsTheFeeds()
{
    QVERIFY(
        provider->configure(u"notifications"_s, ConnectionConfig().setUrl(u"ws://127.0.0.1/{missing}"_s)));
    QSignalSpy errors(feed.get(), &NotificationFeed::errorChanged);
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(errors.size(), 1);
    QVERIFY2(feed->error().contains(u"missing"_s), qPrintable(feed->error()));
    delete connection;
    QVERIFY(!feed->connection());
    QCOMPARE(feed->error(), QString());
    feed->open(); // no harm
}

void tst_NotificationFeed::survivesAReconnect()
{
    connectFeed();
    sendAll({numbered(1), numbered(2)});
    feed->markAsRead(u"1"_s);
    server->drop();
    QTRY_COMPARE(server->connectionsSoFar(), 2);
    connectFeed();
    sendAll({numbered(1), numbered(2), numbered(3)}); // as one that resends does
    QCOMPARE(ids(), QStringList({u"3"_s, u"2"_s, u"1"_s}));
    QCOMPARE(feed->unreadCount(), 2);
}

void tst_NotificationFeed::onSignal(const QString &signal, std::function<void()> action)
{
    const auto once = [action = std::move(action), done = std::make_shared<bool>(false)] {
        if (!std::exchange(*done, true))
            action();
    };
    const std::map<QString, std::function<void()>> hooks{
        {u"notificationReceived"_s,
         [&] { connect(feed.get(), &NotificationFeed::notificationReceived, this, once); }},
        {u"unreadCountChanged"_s,
         [&] { connect(feed.get(), &NotificationFeed::unreadCountChanged, this, once); }},
        {u"errorChanged"_s, [&] { connect(feed.get(), &NotificationFeed::errorChanged, this, once); }},
        {u"limitChanged"_s, [&] { connect(feed.get(), &NotificationFeed::limitChanged, this, once); }},
        {u"autoConnectChanged"_s,
         [&] { connect(feed.get(), &NotificationFeed::autoConnectChanged, this, once); }},
        {u"rowsInserted"_s, [&] { connect(model(), &NotificationModel::rowsInserted, this, once); }},
        {u"rowsRemoved"_s, [&] { connect(model(), &NotificationModel::rowsRemoved, this, once); }},
        {u"dataChanged"_s, [&] { connect(model(), &NotificationModel::dataChanged, this, once); }},
        {u"countChanged"_s, [&] { connect(model(), &NotificationModel::countChanged, this, once); }},
    };
    hooks.at(signal)();
}

void tst_NotificationFeed::o5_deletedInAnySignal_data()
{
    QTest::addColumn<QString>("signal");
    for (const char *signal : Signals)
        QTest::newRow(signal) << QString::fromLatin1(signal);
}

// Everything that a feed does, and it is gone in one of its signals, by a server's message or by the app's call.
void tst_NotificationFeed::o5_deletedInAnySignal()
{
    QFETCH(const QString, signal);
    tester.reset();
    onSignal(signal, [this] { feed.reset(); });
    const std::vector<std::function<void()>> calls{
        [this] { feed->setLimit(2); },
        [this] { feed->setAutoConnect(false); },
        [this] { feed->open(); },
        [this] {
            QTRY_VERIFY(connection->isConnected());
            server->sendMany(3, numbered);
            QTRY_VERIFY(!feed || model()->count() == 2);
        },
        [this] {
            server->sendText(notification(u"3"_s, u"Other"_s));
            QTRY_VERIFY(!feed || model()->at(0).title == u"Other"_s || model()->at(1).title == u"Other"_s);
        },
        [this] { feed->markAsRead(model()->at(0).notificationId); },
        [this] { feed->markAllAsRead(); },
        [this] { feed->setLimit(1); },
        [this] { feed->clear(); },
        [this] {
            QVERIFY(provider->configure(u"notifications"_s,
                                        ConnectionConfig().setUrl(u"ws://127.0.0.1/{missing}"_s)));
            connection->close();
            QTRY_COMPARE(connection->state(), Connection::Disconnected);
            connection->open();
        },
    };
    for (const auto &call : calls) {
        if (feed)
            call();
    }
    QVERIFY(!feed);
    QCoreApplication::sendPostedEvents();
}

void tst_NotificationFeed::o5_changedInAnySignal_data()
{
    QTest::addColumn<QString>("signal");
    QTest::addColumn<QString>("action");
    for (const char *signal :
         {"notificationReceived", "unreadCountChanged", "rowsInserted", "rowsRemoved", "countChanged"}) {
        for (const char *action : {"clear", "remove", "markAllAsRead", "limit", "loop"})
            QTest::addRow("%s in %s", action, signal)
                << QString::fromLatin1(signal) << QString::fromLatin1(action);
    }
}

void tst_NotificationFeed::o5_changedInAnySignal()
{
    QFETCH(const QString, signal);
    QFETCH(const QString, action);
    feed->setLimit(5);
    connectFeed();
    QSignalSpy received(feed.get(), &NotificationFeed::notificationReceived);
    bool reached = false;
    onSignal(signal, [&] {
        reached = true;
        if (action == u"clear"_s)
            feed->clear();
        else if (action == u"remove"_s)
            feed->remove(model()->at(0).notificationId);
        else if (action == u"markAllAsRead"_s)
            feed->markAllAsRead();
        else if (action == u"limit"_s)
            feed->setLimit(2);
        else if (action == u"loop"_s)
            sendAll({numbered(1), numbered(2), numbered(20)});
    });
    sendAll({numbered(1), numbered(2), numbered(3)});
    sendAll({numbered(4), numbered(5), numbered(6), numbered(7)});
    QVERIFY(reached);
    QVERIFY(received.size() >= 7);
    QVERIFY(model()->count() <= feed->limit());
    int unread = 0;
    for (int row = 0; row < model()->count(); ++row) {
        QCOMPARE(model()->rowOf(model()->at(row).notificationId), row);
        unread += model()->at(row).isRead ? 0 : 1;
    }
    QCOMPARE(feed->unreadCount(), unread);
}

void tst_NotificationFeed::aHandlerWithAnEventLoopKeepsTheOrder()
{
    connectFeed();
    QStringList heard;
    QEventLoop loop; // as of a dialog
    connect(feed.get(), &NotificationFeed::notificationReceived, this, [&](const QJsonObject &one) {
        heard.append(one.value(u"id"_s).toString());
        if (heard.size() == 1) {
            server->sendText(numbered(3));
            loop.exec();
        } else if (heard.size() == 3) {
            loop.quit();
        }
    });
    sendAll({numbered(1), numbered(2)});
    QTRY_COMPARE(heard, QStringList({u"1"_s, u"2"_s, u"3"_s}));
}

void tst_NotificationFeed::theInstanceIsTheDefault()
{
    QPointer<WebSocketProvider> instance = WebSocketProvider::instance();
    const NotificationFeed ofTheInstance;
    QCOMPARE(ofTheInstance.connection(), instance->connection(u"notifications"_s));
    QCOMPARE(NotificationFeed(instance.data()).connection(), ofTheInstance.connection());
}

QTEST_GUILESS_MAIN(tst_NotificationFeed)
#include "tst_notificationfeed.moc"
