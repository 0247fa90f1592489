// SPDX-License-Identifier: MIT
//
// What every transport must do, tried on each of them. What one of them is known not to do stands in
// exceptions(), and is tried as well: a row that does not differ any more fails.
#include "support/proxyserver.h"
#include "support/rawserver.h"
#include "support/transports.h"
#include "support/waiting.h"

#include <QDeadlineTimer>
#include <QDebug>
#include <QJsonDocument>
#include <QTest>
#include <QTimer>
#include <QWebSocket>
#include <QWebSocketServer>

#include <algorithm>
#include <chrono>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

struct Exception
{
    const char *transport;
    const char *function;
    const char *row; // nullptr: all of them
    const char *why;
};

const std::vector<Exception> &exceptions()
{
    static const char *const q = "QWebSocket";
    static const char *const noCompression = "it speaks no extension";
    static const char *const headOnly = "it hands out no headers of an answer";
    static const char *const cannotPause = "it reads whatever comes";
    static const char *const newCode = "it knows no close codes from 1012 to 2999 and throws the number away";
    static const char *const badCode = "1002 for an invalid close code looks the same as for 1012, a restart";
    static const std::vector<Exception> all{
        {q, "opensOnce", "keep-alive, Upgrade", "it wants no other word in Connection"},
        {q, "offersCompression", nullptr, noCompression},
        {q, "followsRedirects", nullptr, "it follows none"},
        {q, "neverOpens", "an extension unasked", "it reads no Sec-WebSocket-Extensions"},
        {q, "saysWhenToRetry", nullptr, headOnly},
        {q, "joinsFragments", "text cut inside code points", "it decodes each frame alone: 1007"},
        {q, "cutsFrames", "no JSON", "it cuts at any byte, and only JSON can be written in another way"},
        {q, "closes", "FIN for an answer", "it waits for no answer, and takes its own code for the peer's"},
        {q, "tellsHowTheServerClosed", "1012", newCode},
        {q, "tellsHowTheServerClosed", "1013", newCode},
        {q, "tellsHowTheServerClosed", "1014", newCode},
        {q, "tellsHowTheServerClosed", "without code", "it makes 1000 of it"},
        {q, "losesNothingBySendingToWhoHasGone", nullptr, cannotPause},
        {q, "keepsCountOfWhatALossLeaves", nullptr, cannotPause},
        {q, "countsWhatAProxyDoesNotTake", "HTTP", "Qt's proxy socket takes every byte at once"},
        {q, "countsWhatAProxyDoesNotTake", "HTTP, TLS", "Qt's proxy socket takes every byte at once"},
        {q, "tellsALoss", "RST, then a write", "it says 1000, as if the server had said goodbye"},
        {q, "endsAtAViolation", "a masked frame", "it unmasks and delivers it"},
        {q, "endsAtAViolation", "Close with 0", badCode},
        {q, "endsAtAViolation", "Close with 999", badCode},
        {q, "endsAtAViolation", "Close with 1004", badCode},
        {q, "endsAtAViolation", "Close with 1005", badCode},
        {q, "endsAtAViolation", "Close with 1006", badCode},
        {q, "endsAtAViolation", "Close with 1015", badCode},
        {q, "endsAtAViolation", "Close with 1016", badCode},
        {q, "endsAtAViolation", "Close with 2999", badCode},
        {q, "endsAtAViolation", "Close with 5000", badCode},
        {q, "endsAtAViolation", "Close with 65535", badCode},
        {q, "pauses", nullptr, cannotPause},
        {q, "pausesInsideADelivery", nullptr, cannotPause},
        {q, "hearsOfAnEndAfterAPause", nullptr, cannotPause},
    };
    return all;
}

QString s(const char *text)
{
    return QString::fromUtf8(text);
}

// A contract is a function that returns what of it was broken. These leave it where something is.
QString broken(int line, const QString &what)
{
    return QStringLiteral("line %1: %2").arg(line).arg(what);
}

