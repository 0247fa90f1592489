// SPDX-License-Identifier: MIT
//
// Every way in which a connection can end, and what an app is told of it: the close code, what it was, and whether it is
// tried again. Over TCP and TLS, by both transports.
#include "support/faultproxy.h"
#include "support/transports.h"
#include "support/waiting.h"

#include <Everwire/WebSocketProvider>

#include <QSignalSpy>
#include <QTest>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

enum Opcode { Continuation = 0x0, Text = 0x1, Binary = 0x2, CloseOpcode = 0x8, Ping = 0x9 };

constexpr qint64 Limit = 100'000; // of an incoming message
// Of what a row waits for in vain; everything else has its time.
constexpr auto Short = 60ms;

QString s(const char *text)
{
    return QString::fromLatin1(text);
}

// Whether the client has sent a Close frame, its last one.
bool hasClosed(const RawServer &raw)
{
    const QList<RawServer::Frame> frames = raw.frames();
    return !frames.isEmpty() && frames.constLast().opcode() == CloseOpcode;
}

// What a row's story is told with.
struct Stage
{
    RawServer &raw;
    FaultProxy &proxy;
    Connection &connection;
};

using Story = std::function<void(const Stage &)>;

// How far the connection has come when the story begins.
enum class From { Start, Authenticating, Connected };

struct Ending
{
    QByteArray name;
    From from = From::Connected;
    Story story;
    int closeCode = 0;
    ConnectionError::Code code = ConnectionError::NoError;
    Connection::State state = Connection::Reconnecting;
    ConnectionConfig config = {}; // beyond the usual
    QByteArray answer = {};       // to the request; empty: an upgrade
    bool withQWebSocket = true;   // false: see docs/qwebsocket.md
    std::optional<bool> tls = {}; // over which alone
    // Where TLS, or QWebSocket, leaves less to be told.
    std::optional<ConnectionError::Code> codeOverTls = {};
    std::optional<ConnectionError::Code> codeWithQWebSocket = {};
};

Story says(const QByteArray &bytes)
{
    return [bytes](const Stage &stage) { stage.raw.write(bytes); };
}

Story strikes(FaultProxy::Fault fault)
{
    return [fault](const Stage &stage) { stage.proxy.strike(fault); };
}

// Ends the connection when the bytes are under way.
Story saysAndStrikes(const QByteArray &bytes, FaultProxy::Fault fault)
{
    return [bytes, fault](const Stage &stage) {
        const qint64 before = stage.proxy.passed(FaultProxy::ToClient);
        stage.raw.write(bytes);
        SOON_VERIFY(stage.proxy.passed(FaultProxy::ToClient) >= before + bytes.size());
        stage.proxy.strike(fault);
    };
}

QByteArray withBits(QByteArray frame, int bits)
{
    frame[0] = char(frame[0] | bits);
    return frame;
}

using Endings = std::vector<Ending>;

void addCloseFrames(Endings &all)
{
    using C = Connection;
    const auto closed = ConnectionError::ClosedByServer;
    for (const int code : {1000, 1001, 1003, 1008, 1010, 1011, 3000, 3999, 4000, 4001, 4002, 4999}) {
        const bool isFinal = code == 1003 || code == 1008 || code == 1010;
        all.push_back({"Close " + QByteArray::number(code), From::Connected,
                       says(RawServer::closeFrame(code, "why")), code, closed,
                       isFinal ? C::Error : C::Reconnecting});
    }
    for (const int code : {1002, 1007, 1009}) // the server's own verdict
        all.push_back({"Close " + QByteArray::number(code), From::Connected,
                       says(RawServer::closeFrame(code, "why")), code, closed, C::Error});
    for (const int code : {1012, 1013, 1014}) // of which QWebSocket makes none
        all.push_back({"Close " + QByteArray::number(code),
                       From::Connected,
                       says(RawServer::closeFrame(code)),
                       code,
                       closed,
                       C::Reconnecting,
                       {},
                       {},
                       false});
    all.push_back({"Close without code",
                   From::Connected,
                   says(RawServer::frame(CloseOpcode, {})),
                   1005,
                   closed,
                   C::Reconnecting,
                   {},
                   {},
                   false});
    all.push_back({"Close 4003, which is configured as final", From::Connected,
                   says(RawServer::closeFrame(4003)), 4003, closed, C::Error,
                   ConnectionConfig().setTerminalCloseCodes({4003})});
    all.push_back({"Close 1001 without autoReconnect", From::Connected, says(RawServer::closeFrame(1001)),
                   1001, closed, C::Error, ConnectionConfig().setAutoReconnect(false)});
    all.push_back({"Close 1001, then FIN", From::Connected,
                   saysAndStrikes(RawServer::closeFrame(1001), FaultProxy::Fault::Finish), 1001, closed});
    for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535})
        all.push_back({"Close " + QByteArray::number(code) + ", which may not be",
                       From::Connected,
                       says(RawServer::closeFrame(code)),
                       1002,
                       ConnectionError::ProtocolViolation,
                       C::Reconnecting,
                       {},
                       {},
                       false});
    all.push_back({"Close with half a code", From::Connected, says(RawServer::frame(CloseOpcode, "\x03")),
                   1002, ConnectionError::ProtocolViolation, C::Reconnecting});
}

