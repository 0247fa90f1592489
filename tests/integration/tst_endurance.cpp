// SPDX-License-Identifier: MIT
//
// The long runs: many cycles, many drops, a blocked UI. Counts are set by the environment for longer ones.
#include "support/fromenvironment.h"
#include "support/testserver.h"

#include <Everwire/WebSocketProvider>

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTest>
#include <QTimer>

#include <thread>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

int entries(const char *folder)
{
    return int(QDir(s(folder)).entryList(QDir::NoDotAndDotDot | QDir::AllEntries | QDir::System).size());
}

qint64 residentKiB()
{
    QFile status(s("/proc/self/status"));
    if (!status.open(QIODevice::ReadOnly))
        return 0;
    const QByteArray text = status.readAll();
    return text.mid(text.indexOf("VmRSS:") + 6, 32).simplified().split(' ').first().toLongLong();
}

} // namespace

class tst_Endurance : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void o6_openAndCloseWithoutGrowth();
    void q1_s7_randomDropsLoseNothingUnsaid();
    void h2_tenSecondsOfABlockedUi();
};

void tst_Endurance::o6_openAndCloseWithoutGrowth()
{
    const int cycles = countFromEnvironment("EVERWIRE_CYCLES", 10000);
    TestServer server;
    WebSocketProvider provider;
    provider.setToken(s("good"));
    QVERIFY(provider.configure(s("x"), ConnectionConfig().setUrl(server.url())));
    Connection *connection = provider.connection(s("x"));
    // What the server remembers would look like a leak.
    connect(&server, &TestServer::connectionOpened, this, [&server] { server.clear(); });

    QSignalSpy problems(connection, &Connection::errorOccurred);
    int threads = 0;
    int files = 0;
    qint64 resident = 0;
    int closed = 0;
    QEventLoop loop;
    connect(connection, &Connection::stateChanged, &loop, [&](Connection::State state) {
        if (state == Connection::Connected)
            connection->close();
        else if (state == Connection::Disconnected && ++closed < cycles) {
            if (closed == 100) {
                threads = entries("/proc/self/task");
                files = entries("/proc/self/fd");
                resident = residentKiB();
            }
            connection->open();
        } else if (state == Connection::Disconnected || state == Connection::Error)
            loop.quit();
    });
    connection->open();
    loop.exec();
    QCOMPARE(closed, cycles);
    QCOMPARE(problems.size(), 0);
    QTRY_COMPARE(server.openConnections(), 0);
    const qint64 grown = residentKiB() - resident;
    qInfo("%d cycles: resident memory grew by %lld KiB after the first 100", cycles,
          static_cast<long long>(grown));
    QTRY_VERIFY(entries("/proc/self/task") <= threads);
    QVERIFY(entries("/proc/self/fd") <= files + 2);
    // A leak of 100 bytes a cycle would show; the allocator's own noise does not. Sanitizers keep freed memory.
    if (!qEnvironmentVariableIsSet("ASAN_OPTIONS") && !qEnvironmentVariableIsSet("TSAN_OPTIONS"))
        QVERIFY2(grown < 1024, qPrintable(s("grew by %1 KiB").arg(grown)));
}

