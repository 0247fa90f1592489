// SPDX-License-Identifier: MIT
//
// Every fault of a network at every stage of a connection, over TCP and TLS, by both transports: what the connection says
// of it, that it comes back once the network does, and that every message that was accepted arrives once and in order.
#include "support/faultproxy.h"
#include "support/httpserver.h"
#include "support/transports.h"
#include "support/waiting.h"

#include <Everwire/HttpTokenProvider>
#include <Everwire/WebSocketProvider>

#include <QJsonDocument>
#include <QSignalSpy>
#include <QTest>

#include <optional>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

enum Opcode { Text = 0x1, CloseOpcode = 0x8 };

enum Stage { Token, Tcp, Tls, Upgrade, Authentication, Idle, MidFrame, MidMessage, Closing };
constexpr const char *stages[] = {"token", "TCP",       "TLS",         "upgrade", "authentication",
                                  "idle",  "mid-frame", "mid-message", "closing"};

enum Fault {
    // What a connection gets through.
    Latency,
    Bandwidth,
    Slices,
    // What ends it.
    Silence,
    Reset,
    Finish,
    Cut,         // behind the next byte, or the first ones of TLS
    Refuse,      // reset, and the next attempt is refused
    NeverAnswer, // reset, and the next attempt is not answered
};
constexpr const char *faults[] = {"latency", "bandwidth", "slices", "silence",     "reset",
                                  "finish",  "cut",       "refuse", "never answer"};

// Of what a row waits for in vain; everything else has its time.
constexpr auto Short = 80ms;
const QByteArray Success = RawServer::frame(Text, R"({"type":"auth_success","session_id":"s"})");
const QByteArray Whole = RawServer::frame(Text, R"({"type":"whole"})");

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

FaultProxy::Fault struck(Fault fault)
{
    return fault == Silence                    ? FaultProxy::Fault::Silence
           : (fault == Finish || fault == Cut) ? FaultProxy::Fault::Finish
                                               : FaultProxy::Fault::Reset;
}

void shape(FaultProxy &proxy, Fault fault)
{
    if (fault == Latency)
        proxy.setLatency(4ms, 4ms);
    else if (fault == Bandwidth)
        proxy.setBandwidth(200'000);
    else
        proxy.setSliceSize(1);
}

} // namespace

class tst_Faults : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    // Rules: R6, R8, R9, A2, A4, H1, O2, O3, Q2, Q4, S4, S7
    void everyFaultAtEveryStage_data();
    void everyFaultAtEveryStage();

private:
    [[nodiscard]] ConnectionConfig config() const;
    [[nodiscard]] QList<QByteArray> messagesSent() const;
    [[nodiscard]] bool isAuthenticating() const;
    void send(int count);
    void start(Stage stage, Fault fault);
    void reach(Stage stage);
    void cut(Stage stage);
    void goOn(Stage stage);
    void expectItsEnd(Stage stage, Fault fault);
    void expectTheNextToFail(ConnectionError::Code code);
    void comeBack();
    void say(const QByteArray &bytes);
    void leave();

    std::optional<TrustInRawServer> trust;
    std::unique_ptr<RawServer> raw;
    std::unique_ptr<HttpServer> http;
    std::unique_ptr<FaultProxy> proxy;      // to the server
    std::unique_ptr<FaultProxy> tokenProxy; // to where the token is
    std::unique_ptr<HttpTokenProvider> tokens;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
    bool tls = false;
    bool qwebsocket = false;

    QList<QByteArray> accepted;
    QList<QByteArray> arrived; // at the server, on connections before this one
    QStringList states;
    int errors = 0;
    int discarded = 0;
    int received = 0;
};

void tst_Faults::init()
{
    accepted.clear();
    arrived.clear();
    states.clear();
    errors = discarded = received = 0;
    trust.emplace();
}

void tst_Faults::cleanup()
{
    provider.reset();
    tokens.reset();
    tokenProxy.reset();
    proxy.reset();
    http.reset();
    raw.reset();
    trust.reset();
}