void addLosses(Endings &all)
{
    const auto lost = ConnectionError::ConnectionLost;
    const auto half = RawServer::frame(Text, R"({"type":"half"})").chopped(4);
    const auto fragment = RawServer::frame(Text, R"({"type":)", false);
    const auto header = QByteArray("\x81\x7e\x01", 3);
    const auto partOfClose = RawServer::closeFrame(1000).chopped(1);
    for (const auto &[name, fault] :
         {std::pair("FIN", FaultProxy::Fault::Finish), {"RST", FaultProxy::Fault::Reset}}) {
        const QByteArray how = name;
        all.push_back({how, From::Connected, strikes(fault), 1006, lost});
        all.push_back({how + " inside a header", From::Connected, saysAndStrikes(header, fault), 1006, lost});
        all.push_back({how + " inside a frame", From::Connected, saysAndStrikes(half, fault), 1006, lost});
        all.push_back(
            {how + " inside a message", From::Connected, saysAndStrikes(fragment, fault), 1006, lost});
        all.push_back(
            {how + " inside a Close", From::Connected, saysAndStrikes(partOfClose, fault), 1006, lost});
        all.push_back({how + " while authenticating", From::Authenticating, strikes(fault), 1006, lost});
    }
    // Over TLS this is a goodbye of TLS (close_notify), and yet none of WebSocket.
    all.push_back(
        {"the server's FIN", From::Connected, [](const Stage &stage) { stage.raw.finish(); }, 1006, lost});
    all.push_back(
        {"the server's RST", From::Connected, [](const Stage &stage) { stage.raw.reset(); }, 1006, lost});
    all.push_back({"a forged TLS record",
                   From::Connected,
                   [](const Stage &stage) {
                       stage.proxy.inject(FaultProxy::ToClient,
                                          QByteArray("\x17\x03\x03\0\x20", 5) + QByteArray(32, 'x'));
                   },
                   1006,
                   lost,
                   Connection::Reconnecting,
                   {},
                   {},
                   true,
                   true});
    all.push_back({"no pong", From::Connected, [](const Stage &) {}, 1006, ConnectionError::HeartbeatTimeout,
                   Connection::Reconnecting,
                   ConnectionConfig().setPingInterval(Short).setPongTimeout(Short)});
}