void tst_Endurance::q1_s7_randomDropsLoseNothingUnsaid()
{
    const int drops = countFromEnvironment("EVERWIRE_DROPS", 1000);
    TestServer server;
    WebSocketProvider provider;
    provider.setToken(s("good"));
    QVERIFY(provider.configure(s("x"), ConnectionConfig()
                                           .setUrl(server.url())
                                           .setInitialReconnectDelay(1ms)
                                           .setMaxReconnectDelay(5ms)
                                           .setMaxReconnectAttempts(-1)
                                           .setHistoryLimit(0)));
    Connection *connection = provider.connection(s("x"));

    int illegal = 0;
    Connection::State lastState = Connection::Disconnected;
    int transitions = 0;
    connect(connection, &Connection::stateChanged, this, [&](Connection::State state) {
        const bool back = state == Connection::Reconnecting;
        const bool on = (lastState == Connection::Disconnected || lastState == Connection::Reconnecting) &&
                        state == Connection::Connecting;
        const bool further = (lastState == Connection::Connecting && state == Connection::Authenticating) ||
                             (lastState == Connection::Authenticating && state == Connection::Connected);
        illegal += (back && lastState != Connection::Reconnecting) || on || further ? 0 : 1;
        lastState = state;
        ++transitions;
    });
    QSignalSpy rejected(connection, &Connection::messageRejected);
    int discarded = 0;
    connect(connection, &Connection::messagesDiscarded, this, [&discarded](int n) { discarded += n; });

    const quint32 seed = seedFromEnvironment();
    QRandomGenerator random(seed);
    QList<int> accepted; // their numbers
    int refused = 0;
    int dropped = 0;
    QTimer ticker;
    ticker.setTimerType(Qt::PreciseTimer);
    connect(&ticker, &QTimer::timeout, this, [&] {
        const int number = int(accepted.size()) + refused;
        if (connection->sendJson({{s("type"), s("n")}, {s("n"), number}}))
            accepted.append(number);
        else
            ++refused;
    });
    QTimer dropper;
    dropper.setSingleShot(true);
    dropper.setTimerType(Qt::PreciseTimer);
    QEventLoop loop;
    connect(&dropper, &QTimer::timeout, this, [&] {
        server.drop();
        if (++dropped == drops)
            loop.quit();
        else
            dropper.start(int(random.bounded(25)));
    });
    connection->open();
    ticker.start(5);
    dropper.start(20);
    loop.exec();
    ticker.stop();
    // The last cut may take a marker along; one of them comes behind everything else.
    const auto markerArrived = [&] {
        connection->sendJson({{s("type"), s("n")}, {s("n"), -1}});
        return !server.messages().isEmpty() && server.messages().last().contains("-1");
    };
    QTRY_VERIFY(markerArrived());
    QTRY_COMPARE(connection->queuedMessages(), 0);

    // What the system had taken when the line was cut is gone without anybody's knowing; so on one connection nothing
    // is missing between two messages, and over all connections nothing comes twice or out of order.
    qsizetype last = -1; // index into accepted
    int lastConnection = 0;
    qsizetype arrived = 0;
    const QList<TestServer::Received> received = server.received();
    for (const TestServer::Received &message : received) {
        const QJsonObject object = QJsonDocument::fromJson(message.bytes).object();
        const int n = object.value(s("n")).toInt(-1);
        if (object.value(s("type")) != s("n") || n < 0)
            continue;
        const qsizetype index = accepted.indexOf(n, last + 1);
        QVERIFY2(index >= 0, "out of order, twice, or never accepted");
        QVERIFY2(message.connection != lastConnection || index == last + 1, "a gap within one connection");
        last = index;
        lastConnection = message.connection;
        ++arrived;
    }
    qInfo("%d drops, %d reconnects, %d transitions; %lld accepted, %lld arrived, %d refused, %d discarded",
          dropped, server.connectionsSoFar() - 1, transitions, static_cast<long long>(accepted.size()),
          static_cast<long long>(arrived), refused, discarded);
    QCOMPARE(illegal, 0);
    QCOMPARE(rejected.size(), refused);
    QCOMPARE(discarded, 0); // a lost connection keeps its queue
    QVERIFY(arrived > 0);
}

void tst_Endurance::h2_tenSecondsOfABlockedUi()
{
    const int seconds = countFromEnvironment("EVERWIRE_BLOCKED_SECONDS", 10);
    constexpr int perSecond = 1000;
    TestServer server;
    WebSocketProvider provider;
    provider.setToken(s("good"));
    Connection *connection = provider.connection(s("x"));
    QList<int> heard;
    connection->subscribe(
        s("n"), this, [&heard](const QJsonObject &object) { heard.append(object.value(s("n")).toInt()); });
    QSignalSpy states(connection, &Connection::stateChanged);
    connection->open(ConnectionConfig().setUrl(server.url()).setPingInterval(1s).setPongTimeout(2s));
    QTRY_VERIFY(connection->isConnected());

    const QByteArray filler(200, 'x');
    const int total = seconds * perSecond;
    std::thread source([&] {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < total; i += 10) {
            std::this_thread::sleep_until(begin + i * 1000ms / perSecond);
            server.sendMany(10, [i, filler](int k) {
                return QByteArray(R"({"type":"n","n":)") + QByteArray::number(i + k) + R"(,"filler":")" +
                       filler + "\"}";
            });
        }
    });
    const QDeadlineTimer blocked(seconds * 1000);
    while (!blocked.hasExpired())
        std::this_thread::sleep_for(10ms); // a handler that does not return
    source.join();
    QTRY_COMPARE_WITH_TIMEOUT(heard.size(), total, 20000);
    for (int i = 0; i < total; ++i)
        QCOMPARE(heard.at(i), i);
    QCOMPARE(states.size(), 3); // connecting, authenticating, connected: and never left
    QCOMPARE(server.connectionsSoFar(), 1);
}

QTEST_GUILESS_MAIN(tst_Endurance)
#include "tst_endurance.moc"