template<typename T>
QString shown(const T &value)
{
    QString text;
    QDebug(&text).nospace() << value;
    return text.size() > 200 ? text.left(200) + QStringLiteral("…") : text;
}

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            return broken(__LINE__, QStringLiteral(#condition));                                             \
    } while (false)

#define MUST_BE(actual, expected)                                                                            \
    do {                                                                                                     \
        const auto theActual = (actual);                                                                     \
        const auto theExpected = (expected);                                                                 \
        if (!(theActual == theExpected))                                                                     \
            return broken(                                                                                   \
                __LINE__,                                                                                    \
                QStringLiteral(#actual " is %1, not %2").arg(shown(theActual), shown(theExpected)));         \
    } while (false)

#define MUST_SOON(condition)                                                                                 \
    do {                                                                                                     \
        if (!becomesTrue([&] { return bool(condition); }, m_patience))                                       \
            return broken(__LINE__, QStringLiteral("never " #condition));                                    \
    } while (false)

#define MUST_PASS(contract)                                                                                  \
    do {                                                                                                     \
        if (const QString inner = (contract); !inner.isEmpty())                                              \
            return broken(__LINE__, inner);                                                                  \
    } while (false)

// Exactly *size* bytes, with code points of one to four bytes.
QByteArray utf8(qsizetype size)
{
    static const QByteArray pattern("aä€😀");
    return pattern.repeated(size / pattern.size()) + QByteArray(size % pattern.size(), 'x');
}

// Always the same ones.
class Random
{
public:
    quint32 below(quint32 end) { return ((m_state = m_state * 1664525 + 1013904223) >> 16) % end; }

private:
    quint32 m_state = 1;
};

QByteArray noise(qsizetype size)
{
    QByteArray bytes(size, Qt::Uninitialized);
    Random random;
    for (char &byte : bytes)
        byte = char(random.below(256));
    return bytes;
}

// So mixed that no frame size cuts it at code points only.
QByteArray mixedText(qsizetype characters)
{
    static const QList<QByteArray> some{"a", "ä", "€", "😀"};
    QByteArray text;
    Random random;
    for (qsizetype i = 0; i < characters; ++i)
        text += some[random.below(4)];
    return text;
}

bool isUtf8(const QByteArray &bytes)
{
    return QString::fromUtf8(bytes).toUtf8() == bytes;
}

// The messages among the frames, each behind a 't' or a 'b'; control frames are left out.
QList<QByteArray> messagesOf(const QList<RawServer::Frame> &frames)
{
    QList<QByteArray> messages;
    QByteArray message;
    for (const RawServer::Frame &frame : frames) {
        if (frame.opcode() >= 8)
            continue;
        if (frame.opcode() != 0)
            message = frame.opcode() == 1 ? "t" : "b";
        message += frame.payload;
        if (frame.isFinal())
            messages.append(message);
    }
    return messages;
}

QList<RawServer::Frame> controlFrames(const RawServer &server, int opcode)
{
    QList<RawServer::Frame> found;
    for (const RawServer::Frame &frame : server.frames()) {
        if (frame.opcode() == opcode)
            found.append(frame);
    }
    return found;
}

constexpr int Text = 0x1;
constexpr int Binary = 0x2;
constexpr int Close = 0x8;
constexpr int Ping = 0x9;
constexpr int Pong = 0xA;
constexpr qint64 MiB = 1024 * 1024;

// What is on its way over loopback has been handled when this returns: it has been there before the bytes that go
// to and fro here.
void letItArrive()
{
    QTcpServer server;
    server.listen(QHostAddress::LocalHost);
    QTcpSocket near;
    near.connectToHost(QHostAddress::LocalHost, server.serverPort());
    const auto until = [](const auto &condition) { becomesTrue(condition, 30s); };
    until([&] { return server.hasPendingConnections() && near.state() == QAbstractSocket::ConnectedState; });
    QTcpSocket *far = server.nextPendingConnection();
    for (int round = 0; round < 10; ++round) {
        near.write("x");
        until([&] { return far->bytesAvailable() > 0; });
        far->write(far->readAll());
        until([&] { return near.bytesAvailable() > 0; });
        near.readAll();
    }
}

// Bytes that a message takes on the wire in one frame (RFC 6455 §5.2), whatever a transport says.
qint64 wireSize(qint64 payload)
{
    return payload + 6 + (payload < 126 ? 0 : payload < 65536 ? 2 : 8);
}

// How many bytes wait when the system takes no more for an end that does not read.
template<typename Sender>
qint64 whatTheSystemLeaves(const Sender &sender)
{
    for (qint64 last = -1; last != sender.bytesToWrite();) {
        last = sender.bytesToWrite();
        letItArrive();
    }
    return sender.bytesToWrite();
}

QByteArray upgradeWith(const QByteArray &headers)
{
    return RawServer::upgrade().chopped(2) + headers + "\r\n";
}

} // namespace

class tst_Transport : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void exceptionsNameTests();

    void opensOnce_data();
    void opensOnce();
    void sendsWhatTheRequestNeeds_data() { justTransports(); }
    void sendsWhatTheRequestNeeds();
    void offersCompression_data() { justTransports(); }
    void offersCompression();
    void followsRedirects_data() { justTransports(); }
    void followsRedirects();
    void opensThroughProxies_data();
    void opensThroughProxies();
    void countsWhatAProxyDoesNotTake_data() { opensThroughProxies_data(); }
    void countsWhatAProxyDoesNotTake();
    void saysWhatAProxyRefuses_data();
    void saysWhatAProxyRefuses();
    void opensOverIpv6_data() { justTransports(); }
    void opensOverIpv6();
    void neverOpens_data();
    void neverOpens();
    void saysWhenToRetry_data() { justTransports(); }
    void saysWhenToRetry();

    void sendsAllSizes_data() { plainAndTls(); }
    void sendsAllSizes();
    void receivesAllSizes_data() { plainAndTls(); }
    void receivesAllSizes();
    void keepsTheOrder_data() { plainAndTls(); }
    void keepsTheOrder();
    void talksToQWebSocketServer_data() { justTransports(); }
    void talksToQWebSocketServer();
    void joinsFragments_data();
    void joinsFragments();
    void cutsFrames_data();
    void cutsFrames();

    void answersInsideADelivery_data() { plainAndTls(); }
    void answersInsideADelivery();
    void letsADeliveryRunAnEventLoop_data() { plainAndTls(); }
    void letsADeliveryRunAnEventLoop();

    void countsWhatAPeerDoesNotRead_data() { plainAndTls(); }
    void countsWhatAPeerDoesNotRead();
    void flushesAtOnce_data() { plainAndTls(); }
    void flushesAtOnce();
    void pings_data() { justTransports(); }
    void pings();
    void answersPings_data();
    void answersPings();

    void closes_data();
    void closes();
    void closesBeforeItIsOpen_data() { justTransports(); }
    void closesBeforeItIsOpen();
    void closesWhenThereIsNothingToClose_data();
    void closesWhenThereIsNothingToClose();
    void tellsHowTheServerClosed_data();
    void tellsHowTheServerClosed();
    void tellsALoss_data();
    void tellsALoss();
    void endsAtAViolation_data();
    void endsAtAViolation();
    void abortsInSilence_data();
    void abortsInSilence();

    void pauses_data();
    void pauses();
    void pausesInsideADelivery_data() { plainAndTls(); }
    void pausesInsideADelivery();
    void hearsOfAnEndAfterAPause_data();
    void hearsOfAnEndAfterAPause();
    void losesNothingBySendingToWhoHasGone_data() { justTransports(); }
    void losesNothingBySendingToWhoHasGone();
    void keepsCountOfWhatALossLeaves_data() { plainAndTls(); }
    void keepsCountOfWhatALossLeaves();

private:
    using NewRow = std::function<QTestData &(const char *)>;
    static void rows(const std::function<void(const NewRow &)> &add);
    static void justTransports();
    static void plainAndTls();

    void makeTransport();
    void useTls();
    [[nodiscard]] QString open();
    [[nodiscard]] QString closedByServer(int code);
    void check(const std::function<QString()> &contract);

    // Destroyed in the reverse order: the transport first.
    std::unique_ptr<TrustInRawServer> trust;
    std::unique_ptr<RawServer> raw;
    TransportRecorder heard;
    TransportTarget target;
    std::unique_ptr<Transport> transport;
    std::chrono::milliseconds m_patience{};
};

// ---- How the suite works ----

// Rows for each transport, named after it; its number is in the first column.
void tst_Transport::rows(const std::function<void(const NewRow &)> &add)
{
    for (int i = 0; i < int(transportKinds().size()); ++i) {
        add([i](const char *row) -> QTestData & {
            const QByteArray name = QByteArray(transportKinds()[size_t(i)].name) + ' ' + row;
            return QTest::newRow(name.trimmed().constData()) << i;
        });
    }
}

void tst_Transport::justTransports()
{
    QTest::addColumn<int>("kind");
    rows([](const NewRow &row) { row(""); });
}

void tst_Transport::plainAndTls()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<bool>("tls");
    rows([](const NewRow &row) {
        row("plain") << false;
        row("TLS") << true;
    });
}

void tst_Transport::init()
{
    heard = {};
    target = {};
    target.maxFrameSize = 2 * MiB;
    target.maxIncomingSize = MiB;
    if (qstrcmp(QTest::currentTestFunction(), "exceptionsNameTests") == 0)
        return;
    raw = std::make_unique<RawServer>();
    target.url = raw->url();
    makeTransport();
}

void tst_Transport::cleanup()
{
    transport.reset();
    raw.reset();
    trust.reset();
}

void tst_Transport::makeTransport()
{
    QFETCH(const int, kind);
    transport = transportKinds()[size_t(kind)].make();
    transport->setListener(&heard);
}

void tst_Transport::useTls()
{
    trust = std::make_unique<TrustInRawServer>();
    raw = std::make_unique<RawServer>(RawServer::Security::Tls);
    target.url = raw->url();
    makeTransport(); // again: it may look at what is trusted when it is made
}

QString tst_Transport::open()
{
    transport->open(target);
    MUST_SOON(heard.opened > 0 || !heard.ends.isEmpty());
    if (!heard.ends.isEmpty())
        return heard.ends.first().error.message();
    MUST_BE(heard.opened, 1);
    return {};
}

// Waits for the Close frame of the transport and for its end, as the server that closes TCP then (RFC 6455 §7.1.1).
QString tst_Transport::closedByServer(int code)
{
    MUST_SOON(!controlFrames(*raw, Close).isEmpty());
    raw->finish();
    MUST_SOON(!heard.ends.isEmpty());
    MUST_BE(heard.ends.first().error.closeCode(), code);
    letItArrive();
    MUST_BE(controlFrames(*raw, Close).size(), 1);
    return {};
}

void tst_Transport::check(const std::function<QString()> &contract)
{
    QFETCH(const int, kind);
    const char *name = transportKinds()[size_t(kind)].name;
    const QByteArray row = QByteArray(QTest::currentDataTag()).mid(qsizetype(qstrlen(name))).trimmed();
    const auto listed =
        std::find_if(exceptions().begin(), exceptions().end(), [&](const Exception &exception) {
            return qstrcmp(exception.transport, name) == 0 &&
                   qstrcmp(exception.function, QTest::currentTestFunction()) == 0 &&
                   (!exception.row || row == exception.row);
        });
    const bool isException = listed != exceptions().end();
    m_patience = isException ? 1000ms : 30000ms;
    QString what = contract();
    if (what.isEmpty() && heard.ends.size() > 1)
        what = s("it ended %1 times").arg(heard.ends.size());
    if (what.isEmpty() && heard.afterTheEnd > 0)
        what = s("%1 reports came after the end").arg(heard.afterTheEnd);
    if (isException) {
        QVERIFY2(!what.isEmpty(), "this does what it must: take it off the list of exceptions");
        qInfo("differs as known (%s): %s", listed->why, qPrintable(what));
    } else {
        QVERIFY2(what.isEmpty(), qPrintable(what));
    }
}

void tst_Transport::exceptionsNameTests()
{
    for (const Exception &exception : exceptions()) {
        const QByteArray signature = QByteArray(exception.function) + "()";
        QVERIFY2(metaObject()->indexOfSlot(signature.constData()) >= 0, exception.function);
        QVERIFY2(std::any_of(
                     transportKinds().begin(), transportKinds().end(),
                     [&](const TransportKind &each) { return qstrcmp(each.name, exception.transport) == 0; }),
                 exception.transport);
    }
}

// ---- Opening ----

void tst_Transport::opensOnce_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<bool>("tls");
    rows([](const NewRow &row) {
        row("plain") << RawServer::upgrade() << false;
        row("TLS") << RawServer::upgrade() << true;
        row("keep-alive, Upgrade") << RawServer::upgrade().replace("Connection: Upgrade",
                                                                   "Connection: keep-alive, Upgrade")
                                   << false;
        row("other case") << QByteArray("HTTP/1.1 101 Fine\r\nUPGRADE: WebSocket\r\nconnection: upgrade\r\n"
                                        "sec-websocket-accept:{accept}\r\n\r\n")
                          << false;
        row("further headers") << upgradeWith("Server: x\r\nX-Long: " + QByteArray(4000, 'x') + "\r\n")
                               << false;
    });
}

void tst_Transport::opensOnce()
{
    QFETCH(const QByteArray, answer);
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        raw->setAnswer(answer);
        raw->setThen(RawServer::frame(Text, "at once"));
        MUST_PASS(open());
        MUST_SOON(heard.messages.size() == 1);
        MUST_BE(heard.messages.first(), QByteArray("tat once"));
        transport->sendText("hello");
        MUST_SOON(raw->rest().size() == wireSize(5));
        MUST_BE(messagesOf(raw->frames()), QList<QByteArray>{"thello"});
        letItArrive();
        MUST_BE(heard.opened, 1);
        MUST(heard.ends.isEmpty());
        return {};
    });
}