void addViolations(Endings &all)
{
    const auto violates = [&all](const QByteArray &name, const QByteArray &bytes, int code,
                                 bool withQWebSocket = true) {
        all.push_back({name,
                       From::Connected,
                       says(bytes),
                       code,
                       ConnectionError::ProtocolViolation,
                       code == 1009 ? Connection::Error : Connection::Reconnecting,
                       ConnectionConfig().setMaxPendingBytes(Limit),
                       {},
                       withQWebSocket});
    };
    const QByteArray begun = RawServer::frame(Text, "begun", false);
    violates("a masked frame", QByteArray("\x81\x82\1\2\3\4ij", 8), 1002, false); // QWebSocket unmasks it
    violates("a reserved bit", withBits(RawServer::frame(Text, "x"), 0x40), 1002);
    violates("a reserved opcode", RawServer::frame(0x3, "x"), 1002);
    violates("a reserved control opcode", RawServer::frame(0xb, "x"), 1002);
    violates("a long ping", RawServer::frame(Ping, QByteArray(126, 'x')), 1002);
    violates("a fragmented ping", RawServer::frame(Ping, "x", false), 1002);
    violates("a continuation of nothing", RawServer::frame(Continuation, "x"), 1002);
    violates("a text inside a text", begun + RawServer::frame(Text, "x"), 1002);
    violates("a length in too many bytes", QByteArray("\x82\x7e\0\1x", 5), 1002);
    violates("no UTF-8", RawServer::frame(Text, "\xff\xfe"), 1007);
    violates("no UTF-8 in a fragment", begun + RawServer::frame(Continuation, "\xff"), 1007);
    violates("no UTF-8 in a reason", RawServer::closeFrame(1000, "\xff"), 1007);
    violates("a message above the limit", RawServer::frame(Binary, QByteArray(Limit + 1, 'x')), 1009);
    violates("fragments above the limit",
             RawServer::frame(Binary, QByteArray(Limit, 'x'), false) + RawServer::frame(Continuation, "x"),
             1009);
}

void addAuthentications(Endings &all)
{
    const auto auth = ConnectionError::AuthenticationFailed;
    const auto from = From::Authenticating;
    all.push_back({"auth_error", from, says(RawServer::frame(Text, R"({"type":"auth_error","error":"no"})")),
                   4001, auth});
    all.push_back(
        {"auth_error as an error", from,
         says(RawServer::frame(Text, R"({"type":"error","payload":{"message":"Authentication failed"}})")),
         4001, auth});
    all.push_back({"Close 4001 for an answer", from, says(RawServer::closeFrame(4001)), 4001, auth});
    all.push_back({"Close 4002 for an answer", from, says(RawServer::closeFrame(4002)), 4002,
                   ConnectionError::AuthenticationTimeout});
    for (const int code : {1008, 4401, 4403})
        all.push_back({"Close " + QByteArray::number(code) + " for an answer", from,
                       says(RawServer::closeFrame(code)), code, auth});
    all.push_back({"an error for an answer", from,
                   says(RawServer::frame(Text, R"({"type":"error","code":503,"message":"busy"})")), 4001,
                   auth});
    all.push_back({"no UTF-8 for an answer", from, says(RawServer::frame(Text, "\xff")), 1007,
                   ConnectionError::ProtocolViolation, Connection::Reconnecting});
    all.push_back({"no answer to the token", from, [](const Stage &) {}, 4002,
                   ConnectionError::AuthenticationTimeout, Connection::Reconnecting,
                   ConnectionConfig().setAuthTimeout(Short)});
}

