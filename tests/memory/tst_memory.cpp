// SPDX-License-Identifier: MIT
//
// What is kept is bounded, whatever a peer, an app's threads or a blocked UI do: rules Q3, Q7, M7 and M8 in resident
// memory. Each case is a process of its own (cases.cpp), and its server is here.
#include "cases.h"
#include "figures.h"
#include "support/rawserver.h"
#include "transport/deflate.h"

#include <QCoreApplication>
#include <QFile>
#include <QHash>
#include <QProcess>
#include <QProcessEnvironment>
#include <QTest>
#include <QTimer>

#include <algorithm>
#include <functional>

using namespace Qt::StringLiterals;
using Figures::KiB;
using Figures::MiB;

namespace {

// What a connection may cost beside what its limits count: code that is used for the first time, the sockets' and
// the protocol's buffers, and what the allocator keeps.
constexpr qint64 Allowance = 8 * MiB;
constexpr int Million = 1'000'000;

// Sanitizers keep what was freed; then the cases are run, and no size is asked for.
bool measures()
{
    return !qEnvironmentVariableIsSet("ASAN_OPTIONS") && !qEnvironmentVariableIsSet("TSAN_OPTIONS");
}

// How many of a million the sanitizers' builds, ten times as slow, are given.
int scaled(int count)
{
    return measures() ? count : count / 10;
}

// A case in its process.
class Process
{
public:
    // environment: variables beside the ones of this process.
    explicit Process(const QStringList &arguments, const QProcessEnvironment &environment = {})
    {
        QProcessEnvironment all = QProcessEnvironment::systemEnvironment();
        all.insert(environment);
        m_process.setProcessEnvironment(all);
        m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        QObject::connect(&m_process, &QProcess::readyReadStandardOutput, &m_process, [this] { read(); });
        m_process.start(QCoreApplication::applicationFilePath(), arguments);
    }
    ~Process()
    {
        if (m_process.state() != QProcess::NotRunning) {
            m_process.kill();
            m_process.waitForFinished();
        }
    }
    Q_DISABLE_COPY_MOVE(Process)

    [[nodiscard]] bool hasTold(const char *name) const { return m_figures.contains(name); }
    [[nodiscard]] qint64 figure(const char *name) const { return m_figures.value(name, -1); }
    [[nodiscard]] bool isOver() const { return m_process.state() == QProcess::NotRunning; }
    [[nodiscard]] bool hasSucceeded() const
    {
        return isOver() && m_process.exitStatus() == QProcess::NormalExit && m_process.exitCode() == 0;
    }
    void goOn() { m_process.write("\n"); }

private:
    void read()
    {
        while (m_process.canReadLine()) {
            const QList<QByteArray> words = m_process.readLine().simplified().split(' ');
            m_figures[words.value(0)] = words.value(1).toLongLong();
        }
    }

    QHash<QByteArray, qint64> m_figures;
    QProcess m_process;
};

// A JSON text of about this size: a string, or an array of what fills it, a comma after each.
QByteArray padding(qsizetype size, const QByteArray &filling = {})
{
    return filling.isEmpty() ? '"' + QByteArray(size, 'x') + '"'
                             : '[' + filling.repeated(size / filling.size()) + "0]";
}

// As many as asked for, once the client says so; never far ahead of what it reads.
class Flood
{
public:
    Flood(RawServer &server, int total, QByteArray padding)
        : m_server(server), m_total(total), m_padding(std::move(padding))
    {
        QObject::connect(&m_turn, &QTimer::timeout, &m_server, [this] { top(); });
        m_turn.start(1);
    }
    [[nodiscard]] bool isOver() const { return m_sent == m_total && m_server.bytesToWrite() == 0; }
    [[nodiscard]] int sent() const { return m_sent; }

private:
    void top()
    {
        if (!m_server.isConnected() || m_server.rest().isEmpty())
            return;
        while (m_sent < m_total && m_server.bytesToWrite() < MiB) {
            QByteArray chunk;
            for (int i = 0; i < 256 && m_sent < m_total; ++i)
                chunk += RawServer::frame(0x1, R"({"type":"n","n":)" + QByteArray::number(m_sent++) +
                                                   R"(,"pad":)" + m_padding + '}');
            m_server.write(chunk);
        }
    }

