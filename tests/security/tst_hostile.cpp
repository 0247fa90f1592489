// SPDX-License-Identifier: MIT
//  A server's words are a hostile string wherever they are shown or logged (rules A7, C4), and its
// valid JSON is data, however odd (rule M1).
#include <Everwire/ConnectionException>
#include <Everwire/HttpPreparation>
#include <Everwire/SimulationSession>
#include <Everwire/WebSocketProvider>

#include "support/httpserver.h"
#include "support/logrecorder.h"
#include "support/rawserver.h"
#include "support/testserver.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSignalSpy>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

const QString Token = u"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXNvbWUtbGVuZ3Ro"_s;
const QString Forged = u"x\n\u001b[31mFAKE LOG LINE\u202e\u009b2J "_s;

struct Chunk
{
    Q_GADGET
    Q_PROPERTY(QString content MEMBER content)

public:
    QString content;
};

QByteArray json(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

// Nothing that drives a terminal or forges a line, no piece of the token, and no end.
QString faultOf(const QString &text)
{
    if (text.size() > 1500)
        return u"it has %1 characters"_s.arg(text.size());
    for (const QChar c : text) {
        if (c.unicode() < 0x20 || (c.unicode() >= 0x7f && c.unicode() < 0xa0) || c == u'\u202e')
            return u"it holds U+%1"_s.arg(uint(c.unicode()), 4, 16, QLatin1Char('0'));
    }
    for (qsizetype from = 0; from + 8 <= Token.size(); ++from) {
        if (text.contains(Token.mid(from, 8)))
            return u"it holds "_s + Token.mid(from, 8);
    }
    return {};
}

} // namespace

class TestHostile : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void c4_a7_whateverTheServerSays_data();
    void c4_a7_whateverTheServerSays();
    void c4_a7_answersOfHttp_data();
    void c4_a7_answersOfHttp();
    void c4_a7_repliesAndErrorsOfASession();
    void a7_aShortTokenSpoilsNoSentence();
    void m1_halvesOfAnEmojiArrive_data();
    void m1_halvesOfAnEmojiArrive();
    void m1_numbersBeyondADouble();
    void c3_optionsThatDoNothingAreRefused_data();
    void c3_optionsThatDoNothingAreRefused();
    void c3_aTypeMayUnsetWhatItCannotUse();
    void q6_aTokenAboveTheLimit();

private:
    [[nodiscard]] ConnectionConfig config() const
    {
        return ConnectionConfig().setUrl(raw->url()).setInitialReconnectDelay(1ms).setAutoReconnect(false);
    }

    std::unique_ptr<RawServer> raw;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
};

void TestHostile::init()
{
    raw = std::make_unique<RawServer>();
    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(Token);
    provider->setDebug(true);
    connection = provider->connection(u"simulation"_s);
}

void TestHostile::cleanup()
{
    provider.reset();
    raw.reset();
}