void addHandshakes(Endings &all)
{
    const auto failed = ConnectionError::HandshakeFailed;
    const auto nothing = [](const Stage &) {};
    const auto answered = [&](const QByteArray &name, const QByteArray &answer) {
        all.push_back({name, From::Start, nothing, 0, failed, Connection::Reconnecting, {}, answer});
    };
    answered("404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    answered("401", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    answered("503", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    answered("a wrong Sec-WebSocket-Accept", RawServer::upgrade().replace("{accept}", "bm9uc2Vuc2U="));
    answered("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n");
    all.push_back({"no answer to the request", From::Start, nothing, 0, ConnectionError::ConnectTimeout,
                   Connection::Reconnecting, ConnectionConfig().setConnectTimeout(Short), "HTTP/1.1 101"});
    for (const auto &[name, fault] :
         {std::pair("FIN", FaultProxy::Fault::Finish), {"RST", FaultProxy::Fault::Reset}}) {
        const QByteArray how = name;
        all.push_back({how + " inside the answer",
                       From::Start,
                       [fault = fault](const Stage &stage) {
                           SOON_VERIFY(stage.raw.request().contains("\r\n\r\n"));
                           const qint64 before = stage.proxy.passed(FaultProxy::ToClient);
                           stage.raw.write("Upgr");
                           SOON_VERIFY(stage.proxy.passed(FaultProxy::ToClient) > before);
                           stage.proxy.strike(fault);
                       },
                       0,
                       failed,
                       Connection::Reconnecting,
                       {},
                       "HTTP/1.1 101 Switching Protocols\r\n"});
        all.push_back(
            {how + " for an answer to the SYN's ACK",
             From::Start,
             [fault = fault](const Stage &stage) { stage.proxy.strikeAfter(FaultProxy::ToServer, 0, fault); },
             0,
             failed,
             Connection::Reconnecting,
             {},
             {},
             true,
             {},
             ConnectionError::TlsFailed});
    }
    all.push_back({"refused", From::Start, [](const Stage &stage) { stage.proxy.refuse(); }, 0,
                   ConnectionError::ConnectionRefused});
}

void addLocal(Endings &all)
{
    const auto closes = [](const Story &then) {
        return [then](const Stage &stage) {
            stage.connection.close();
            SOON_VERIFY(hasClosed(stage.raw));
            then(stage);
        };
    };
    const auto add = [&](const QByteArray &name, const Story &then, const ConnectionConfig &config = {}) {
        all.push_back({name, From::Connected, closes(then), 1000, ConnectionError::NoError,
                       Connection::Disconnected, config});
    };
    add("close(), and the server's Close", [](const Stage &stage) {
        stage.raw.write(RawServer::closeFrame(1000));
        stage.raw.finish();
    });
    add("close(), and another code", [](const Stage &stage) {
        stage.raw.write(RawServer::closeFrame(1011));
        stage.raw.finish();
    });
    add("close(), and FIN", strikes(FaultProxy::Fault::Finish));
    add("close(), and RST", strikes(FaultProxy::Fault::Reset));
    add("close(), and a violation", [](const Stage &stage) {
        stage.raw.write(RawServer::frame(0x3, "x"));
        stage.raw.finish();
    });
    add(
        "close(), and nothing", [](const Stage &) {}, ConnectionConfig().setCloseTimeout(Short));
}

const Endings &endings()
{
    static const Endings all = [] {
        Endings made;
        for (const auto add :
             {addCloseFrames, addLosses, addViolations, addAuthentications, addHandshakes, addLocal})
            add(made);
        return made;
    }();
    return all;
}

} // namespace

class tst_Endings : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void r8_theCloseCodeIsTheTruth_data();
    void r8_theCloseCodeIsTheTruth(); // Rules: R6, A2, A3, H1, O3
    void aTlsServerThatWantsPlainText_data();
    void aTlsServerThatWantsPlainText();

private:
    void bringTo(const Ending &ending, const Stage &stage);
};

void tst_Endings::r8_theCloseCodeIsTheTruth_data()
{
    QTest::addColumn<int>("number");
    QTest::addColumn<bool>("tls");
    QTest::addColumn<bool>("qwebsocket");
    for (const bool tls : {false, true}) {
        for (const bool qwebsocket : {false, true}) {
            for (size_t i = 0; i < endings().size(); ++i) {
                const Ending &ending = endings()[i];
                if ((qwebsocket && !ending.withQWebSocket) || ending.tls.value_or(tls) != tls)
                    continue;
                QTest::addRow("%s, %s: %s", qwebsocket ? "QWebSocket" : "Frame", tls ? "TLS" : "plain",
                              ending.name.constData())
                    << int(i) << tls << qwebsocket;
            }
        }
    }
}

void tst_Endings::bringTo(const Ending &ending, const Stage &stage)
{
    if (ending.from == From::Start)
        return;
    SOON_COMPARE(stage.raw.frames().size(), 1); // the token
    if (ending.from == From::Authenticating)
        return;
    stage.raw.write(RawServer::frame(Text, R"({"type":"auth_success","session_id":"s"})"));
    SOON_COMPARE(stage.connection.state(), Connection::Connected);
}