    RawServer &m_server;
    const int m_total;
    const QByteArray m_padding;
    int m_sent = 0;
    QTimer m_turn;
};

// As many frames as asked for, once the client says so, and the message that says that this was all.
class Replies
{
public:
    Replies(RawServer &server, int count, std::function<QByteArray(int)> frame)
        : m_server(server), m_count(count), m_frame(std::move(frame))
    {
        QObject::connect(&m_turn, &QTimer::timeout, &m_server, [this] { top(); });
        m_turn.start(1);
    }

private:
    void top()
    {
        if (!m_server.isConnected() || m_server.rest().isEmpty())
            return;
        while (m_sent <= m_count && m_server.bytesToWrite() < MiB) {
            QByteArray chunk;
            while (m_sent <= m_count && chunk.size() < 64 * KiB) {
                chunk += m_sent < m_count ? m_frame(m_sent) : RawServer::frame(0x1, R"({"type":"end"})");
                ++m_sent;
            }
            m_server.write(chunk);
        }
    }

    RawServer &m_server;
    const int m_count;
    const std::function<QByteArray(int)> m_frame;
    int m_sent = 0;
    QTimer m_turn;
};

// The most that Linux lets a socket's buffer grow to: the last number of tcp_wmem or tcp_rmem.
qint64 systemBuffer(const QString &name)
{
    QFile file(u"/proc/sys/net/ipv4/"_s + name);
    const QByteArray text = file.open(QIODevice::ReadOnly) ? file.readAll().simplified() : QByteArray();
    return std::max<qint64>(text.mid(text.lastIndexOf(' ') + 1).toLongLong(), 4 * MiB);
}

QStringList caseOf(const char *name, int count, const QUrl &url = {})
{
    return {u"--case"_s,   QString::fromLatin1(name), u"--count"_s, QString::number(count), u"--url"_s,
            url.toString()};
}

void compareMost(qint64 grown, qint64 bound)
{
    if (measures())
        QVERIFY2(grown <= bound, qPrintable(u"grew by %1 KiB of %2"_s.arg(grown / KiB).arg(bound / KiB)));
}

} // namespace

class TestMemory : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void q3_q7_nobodyReads();
    void q3_sentWhileTheUiIsBlocked_data();
    void q3_sentWhileTheUiIsBlocked();
    void q3_refusedBesideASlowUi();
    void m7_m8_sentBesideASlowUi();
    void m8_floodedWhileTheUiIsBlocked_data();
    void m8_floodedWhileTheUiIsBlocked();
    void m7_history_data();
    void m7_history();
    void m7_historyBytes_data();
    void m7_historyBytes();
    void m8_oneLargeMessageLeavesNothing_data();
    void m8_oneLargeMessageLeavesNothing();
    void m8_manyTypes();
    void m4_subscriptions_data();
    void m4_subscriptions();
};

