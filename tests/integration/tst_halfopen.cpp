// SPDX-License-Identifier: MIT
//
// Peers that are gone and do not say so: half-open connections, boxes on the way that cut idle ones, and a client that slept.
#include "support/faultproxy.h"
#include "support/testserver.h"
#include "support/transports.h"
#include "support/waiting.h"
#include "unit/engine/enginerig.h"

#include <Everwire/WebSocketProvider>

#include <QCoreApplication>
#include <QProcess>
#include <QTest>
#include <QTextStream>

#include <csignal>
#include <cstdio>
#include <thread>

using namespace Everwire;
using namespace std::chrono_literals;
using Everwire::Test::EngineRig;
using std::chrono::milliseconds;

namespace {

constexpr auto BeClient = "--be-a-client";

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

// An engine on a clock turned by hand, over a real socket and through a proxy to a server that answers pings.
struct Through
{
    explicit Through(int kind, const ConnectionConfig &config)
        : rig(config, [kind](const ConnectionConfig &) { return transportKinds()[size_t(kind)].make(); })
    {
        rig.url = proxy.url();
        rig.postOpen();
    }

    [[nodiscard]] bool isConnected() const { return rig.engine->state() == ConnectionState::Connected; }

    TestServer server{TestServer::Auth::None};
    FaultProxy proxy{server.url()};
    EngineRig rig;
};

// A box on the way that forgets connections on which nothing has passed for so long.
class IdleCutter
{
public:
    IdleCutter(Through &through, milliseconds limit, FaultProxy::Fault fault)
        : m_through(through), m_limit(limit), m_fault(fault)
    {
        QObject::connect(&through.proxy, &FaultProxy::hasPassed, &m_context, [this] { watch(); });
        watch();
    }
    [[nodiscard]] bool hasCut() const { return m_cut; }

private:
    void watch()
    {
        m_timer = m_through.rig.scheduler.after(m_limit, [this] {
            m_cut = true;
            m_through.proxy.strike(m_fault);
        });
    }

    Through &m_through;
    const milliseconds m_limit;
    const FaultProxy::Fault m_fault;
    bool m_cut = false;
    Scheduler::Timer m_timer;
    QObject m_context;
};

void transports()
{
    for (size_t i = 0; i < transportKinds().size(); ++i)
        QTest::newRow(transportKinds()[i].name) << int(i);
}

} // namespace

class tst_HalfOpen : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void h1_aSilentPeerIsFoundInTime_data();
    void h1_aSilentPeerIsFoundInTime();
    void h1_idleCuttersAreSurvived_data();
    void h1_idleCuttersAreSurvived();
    void h1_aCutterBelowThePingIntervalIsFound_data();
    void h1_aCutterBelowThePingIntervalIsFound();
    void h1_aClientThatSleptComesBackOnce_data();
    void h1_aClientThatSleptComesBackOnce(); // Rules: R4, R5, R7
};

void tst_HalfOpen::h1_aSilentPeerIsFoundInTime_data()
{
    QTest::addColumn<int>("kind");
    transports();
}

void tst_HalfOpen::h1_aSilentPeerIsFoundInTime()
{
    QFETCH(const int, kind);
    Through through(kind, EngineRig::open());
    SOON_VERIFY(through.isConnected());
    through.rig.scheduler.advance(10s);
    through.server.sendText(R"({"type":"life"})");
    SOON_COMPARE(through.rig.all<Message>().size(), 1);
    through.proxy.strike(FaultProxy::Fault::Silence);

    // 25 s of silence, and 10 s for an answer (the defaults), from the last sign of life.
    through.rig.scheduler.advance(35s - 1ms);
    QVERIFY(through.isConnected());
    through.rig.scheduler.advance(1ms);
    QCOMPARE(through.rig.state(), s("reconnecting"));
    QCOMPARE(through.rig.last().error.code(), ConnectionError::HeartbeatTimeout);
    QCOMPARE(through.rig.last().closeCode, 1006);
}

void tst_HalfOpen::h1_idleCuttersAreSurvived_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<int>("seconds");
    QTest::addColumn<bool>("inSilence");
    for (size_t kind = 0; kind < transportKinds().size(); ++kind) {
        for (const int seconds : {60, 240, 350}) {
            for (const bool inSilence : {false, true})
                QTest::addRow("%s, %d s, %s", transportKinds()[kind].name, seconds,
                              inSilence ? "silence" : "RST")
                    << int(kind) << seconds << inSilence;
        }
    }
}