void tst_Transport::sendsWhatTheRequestNeeds()
{
    check([&]() -> QString {
        target.url.setPath(s("/a b/ä"));
        target.url.setQuery(s("q=ü&r=1"));
        target.protocols = QStringList{s("v2"), s("v1")};
        target.headers = {{s("X-Client"), s("everwire")}, {s("User-Agent"), s("test/1")}};
        raw->setAnswer(upgradeWith("Sec-WebSocket-Protocol: v1\r\n"));
        MUST_PASS(open());
        const QList<QByteArray> lines = raw->request().split('\n');
        MUST_BE(lines.first().trimmed(), QByteArray("GET /a%20b/%C3%A4?q=%C3%BC&r=1 HTTP/1.1"));
        QMap<QByteArray, QByteArray> headers;
        for (const QByteArray &line : lines.mid(1)) {
            const qsizetype colon = line.indexOf(':');
            if (colon < 0)
                continue;
            const QByteArray name = line.left(colon).toLower();
            MUST(!headers.contains(name));
            headers.insert(name, line.mid(colon + 1).trimmed());
        }
        MUST_BE(headers.value("host"), target.url.authority().toLatin1());
        MUST_BE(headers.value("upgrade").toLower(), QByteArray("websocket"));
        MUST_BE(headers.value("connection").toLower(), QByteArray("upgrade"));
        MUST_BE(headers.value("sec-websocket-version"), QByteArray("13"));
        MUST_BE(QByteArray::fromBase64(headers.value("sec-websocket-key")).size(), 16);
        MUST_BE(headers.value("sec-websocket-protocol"), QByteArray("v2, v1"));
        MUST(!headers.contains("sec-websocket-extensions"));
        MUST_BE(headers.value("x-client"), QByteArray("everwire"));
        MUST_BE(headers.value("user-agent"), QByteArray("test/1"));
        return {};
    });
}

void tst_Transport::offersCompression()
{
    check([&]() -> QString {
        target.compress = true;
        MUST_PASS(open()); // the server does not take it
        MUST(raw->request().contains("\r\nSec-WebSocket-Extensions: permessage-deflate"));
        transport->sendText(QByteArray(500, 'x'));
        MUST_SOON(raw->rest().size() == wireSize(500));
        MUST_BE(messagesOf(raw->frames()), QList<QByteArray>{'t' + QByteArray(500, 'x')});
        MUST_BE(transport->bytesSaved(), qint64(0));
        return {};
    });
}

void tst_Transport::followsRedirects()
{
    check([&]() -> QString {
        RawServer redirecting;
        redirecting.setAnswer("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " +
                              raw->url().toEncoded() + "there\r\n\r\n");
        target.url = redirecting.url();
        target.followRedirects = true;
        MUST_PASS(open());
        MUST(raw->request().startsWith("GET /there HTTP/1.1\r\n"));
        return {};
    });
}

void tst_Transport::opensThroughProxies_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<int>("proxy");
    QTest::addColumn<bool>("tls");
    rows([](const NewRow &row) {
        row("HTTP") << int(ProxyServer::Kind::Http) << false;
        row("HTTP, TLS") << int(ProxyServer::Kind::Http) << true;
        row("SOCKS5") << int(ProxyServer::Kind::Socks5) << false;
        row("SOCKS5, TLS") << int(ProxyServer::Kind::Socks5) << true;
    });
}

void tst_Transport::opensThroughProxies()
{
    QFETCH(const int, proxy);
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        const ProxyServer server{ProxyServer::Kind(proxy)};
        target.url.setHost(s(ProxyServer::Host));
        MUST_PASS(open());
        // Qt's SOCKS5 engine reads on by itself.
        MUST(!transport->canPause() || ProxyServer::Kind(proxy) != ProxyServer::Kind::Socks5);
        MUST_BE(server.tunnels(), 1);
        // First each waits for the other, then neither.
        QList<QByteArray> all;
        for (int i = 0; i < 50; ++i) {
            const QByteArray text = QByteArray::number(i);
            all.append('t' + text);
            raw->write(RawServer::frame(Text, text));
            MUST_SOON(heard.messages.size() == all.size());
            transport->sendText(text);
            MUST_SOON(messagesOf(raw->frames()).size() == all.size());
        }
        qint64 size = raw->rest().size();
        for (const qint64 length : {qint64(0), qint64(100), qint64(1000), qint64(100'000), MiB}) {
            all << 't' + utf8(length) << 'b' + noise(length);
            raw->write(RawServer::frame(Text, utf8(length)) + RawServer::frame(Binary, noise(length)));
            transport->sendText(utf8(length));
            transport->sendBinary(noise(length));
            size += 2 * wireSize(length);
        }
        MUST_SOON(heard.messages.size() == all.size() && raw->rest().size() == size);
        MUST(heard.messages == all);
        MUST(messagesOf(raw->frames()) == all);
        raw->write(RawServer::closeFrame(4000));
        MUST_SOON(!controlFrames(*raw, Close).isEmpty());
        raw->finish();
        MUST_SOON(!heard.ends.isEmpty());
        MUST_BE(heard.ends.first().error.closeCode(), 4000);
        return {};
    });
}

void tst_Transport::countsWhatAProxyDoesNotTake()
{
    QFETCH(const int, proxy);
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        ProxyServer server{ProxyServer::Kind(proxy)};
        target.url.setHost(s(ProxyServer::Host));
        MUST_PASS(open());
        server.hold();
        qint64 total = 0;
        for (int i = 0; i < 32; ++i) {
            transport->sendBinary(QByteArray(MiB, 'x'));
            total += wireSize(MiB);
            transport->flush();
        }
        QCoreApplication::processEvents();
        MUST(transport->bytesToWrite() > total / 4);
        MUST(transport->bytesToWrite() <= total + total / 100); // TLS adds a little
        server.goOn();
        MUST_SOON(transport->bytesToWrite() == 0);
        MUST_SOON(raw->rest().size() == total);
        return {};
    });
}