void TestMemory::q3_q7_nobodyReads()
{
    RawServer server;
    server.setReads(false);
    constexpr int offered = 800; // of 256 KiB: 200 MiB
    const Process process(caseOf("nobodyReads", offered, server.url()));
    QTRY_VERIFY_WITH_TIMEOUT(process.isOver(), 60'000);
    QVERIFY(process.hasSucceeded());
    const qint64 most = process.figure("most");
    qInfo("%lld of %d MiB accepted, resident memory grew by at most %lld KiB",
          static_cast<long long>(process.figure("accepted") / 4), offered / 4,
          static_cast<long long>(most / KiB));
    constexpr qint64 maxQueuedBytes = 16 * MiB;
    // Frames have heads, which count while the system holds them (rule Q7).
    QVERIFY((process.figure("accepted") + 1) * 256 * KiB >= maxQueuedBytes);
    QVERIFY(process.figure("accepted") * 256 * KiB <=
            maxQueuedBytes + systemBuffer(u"tcp_wmem"_s) + systemBuffer(u"tcp_rmem"_s) + MiB);
    compareMost(most, maxQueuedBytes + Allowance);
}

void TestMemory::q3_sentWhileTheUiIsBlocked_data()
{
    QTest::addColumn<bool>("dropsOldest");
    QTest::newRow("Reject") << false;
    QTest::newRow("DropOldest") << true;
}

// An audio thread sends to a queue that is full; every one of its messages is told of in the end.
void TestMemory::q3_sentWhileTheUiIsBlocked()
{
    QFETCH(const bool, dropsOldest);
    const int count = scaled(Million);
    QStringList arguments = caseOf("sentWhileBlocked", count, QUrl(u"ws://127.0.0.1:1/"_s));
    if (dropsOldest)
        arguments.append(u"--discards"_s);
    const Process process(arguments);
    QTRY_VERIFY_WITH_TIMEOUT(process.isOver(), 100'000);
    QVERIFY(process.hasSucceeded());
    qInfo("%lld of %d accepted, %lld refusals told, resident memory grew by at most %lld KiB",
          static_cast<long long>(process.figure("accepted")), count,
          static_cast<long long>(process.figure("signals")),
          static_cast<long long>(process.figure("most") / KiB));
    QCOMPARE(process.figure("accepted"), dropsOldest ? count : 100);
    compareMost(process.figure("most"), 100 * 3200 + Allowance);
}

void TestMemory::q3_refusedBesideASlowUi()
{
    const int count = scaled(Million);
    const Process process(caseOf("refusedBesideASlowUi", count));
    QTRY_VERIFY_WITH_TIMEOUT(process.isOver(), 100'000);
    QVERIFY(process.hasSucceeded());
    qInfo("%d refused, %lld told so far, resident memory grew by at most %lld KiB", count,
          static_cast<long long>(process.figure("signals")),
          static_cast<long long>(process.figure("most") / KiB));
    QCOMPARE(process.figure("refused"), count);
    compareMost(process.figure("most"), Allowance);
}

// What was sent waits for the UI to be recorded, and must not wait behind what it has yet to handle.
void TestMemory::m7_m8_sentBesideASlowUi()
{
    RawServer server;
    const Flood flood(server, Million, padding(40));
    const int count = scaled(30'000);
    constexpr int historyLimit = 1000;
    const Process process(caseOf("sentBesideASlowUi", count, server.url()) +
                          QStringList{u"--limit"_s, QString::number(historyLimit)});
    QTRY_VERIFY_WITH_TIMEOUT(process.isOver(), 100'000);
    QVERIFY(process.hasSucceeded());
    qInfo("%d audio frames (%lld MiB) sent, resident memory grew by at most %lld KiB", count,
          static_cast<long long>(count * 3200LL / MiB), static_cast<long long>(process.figure("most") / KiB));
    // The history, twice as many that are being handled, twice as many that wait, the queue, and what was received.
    compareMost(process.figure("most"), 5 * historyLimit * 3200 + 4 * MiB + MiB + Allowance);
}

void TestMemory::m8_floodedWhileTheUiIsBlocked_data()
{
    QTest::addColumn<int>("count");
    QTest::addColumn<int>("size");
    QTest::addColumn<bool>("isQWebSocket");
    QTest::addColumn<bool>("discards");
    QTest::addColumn<QByteArray>("filling");
    const int flood = measures() ? Million : 300'000;
    QTest::newRow("small ones") << flood << 60 << false << false << QByteArray();
    QTest::newRow("large ones") << 3200 << 64 * 1024 << false << false << QByteArray();
    QTest::newRow("objects") << Million / 10 << 60 << false << false << QByteArray("{},");
    QTest::newRow("arrays of texts") << 600 << 64 * 1024 << false << false << QByteArray("\"a\",");
    QTest::newRow("arrays of objects") << 600 << 64 * 1024 << false << false << QByteArray(R"({"k":1},)");
    QTest::newRow("arrays of numbers") << 600 << 64 * 1024 << false << false << QByteArray("1,");
    QTest::newRow("arrays of arrays") << 600 << 64 * 1024 << false << false << QByteArray("[1],");
    QTest::newRow("QWebSocket, small ones") << flood << 60 << true << false << QByteArray();
    QTest::newRow("QWebSocket, large ones") << 3200 << 64 * 1024 << true << false << QByteArray();
    QTest::newRow("QWebSocket discards small ones") << flood << 60 << true << true << QByteArray();
}

void TestMemory::m8_floodedWhileTheUiIsBlocked()
{
    QFETCH(const int, count);
    QFETCH(const int, size);
    QFETCH(const bool, isQWebSocket);
    QFETCH(const bool, discards);
    QFETCH(const QByteArray, filling);
    RawServer server;
    const Flood flood(server, count, padding(size, filling));
    QStringList arguments = caseOf("floodedWhileBlocked", count, server.url());
    if (isQWebSocket)
        arguments.append(u"--qwebsocket"_s);
    if (discards)
        arguments.append(u"--discards"_s);
    if (!filling.isEmpty())
        arguments.append(u"--objects"_s);
    Process process(arguments);
    QTRY_VERIFY_WITH_TIMEOUT(flood.sent() > 0, 30'000);
    if (!isQWebSocket)
        QTRY_VERIFY_WITH_TIMEOUT(process.hasTold("paused"), 60'000);
    else if (!discards)
        QTRY_VERIFY_WITH_TIMEOUT(!server.isConnected(), 60'000);
    else
        QTRY_VERIFY_WITH_TIMEOUT(flood.isOver(), 60'000);
    const int sentBefore = flood.sent();
    process.goOn();
    QTRY_VERIFY_WITH_TIMEOUT(process.isOver(), 100'000);
    QVERIFY(process.hasSucceeded());
    qInfo("blocked after %d of %d, resident memory had grown by at most %lld KiB, and %lld KiB in all; %lld "
          "heard, %lld discarded, %lld times Overloaded",
          sentBefore, count, static_cast<long long>(process.figure("most") / KiB),
          static_cast<long long>(process.figure("mostAfter") / KiB),
          static_cast<long long>(process.figure("heard")),
          static_cast<long long>(process.figure("discarded")),
          static_cast<long long>(process.figure("overloads")));
    QCOMPARE(process.figure("overloads") > 0, isQWebSocket); // where it discards, once for each time
    if (!isQWebSocket) {
        QCOMPARE(process.figure("heard"), count);
        QVERIFY(sentBefore < count);
    }
    constexpr qint64 maxPendingBytes = 32 * MiB;
    // QWebSocket's buffers come and go among the messages that stay, and leave gaps.
    const qint64 gaps = isQWebSocket ? maxPendingBytes / 2 : 0;
    compareMost(process.figure("mostAfter"), maxPendingBytes + gaps + Allowance);
}

void TestMemory::m7_history_data()
{
    QTest::addColumn<int>("limit");
    QTest::newRow("of 1,000") << 1000;
    QTest::newRow("of 100,000") << 100'000;
}

void TestMemory::m7_history()
{
    QFETCH(const int, limit);
    constexpr int count = 100'000;
    constexpr int size = 60;
    RawServer server;
    const Flood flood(server, count, padding(size));
    const Process process(caseOf("history", count, server.url()) +
                          QStringList{u"--limit"_s, QString::number(limit)});
    QTRY_VERIFY_WITH_TIMEOUT(process.isOver(), 60'000);
    QVERIFY(process.hasSucceeded());
    QCOMPARE(process.figure("rows"), limit);
    const qint64 most = process.figure("most");
    qInfo(
        "%d messages of %d bytes: resident memory grew by at most %lld KiB, %lld bytes for each that is kept",
        count, size + 30, static_cast<long long>(most / KiB), static_cast<long long>(most / limit));
    // The text, the message around it, and the QJsonObject that its handler was given.
    constexpr qint64 perMessage = 900;
    compareMost(most, limit * perMessage + Allowance);
}

void TestMemory::m7_historyBytes_data()
{
    QTest::addColumn<QString>("taken");
    QTest::addColumn<bool>("takesObjects");
    QTest::newRow("nobody watches, nobody hears") << QString() << false;
    QTest::newRow("nobody watches, objects are taken") << QString() << true;
    QTest::newRow("nobody watches, decoded when asked for") << u"late"_s << false;
    QTest::newRow("watched") << u"watched"_s << false;
    QTest::newRow("watched, objects are taken") << u"watched"_s << true;
}

// 700 messages of 500 KB are received, and 100 are sent.
void TestMemory::m7_historyBytes()
{
    QFETCH(const QString, taken);
    QFETCH(const bool, takesObjects);
    RawServer server;
    Replies replies(server, 700, [](int i) {
        return RawServer::frame(0x1, R"({"type":"n","n":)" + QByteArray::number(i) + R"(,"pad":)" +
                                         padding(500'000) + '}');
    });
    QStringList arguments =
        caseOf("historyBytes", 100, server.url()) + QStringList{u"--limit"_s, u"1000"_s, u"--taken"_s, taken};
    if (takesObjects)
        arguments.append(u"--objects"_s);
    // Each message is a block of its own, given back to the system when it is freed. Otherwise glibc
    // keeps the gaps of two threads' heaps, and the test would measure those.
    QProcessEnvironment environment;
    environment.insert(u"GLIBC_TUNABLES"_s, u"glibc.malloc.mmap_threshold=131072"_s);
    const Process process(arguments, environment);
    QTRY_VERIFY_WITH_TIMEOUT(process.isOver(), 100'000);
    QVERIFY(process.hasSucceeded());
    const qint64 most = process.figure("most");
    qInfo("%lld rows, resident memory grew by at most %lld KiB",
          static_cast<long long>(process.figure("rows")), static_cast<long long>(most / KiB));
    constexpr qint64 historyBytes = 16 * MiB;
    QCOMPARE(process.figure("rows"), historyBytes / (500'000 + 256));
    // What is received and not handled yet is bounded for itself, and so is what waits to be sent.
    constexpr qint64 maxPendingBytes = 32 * MiB;
    compareMost(most, historyBytes + maxPendingBytes + 5 * MiB + Allowance);
}

void TestMemory::m8_oneLargeMessageLeavesNothing_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("taken");
    QTest::addColumn<bool>("isCompressed");
    const QByteArray text = R"({"type":"n","n":1,"pad":)" + padding(31 * MiB) + '}';
    QTest::newRow("nobody hears") << text << QString() << false;
    QTest::newRow("as JSON") << text << u"json"_s << false;
    QTest::newRow("as a gadget") << text << u"gadget"_s << false;
    QTest::newRow("compressed, nobody hears") << text << QString() << true;
    QTest::newRow("compressed, as JSON") << text << u"json"_s << true;
    QTest::newRow("binary") << QByteArray(31 * MiB, 'b') << u"binary"_s << false;
    QTest::newRow("binary, nobody hears") << QByteArray(31 * MiB, 'b') << QString() << false;
    const QByteArray numbers = R"({"type":"n","n":1,"pad":)" + padding(4 * MiB, "1,") + '}';
    QTest::newRow("4 MiB of numbers, nobody hears") << numbers << QString() << false;
    QTest::newRow("1 MiB, nobody hears")
        << R"({"type":"n","pad":)" + padding(MiB) + '}' << QString() << false;
}

void TestMemory::m8_oneLargeMessageLeavesNothing()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QString, taken);
    QFETCH(const bool, isCompressed);
    RawServer server;
    const bool isBinary = !text.startsWith('{');
    QByteArray frame = RawServer::frame(isBinary ? 0x2 : 0x1, text);
    if (isCompressed) {
        server.setAnswer(RawServer::upgrade().replace(
            "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"));
        constexpr int compressed = 0x40;
        Everwire::Deflater deflater({});
        frame = RawServer::frame(compressed | 0x1, deflater.compress(text).toByteArray());
    }
    Replies replies(server, 1, [&](int) { return frame; });
    const Process process(caseOf("largeOnce", 1, server.url()) +
                          QStringList{u"--limit"_s, u"1000"_s, u"--taken"_s, taken});
    QTRY_VERIFY_WITH_TIMEOUT(process.isOver(), 60'000);
    QVERIFY(process.hasSucceeded());
    const qint64 left = process.figure("left");
    qInfo("resident memory grew by at most %lld KiB, and %lld KiB of it are left",
          static_cast<long long>(process.figure("most") / KiB), static_cast<long long>(left / KiB));
    QCOMPARE(process.figure("heard"), taken.isEmpty() ? 0 : 1);
    compareMost(left, Allowance);
}

void TestMemory::m8_manyTypes()
{
    const int count = scaled(Million / 4);
    RawServer server;
    Replies replies(server, count, [](int i) {
        return RawServer::frame(0x1, R"({"type":"a made-up type of some length, )" + QByteArray::number(i) +
                                         R"("})");
    });
    const Process process(caseOf("manyTypes", count, server.url()) + QStringList{u"--limit"_s, u"10"_s});
    QTRY_VERIFY_WITH_TIMEOUT(process.isOver(), 60'000);
    QVERIFY(process.hasSucceeded());
    qInfo("%d types: resident memory grew by at most %lld KiB", count,
          static_cast<long long>(process.figure("most") / KiB));
    compareMost(process.figure("most"), Allowance);
}

void TestMemory::m4_subscriptions_data()
{
    QTest::addColumn<QString>("how");
    QTest::newRow("one after another") << u"subscriptions"_s;
    QTest::newRow("together") << u"subscriptionsTogether"_s;
}

void TestMemory::m4_subscriptions()
{
    QFETCH(const QString, how);
    constexpr int count = 10'000;
    const RawServer server;
    const Process process(caseOf(qPrintable(how), count, server.url()));
    QTRY_VERIFY_WITH_TIMEOUT(process.isOver(), 60'000);
    QVERIFY(process.hasSucceeded());
    qInfo("%d subscriptions made and dropped: resident memory grew by at most %lld KiB", count,
          static_cast<long long>(process.figure("most") / KiB));
    compareMost(process.figure("most"), Allowance);
}

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    const QStringList arguments = QCoreApplication::arguments();
    const auto after = [&](const QString &name) {
        const qsizetype at = arguments.indexOf(name);
        return at < 0 ? QString() : arguments.value(at + 1);
    };
    if (const QString name = after(u"--case"_s); !name.isEmpty())
        return Cases::run(name,
                          {QUrl(after(u"--url"_s)), after(u"--count"_s).toInt(), after(u"--limit"_s).toInt(),
                           arguments.contains(u"--qwebsocket"_s), arguments.contains(u"--discards"_s),
                           arguments.contains(u"--objects"_s), after(u"--taken"_s)});
    TestMemory test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_memory.moc"