void tst_Faults::everyFaultAtEveryStage_data()
{
    QTest::addColumn<int>("stage");
    QTest::addColumn<int>("fault");
    QTest::addColumn<bool>("overTls");
    QTest::addColumn<bool>("byQWebSocket");
    for (const bool byQWebSocket : {false, true}) {
        for (const bool overTls : {false, true}) {
            for (int stage = Token; stage <= Closing; ++stage) {
                for (int fault = Latency; fault <= NeverAnswer; ++fault) {
                    // The token comes by HTTP, whatever the transport.
                    if ((stage == Tls && !overTls) || (stage == Token && (overTls || byQWebSocket)))
                        continue;
                    QTest::addRow("%s, %s: %s, %s", byQWebSocket ? "QWebSocket" : "Frame",
                                  overTls ? "TLS" : "plain", stages[stage], faults[fault])
                        << stage << fault << overTls << byQWebSocket;
                }
            }
        }
    }
}

ConnectionConfig tst_Faults::config() const
{
    return ConnectionConfig()
        .setUrl(proxy->url())
        .setTransport(qwebsocket ? ConnectionConfig::Transport::QWebSocket
                                 : ConnectionConfig::Transport::Automatic)
        .setConnectTimeout(30s)
        .setTokenTimeout(30s)
        .setAuthTimeout(30s)
        .setCloseTimeout(30s)
        .setPingInterval(30s)
        .setPongTimeout(30s)
        .setInitialReconnectDelay(30s)
        .setMaxReconnectDelay(60s);
}

// The token aside.
QList<QByteArray> tst_Faults::messagesSent() const
{
    QList<QByteArray> messages = arrived;
    const QList<RawServer::Frame> frames = raw->frames();
    for (const RawServer::Frame &frame : frames) {
        if (frame.opcode() == Text && !frame.payload.startsWith(R"({"token")"))
            messages.append(frame.payload);
    }
    return messages;
}

bool tst_Faults::isAuthenticating() const
{
    const QList<RawServer::Frame> frames = raw->frames();
    return !frames.isEmpty() && frames.constFirst().payload.startsWith(R"({"token")");
}

void tst_Faults::send(int count)
{
    for (int i = 0; i < count; ++i) {
        const QJsonObject message{{s("type"), s("n")}, {s("n"), accepted.size()}};
        QVERIFY(connection->sendJson(message));
        accepted.append(QJsonDocument(message).toJson(QJsonDocument::Compact));
    }
}

void tst_Faults::start(Stage stage, Fault fault)
{
    raw = std::make_unique<RawServer>(tls ? RawServer::Security::Tls : RawServer::Security::Plain);
    proxy = std::make_unique<FaultProxy>(raw->url());
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(s("t"));
    connection = provider->connection(s("x"));
    connect(connection, &Connection::stateChanged, this,
            [this](Connection::State state) { states.append(QVariant::fromValue(state).toString()); });
    connect(connection, &Connection::errorOccurred, this, [this] { ++errors; });
    connect(connection, &Connection::messagesDiscarded, this, [this](int count) { discarded += count; });
    connect(connection, &Connection::messageReceived, this, [this] { ++received; });
    if (stage == Token) {
        http = std::make_unique<HttpServer>();
        if (fault <= Slices || fault == Cut)
            http->answerJson(R"({"token":"t"})");
        tokenProxy = std::make_unique<FaultProxy>(http->url());
        tokens = std::make_unique<HttpTokenProvider>(tokenProxy->url());
        connection->setTokenProvider(tokens.get());
    }

    ConnectionConfig mine = config();
    const bool isMute = fault == Silence;
    if (isMute && stage == Token)
        mine.setTokenTimeout(Short);
    if ((isMute && (stage == Tcp || stage == Tls || stage == Upgrade)) ||
        (fault == NeverAnswer && stage == Tcp))
        mine.setConnectTimeout(Short);
    if (isMute && stage == Authentication)
        mine.setAuthTimeout(Short);
    if (isMute && (stage == Idle || stage == MidFrame || stage == MidMessage))
        mine.setPingInterval(Short).setPongTimeout(Short);
    if (isMute && stage == Closing)
        mine.setCloseTimeout(Short);
    if (stage == Upgrade)
        raw->setAnswer({});

    // What must be there before the connection comes.
    FaultProxy &first = stage == Token ? *tokenProxy : *proxy;
    constexpr qint64 someOfTls = 100;
    if (fault <= Slices && stage <= Tls)
        shape(first, fault);
    else if (stage == Token && fault == Cut)
        first.strikeAfter(FaultProxy::ToClient, 1, struck(fault));
    else if (stage == Tls)
        first.strikeAfter(FaultProxy::ToClient, someOfTls, struck(fault));
    else if (stage == Tcp && fault == Refuse)
        first.refuse();
    else if (stage == Tcp && fault == NeverAnswer)
        first.neverAnswer();
    else if (stage == Tcp)
        first.strikeAfter(FaultProxy::ToServer, fault == Cut ? 1 : 0, struck(fault));
    connection->open(mine);
    send(2); // wait for the connection
}