void tst_Transport::saysWhatAProxyRefuses_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<int>("proxy");
    rows([](const NewRow &row) {
        row("HTTP") << int(ProxyServer::Kind::Http);
        row("SOCKS5") << int(ProxyServer::Kind::Socks5);
    });
}

void tst_Transport::saysWhatAProxyRefuses()
{
    QFETCH(const int, proxy);
    check([&]() -> QString {
        const ProxyServer server(ProxyServer::Kind(proxy), true);
        target.url.setHost(s(ProxyServer::Host));
        transport->open(target);
        MUST_SOON(!heard.ends.isEmpty());
        MUST_BE(int(heard.ends.first().error.code()), int(ConnectionError::ConnectionRefused));
        MUST(heard.ends.first().error.message().contains(s("proxy"), Qt::CaseInsensitive));
        MUST_BE(raw->connections(), 0);
        return {};
    });
}

// Where the machine has no IPv6, the error must tell the address as a URL has it.
void tst_Transport::opensOverIpv6()
{
    check([&]() -> QString {
        if (!QTcpServer().listen(QHostAddress::LocalHostIPv6)) {
            target.url.setHost(s("::1"));
            transport->open(target);
            MUST_SOON(!heard.ends.isEmpty());
            MUST(heard.ends.first().error.message().contains(s("[::1]:")));
            return {};
        }
        raw = std::make_unique<RawServer>(RawServer::Security::Plain,
                                          QHostAddress(QHostAddress::LocalHostIPv6));
        target.url = raw->url();
        MUST_PASS(open());
        MUST(raw->request().contains(s("Host: [::1]:%1").arg(target.url.port()).toLatin1()));
        raw->write(RawServer::frame(Text, "over six"));
        MUST_SOON(heard.messages == QList<QByteArray>{"tover six"});
        raw->finish();
        MUST_SOON(!heard.ends.isEmpty());
        MUST(heard.ends.first().error.message().contains(s("[::1]:")));
        return {};
    });
}

void tst_Transport::neverOpens_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("inMessage");
    rows([](const NewRow &row) {
        constexpr int failed = ConnectionError::HandshakeFailed;
        row("refused") << QByteArray() << int(ConnectionError::ConnectionRefused) << s("127.0.0.1:");
        row("unknown host") << QByteArray() << int(ConnectionError::HostNotFound)
                            << s("no-such-host.invalid");
        row("unknown certificate") << QByteArray() << int(ConnectionError::TlsFailed) << s("certificate");
        for (const char *status :
             {"400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "426 Upgrade Required",
              "429 Too Many Requests", "500 Internal Server Error", "503 Service Unavailable"}) {
            row(QByteArray(status, 3).constData())
                << QByteArray("HTTP/1.1 ") + status + "\r\nContent-Length: 0\r\n\r\n"
                << failed << QString::fromLatin1(status, 3);
        }
        row("401 that wants Basic") << QByteArray("HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n"
                                                  "WWW-Authenticate: Basic realm=\"x\"\r\n\r\nno!\n")
                                    << failed << s("401");
        row("302") << QByteArray("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
                                 "Location: http://127.0.0.1:1/\r\n\r\n")
                   << failed << s("302");
        row("200") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") << failed << s("200");
        row("wrong accept") << RawServer::upgrade().replace("{accept}", "bm9uc2Vuc2U=") << failed << s("");
        row("no accept") << RawServer::upgrade().replace("Sec-WebSocket-Accept: {accept}\r\n", "") << failed
                         << s("");
        row("no Upgrade") << RawServer::upgrade().replace("Upgrade: websocket\r\n", "") << failed << s("");
        row("other Upgrade") << RawServer::upgrade().replace("websocket", "h2c") << failed << s("");
        row("no Connection") << RawServer::upgrade().replace("Connection: Upgrade\r\n", "") << failed
                             << s("");
        row("an extension unasked") << upgradeWith("Sec-WebSocket-Extensions: permessage-deflate\r\n")
                                    << failed << s("");
        row("a subprotocol unasked") << upgradeWith("Sec-WebSocket-Protocol: v9\r\n") << failed << s("");
        row("no HTTP") << QByteArray("SSH-2.0-OpenSSH_9.2\r\n\r\n") << failed << s("");
        row("FIN") << QByteArray("FIN") << failed << s("");
        row("RST") << QByteArray("RST") << failed << s("");
        row("FIN in the answer") << QByteArray("HTTP/1.1 101 Swit") << failed << s("");
    });
}

void tst_Transport::neverOpens()
{
    QFETCH(const QByteArray, answer);
    QFETCH(const int, code);
    QFETCH(const QString, inMessage);
    check([&]() -> QString {
        const bool finishes = answer == "FIN" || answer == "HTTP/1.1 101 Swit";
        const bool resets = answer == "RST";
        raw->setAnswer(answer == "FIN" || resets ? QByteArray() : answer);
        raw->setThen(RawServer::frame(Text, "nobody may hear this"));
        if (finishes)
            raw->setThen({});
        target.url.setPath(s("/secret"));
        target.url.setQuery(s("key=secret"));
        if (code == ConnectionError::ConnectionRefused)
            raw = std::make_unique<RawServer>(); // of another port
        else if (code == ConnectionError::HostNotFound)
            target.url.setHost(s("no-such-host.invalid"));
        if (code == ConnectionError::TlsFailed) {
            useTls();
            trust.reset();
            makeTransport();
        }
        transport->open(target);
        if (resets || finishes) {
            MUST_SOON(raw->request().contains("\r\n\r\n"));
            resets ? raw->reset() : raw->finish();
        }
        MUST_SOON(!heard.ends.isEmpty() || heard.opened > 0);
        MUST_BE(heard.opened, 0);
        letItArrive();
        MUST_BE(heard.ends.size(), 1);
        const ConnectionError error = heard.ends.first().error;
        MUST_BE(error.closeCode(), 0);
        MUST_BE(int(error.code()), code);
        if (!error.message().contains(inMessage))
            return broken(__LINE__, s("\"%1\" does not say \"%2\"").arg(error.message(), inMessage));
        MUST(!error.message().contains(s("secret")));
        MUST(heard.messages.isEmpty());
        MUST_SOON(!raw->isConnected());
        return {};
    });
}

void tst_Transport::saysWhenToRetry()
{
    check([&]() -> QString {
        raw->setAnswer("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n");
        transport->open(target);
        MUST_SOON(!heard.ends.isEmpty());
        MUST_BE(heard.ends.first().retryAfter.count(), std::chrono::milliseconds(7s).count());
        return {};
    });
}

// ---- Messages ----

void tst_Transport::sendsAllSizes()
{
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        MUST_PASS(open());
        qint64 total = 0;
        qint64 position = 0;
        QList<QByteArray> sent;
        for (const qint64 size :
             {qint64(0), qint64(1), qint64(125), qint64(126), qint64(65535), qint64(65536), MiB}) {
            const QByteArray text = utf8(size);
            const QByteArray bytes = noise(size);
            MUST_BE(text.size(), size);
            sent << 't' + text << 'b' + bytes << 't' + text;
            for (const qint64 behind :
                 {transport->sendText(text), transport->sendBinary(bytes), transport->sendSecretText(text)}) {
                MUST(behind - std::exchange(position, behind) >= wireSize(size));
                total += wireSize(size);
            }
        }
        MUST_SOON(raw->rest().size() >= total);
        MUST_BE(raw->rest().size(), total);
        const QList<RawServer::Frame> frames = raw->frames();
        MUST_BE(frames.size(), sent.size());
        MUST(messagesOf(frames) == sent);
        MUST(std::all_of(frames.begin(), frames.end(),
                         [](const RawServer::Frame &frame) { return frame.isMasked; }));
        MUST(heard.written > 0);
        MUST_SOON(transport->bytesToWrite() == 0);
        MUST(transport->takenPosition() >= position);
        MUST_SOON(transport->confirmed().position >= position && transport->confirmed().isSettled);
        return {};
    });
}