void tst_HalfOpen::h1_idleCuttersAreSurvived()
{
    QFETCH(const int, kind);
    QFETCH(const int, seconds);
    QFETCH(const bool, inSilence);
    const auto fault = inSilence ? FaultProxy::Fault::Silence : FaultProxy::Fault::Reset;
    {
        Through through(kind, EngineRig::open());
        SOON_VERIFY(through.isConnected());
        through.rig.scheduler.advance(5s); // the connection is stable, and that timer gone
        const IdleCutter cutter(through, std::chrono::seconds(seconds), fault);
        // Half an hour in which nobody says a word but the heartbeat.
        for (int silence = 0; silence < 30 * 60 / 25; ++silence) {
            const qint64 before = through.proxy.passed(FaultProxy::ToClient);
            through.rig.scheduler.advance(silence == 0 ? 20s : 25s);
            SOON_VERIFY(through.proxy.passed(FaultProxy::ToClient) > before);
            SOON_COMPARE(through.rig.scheduler.untilNext(), milliseconds(25s)); // the pong has arrived
        }
        QVERIFY(through.isConnected());
        QVERIFY(!cutter.hasCut());
        QCOMPARE(through.proxy.connections(), 1);
    }
    {
        // It does cut where nobody pings.
        Through through(kind, EngineRig::open().setHeartbeat(ConnectionConfig::Heartbeat::Off));
        SOON_VERIFY(through.isConnected());
        const IdleCutter cutter(through, std::chrono::seconds(seconds), fault);
        through.rig.scheduler.advance(std::chrono::seconds(seconds) - 1ms);
        QVERIFY(!cutter.hasCut());
        through.rig.scheduler.advance(1ms);
        QVERIFY(cutter.hasCut());
        if (!inSilence)
            SOON_COMPARE(through.rig.state(), s("reconnecting"));
    }
}

void tst_HalfOpen::h1_aCutterBelowThePingIntervalIsFound_data()
{
    h1_aSilentPeerIsFoundInTime_data();
}

void tst_HalfOpen::h1_aCutterBelowThePingIntervalIsFound()
{
    QFETCH(const int, kind);
    Through through(kind, EngineRig::open().setPingInterval(400s));
    SOON_VERIFY(through.isConnected());
    const IdleCutter cutter(through, 350s, FaultProxy::Fault::Silence);
    through.rig.scheduler.advance(410s - 1ms);
    QVERIFY(cutter.hasCut());
    QVERIFY(through.isConnected());
    through.rig.scheduler.advance(1ms);
    QCOMPARE(through.rig.last().error.code(), ConnectionError::HeartbeatTimeout);
    through.rig.scheduler.advance(1s);
    SOON_VERIFY(through.isConnected());
}

void tst_HalfOpen::h1_aClientThatSleptComesBackOnce_data()
{
    QTest::addColumn<int>("meanwhile");
    QTest::newRow("the server has given it up") << 0;
    QTest::newRow("a box on the way has forgotten it") << 1;
}

void tst_HalfOpen::h1_aClientThatSleptComesBackOnce()
{
    QFETCH(const int, meanwhile);
    TestServer server(TestServer::Auth::None);
    FaultProxy proxy(server.url());
    QProcess client;
    client.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    client.start(QCoreApplication::applicationFilePath(), {s(BeClient), proxy.url().toString()});
    QByteArray said;
    const auto hear = [&] { return said += client.readAllStandardOutput(); };
    SOON_VERIFY(hear().endsWith("Connected\n"));
    SOON_COMPARE(server.openConnections(), 1);

    QVERIFY(client.processId() > 0);
    QCOMPARE(kill(pid_t(client.processId()), SIGSTOP), 0);
    proxy.strike(meanwhile == 0 ? FaultProxy::Fault::Reset : FaultProxy::Fault::Silence);
    server.drop();
    SOON_COMPARE(server.openConnections(), 0);
    // It sleeps through several of its own intervals: what was due then must not all happen at once afterwards.
    QTest::qWait(1000);
    QCOMPARE(hear(), QByteArray("Connecting\nConnected\n"));
    QCOMPARE(kill(pid_t(client.processId()), SIGCONT), 0);

    SOON_COMPARE(hear(), QByteArray("Connecting\nConnected\nReconnecting\nConnecting\nConnected\n"));
    // And that is all: it is alive, and pings, on one connection.
    const qint64 before = proxy.passed(FaultProxy::ToServer);
    SOON_VERIFY(proxy.passed(FaultProxy::ToServer) > before + 20);
    QCOMPARE(proxy.connections(), 2);
    QCOMPARE(server.openConnections(), 1);
    client.closeWriteChannel();
    SOON_COMPARE(client.state(), QProcess::NotRunning);
    QCOMPARE(client.exitCode(), 0);
    QCOMPARE(hear().count("Reconnecting"), 1);
}

namespace {

// The program as the child that is put to sleep: says its states, until its input ends.
int beClient(const QUrl &url)
{
    QTextStream out(stdout);
    WebSocketProvider provider;
    Connection *connection = provider.connection(s("sleeper"));
    QObject::connect(connection, &Connection::stateChanged, connection, [&out](Connection::State state) {
        out << QVariant::fromValue(state).toString() << Qt::endl;
    });
    connection->open(ConnectionConfig()
                         .setUrl(url)
                         .setAuthentication(ConnectionConfig::Authentication::None)
                         .setPingInterval(150ms)
                         .setPongTimeout(300ms)
                         .setInitialReconnectDelay(50ms));
    std::thread input([] {
        while (std::fgetc(stdin) != EOF) {
        }
        QMetaObject::invokeMethod(qApp, &QCoreApplication::quit, Qt::QueuedConnection);
    });
    const int result = QCoreApplication::exec();
    input.join();
    return result;
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication app(argc, argv);
    const QStringList arguments = QCoreApplication::arguments();
    if (arguments.value(1) == s(BeClient))
        return beClient(QUrl(arguments.value(2)));
    tst_HalfOpen test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_halfopen.moc"
