// SPDX-License-Identifier: MIT
#include "cases.h"

#include "figures.h"

#include <Everwire/WebSocketProvider>

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QHash>
#include <QJsonObject>
#include <QLoggingCategory>
#include <QTimer>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>

class Padded
{
    Q_GADGET
    Q_PROPERTY(int n MEMBER n)
    Q_PROPERTY(QString pad MEMBER pad)

public:
    int n = 0;
    QString pad;
};

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace Cases {

namespace {

using Figures::Growth;
using Figures::KiB;
using Figures::MiB;
using Figures::tell;

// A connection that is not asked who it is, and keeps nothing but what the case is about.
ConnectionConfig plain(const Arguments &arguments)
{
    return ConnectionConfig()
        .setUrl(arguments.url)
        .setTransport(arguments.isQWebSocket ? ConnectionConfig::Transport::QWebSocket
                                             : ConnectionConfig::Transport::Automatic)
        .setAuthentication(ConnectionConfig::Authentication::None)
        .setPingInterval(10min)
        .setHistoryLimit(arguments.limit)
        .setAutoReconnect(false);
}

struct Client
{
    WebSocketProvider provider;
    Connection *connection = provider.connection(u"memory"_s);

    void open(const ConnectionConfig &config)
    {
        QEventLoop loop;
        QObject::connect(connection, &Connection::connected, &loop, &QEventLoop::quit);
        connection->open(config);
        loop.exec();
    }
};

// Runs the function on a thread of its own, and this one's event loop meanwhile.
template<typename Function>
void beside(Function &&function)
{
    QEventLoop loop;
    std::thread other([&] {
        function();
        QMetaObject::invokeMethod(&loop, "quit", Qt::QueuedConnection);
    });
    loop.exec();
    other.join();
}

// Nothing but what the connection has to say of itself.
void runUntil(const std::function<bool()> &isDone)
{
    QEventLoop loop;
    QTimer look;
    QObject::connect(&look, &QTimer::timeout, &loop, [&] {
        if (isDone())
            loop.quit();
    });
    look.start(1);
    loop.exec();
}

// ---- Outgoing ----

QByteArray ofItsOwn(qsizetype size)
{
    return QByteArray(size, 'x');
}

// 256 KiB each to a peer that does not read.
int nobodyReads(const Arguments &arguments)
{
    Client client;
    client.open(plain(arguments).setMaxQueuedMessages(1 << 30).setCloseTimeout(10ms));
    const Growth growth;
    int accepted = 0;
    beside([&] {
        for (int i = 0; i < arguments.count; ++i)
            accepted += client.connection->send(ofItsOwn(256 * KiB)) ? 1 : 0;
    });
    tell("accepted", accepted);
    tell("most", growth.most());
    return 0;
}

// While the app's thread waits, an audio thread sends to a queue that is full.
int sentWhileBlocked(const Arguments &arguments)
{
    Client client;
    qint64 rejected = 0;
    qint64 signalsOfRejected = 0;
    qint64 discarded = 0;
    QString last;
    QObject::connect(client.connection, &Connection::messageRejected, client.connection,
                     [&](const QString &reason) {
                         ++signalsOfRejected;
                         last = reason;
                         const qsizetype more = reason.indexOf(u" messages"_s);
                         rejected += more > 0 ? std::max<qint64>(1, reason.left(more).toLongLong()) : 1;
                     });
    QObject::connect(client.connection, &Connection::messagesDiscarded, client.connection,
                     [&](int count) { discarded += count; });
    client.connection->open(plain(arguments)
                                .setAutoReconnect(true)
                                .setInitialReconnectDelay(10min)
                                .setMaxReconnectDelay(10min)
                                .setQueueOverflow(arguments.discards
                                                      ? ConnectionConfig::QueueOverflow::DropOldest
                                                      : ConnectionConfig::QueueOverflow::Reject));
    runUntil([&] { return client.connection->state() == Connection::Reconnecting; });
    const Growth growth;
    int accepted = 0;
    std::thread audio([&] {
        for (int i = 0; i < arguments.count; ++i)
            accepted += client.connection->send(ofItsOwn(3200)) ? 1 : 0;
    });
    audio.join();
    tell("most", growth.most());
    tell("accepted", accepted);
    runUntil([&] {
        return rejected + accepted == arguments.count &&
               (!arguments.discards || discarded + client.connection->queuedMessages() == arguments.count);
    });
    tell("signals", signalsOfRejected);
    return 0;
}

// ---- Incoming ----

// Says when reading pauses, which the app itself is not told.
void watchForPauses()
{
    qInstallMessageHandler([](QtMsgType type, const QMessageLogContext &, const QString &line) {
        static std::atomic<bool> isTold{false};
        if (line.contains(u"reading pauses") && !isTold.exchange(true))
            tell("paused");
        if (type == QtFatalMsg)
            std::abort();
    });
}

// Messages that are numbered from 0 on: *heard* is how many have come, in order.
void listen(Connection *connection, int *heard)
{
    connection->subscribe(u"n"_s, connection, [heard](const QJsonObject &object) {
        if (object.value(u"n"_s).toInt() != (*heard)++)
            qFatal("out of order");
    });
}

// While the app's thread is blocked, more comes than may wait.
int floodedWhileBlocked(const Arguments &arguments)
{
    Client client;
    int heard = 0;
    int discarded = 0;
    int overloads = 0;
    Connection *connection = client.connection;
    if (arguments.takesObjects)
        listen(connection, &heard);
    else
        QObject::connect(connection, &Connection::messageReceived, connection, [&] { ++heard; });
    QObject::connect(connection, &Connection::messagesDiscarded, connection,
                     [&](int count) { discarded += count; });
    QObject::connect(connection, &Connection::errorOccurred, connection, [&](const ConnectionError &error) {
        overloads += error.code() == ConnectionError::Overloaded ? 1 : 0;
    });
    client.open(plain(arguments).setPendingOverflow(arguments.discards
                                                        ? ConnectionConfig::PendingOverflow::Discard
                                                        : ConnectionConfig::PendingOverflow::Reconnect));
    watchForPauses();
    connection->setDebug(true);
    const Growth growth;
    connection->send("go");
    Figures::blockUntilTold();
    tell("most", growth.most());
    connection->setDebug(false);
    const bool ends = arguments.isQWebSocket && !arguments.discards;
    runUntil([&] {
        return ends ? connection->state() == Connection::Error : heard + discarded == arguments.count;
    });
    tell("mostAfter", growth.most());
    tell("heard", heard);
    tell("discarded", discarded);
    tell("overloads", overloads);
    return 0;
}

// All of it is heard, and the history keeps what it may.
int history(const Arguments &arguments)
{
    Client client;
    int heard = 0;
    listen(client.connection, &heard);
    client.open(plain(arguments).setHistoryBytes(256 * MiB));
    const Growth growth;
    client.connection->send("go");
    runUntil([&] { return heard == arguments.count; });
    tell("most", growth.most());
    tell("rows", client.connection->messages()->rowCount());
    return 0;
}

// One message is large, and a small one of another type comes behind it. What is left when both were handled?
int largeOnce(const Arguments &arguments)
{
    Client client;
    Connection *connection = client.connection;
    int heard = 0;
    bool isOver = false;
    if (arguments.taken == u"json"_s)
        connection->subscribe(u"n"_s, connection, [&](const QJsonObject &) { ++heard; });
    else if (arguments.taken == u"gadget"_s)
        connection->subscribe(u"n"_s, connection, [&](const Padded &) { ++heard; });
    else if (arguments.taken == u"binary"_s)
        connection->subscribe(u"binaryMessage"_s, connection, [&](const Message &) { ++heard; });
    connection->subscribe(u"end"_s, connection, [&] { isOver = true; });
    client.open(plain(arguments));
    const Growth growth;
    connection->send("go");
    runUntil([&] { return isOver; });
    tell("most", growth.most());
    tell("heard", heard);
    // The wire thread may have something to free yet.
    QElapsedTimer patience;
    patience.start();
    runUntil([&] { return growth.now() < MiB || patience.hasExpired(1000); });
    tell("left", growth.now());
    return 0;
}

// As many types as messages, which a hostile server makes up.
int manyTypes(const Arguments &arguments)
{
    Client client;
    bool isOver = false;
    client.connection->subscribe(u"end"_s, client.connection, [&] { isOver = true; });
    client.open(plain(arguments));
    const Growth growth;
    client.connection->send("go");
    runUntil([&] { return isOver; });
    tell("most", growth.most());
    return 0;
}

// Large messages of both directions, with and without somebody who watches the model.
int historyBytes(const Arguments &arguments)
{
    Client client;
    bool isOver = false;
    Connection *connection = client.connection;
    int inserted = 0;
    if (arguments.taken == u"watched"_s)
        QObject::connect(connection->messages(), &MessageModel::rowsInserted, connection,
                         [&] { ++inserted; });
    if (arguments.takesObjects)
        connection->subscribe(u"n"_s, connection, [](const QJsonObject &) {});
    if (arguments.taken == u"late"_s)
        connection->subscribe(u"n"_s, connection, [](const Message &message) { (void)message.json(); });
    connection->subscribe(u"end"_s, connection, [&] { isOver = true; });
    client.open(plain(arguments).setMaxQueuedMessages(1 << 30).setMaxMessageSize(MiB));
    const Growth growth;
    connection->send("go");
    runUntil([&] { return isOver; });
    for (int i = 0; i < arguments.count; ++i) {
        connection->send(QByteArray(500'000, 'x'));
        if (i % 10 == 0)
            runUntil([&] { return connection->bytesToWrite() == 0; });
    }
    runUntil([&] { return connection->bytesToWrite() == 0; });
    tell("most", growth.most());
    tell("rows", connection->messages()->rowCount());
    return 0;
}

// ---- Both ----

// Handlers that are slower than what comes, and an audio thread that sends beside them.
int sentBesideASlowUi(const Arguments &arguments)
{
    Client client;
    QObject::connect(client.connection, &Connection::messageReceived, client.connection, [] {
        QElapsedTimer slow;
        slow.start();
        while (!slow.hasExpired(1)) {
        }
    });
    client.open(plain(arguments).setMaxPendingBytes(MiB).setMaxQueuedBytes(4 * MiB));
    const Growth growth;
    client.connection->send("go");
    beside([&] {
        for (int i = 0; i < arguments.count;)
            i += client.connection->send(ofItsOwn(3200)) ? 1 : 0;
    });
    tell("most", growth.most());
    return 0;
}

// A handler of refusals that is slower than they come.
int refusedBesideASlowUi(const Arguments &arguments)
{
    Client client;
    int told = 0;
    QObject::connect(client.connection, &Connection::messageRejected, client.connection, [&] {
        ++told;
        QElapsedTimer slow;
        slow.start();
        while (!slow.hasExpired(1)) {
        }
    });
    const Growth growth;
    int refused = 0;
    beside([&] { // the connection is not open
        for (int i = 0; i < arguments.count; ++i)
            refused += client.connection->send(ofItsOwn(3200)) ? 0 : 1;
    });
    tell("most", growth.most());
    tell("refused", refused);
    tell("signals", told);
    return 0;
}

// ---- Subscriptions ----

int subscriptions(const Arguments &arguments)
{
    Client client;
    client.open(plain(arguments));
    const Growth growth;
    for (int i = 0; i < arguments.count; ++i) {
        const auto context = std::make_unique<QObject>();
        const QString event = u"event%1"_s.arg(i % 100);
        Subscription one = client.connection->subscribe(event, context.get(), [](const QJsonObject &) {});
        client.connection->subscribe(event, context.get(), [](const SessionInfo &) {});
        if (i % 2 == 0)
            one.unsubscribe(); // the others go with the context
        if (i % 100 == 0)
            QCoreApplication::processEvents();
    }
    tell("most", growth.most());
    return 0;
}

// All of them at once.
int subscriptionsTogether(const Arguments &arguments)
{
    Client client;
    client.open(plain(arguments));
    const Growth growth;
    for (int round = 0; round < 3; ++round) {
        QObject context;
        for (int i = 0; i < arguments.count; ++i)
            client.connection->subscribe(u"event%1"_s.arg(i % 100), &context, [](const QJsonObject &) {});
    }
    tell("most", growth.most());
    return 0;
}

} // namespace

int run(const QString &name, const Arguments &arguments)
{
    QLoggingCategory::setFilterRules(u"everwire.connection.warning=false"_s); // a line for each refusal
    const QHash<QString, int (*)(const Arguments &)> cases{
        {u"nobodyReads"_s, nobodyReads},
        {u"sentWhileBlocked"_s, sentWhileBlocked},
        {u"floodedWhileBlocked"_s, floodedWhileBlocked},
        {u"history"_s, history},
        {u"historyBytes"_s, historyBytes},
        {u"largeOnce"_s, largeOnce},
        {u"manyTypes"_s, manyTypes},
        {u"sentBesideASlowUi"_s, sentBesideASlowUi},
        {u"refusedBesideASlowUi"_s, refusedBesideASlowUi},
        {u"subscriptions"_s, subscriptions},
        {u"subscriptionsTogether"_s, subscriptionsTogether},
    };
    const auto found = cases.value(name);
    return found ? found(arguments) : 2;
}

} // namespace Cases

#include "cases.moc"