void tst_Transport::receivesAllSizes()
{
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        MUST_PASS(open());
        QList<QByteArray> sent;
        for (const qint64 size :
             {qint64(0), qint64(1), qint64(125), qint64(126), qint64(65535), qint64(65536), MiB}) {
            sent << 't' + utf8(size) << 'b' + noise(size);
            raw->write(RawServer::frame(Text, utf8(size)) + RawServer::frame(Binary, noise(size)));
        }
        MUST_SOON(heard.messages.size() == sent.size());
        MUST(heard.messages == sent);
        MUST(heard.alive > 0);
        return {};
    });
}

void tst_Transport::keepsTheOrder()
{
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        MUST_PASS(open());
        QList<QByteArray> sent;
        qint64 total = 0;
        for (int i = 0; i < 2000; ++i) {
            const QByteArray payload = QByteArray::number(i) + ' ' + QByteArray((i * 37) % 300, '.');
            const bool isText = i % 3 != 0;
            sent.append((isText ? 't' : 'b') + payload);
            if (isText)
                transport->sendText(payload);
            else
                transport->sendBinary(payload);
            total += wireSize(payload.size());
            raw->write(RawServer::frame(isText ? Text : Binary, payload));
            if (i % 500 == 0)
                QCoreApplication::processEvents();
        }
        MUST_SOON(heard.messages.size() == sent.size());
        MUST(heard.messages == sent);
        MUST_SOON(raw->rest().size() >= total);
        MUST_BE(raw->rest().size(), total);
        MUST(messagesOf(raw->frames()) == sent);
        return {};
    });
}

void tst_Transport::talksToQWebSocketServer()
{
    check([&]() -> QString {
        QWebSocketServer server(s("echo"), QWebSocketServer::NonSecureMode);
        MUST(server.listen(QHostAddress::LocalHost));
        connect(&server, &QWebSocketServer::newConnection, &server, [&server] {
            QWebSocket *socket = server.nextPendingConnection();
            socket->setParent(&server);
            connect(socket, &QWebSocket::textMessageReceived, socket, &QWebSocket::sendTextMessage);
            connect(socket, &QWebSocket::binaryMessageReceived, socket, &QWebSocket::sendBinaryMessage);
        });
        target.url = server.serverUrl();
        MUST_PASS(open());
        QList<QByteArray> sent;
        for (int i = 0; i < 2000; ++i) {
            const QByteArray payload = utf8(i % 300);
            const bool isText = i % 3 != 0;
            sent.append((isText ? 't' : 'b') + payload);
            isText ? transport->sendText(payload) : transport->sendBinary(payload);
        }
        MUST_SOON(heard.messages.size() == sent.size());
        MUST(heard.messages == sent);
        transport->close(1000, s("bye"));
        MUST_SOON(!heard.ends.isEmpty());
        MUST_BE(heard.ends.first().error.closeCode(), 1000);
        return {};
    });
}

void tst_Transport::joinsFragments_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<QList<QByteArray>>("pieces");
    QTest::addColumn<int>("opcode");
    rows([](const NewRow &row) {
        row("text") << QList<QByteArray>{"one ", "zwöi ", "three"} << Text;
        row("binary") << QList<QByteArray>{noise(70000), noise(3), noise(200)} << Binary;
        row("empty ones") << QList<QByteArray>{"", "a", "", "b", ""} << Text;
        row("nothing but empty ones") << QList<QByteArray>{"", "", ""} << Binary;
        row("text cut inside code points")
            << QList<QByteArray>{"\xc3", "\xa4\xe2", "\x82", "\xac\xf0", "\x9f\x98", "\x80"} << Text;
        row("single bytes") << QList<QByteArray>(300, "x") << Text;
    });
}

void tst_Transport::joinsFragments()
{
    QFETCH(const QList<QByteArray>, pieces);
    QFETCH(const int, opcode);
    check([&]() -> QString {
        MUST_PASS(open());
        QByteArray bytes;
        for (qsizetype i = 0; i < pieces.size(); ++i) {
            bytes += RawServer::frame(i == 0 ? opcode : 0, pieces[i], i == pieces.size() - 1);
            if (i < 5)
                bytes += RawServer::frame(Ping, QByteArray::number(i)) + RawServer::frame(Pong, "unasked");
        }
        raw->write(bytes + RawServer::frame(Text, "next"));
        MUST_SOON(heard.messages.size() == 2 || !heard.ends.isEmpty());
        const QByteArray whole = (opcode == Text ? 't' : 'b') + pieces.join();
        MUST_BE(heard.messages, (QList<QByteArray>{whole, "tnext"}));
        MUST_SOON(controlFrames(*raw, Pong).size() == std::min<qsizetype>(pieces.size(), 5));
        return {};
    });
}

void tst_Transport::cutsFrames_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<QByteArray>("message");
    QTest::addColumn<bool>("isText");
    rows([](const NewRow &row) {
        row("binary") << noise(25000) << false;
        row("binary, one frame exactly") << noise(1000) << false;
        row("ASCII") << QByteArray(25000, 'x') << true;
        row("JSON") << "{\"words\":\"" + mixedText(25000) + "\"}" << true;
        row("no JSON") << mixedText(25000) << true;
        row("code points of three bytes") << QByteArray("€").repeated(9000) << true;
    });
}

void tst_Transport::cutsFrames()
{
    QFETCH(const QByteArray, message);
    QFETCH(const bool, isText);
    check([&]() -> QString {
        target.maxFrameSize = 1000;
        MUST_PASS(open());
        const qint64 position = isText ? transport->sendText(message) : transport->sendBinary(message);
        MUST_SOON(!raw->frames().isEmpty() && raw->frames().last().isFinal());
        letItArrive();
        MUST(transport->takenPosition() >= position);
        const QList<RawServer::Frame> frames = raw->frames();
        MUST(frames.size() >= (message.size() + 999) / 1000);
        for (qsizetype i = 0; i < frames.size(); ++i) {
            MUST(frames[i].payload.size() <= 1000);
            MUST_BE(frames[i].first,
                    (i == 0 ? isText ? Text : Binary : 0) | (i == frames.size() - 1 ? 0x80 : 0));
            MUST(!isText || isUtf8(frames[i].payload));
        }
        const QByteArray sent = messagesOf(frames).value(0).mid(1);
        // Characters of JSON may be written in another way.
        MUST(sent == message ||
             (message.startsWith('{') && QJsonDocument::fromJson(sent) == QJsonDocument::fromJson(message)));
        return {};
    });
}

void tst_Transport::answersInsideADelivery()
{
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        MUST_PASS(open());
        heard.onMessage = [this] {
            if (heard.messages.size() <= 500)
                transport->sendText(heard.messages.last().mid(1));
            else
                transport->close(4000, s("enough"));
        };
        QByteArray all;
        for (int i = 0; i < 600; ++i)
            all += RawServer::frame(Text, QByteArray::number(i));
        raw->write(all);
        MUST_SOON(!controlFrames(*raw, Close).isEmpty());
        MUST_BE(heard.messages.size(), 501); // nothing is delivered behind close()
        MUST_BE(raw->frames().size(), 501);
        MUST(messagesOf(raw->frames()) == heard.messages.mid(0, 500));
        MUST_BE(raw->frames().last().payload, RawServer::closeFrame(4000, "enough").mid(2));
        raw->write(RawServer::closeFrame(4000));
        MUST_PASS(closedByServer(4000));
        MUST_BE(heard.messages.size(), 501);
        return {};
    });
}

