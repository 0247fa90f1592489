// SPDX-License-Identifier: MIT
//
// Names with several addresses: the Dialer by itself, and below a FrameTransport. Loopback has as many addresses as a test
// wants; one whose backlog is full never answers, as a dead one.
#include "support/transports.h"

#include "transport/dialer.h"

#include <QHash>
#include <QMutex>
#include <QSemaphore>
#include <QSignalSpy>
#include <QTcpServer>
#include <QtEndian>
#include <QTest>

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace Everwire;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

const QString Alive = QStringLiteral("127.0.0.1");
const QString Dead = QStringLiteral("127.0.0.2");
const QString Closed = QStringLiteral("127.0.0.3");

QList<QHostAddress> addresses(const QStringList &texts)
{
    QList<QHostAddress> list;
    for (const QString &text : texts)
        list.append(QHostAddress(text));
    return list;
}

// Listens at Dead and takes nobody: what connects beyond its backlog waits for good.
class DeadEnd
{
public:
    explicit DeadEnd(quint16 port)
    {
        m_listening = socket(AF_INET, SOCK_STREAM, 0);
        const sockaddr_in address = at(port);
        if (bind(m_listening, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
            listen(m_listening, 0) != 0)
            return;
        while (m_waiting.size() < 64 && !m_isFull) {
            const int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            (void)connect(client, reinterpret_cast<const sockaddr *>(&address), sizeof address);
            m_waiting.append(client);
            m_isFull = !QTest::qWaitFor([client] { return isConnected(client); }, 100);
        }
    }
    ~DeadEnd()
    {
        for (const int client : std::as_const(m_waiting))
            ::close(client);
        ::close(m_listening);
    }
    Q_DISABLE_COPY_MOVE(DeadEnd)

    [[nodiscard]] bool isFull() const { return m_isFull; }

private:
    static sockaddr_in at(quint16 port)
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = qToBigEndian(port);
        address.sin_addr.s_addr = qToBigEndian(quint32(QHostAddress(Dead).toIPv4Address()));
        return address;
    }
    static bool isConnected(int client)
    {
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        return getpeername(client, reinterpret_cast<sockaddr *>(&peer), &size) == 0;
    }

    int m_listening = -1;
    QList<int> m_waiting;
    bool m_isFull = false;
};

// Answers at once, or when told.
struct Resolver
{
    Dialer::Resolver asFunction()
    {
        return [this](const QString &host, QObject *context, const Dialer::Resolved &resolved) {
            asked.append(host);
            const auto answer = [answers = answers, resolved] { resolved(answers, s("nobody knows it")); };
            if (isLate)
                QMetaObject::invokeMethod(context, answer, Qt::QueuedConnection);
            else
                answer();
        };
    }

    QList<QHostAddress> answers;
    QStringList asked;
    bool isLate = false;
};

// What the C library says of names, as the test would have it.
class NameSystem
{
public:
    void addressOf(const QByteArray &name, const QString &address)
    {
        const QMutexLocker lock(&m_mutex);
        m_addresses.insert(name, address.toLatin1());
    }
    [[nodiscard]] int lookUps(const QByteArray &name) const
    {
        const QMutexLocker lock(&m_mutex);
        return m_lookUps.value(name);
    }
    // From here on names that the test has made are not answered until release().
    void hold() { m_gate.acquire(); }
    void release() { m_gate.release(); }

    // Empty: the test has said nothing of it.
    [[nodiscard]] QByteArray lookUp(const QByteArray &name)
    {
        {
            const QMutexLocker lock(&m_mutex);
            if (!m_addresses.contains(name))
                return {};
            ++m_lookUps[name];
        }
        m_gate.acquire();
        m_gate.release();
        const QMutexLocker lock(&m_mutex);
        return m_addresses.value(name);
    }

private:
    mutable QMutex m_mutex;
    QSemaphore m_gate{1};
    QHash<QByteArray, QByteArray> m_addresses;
    QHash<QByteArray, int> m_lookUps;
};

NameSystem names;

} // namespace

// The executable's function goes before the C library's, so the library under test asks here.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                                  const addrinfo *hints, addrinfo **result)
{
    using Function = int (*)(const char *, const char *, const addrinfo *, addrinfo **);
    static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
    const QByteArray address = names.lookUp(node);
    return real(address.isEmpty() ? node : address.constData(), service, hints, result);
}