void TestHostile::c4_a7_whateverTheServerSays_data()
{
    QTest::addColumn<ConnectionConfig::Transport>("transport");
    QTest::addColumn<QByteArray>("answer"); // to the request
    QTest::addColumn<QByteArray>("frames"); // behind it
    for (const auto transport :
         {ConnectionConfig::Transport::Automatic, ConnectionConfig::Transport::QWebSocket}) {
        const auto row = [transport](const char *name, const QByteArray &answer, const QByteArray &frames) {
            QTest::addRow("%s, %s", transport == ConnectionConfig::Transport::Automatic ? "ours" : "Qt's",
                          name)
                << transport << answer << frames;
        };
        const QString words = Forged + Token;
        const QByteArray cut = words.toUtf8().left(123);
        row("auth_error", RawServer::upgrade(),
            RawServer::frame(1, json({{u"type"_s, u"auth_error"_s}, {u"error"_s, words}})));
        row("error", RawServer::upgrade(),
            RawServer::frame(1,
                             json({{u"type"_s, u"error"_s},
                                   {u"payload"_s, QJsonObject{{u"error"_s, words + Token.repeated(9)}}}})));
        row("early types", RawServer::upgrade(),
            RawServer::frame(1, json({{u"type"_s, words + QString(100'000, u'x')}})) +
                RawServer::closeFrame(4000, cut));
        row("close 4001", RawServer::upgrade(), RawServer::closeFrame(4001, cut));
        row("close 1011", RawServer::upgrade(), RawServer::closeFrame(1011, cut));
        row("close 1008", RawServer::upgrade(), RawServer::closeFrame(1008, cut));
        row("a phrase", "HTTP/1.1 403 " + Token.toLatin1() + "\x1b[2J\r\nContent-Length: 0\r\n\r\n", {});
        row("a body",
            "HTTP/1.1 403 No\r\nContent-Length: 300\r\n\r\n" + words.toUtf8().leftJustified(300, '.'), {});
        row("a place", "HTTP/1.1 302 No\r\nContent-Length: 0\r\nLocation: /" + Token.toLatin1() + "\r\n\r\n",
            {});
        row("a subprotocol",
            RawServer::upgrade().replace("\r\n\r\n",
                                         "\r\nSec-WebSocket-Protocol: " + Token.toLatin1() + "\r\n\r\n"),
            {});
        row("no HTTP", words.toUtf8() + "\r\n\r\n", {});
    }
}

void TestHostile::c4_a7_whateverTheServerSays()
{
    QFETCH(const ConnectionConfig::Transport, transport);
    QFETCH(const QByteArray, answer);
    QFETCH(const QByteArray, frames);
    const LogRecorder log;
    QStringList said;
    connect(connection, &Connection::errorOccurred, this,
            [&said](const ConnectionError &error) { said.append(error.message()); });
    connect(connection, &Connection::disconnected, this,
            [&said](int, const QString &why) { said.append(why); });
    connect(connection, &Connection::connectionError, this,
            [&said](const QString &why) { said.append(why); });
    connect(connection, &Connection::authenticationError, this,
            [&said](const QString &why) { said.append(why); });
    raw->setAnswer(answer);
    raw->setThen(frames);
    connection->open(config().setTransport(transport).setConnectTimeout(1s).setAuthTimeout(1s));
    QTRY_COMPARE(connection->state(), Connection::Error);
    said.append(connection->error());
    QVERIFY(said.size() >= 3);
    said += log.lines();
    for (const QString &line : std::as_const(said))
        QVERIFY2(faultOf(line).isEmpty(), qPrintable(faultOf(line) + u": "_s + line));
    // What is not theirs is as it was.
    QVERIFY2(!connection->error().startsWith("[token]"_L1), qPrintable(connection->error()));
}

void TestHostile::c4_a7_answersOfHttp_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("a phrase") << "HTTP/1.1 422 " + Token.toLatin1() + "\r\nContent-Length: 0\r\n\r\n";
    QTest::newRow("controls") << QByteArray("HTTP/1.1 422 a\x1b[2Jb\x7f\r\nContent-Length: 0\r\n\r\n");
    QTest::newRow("a place") << "HTTP/1.1 307 x\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:1/" +
                                    Token.toLatin1() + "\r\n\r\n";
    QTest::newRow("a long place") << "HTTP/1.1 307 x\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:1/" +
                                         QByteArray(5000, 'x') + "\r\n\r\n";
}

void TestHostile::c4_a7_answersOfHttp()
{
    QFETCH(const QByteArray, answer);
    HttpServer http;
    http.answerRaw(answer);
    HttpPreparation preparation;
    preparation.setUrl(http.url(u"/sessions"_s).toString());
    connection->setPreparation(&preparation);
    const LogRecorder log;
    connection->open(config().setUrl(u"ws://127.0.0.1:1/{id}"_s));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::PreparationFailed);
    QVERIFY2(connection->error().contains("/sessions "_L1), qPrintable(connection->error()));
    for (const QString &line : log.lines() + QStringList{connection->error()})
        QVERIFY2(faultOf(line).isEmpty(), qPrintable(faultOf(line) + u": "_s + line));
}

void TestHostile::c4_a7_repliesAndErrorsOfASession()
{
    TestServer server;
    SimulationSession session(provider.get());
    connection->open(ConnectionConfig().setUrl(server.url()));
    QTRY_VERIFY(connection->isConnected());
    const LogRecorder log;
    const QString words = Forged + Token;
    server.sendText(json({{u"type"_s, u"error"_s}, {u"payload"_s, QJsonObject{{u"error"_s, words}}}}));
    QTRY_VERIFY(!session.error().isEmpty());
    QVERIFY2(faultOf(session.error()).isEmpty(), qPrintable(session.error()));
    QVERIFY2(session.error().endsWith("FAKE LOG LINE\\u202e\\u009b2J [token]"_L1),
             qPrintable(session.error()));
    server.sendText(
        json({{u"type"_s, u"status"_s}, {u"state"_s, u"error"_s}, {u"message"_s, QString(9000, u'y')}}));
    QTRY_VERIFY(session.error().startsWith(u'y'));
    QVERIFY(session.error().size() < 1000);
    server.sendText(json({{u"type"_s, u"status"_s}, {u"state"_s, words}}));
    QTRY_VERIFY(session.status().contains("[token]"_L1));
    QVERIFY2(faultOf(session.status()).isEmpty(), qPrintable(session.status()));

    const auto before = server.messages().size();
    const QFuture<QJsonObject> reply =
        connection->request({{u"type"_s, u"ask"_s}, {u"request_id"_s, u"r1"_s}}, 1h);
    QTRY_COMPARE(server.messages().size(), before + 1);
    server.sendText(json({{u"type"_s, u"error"_s},
                          {u"request_id"_s, u"r1"_s},
                          {u"payload"_s, QJsonObject{{u"error"_s, words}}}}));
    QTRY_VERIFY(reply.isFinished());
    QString said;
    try {
        QFuture<QJsonObject>(reply).waitForFinished();
    } catch (const ConnectionException &failure) {
        said = QString::fromUtf8(failure.what());
    }
    QVERIFY2(said.contains("[token]"_L1), qPrintable(said));
    QVERIFY2(faultOf(said).isEmpty(), qPrintable(said));
    for (const QString &line : log.lines())
        QVERIFY2(faultOf(line).isEmpty(), qPrintable(line));
}

// It is looked for in the server's words alone.
void TestHostile::a7_aShortTokenSpoilsNoSentence()
{
    for (const QString &token : {u"closed"_s, u"code"_s, u"the"_s, u"0"_s, u"4000"_s}) {
        provider->setToken(token);
        raw->setThen(RawServer::frame(1, R"({"type":"auth_success"})") +
                     RawServer::closeFrame(4000, "no " + token.toUtf8() + " for developers"));
        connection->open(config());
        QTRY_COMPARE(connection->state(), Connection::Error);
        QCOMPARE(connection->error(),
                 u"The connection to %1:%2 was closed with code 4000: no [token] for developers"_s
                     .arg(raw->url().host())
                     .arg(raw->url().port()));
    }
}

void TestHostile::m1_halvesOfAnEmojiArrive_data()
{
    QTest::addColumn<ConnectionConfig::Transport>("transport");
    QTest::newRow("ours") << ConnectionConfig::Transport::Automatic;
    QTest::newRow("Qt's") << ConnectionConfig::Transport::QWebSocket;
}

// A JavaScript server has cut one where it cut the text.
void TestHostile::m1_halvesOfAnEmojiArrive()
{
    QFETCH(const ConnectionConfig::Transport, transport);
    QString objects;
    QString gadgets;
    QString types;
    QSignalSpy broken(connection, &Connection::parseError);
    connection->subscribe(u"ai_response"_s, this, [&objects](const QJsonObject &message) {
        objects += message.value("content"_L1).toString();
    });
    connection->subscribe(u"ai_response"_s, this,
                          [&gadgets](const Chunk &chunk) { gadgets += chunk.content; });
    const QString odd = u"odd"_s + QChar(0xd83d);
    connection->subscribe(odd, this, [&types](const Message &message) { types += message.type(); });
    connection->open(
        config().setTransport(transport).setAuthentication(ConnectionConfig::Authentication::None));
    QTRY_VERIFY(connection->isConnected());
    raw->write(RawServer::frame(1, R"({"type":"ai_response","content":"half \ud83d"})") +
               RawServer::frame(1, R"({"type":"ai_response","content":"\ude00 rest"})") +
               RawServer::frame(1, R"({"type":"odd\ud83d"})"));
    QTRY_COMPARE(types, odd);
    QCOMPARE(objects, u"half 😀 rest"_s);
    QCOMPARE(gadgets, u"half 😀 rest"_s);
    QCOMPARE(broken.size(), 0);
    QCOMPARE(connection->messages()->rowCount(), 3);
}

void TestHostile::m1_numbersBeyondADouble()
{
    QJsonObject got;
    connection->subscribe(u"n"_s, this, [&got](const QJsonObject &message) { got = message; });
    connection->open(config().setAuthentication(ConnectionConfig::Authentication::None));
    QTRY_VERIFY(connection->isConnected());
    raw->write(
        RawServer::frame(1, R"({"type":"n","a":1e400,"b":-9223372036854775809,"c":1e-400,"d":[-1e999]})"));
    QTRY_VERIFY(!got.isEmpty());
    QCOMPARE(got.value("a"_L1).toDouble(), qInf());
    QCOMPARE(got.value("b"_L1).toDouble(), -9223372036854775808.0);
    QCOMPARE(got.value("c"_L1).toDouble(1), 0.0);
    QCOMPARE(got.value("d"_L1).toArray().first().toDouble(), -qInf());
}

void TestHostile::c3_optionsThatDoNothingAreRefused_data()
{
    QTest::addColumn<QString>("option");
    QTest::addColumn<QVariant>("value");
    QTest::newRow("pins") << u"pinnedPublicKeys"_s
                          << QVariant(QStringList{u"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="_s});
    QTest::newRow("CAs") << u"caCertificates"_s << QVariant(QStringList{u"/no/such/file"_s});
    QTest::newRow("certificate") << u"clientCertificate"_s << QVariant(u"/no/such/file"_s);
    QTest::newRow("key") << u"clientKey"_s << QVariant(u"/no/such/file"_s);
    QTest::newRow("ignored errors") << u"ignoreTlsErrors"_s
                                    << QVariant(QStringList{u"SelfSignedCertificate"_s});
}

void TestHostile::c3_optionsThatDoNothingAreRefused()
{
    QFETCH(const QString, option);
    QFETCH(const QVariant, value);
    // However they come together.
    const QVariantMap url{{u"url"_s, raw->url()}};
    const QVariantMap tls{{option, value}};
    QVERIFY(provider->configure(u"a"_s, tls)); // good by itself
    QVERIFY(provider->configure(u"b"_s, url));
    QVariantMap both = url;
    both.insert(tls);
    provider->connection(u"a"_s)->open(url);
    provider->connection(u"b"_s)->open(tls);
    provider->connection(u"c"_s)->open(both);
    for (const QString &type : {u"a"_s, u"b"_s, u"c"_s}) {
        const Connection *one = provider->connection(type);
        QTRY_COMPARE(one->state(), Connection::Error);
        QCOMPARE(one->errorCode(), ConnectionError::InvalidConfiguration);
        QVERIFY2(one->error().contains(option + u": "_s) && one->error().contains("wss://"_L1),
                 qPrintable(one->error()));
    }
    QCOMPARE(raw->connections(), 0);
}

void TestHostile::c3_aTypeMayUnsetWhatItCannotUse()
{
    const QVariantMap shared{{u"ignoreTlsErrors"_s, QStringList{u"SelfSignedCertificate"_s}}};
    QVERIFY(provider->configure(u"simulation"_s, shared));
    connection->open(
        config().setIgnoreTlsErrors({}).setAuthentication(ConnectionConfig::Authentication::None));
    QTRY_VERIFY(connection->isConnected());
}

void TestHostile::q6_aTokenAboveTheLimit()
{
    provider->setToken(QString(1024 * 1024, u't'));
    connection->open(config()); // 512 KiB
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::InvalidToken);
    QVERIFY2(connection->error().contains("maxMessageSize is 524288"_L1), qPrintable(connection->error()));
    QCOMPARE(raw->connections(), 0);
}

QTEST_GUILESS_MAIN(TestHostile)
#include "tst_hostile.moc"