void tst_Transport::letsADeliveryRunAnEventLoop()
{
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        MUST_PASS(open());
        heard.onMessage = [this] {
            if (heard.messages.size() % 10 != 1)
                return;
            raw->write(RawServer::frame(Ping, "x"));
            letItArrive();
        };
        for (int round = 0; round < 20; ++round) {
            QByteArray all;
            for (int i = 0; i < 10; ++i)
                all += RawServer::frame(Text, QByteArray::number(round * 10 + i));
            raw->write(all);
        }
        MUST_SOON(heard.messages.size() == 200 || !heard.ends.isEmpty());
        letItArrive();
        MUST_BE(heard.messages.size(), 200);
        for (int i = 0; i < 200; ++i)
            MUST_BE(heard.messages[i], 't' + QByteArray::number(i));
        MUST(heard.ends.isEmpty());
        return {};
    });
}

// ---- The traffic ----

void tst_Transport::countsWhatAPeerDoesNotRead()
{
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        raw->setReads(false);
        MUST_PASS(open());
        constexpr int count = 48; // of 1 MiB: more than the system takes for a peer that does not read
        qint64 total = 0;
        for (int i = 0; i < count; ++i)
            transport->sendBinary(QByteArray(MiB, char('a' + i)));
        total = count * wireSize(MiB);
        MUST(transport->bytesToWrite() > 0);
        MUST_SOON(heard.written > 0);
        const qint64 waiting = whatTheSystemLeaves(*transport);
        MUST(waiting > total / 4 && waiting < total);
        transport->flush();
        letItArrive();
        MUST(transport->bytesToWrite() > total / 4);
        const int written = heard.written;
        raw->setReads(true);
        MUST_SOON(transport->bytesToWrite() == 0);
        MUST(heard.written > written);
        MUST_SOON(raw->rest().size() >= total);
        MUST_BE(raw->rest().size(), total);
        MUST(heard.ends.isEmpty());
        return {};
    });
}

void tst_Transport::flushesAtOnce()
{
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        MUST_PASS(open());
        const qint64 position = transport->sendText("hello");
        transport->flush();
        MUST_BE(transport->bytesToWrite(), qint64(0));
        MUST_BE(transport->takenPosition(), position);
        MUST_SOON(raw->rest().size() == wireSize(5));
        return {};
    });
}

void tst_Transport::pings()
{
    check([&]() -> QString {
        MUST_PASS(open());
        transport->ping();
        MUST_SOON(controlFrames(*raw, Ping).size() == 1);
        letItArrive();
        heard.alive = 0;
        raw->write(RawServer::frame(Pong, controlFrames(*raw, Ping).first().payload));
        MUST_SOON(heard.alive > 0);
        MUST(heard.messages.isEmpty());
        heard.alive = 0;
        raw->write(RawServer::frame(Text, "the beginning of a message", false));
        MUST_SOON(heard.alive > 0);
        MUST(heard.messages.isEmpty());
        return {};
    });
}

void tst_Transport::answersPings_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<QByteArray>("payload");
    rows([](const NewRow &row) {
        row("empty") << QByteArray();
        row("short") << QByteArray("hi");
        row("longest") << noise(125);
    });
}

void tst_Transport::answersPings()
{
    QFETCH(const QByteArray, payload);
    check([&]() -> QString {
        MUST_PASS(open());
        heard.alive = 0;
        raw->write(RawServer::frame(Ping, payload));
        MUST_SOON(controlFrames(*raw, Pong).size() == 1);
        MUST_BE(controlFrames(*raw, Pong).first().payload, payload);
        MUST(controlFrames(*raw, Pong).first().isMasked);
        MUST(heard.alive > 0);
        return {};
    });
}

// ---- The end ----

void tst_Transport::closes_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("reason");
    QTest::addColumn<bool>("replies");
    rows([](const NewRow &row) {
        row("1000") << 1000 << s("bye") << true;
        row("1001 without reason") << 1001 << QString() << true;
        row("3000") << 3000 << s("grüße") << true;
        row("4999 with the longest reason") << 4999 << QString(123, QLatin1Char('x')) << true;
        row("FIN for an answer") << 1000 << s("bye") << false;
    });
}

void tst_Transport::closes()
{
    QFETCH(const int, code);
    QFETCH(const QString, reason);
    QFETCH(const bool, replies);
    check([&]() -> QString {
        MUST_PASS(open());
        transport->sendText("last");
        transport->close(code, reason);
        raw->write(RawServer::frame(Text, "nobody hears this"));
        MUST_SOON(!controlFrames(*raw, Close).isEmpty());
        MUST_BE(raw->frames().size(), 2);
        MUST_BE(raw->frames().last().payload, RawServer::closeFrame(code, reason.toUtf8()).mid(2));
        MUST(raw->frames().last().isMasked);
        raw->write(RawServer::frame(Binary, "nor this"));
        if (replies)
            raw->write(RawServer::closeFrame(code));
        raw->finish();
        MUST_SOON(!heard.ends.isEmpty());
        MUST_BE(heard.ends.first().error.closeCode(), replies ? code : 1006);
        letItArrive();
        MUST(heard.messages.isEmpty());
        return {};
    });
}

void tst_Transport::closesBeforeItIsOpen()
{
    check([&]() -> QString {
        raw->setAnswer({});
        transport->open(target);
        MUST_SOON(!raw->request().isEmpty());
        transport->close(1000, s("bye"));
        MUST_SOON(!heard.ends.isEmpty());
        MUST_BE(heard.ends.first().error.closeCode(), 0);
        MUST_BE(heard.opened, 0);
        MUST_SOON(!raw->isConnected());
        return {};
    });
}

void tst_Transport::closesWhenThereIsNothingToClose_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<QString>("when");
    rows([](const NewRow &row) {
        for (const char *when : {"inside its end", "after its end", "before abort()"})
            row(when) << s(when);
    });
}

void tst_Transport::closesWhenThereIsNothingToClose()
{
    QFETCH(const QString, when);
    check([&]() -> QString {
        if (when == s("before abort()")) {
            transport->open(target);
            transport->close(1000, {});
            transport->abort();
        } else {
            if (when == s("inside its end"))
                heard.onEnd = [this] { transport->close(1000, {}); };
            MUST_PASS(open());
            raw->write(RawServer::closeFrame(4001));
            MUST_PASS(closedByServer(4001));
            transport->close(1000, {});
        }
        const qsizetype ends = heard.ends.size();
        letItArrive();
        MUST_BE(heard.ends.size(), ends);
        return {};
    });
}

void tst_Transport::tellsHowTheServerClosed_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<int>("code");
    QTest::addColumn<QByteArray>("reason");
    rows([](const NewRow &row) {
        for (const int code : {1000, 1001, 1003, 1008, 1011, 1012, 1013, 1014, 3000, 4000, 4999})
            row(QByteArray::number(code).constData()) << code << QByteArray("später");
        row("without reason") << 4001 << QByteArray();
        row("with the longest reason") << 4001 << QByteArray(123, 'x');
        row("without code") << 1005 << QByteArray();
    });
}

void tst_Transport::tellsHowTheServerClosed()
{
    QFETCH(const int, code);
    QFETCH(const QByteArray, reason);
    check([&]() -> QString {
        MUST_PASS(open());
        const QByteArray close =
            code == 1005 ? RawServer::frame(Close, {}) : RawServer::closeFrame(code, reason);
        raw->write(RawServer::frame(Text, "before") + close + RawServer::frame(Text, "after"));
        MUST_PASS(closedByServer(code));
        const QByteArray echo = controlFrames(*raw, Close).first().payload;
        MUST_BE(echo.left(2), close.mid(2, 2)); // RFC 6455 §5.5.1: usually it repeats the code
        MUST_BE(int(heard.ends.first().error.code()), int(ConnectionError::ClosedByServer));
        MUST_BE(heard.ends.first().reason.toUtf8(), reason);
        MUST_BE(heard.messages, QList<QByteArray>{"tbefore"});
        return {};
    });
}