class tst_Dialer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void familiesAlternate_data();
    void familiesAlternate();
    void theFirstThatAnswersWins_data();
    void theFirstThatAnswersWins();
    void aDeadAddressCostsTheDelay();
    void anotherIsNotTriedBeforeTheDelay();
    void aRefusalCostsNothing();
    void theMostTellingErrorIsReported_data();
    void theMostTellingErrorIsReported();
    void nothingComesAfterAbort_data();
    void nothingComesAfterAbort();

    void aTransportGetsPastADeadAddress_data();
    void aTransportGetsPastADeadAddress();
    void aTransportAsksForNamesOnly_data();
    void aTransportAsksForNamesOnly();
    void aTransportNamesTheAddressesThatFailed();
    void r10_theSystemIsAskedEachTime();
    void r10_aLookUpThatHangsHoldsNobodyUp();
    void aTransportMayGoWhileItDials_data();
    void aTransportMayGoWhileItDials();

private:
    void dial(const QStringList &to, quint16 port, milliseconds delay = 10ms);

    Resolver resolver;
    int sockets = 0;
    std::unique_ptr<Dialer> dialer;
    QList<Dialer::Outcome> outcomes;
};

void tst_Dialer::dial(const QStringList &to, quint16 port, milliseconds delay)
{
    resolver.answers = addresses(to);
    outcomes.clear();
    sockets = 0;
    dialer = std::make_unique<Dialer>(
        resolver.asFunction(),
        [this] {
            ++sockets;
            auto *socket = new QTcpSocket;
            socket->setProxy(QNetworkProxy::NoProxy);
            return socket;
        },
        [this](const Dialer::Outcome &outcome) {
            outcomes.append(outcome);
            if (outcome.socket)
                outcome.socket->setParent(this);
        },
        delay);
    dialer->dial(s("many.test"), port, QIODevice::ReadWrite);
}

void tst_Dialer::familiesAlternate_data()
{
    QTest::addColumn<QStringList>("given");
    QTest::addColumn<QStringList>("wanted");
    QTest::newRow("none") << QStringList() << QStringList();
    QTest::newRow("one") << QStringList{s("10.0.0.1")} << QStringList{s("10.0.0.1")};
    QTest::newRow("one family") << QStringList{s("10.0.0.2"), s("10.0.0.1")}
                                << QStringList{s("10.0.0.2"), s("10.0.0.1")};
    QTest::newRow("six first") << QStringList{s("fd::1"), s("fd::2"), s("fd::3"), s("10.0.0.1"),
                                              s("10.0.0.2")}
                               << QStringList{s("fd::1"), s("10.0.0.1"), s("fd::2"), s("10.0.0.2"),
                                              s("fd::3")};
    QTest::newRow("four first") << QStringList{s("10.0.0.1"), s("10.0.0.2"), s("10.0.0.3"), s("fd::1")}
                                << QStringList{s("10.0.0.1"), s("fd::1"), s("10.0.0.2"), s("10.0.0.3")};
    QTest::newRow("more of the other")
        << QStringList{s("fd::1"), s("10.0.0.1"), s("10.0.0.2"), s("10.0.0.3")}
        << QStringList{s("fd::1"), s("10.0.0.1"), s("10.0.0.2"), s("10.0.0.3")};
}

void tst_Dialer::familiesAlternate()
{
    QFETCH(const QStringList, given);
    QFETCH(const QStringList, wanted);
    QCOMPARE(Dialer::interleaved(addresses(given)), addresses(wanted));
}

void tst_Dialer::theFirstThatAnswersWins_data()
{
    QTest::addColumn<bool>("late");
    QTest::newRow("resolved at once") << false;
    QTest::newRow("resolved later") << true;
}

void tst_Dialer::theFirstThatAnswersWins()
{
    QFETCH(const bool, late);
    QTcpServer server;
    QVERIFY(server.listen(QHostAddress(Alive)));
    resolver.isLate = late;
    dial({Alive, s("127.0.0.4")}, server.serverPort());
    QTRY_COMPARE(outcomes.size(), 1);
    QVERIFY(outcomes.first().socket);
    QCOMPARE(outcomes.first().socket->state(), QAbstractSocket::ConnectedState);
    QCOMPARE(sockets, 1);
    resolver.isLate = false;
    delete outcomes.first().socket;
}