// With the fault's stage short of its timeout, it may be over before we look.
void tst_Faults::reach(Stage stage)
{
    const auto isOver = [this] { return connection->state() == Connection::Reconnecting; };
    if (stage == Token)
        SOON_VERIFY(!http->requests().isEmpty() || isOver());
    if (stage <= Tls)
        return;
    SOON_VERIFY(raw->request().contains("\r\n\r\n") || isOver());
    if (stage == Upgrade)
        return;
    SOON_VERIFY(isAuthenticating() || isOver());
    if (stage == Authentication)
        return;
    raw->write(Success);
    SOON_VERIFY(connection->isConnected() || isOver());
    SOON_COMPARE(messagesSent(), accepted);
    if (stage == MidFrame)
        say(Whole.chopped(5));
    else if (stage == MidMessage)
        say(RawServer::frame(Text, R"({"type":)", false));
    if (stage == Closing) {
        connection->close();
        SOON_COMPARE(raw->frames().constLast().opcode(), CloseOpcode);
    }
}

void tst_Faults::say(const QByteArray &bytes)
{
    const qint64 before = proxy->passed(FaultProxy::ToClient);
    raw->write(bytes);
    SOON_VERIFY(proxy->passed(FaultProxy::ToClient) >= before + bytes.size() ||
                connection->state() == Connection::Reconnecting);
}

void tst_Faults::cut(Stage stage)
{
    proxy->strikeAfter(FaultProxy::ToClient, 1, FaultProxy::Fault::Finish);
    goOn(stage);
}

// What the server says next.
void tst_Faults::goOn(Stage stage)
{
    switch (stage) {
    case Upgrade: raw->setAnswer(RawServer::upgrade()); break;
    case Authentication: raw->write(Success); break;
    case Idle: raw->write(Whole); break;
    case MidFrame: raw->write(Whole.right(5)); break;
    case MidMessage: raw->write(RawServer::frame(0, R"("whole"})")); break;
    case Closing:
        raw->write(RawServer::closeFrame(1000));
        raw->finish();
        break;
    case Token:
    case Tcp:
    case Tls: break;
    }
}

void tst_Faults::expectItsEnd(Stage stage, Fault fault)
{
    if (stage == Closing) {
        SOON_COMPARE(connection->state(), Connection::Disconnected);
        QCOMPARE(connection->closeCode(), 1000);
        QCOMPARE(errors, 0);
        return;
    }
    const bool isMute = fault == Silence;
    ConnectionError::Code code = ConnectionError::ConnectionLost;
    int closeCode = 0;
    if (stage == Token) {
        code = isMute ? ConnectionError::TokenTimeout : ConnectionError::TokenFailed;
    } else if (stage == Tcp && fault == Refuse) {
        code = ConnectionError::ConnectionRefused;
    } else if (stage <= Upgrade) {
        code = isMute || (stage == Tcp && fault == NeverAnswer) ? ConnectionError::ConnectTimeout
               : tls && stage != Upgrade                        ? ConnectionError::TlsFailed
                                                                : ConnectionError::HandshakeFailed;
    } else if (stage == Authentication) {
        code = isMute ? ConnectionError::AuthenticationTimeout : ConnectionError::ConnectionLost;
        closeCode = isMute ? 4002 : 1006;
    } else {
        code = isMute ? ConnectionError::HeartbeatTimeout : ConnectionError::ConnectionLost;
        closeCode = 1006;
    }
    SOON_COMPARE(connection->state(), Connection::Reconnecting);
    QCOMPARE(connection->errorCode(), code);
    QCOMPARE(connection->closeCode(), closeCode);
    QCOMPARE(errors, 1);
    QCOMPARE(connection->reconnectAttempt(), 1);
}