void tst_Transport::tellsALoss_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<bool>("tls");
    QTest::addColumn<bool>("reset");
    QTest::addColumn<QByteArray>("before");
    QTest::addColumn<bool>("writes"); // and so hears of it from write(), not from read()
    rows([](const NewRow &row) {
        row("FIN") << false << false << QByteArray() << false;
        row("RST") << false << true << QByteArray() << false;
        row("FIN over TLS") << true << false << QByteArray() << false;
        row("RST over TLS") << true << true << QByteArray() << false;
        row("FIN inside a message") << false << false << RawServer::frame(Text, "half", false) << false;
        row("FIN inside a frame") << false << false << RawServer::frame(Text, "half").chopped(2) << false;
        row("FIN inside a frame over TLS")
            << true << false << RawServer::frame(Text, "half").chopped(2) << false;
        row("RST, then a write") << false << true << QByteArray() << true;
        row("RST over TLS, then a write") << true << true << QByteArray() << true;
    });
}

void tst_Transport::tellsALoss()
{
    QFETCH(const bool, tls);
    QFETCH(const bool, reset);
    QFETCH(const QByteArray, before);
    QFETCH(const bool, writes);
    check([&]() -> QString {
        if (tls)
            useTls();
        MUST_PASS(open());
        raw->write(RawServer::frame(Text, "whole") + before);
        MUST_SOON(heard.messages.size() == 1);
        reset ? raw->reset() : raw->finish();
        if (writes) {
            transport->sendText("lost");
            transport->flush();
        }
        MUST_SOON(!heard.ends.isEmpty());
        MUST_BE(heard.ends.first().error.closeCode(), 1006);
        MUST_BE(int(heard.ends.first().error.code()), int(ConnectionError::ConnectionLost));
        letItArrive();
        MUST_BE(heard.messages.size(), 1);
        return {};
    });
}

void tst_Transport::endsAtAViolation_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    const auto raised = [](QByteArray frame, int bits) {
        frame[0] = char(frame[0] | bits);
        return frame;
    };
    const auto long2 = [](int opcode, const QByteArray &payload) { // a length of two bytes, needed or not
        return QByteArray(1, char(0x80 | opcode)) + QByteArray("\x7e\0", 2) +
               QByteArray(1, char(payload.size())) + payload;
    };
    const auto long8 = [](quint64 size, const QByteArray &payload) {
        QByteArray bytes("\x82\x7f", 2);
        for (int shift = 56; shift >= 0; shift -= 8)
            bytes += char(size >> shift & 0xff);
        return bytes + payload;
    };
    rows([&](const NewRow &row) {
        const QByteArray begun = RawServer::frame(Text, "begun", false);
        row("a masked frame") << QByteArray("\x81\x82\1\2\3\4ij", 8) << 1002;
        row("reserved bit 1") << raised(RawServer::frame(Text, "x"), 0x40) << 1002;
        row("reserved bit 2") << raised(RawServer::frame(Text, "x"), 0x20) << 1002;
        row("reserved bit 3") << raised(RawServer::frame(Binary, "x"), 0x10) << 1002;
        row("reserved bit of a ping") << raised(RawServer::frame(Ping, "x"), 0x40) << 1002;
        row("reserved bit of a continuation") << begun + raised(RawServer::frame(0, "x"), 0x40) << 1002;
        for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
            row(QByteArray("opcode " + QByteArray::number(opcode)).constData())
                << RawServer::frame(opcode, "x") << 1002;
        row("a long ping") << RawServer::frame(Ping, noise(126)) << 1002;
        row("a long Close") << RawServer::closeFrame(1000, QByteArray(124, 'x')) << 1002;
        row("a fragmented ping") << RawServer::frame(Ping, "x", false) << 1002;
        row("a fragmented Close") << RawServer::frame(Close, "\x03\xe8", false) << 1002;
        row("two bytes for a length of 125") << long2(Binary, QByteArray(125, 'x')) << 1002;
        row("two bytes for a ping's length") << long2(Ping, QByteArray(5, 'x')) << 1002;
        row("eight bytes for a length of 65535") << long8(65535, QByteArray(65535, 'x')) << 1002;
        row("a length with the highest bit") << long8(quint64(1) << 63 | 5, QByteArray(5, 'x')) << 1002;
        row("a continuation of nothing") << RawServer::frame(0, "x") << 1002;
        row("a continuation of what is over")
            << begun + RawServer::frame(0, "x") + RawServer::frame(0, "x") << 1002;
        row("a text inside a text") << begun + RawServer::frame(Text, "x") << 1002;
        row("a binary inside a text") << begun + RawServer::frame(Binary, "x", false) << 1002;
        row("no UTF-8") << RawServer::frame(Text, "\xff\xfe") << 1007;
        row("no UTF-8: half a character") << RawServer::frame(Text, "x\xe2\x82") << 1007;
        row("no UTF-8: an overlong form") << RawServer::frame(Text, "\xc0\x80") << 1007;
        row("no UTF-8: a surrogate") << RawServer::frame(Text, "\xed\xa0\x80") << 1007;
        row("no UTF-8: beyond Unicode") << RawServer::frame(Text, "\xf4\x90\x80\x80") << 1007;
        row("no UTF-8: in a fragment") << begun + RawServer::frame(0, "\xff") << 1007;
        row("no UTF-8: cut off in a fragment") << begun + RawServer::frame(0, "\xf0\x9f") << 1007;
        for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535})
            row(QByteArray("Close with " + QByteArray::number(code)).constData())
                << RawServer::closeFrame(code) << 1002;
        row("Close with half a code") << RawServer::frame(Close, "\x03") << 1002;
        row("Close with a reason that is no UTF-8") << RawServer::closeFrame(1000, "\xff") << 1007;
        row("a message above the limit") << RawServer::frame(Binary, QByteArray(MiB + 1, 'x')) << 1009;
        row("a message that claims to be") << long8(quint64(1) << 62, "x") << 1009;
        row("fragments above the limit")
            << RawServer::frame(Text, QByteArray(MiB - 10, 'x'), false) + RawServer::frame(0, "0123456789") +
                   RawServer::frame(Text, QByteArray(MiB - 10, 'x'), false) +
                   RawServer::frame(0, "0123456789!")
            << 1009;
    });
}

void tst_Transport::endsAtAViolation()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const int, code);
    check([&]() -> QString {
        MUST_PASS(open());
        QList<QByteArray> good{"tgood"};
        const QString row = QString::fromUtf8(QTest::currentDataTag());
        if (row.endsWith(s("what is over")))
            good.append("tbegunx");
        if (row.endsWith(s("fragments above the limit")))
            good.append('t' + QByteArray(MiB - 10, 'x') + "0123456789");
        raw->write(RawServer::frame(Text, "good") + bytes + RawServer::frame(Text, "after"));
        MUST_PASS(closedByServer(code));
        const QByteArray payload = controlFrames(*raw, Close).first().payload;
        MUST_BE(payload.left(2), RawServer::closeFrame(code).mid(2));
        MUST(isUtf8(payload.mid(2)));
        MUST_BE(int(heard.ends.first().error.code()), int(ConnectionError::ProtocolViolation));
        MUST(heard.messages == good);
        return {};
    });
}

void tst_Transport::abortsInSilence_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<QString>("when");
    rows([](const NewRow &row) {
        for (const char *when : {"before open()", "while it connects", "while it upgrades", "open", "closing",
                                 "with much unsent", "inside a delivery", "inside transportWritten()",
                                 "inside transportWritten(), TLS", "by its destructor"})
            row(when) << s(when);
    });
}