void tst_Endings::r8_theCloseCodeIsTheTruth()
{
    QFETCH(const int, number);
    QFETCH(const bool, tls);
    QFETCH(const bool, qwebsocket);
    const Ending &ending = endings()[size_t(number)];
    const TrustInRawServer trust;
    RawServer raw(tls ? RawServer::Security::Tls : RawServer::Security::Plain);
    if (!ending.answer.isEmpty())
        raw.setAnswer(ending.answer);
    FaultProxy proxy(raw.url());
    WebSocketProvider provider;
    provider.setToken(s("t"));
    Connection *connection = provider.connection(s("x"));
    QSignalSpy errors(connection, &Connection::errorOccurred);
    QSignalSpy disconnected(connection, &Connection::disconnected);
    QSignalSpy waits(connection, &Connection::reconnecting);
    const Stage stage{raw, proxy, *connection};

    const auto open = [&] {
        connection->open(ConnectionConfig()
                             .setUrl(proxy.url())
                             .setTransport(qwebsocket ? ConnectionConfig::Transport::QWebSocket
                                                      : ConnectionConfig::Transport::Automatic)
                             .setInitialReconnectDelay(30s)
                             .mergedWith(ending.config));
    };
    if (ending.from == From::Start) { // the story is about how it comes, or what it meets
        if (ending.answer.isEmpty())
            ending.story(stage);
        open();
        if (!ending.answer.isEmpty())
            ending.story(stage);
    } else {
        open();
        bringTo(ending, stage);
        if (QTest::currentTestFailed())
            return;
        ending.story(stage);
    }
    // A server ends the TCP connection when it has the client's Close (RFC 6455 §7.1.1).
    bool isFinished = ending.state == Connection::Disconnected;
    const auto endsInState = [&] {
        if (!isFinished && hasClosed(raw)) {
            isFinished = true;
            raw.finish();
        }
        return connection->state() == ending.state;
    };
    SOON_VERIFY(endsInState());
    QCOMPARE(connection->closeCode(), ending.closeCode);
    ConnectionError::Code code = ending.code;
    if (tls && ending.codeOverTls)
        code = *ending.codeOverTls;
    if (qwebsocket && ending.codeWithQWebSocket)
        code = *ending.codeWithQWebSocket;
    QCOMPARE(connection->errorCode(), code);

    const bool isError = code != ConnectionError::NoError;
    QCOMPARE(errors.size(), isError ? 1 : 0);
    if (isError) {
        const auto error = errors[0][0].value<ConnectionError>();
        QCOMPARE(error.closeCode(), ending.closeCode);
        QCOMPARE(error.isFinal(), ending.state == Connection::Error);
    }
    QCOMPARE(waits.size(), ending.state == Connection::Reconnecting ? 1 : 0);
    QCOMPARE(disconnected.size(), ending.from == From::Connected ? 1 : 0);
    if (!disconnected.isEmpty())
        QCOMPARE(disconnected[0][0].toInt(), ending.closeCode);
}

void tst_Endings::aTlsServerThatWantsPlainText_data()
{
    QTest::addColumn<bool>("tlsServer");
    QTest::addColumn<bool>("qwebsocket");
    for (const bool qwebsocket : {false, true}) {
        QTest::addRow("%s: wss to a plain server", qwebsocket ? "QWebSocket" : "Frame")
            << false << qwebsocket;
        QTest::addRow("%s: ws to a TLS server", qwebsocket ? "QWebSocket" : "Frame") << true << qwebsocket;
    }
}

void tst_Endings::aTlsServerThatWantsPlainText()
{
    QFETCH(const bool, tlsServer);
    QFETCH(const bool, qwebsocket);
    RawServer raw(tlsServer ? RawServer::Security::Tls : RawServer::Security::Plain);
    raw.setAnswer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    QUrl url = raw.url();
    url.setScheme(tlsServer ? s("ws") : s("wss"));
    WebSocketProvider provider;
    provider.setToken(s("t"));
    Connection *connection = provider.connection(s("x"));
    connection->open(
        ConnectionConfig()
            .setUrl(url)
            .setTransport(qwebsocket ? ConnectionConfig::Transport::QWebSocket
                                     : ConnectionConfig::Transport::Automatic)
            .setConnectTimeout(tlsServer ? 30000ms : 200ms) // a plain server may wait for a request's end
            .setInitialReconnectDelay(30s));
    SOON_COMPARE(connection->state(), Connection::Reconnecting);
    QCOMPARE(connection->closeCode(), 0);
    QCOMPARE(connection->errorCode(),
             tlsServer ? ConnectionError::HandshakeFailed : ConnectionError::ConnectTimeout);
}

QTEST_GUILESS_MAIN(tst_Endings)
#include "tst_endings.moc"