void tst_Dialer::aDeadAddressCostsTheDelay()
{
    QTcpServer server;
    QVERIFY(server.listen(QHostAddress(Alive)));
    const DeadEnd deadEnd(server.serverPort());
    QVERIFY2(deadEnd.isFull(), "this system lets everybody connect to a full backlog");
    dial({Dead, Alive}, server.serverPort());
    QCOMPARE(sockets, 1);
    QTRY_COMPARE_WITH_TIMEOUT(outcomes.size(), 1, 20'000);
    QVERIFY(outcomes.first().socket);
    QCOMPARE(outcomes.first().socket->peerAddress().toString(), Alive);
    QCOMPARE(sockets, 2);
    delete outcomes.first().socket;
}

// While the delay of one lasts, another of 10 ms has run out and connected.
void tst_Dialer::anotherIsNotTriedBeforeTheDelay()
{
    QTcpServer server;
    QVERIFY(server.listen(QHostAddress(Alive)));
    const DeadEnd deadEnd(server.serverPort());
    QVERIFY2(deadEnd.isFull(), "this system lets everybody connect to a full backlog");
    dial({Dead, Alive}, server.serverPort(), 1h);
    const std::unique_ptr<Dialer> patient = std::exchange(dialer, {});
    dial({Dead, Alive}, server.serverPort());
    QTRY_COMPARE_WITH_TIMEOUT(outcomes.size(), 1, 20'000);
    QTRY_VERIFY(server.hasPendingConnections());
    server.nextPendingConnection();
    QVERIFY(!server.hasPendingConnections());
    delete outcomes.first().socket;
}

void tst_Dialer::aRefusalCostsNothing()
{
    QTcpServer server;
    QVERIFY(server.listen(QHostAddress(Alive)));
    // Were they waited for, this would take four hours.
    dial({Closed, s("127.0.0.4"), s("127.0.0.5"), s("127.0.0.6"), Alive}, server.serverPort(), 1h);
    QTRY_COMPARE(outcomes.size(), 1);
    QVERIFY(outcomes.first().socket);
    QCOMPARE(sockets, 5);
    delete outcomes.first().socket;
}

void tst_Dialer::theMostTellingErrorIsReported_data()
{
    QTest::addColumn<QStringList>("to");
    QTest::addColumn<int>("error");
    QTest::addColumn<QString>("says");
    QTest::newRow("none") << QStringList() << int(QAbstractSocket::HostNotFoundError) << s("nobody knows it");
    QTest::newRow("one") << QStringList{Closed} << int(QAbstractSocket::ConnectionRefusedError)
                         << s("refused");
    // TCP has no broadcast: the system refuses at once.
    QTest::newRow("unreachable, refused")
        << QStringList{s("255.255.255.255"), Closed} << int(QAbstractSocket::ConnectionRefusedError)
        << s("(tried 255.255.255.255, 127.0.0.3)");
    QTest::newRow("refused, unreachable")
        << QStringList{Closed, s("255.255.255.255")} << int(QAbstractSocket::ConnectionRefusedError)
        << s("(tried 127.0.0.3, 255.255.255.255)");
}

void tst_Dialer::theMostTellingErrorIsReported()
{
    QFETCH(const QStringList, to);
    QFETCH(const int, error);
    QFETCH(const QString, says);
    quint16 port = 0;
    {
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress(Alive)));
        port = server.serverPort();
    }
    dial(to, port);
    QTRY_COMPARE_WITH_TIMEOUT(outcomes.size(), 1, 60'000);
    QVERIFY(!outcomes.first().socket);
    QCOMPARE(int(outcomes.first().error), error);
    QVERIFY2(outcomes.first().problem.contains(says), qPrintable(outcomes.first().problem));
}

void tst_Dialer::nothingComesAfterAbort_data()
{
    QTest::addColumn<bool>("late");
    QTest::addColumn<bool>("destroyed");
    QTest::newRow("aborted while it resolves") << true << false;
    QTest::newRow("aborted while it connects") << false << false;
    QTest::newRow("destroyed while it resolves") << true << true;
    QTest::newRow("destroyed while it connects") << false << true;
}

void tst_Dialer::nothingComesAfterAbort()
{
    QFETCH(const bool, late);
    QFETCH(const bool, destroyed);
    QTcpServer server;
    QVERIFY(server.listen(QHostAddress(Alive)));
    const DeadEnd deadEnd(server.serverPort());
    QVERIFY2(deadEnd.isFull(), "this system lets everybody connect to a full backlog");
    resolver.isLate = late;
    dial({Dead, Alive}, server.serverPort());
    resolver.isLate = false;
    if (destroyed)
        dialer.reset();
    else
        dialer->abort();
    const int started = sockets;
    QCOMPARE(started, late ? 0 : 1);
    // When one that began later has got there, the first would have, too.
    const std::unique_ptr<Dialer> aborted = std::exchange(dialer, {});
    dial({Dead, Alive}, server.serverPort());
    QTRY_COMPARE_WITH_TIMEOUT(outcomes.size(), 1, 20'000);
    QVERIFY(outcomes.first().socket);
    QTRY_VERIFY(server.hasPendingConnections());
    server.nextPendingConnection();
    QVERIFY(!server.hasPendingConnections());
    delete outcomes.first().socket;
}

void tst_Dialer::aTransportGetsPastADeadAddress_data()
{
    QTest::addColumn<bool>("tls");
    QTest::newRow("plain") << false;
    QTest::newRow("TLS") << true;
}

void tst_Dialer::aTransportGetsPastADeadAddress()
{
    QFETCH(const bool, tls);
    TransportTarget target;
    target.maxFrameSize = target.maxIncomingSize = 1024 * 1024;
    if (tls)
        target.tls.caCertificates = QStringList{QString::fromLatin1(RawServer::certificate().toPem())};
    RawServer raw(tls ? RawServer::Security::Tls : RawServer::Security::Plain);
    const DeadEnd deadEnd(quint16(raw.url().port()));
    QVERIFY2(deadEnd.isFull(), "this system lets everybody connect to a full backlog");
    target.url = raw.url();
    target.url.setHost(s("server.test")); // which its certificate is for
    resolver.answers = addresses({Dead, Alive});
    TransportRecorder heard;
    FrameTransport transport(resolver.asFunction());
    transport.setListener(&heard);
    transport.open(target);
    QTRY_VERIFY_WITH_TIMEOUT(heard.opened == 1 || !heard.ends.isEmpty(), 20'000);
    QVERIFY2(heard.opened == 1, heard.ends.isEmpty() ? "" : qPrintable(heard.ends.first().error.message()));
    QVERIFY(raw.request().contains("Host: server.test:"));
    QCOMPARE(resolver.asked.last(), s("server.test"));
    // Paused it takes no more than the system holds.
    QVERIFY(transport.canPause());
    raw.write(RawServer::frame(0x1, "hello"));
    QTRY_COMPARE(heard.messages, QList<QByteArray>{"thello"});
    transport.setPaused(true);
    for (int i = 0; i < 32; ++i)
        raw.write(RawServer::frame(0x2, QByteArray(1000 * 1000, 'x')));
    QCoreApplication::processEvents();
    QCOMPARE(heard.messages.size(), 1);
    QVERIFY(raw.bytesToWrite() > 0);
    transport.setPaused(false);
    QTRY_COMPARE_WITH_TIMEOUT(heard.messages.size(), 33, 30'000);
}

void tst_Dialer::aTransportAsksForNamesOnly_data()
{
    QTest::addColumn<QString>("host");
    QTest::addColumn<QString>("proxy");
    QTest::addColumn<bool>("asked");
    QTest::newRow("a name") << s("many.test") << QString() << true;
    QTest::newRow("a name, no proxy") << s("many.test") << s("none") << true;
    QTest::newRow("an address") << s("127.0.0.1") << QString() << false;
    QTest::newRow("an IPv6 address") << s("::1") << QString() << false;
    QTest::newRow("a name, a proxy") << s("many.test") << s("http://127.0.0.1:1") << false;
    QTest::newRow("a name, SOCKS5") << s("many.test") << s("socks5://127.0.0.1:1") << false;
}

void tst_Dialer::aTransportAsksForNamesOnly()
{
    QFETCH(const QString, host);
    QFETCH(const QString, proxy);
    QFETCH(const bool, asked);
    resolver = {};
    TransportTarget target;
    target.url.setScheme(s("ws"));
    target.url.setHost(host);
    target.url.setPort(1);
    target.proxy = proxy;
    TransportRecorder heard;
    FrameTransport transport(resolver.asFunction());
    transport.setListener(&heard);
    transport.open(target);
    QTRY_COMPARE(heard.ends.size(), 1);
    QCOMPARE(resolver.asked, asked ? QStringList{host} : QStringList());
}

void tst_Dialer::aTransportNamesTheAddressesThatFailed()
{
    resolver = {};
    resolver.answers = addresses({Closed, s("127.0.0.4")});
    TransportTarget target;
    target.url = QUrl(s("ws://many.test:1/path?secret"));
    TransportRecorder heard;
    FrameTransport transport(resolver.asFunction());
    transport.setListener(&heard);
    transport.open(target);
    QTRY_COMPARE(heard.ends.size(), 1);
    const ConnectionError error = heard.ends.first().error;
    QCOMPARE(error.code(), ConnectionError::ConnectionRefused);
    QCOMPARE(error.message(),
             s("No connection to many.test:1: Connection refused (tried 127.0.0.3, 127.0.0.4). Is the "
               "server running?"));
}

// The host has moved: the attempt behind the one that failed finds its new address.
void tst_Dialer::r10_theSystemIsAskedEachTime()
{
    RawServer raw; // at Alive
    TransportTarget target;
    target.url = raw.url();
    target.url.setHost(s("moves.test"));
    names.addressOf("moves.test", Closed);
    for (const bool hasMoved : {false, true}) {
        TransportRecorder heard;
        FrameTransport transport;
        transport.setListener(&heard);
        transport.open(target);
        if (hasMoved) {
            QTRY_COMPARE(heard.opened, 1);
            continue;
        }
        QTRY_COMPARE(heard.ends.size(), 1);
        QCOMPARE(heard.ends.first().error.code(), ConnectionError::ConnectionRefused);
        names.addressOf("moves.test", Alive);
    }
    QCOMPARE(names.lookUps("moves.test"), 2);
}

void tst_Dialer::r10_aLookUpThatHangsHoldsNobodyUp()
{
    names.addressOf("hangs.test", Alive);
    names.hold();
    RawServer raw;
    TransportTarget target;
    target.url = raw.url();
    target.url.setHost(s("hangs.test"));
    TransportRecorder heard;
    for (int i = 0; i < 20; ++i) { // who has given up takes no thread from those who come
        FrameTransport transport;
        transport.setListener(&heard);
        transport.open(target);
    }
    target.url.setHost(s("localhost"));
    FrameTransport other;
    TransportRecorder heardOther;
    other.setListener(&heardOther);
    other.open(target);
    QTRY_VERIFY(heardOther.opened + int(heardOther.ends.size()) == 1);
    names.release();
    QTRY_COMPARE(names.lookUps("hangs.test"), 1);
    QCOMPARE(heard.opened, 0);
    QCOMPARE(heard.ends.size(), 0);
}

void tst_Dialer::aTransportMayGoWhileItDials_data()
{
    QTest::addColumn<QString>("how");
    QTest::addColumn<bool>("late");
    for (const char *how : {"abort", "close", "destroy"}) {
        QTest::newRow(qPrintable(s(how) + s(" while it resolves"))) << s(how) << true;
        QTest::newRow(qPrintable(s(how) + s(" while it connects"))) << s(how) << false;
    }
}

void tst_Dialer::aTransportMayGoWhileItDials()
{
    QFETCH(const QString, how);
    QFETCH(const bool, late);
    RawServer raw;
    const DeadEnd deadEnd(quint16(raw.url().port()));
    QVERIFY2(deadEnd.isFull(), "this system lets everybody connect to a full backlog");
    resolver.answers = addresses({Dead, Alive});
    resolver.isLate = late;
    TransportTarget target;
    target.url = raw.url();
    target.url.setHost(s("many.test"));
    TransportRecorder heard;
    auto transport = std::make_unique<FrameTransport>(resolver.asFunction());
    transport->setListener(&heard);
    transport->open(target);
    resolver.isLate = false;
    QCOMPARE(transport->bytesToWrite(), 0);
    transport->flush();
    transport->ping();
    if (how == s("abort"))
        transport->abort();
    else if (how == s("close"))
        transport->close(1000, {});
    else
        transport.reset();
    // When one that began later has got there, the first would have, too.
    TransportRecorder heardOther;
    FrameTransport other(resolver.asFunction());
    other.setListener(&heardOther);
    other.open(target);
    QTRY_COMPARE_WITH_TIMEOUT(heardOther.opened, 1, 20'000);
    QCOMPARE(heard.opened, 0);
    QCOMPARE(heard.ends.size(), how == s("close") ? 1 : 0);
    QCOMPARE(raw.connections(), 1);
}

QTEST_MAIN(tst_Dialer)
#include "tst_dialer.moc"