void tst_Transport::abortsInSilence()
{
    QFETCH(const QString, when);
    check([&]() -> QString {
        if (when == s("before open()")) {
            transport->abort();
        } else if (when == s("while it connects")) {
            transport->open(target);
            transport->abort();
        } else if (when == s("while it upgrades")) {
            raw->setAnswer({});
            transport->open(target);
            MUST_SOON(!raw->request().isEmpty());
            transport->abort();
        } else {
            if (when.endsWith(s("TLS")))
                useTls();
            MUST_PASS(open());
            raw->setReads(when != s("with much unsent"));
            if (when == s("with much unsent"))
                transport->sendBinary(QByteArray(48 * MiB, 'x'));
            if (when == s("closing"))
                transport->close(1000, {});
            if (when == s("inside a delivery")) {
                heard.onMessage = [this] { transport->abort(); };
                raw->write(RawServer::frame(Text, "one") + RawServer::frame(Text, "two"));
                MUST_SOON(!heard.messages.isEmpty());
            } else if (when.startsWith(s("inside transportWritten()"))) {
                heard.onWritten = [this] { transport->abort(); };
                transport->sendBinary(QByteArray(8 * MiB, 'x'));
                transport->flush();
                MUST_SOON(heard.written > 0);
            } else if (when == s("by its destructor")) {
                raw->write(RawServer::frame(Text, "one"));
                transport.reset();
            } else {
                transport->abort();
            }
        }
        const TransportRecorder before = heard;
        letItArrive();
        MUST_SOON(!raw->isConnected());
        letItArrive();
        MUST(heard.ends.isEmpty());
        MUST_BE(heard.opened, before.opened);
        MUST_BE(heard.alive, before.alive);
        MUST_BE(heard.written, before.written);
        MUST_BE(heard.messages.size(), when == s("inside a delivery") ? 1 : 0);
        MUST(controlFrames(*raw, Close).isEmpty() || when == s("closing"));
        return {};
    });
}

// ---- Pausing ----

void tst_Transport::pauses_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<bool>("tls");
    QTest::addColumn<bool>("small");
    rows([](const NewRow &row) {
        row("plain, large messages") << false << false;
        row("TLS, large messages") << true << false;
        row("plain, small messages") << false << true;
        row("TLS, small messages") << true << true;
    });
}

void tst_Transport::pauses()
{
    QFETCH(const bool, tls);
    QFETCH(const bool, small);
    check([&]() -> QString {
        if (tls)
            useTls();
        MUST_PASS(open());
        MUST(transport->canPause());
        raw->write(RawServer::frame(Text, "before"));
        MUST_SOON(heard.messages.size() == 1);
        transport->setPaused(true);
        const int alive = heard.alive;
        const int count = small ? 32768 : 48; // 32 or 48 MiB: more than the system takes
        const QByteArray payload(small ? 1024 : MiB - 10, 'x');
        for (int i = 0; i < count; ++i)
            raw->write(RawServer::frame(Binary, payload + QByteArray::number(i)));
        MUST(whatTheSystemLeaves(*raw) > 8 * MiB);
        MUST_BE(heard.messages.size(), 1);
        MUST_BE(heard.alive, alive);
        // What is sent is not held up.
        transport->sendText("still here");
        MUST_SOON(raw->rest().size() == wireSize(10));

        transport->setPaused(false);
        MUST_SOON(heard.messages.size() == count + 1);
        for (int i = 0; i < count; ++i)
            MUST(heard.messages[i + 1] == 'b' + payload + QByteArray::number(i));
        MUST(heard.ends.isEmpty());
        return {};
    });
}

void tst_Transport::pausesInsideADelivery()
{
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        MUST_PASS(open());
        MUST(transport->canPause());
        heard.onMessage = [this] { transport->setPaused(true); };
        QByteArray all;
        for (int i = 0; i < 20; ++i)
            all += RawServer::frame(Text, QByteArray::number(i));
        raw->write(all);
        for (int i = 0; i < 20; ++i) {
            MUST_SOON(heard.messages.size() == i + 1);
            letItArrive();
            MUST_BE(heard.messages.size(), i + 1);
            MUST_BE(heard.messages.last(), 't' + QByteArray::number(i));
            if (i % 2 == 0) {
                transport->setPaused(false);
            } else { // to and fro is as nothing
                transport->setPaused(false);
                transport->setPaused(true);
                letItArrive();
                MUST_BE(heard.messages.size(), i + 1);
                transport->setPaused(false);
            }
        }
        return {};
    });
}

void tst_Transport::hearsOfAnEndAfterAPause_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<bool>("tls");
    QTest::addColumn<QString>("how");
    QTest::addColumn<int>("count");
    rows([](const NewRow &row) {
        for (const char *how : {"Close", "FIN", "RST"}) {
            row(QByteArray("plain, ").append(how).constData()) << false << s(how) << 20;
            row(QByteArray("TLS, ").append(how).constData()) << true << s(how) << 20;
            row(QByteArray("plain, much and ").append(how).constData()) << false << s(how) << 20000;
            row(QByteArray("TLS, much and ").append(how).constData()) << true << s(how) << 20000;
        }
    });
}

void tst_Transport::hearsOfAnEndAfterAPause()
{
    QFETCH(const bool, tls);
    QFETCH(const QString, how);
    QFETCH(const int, count);
    check([&]() -> QString {
        if (tls)
            useTls();
        MUST_PASS(open());
        MUST(transport->canPause());
        transport->setPaused(true);
        const QByteArray payload(1000, 'x');
        for (int i = 0; i < count; ++i)
            raw->write(RawServer::frame(Text, payload + QByteArray::number(i)));
        if (how == s("Close"))
            raw->write(RawServer::closeFrame(4000, "enough"));
        else if (how == s("FIN"))
            raw->finish(); // as soon as everything has gone
        else
            raw->reset();
        letItArrive();
        letItArrive();
        MUST(heard.messages.isEmpty());
        MUST(heard.ends.isEmpty());

        transport->setPaused(false);
        if (how == s("Close"))
            MUST_PASS(closedByServer(4000));
        MUST_SOON(!heard.ends.isEmpty());
        MUST_BE(heard.ends.first().error.closeCode(), how == s("Close") ? 4000 : 1006);
        // A reset takes with it what has not been read.
        MUST(heard.messages.size() == count || (how == s("RST") && heard.messages.size() < count));
        for (int i = 0; i < int(heard.messages.size()); ++i)
            MUST(heard.messages[i] == 't' + payload + QByteArray::number(i));
        return {};
    });
}

// The server says its last words and goes. A write provokes a reset then, and after a second one the system has
// thrown away what it had for us.
void tst_Transport::losesNothingBySendingToWhoHasGone()
{
    check([&]() -> QString {
        MUST_PASS(open());
        MUST(transport->canPause());
        transport->setPaused(true);
        for (int i = 0; i < 20; ++i)
            raw->write(RawServer::frame(Text, QByteArray::number(i)));
        raw->write(RawServer::closeFrame(1008, "enough"));
        raw->leave();
        for (int i = 0; i < 5; ++i) {
            transport->sendText("are you there?");
            transport->flush();
        }
        letItArrive();
        transport->setPaused(false);
        MUST_SOON(!heard.ends.isEmpty());
        MUST_BE(heard.messages.size(), 20);
        MUST_BE(heard.ends.first().error.closeCode(), 1008);
        return {};
    });
}

void tst_Transport::keepsCountOfWhatALossLeaves()
{
    QFETCH(const bool, tls);
    check([&]() -> QString {
        if (tls)
            useTls();
        raw->setReads(false);
        MUST_PASS(open());
        MUST(transport->canPause());
        transport->setPaused(true);
        for (int i = 0; i < 32; ++i)
            transport->sendBinary(QByteArray(MiB, 'x'));
        const qint64 waiting = whatTheSystemLeaves(*transport);
        MUST(waiting > 0);
        raw->reset();
        letItArrive();
        transport->setPaused(false);
        MUST_SOON(!heard.ends.isEmpty());
        MUST_BE(transport->bytesToWrite(), waiting);
        return {};
    });
}

QTEST_GUILESS_MAIN(tst_Transport)
#include "tst_transport.moc"