void tst_Faults::expectTheNextToFail(ConnectionError::Code code)
{
    connection->open(config().setConnectTimeout(code == ConnectionError::ConnectTimeout ? Short : 30s));
    SOON_COMPARE(errors, 2);
    QCOMPARE(connection->state(), Connection::Reconnecting);
    QCOMPARE(connection->errorCode(), code);
    QCOMPARE(connection->closeCode(), 0);
}

// The network is well again, and the wait is ended by hand.
void tst_Faults::comeBack()
{
    arrived = messagesSent();
    proxy->heal();
    raw->setAnswer(RawServer::upgrade());
    if (tokenProxy) {
        tokenProxy->heal();
        http->answerJson(R"({"token":"t"})");
    }
    const int before = raw->connections();
    connection->open(config());
    SOON_VERIFY(raw->connections() == before + 1 && isAuthenticating());
    raw->write(Success);
    SOON_VERIFY(connection->isConnected());
    QVERIFY(connection->error().isEmpty());
    send(1);
    SOON_COMPARE(messagesSent().size(), accepted.size());
}

void tst_Faults::leave()
{
    connection->close();
    SOON_COMPARE(raw->frames().constLast().opcode(), CloseOpcode);
    raw->write(RawServer::closeFrame(1000));
    raw->finish();
    SOON_COMPARE(connection->state(), Connection::Disconnected);
}

#define STEP(what)                                                                                           \
    do {                                                                                                     \
        what;                                                                                                \
        if (QTest::currentTestFailed())                                                                      \
            return;                                                                                          \
    } while (false)

void tst_Faults::everyFaultAtEveryStage()
{
    QFETCH(const int, stage);
    QFETCH(const int, fault);
    QFETCH(const bool, overTls);
    QFETCH(const bool, byQWebSocket);
    tls = overTls;
    qwebsocket = byQWebSocket;
    const auto at = Stage(stage);
    const auto what = Fault(fault);
    STEP(start(at, what));
    STEP(reach(at));

    if (what <= Slices) {
        if (at > Tls)
            shape(*proxy, what);
        goOn(at);
        if (at < Authentication) {
            SOON_VERIFY(isAuthenticating());
            raw->write(Success);
        }
        if (at != Closing) {
            SOON_VERIFY(connection->isConnected());
            send(1);
            SOON_COMPARE(messagesSent().size(), accepted.size());
            SOON_COMPARE(received, at >= Idle ? 1 : 0);
            STEP(leave());
        }
        SOON_COMPARE(connection->state(), Connection::Disconnected);
        QCOMPARE(errors, 0);
        QCOMPARE(states.join(QLatin1Char(' ')),
                 s("Connecting Authenticating Connected Disconnecting Disconnected"));
        QCOMPARE(messagesSent(), accepted);
        QCOMPARE(discarded, 0);
        return;
    }

    if (at == Token && what != Cut) {
        tokenProxy->strikeAfter(FaultProxy::ToServer, 1, struck(what)); // QNetworkAccessManager tries again
        tokenProxy->strike(struck(what));
    } else if (at > Tls) {
        if (what == Cut)
            STEP(cut(at));
        else
            proxy->strike(struck(what));
    }
    STEP(expectItsEnd(at, what));
    const QString toItsEnd = states.join(QLatin1Char(' '));
    QString back = s(" Connecting Authenticating Connected Disconnecting Disconnected");
    if (at != Closing)
        send(2);
    if (at != Closing && at != Token && (what == Refuse || what == NeverAnswer)) {
        what == Refuse ? proxy->refuse() : proxy->neverAnswer();
        STEP(expectTheNextToFail(what == Refuse ? ConnectionError::ConnectionRefused
                                                : ConnectionError::ConnectTimeout));
        back.prepend(s(" Connecting Reconnecting"));
    }
    const int errorsBefore = errors;
    STEP(comeBack());
    STEP(leave());
    // Nothing came late, nothing came twice, and nothing is missing.
    QCOMPARE(states.join(QLatin1Char(' ')), toItsEnd + back);
    QCOMPARE(errors, errorsBefore);
    QCOMPARE(messagesSent(), accepted);
    QCOMPARE(discarded, 0);
    QCOMPARE(received, 0);
}

QTEST_GUILESS_MAIN(tst_Faults)
#include "tst_faults.moc"
