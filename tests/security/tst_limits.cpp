// SPDX-License-Identifier: MIT
//
// Rule M9 from the outside: JSON that is too deep, too long or out of range ends in a message or an error, whichever way
// it comes or goes, and what follows it is handled.
#include <Everwire/HttpPreparation>
#include <Everwire/HttpTokenProvider>
#include <Everwire/WebSocketProvider>

#include "support/httpserver.h"
#include "support/rawserver.h"

#include <QJsonArray>
#include <QSignalSpy>
#include <QTest>
#include <QThread>

using namespace Everwire;
using namespace Qt::StringLiterals;

namespace {

constexpr int Million = 1'000'000;

QJsonObject nested(int levels)
{
    QJsonValue value = 1;
    for (int i = 1; i < levels; ++i)
        value = QJsonArray{value};
    return {{u"type"_s, u"deep"_s}, {u"v"_s, value}};
}

void addHostileTexts()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("isJson");
    const auto row = [](const char *name, const QByteArray &text, bool isJson) {
        QTest::newRow(name) << text << isJson;
    };
    row("brackets", QByteArray(Million, '['), false);
    row("closed brackets", QByteArray(Million, '[') + QByteArray(Million, ']'), false);
    row("only closing", QByteArray(Million, ']'), false);
    row("objects", QByteArray("{\"a\":").repeated(Million), false);
    row("in a message", "{\"type\":\"x\",\"v\":" + QByteArray(Million, '[') + QByteArray(Million, ']') + '}',
        false);
    row("digits", "{\"type\":\"x\",\"v\":" + QByteArray(Million, '9') + '}', true);
    row("exponent", "{\"type\":\"x\",\"v\":1e" + QByteArray(Million, '9') + '}', true);
    row("many huge numbers", "{\"type\":\"x\",\"v\":[" + QByteArray("1e400,").repeated(Million / 10) + "1]}",
        true);
    row("key", "{\"" + QByteArray(4 * Million, 'k') + "\":1,\"type\":\"x\"}", true);
    row("escaped key", "{\"" + QByteArray("\\u0041").repeated(Million) + "\":1,\"type\":\"x\"}", true);
    row("type", "{\"type\":\"" + QByteArray(4 * Million, 't') + "\"}", true);
    row("many types", "{" + QByteArray("\"type\":\"x\",").repeated(3 * Million / 10) + "\"type\":\"y\"}",
        true);
    QByteArray keys = "{\"type\":\"x\"";
    for (int i = 0; i < Million / 5; ++i)
        keys += ",\"" + QByteArray::number(i) + "\":0";
    row("many keys", keys + '}', true);
    row("half an escape", "{\"type\":\"x\",\"v\":\"" + QByteArray("\\ud800").repeated(Million / 10) + "\"}",
        true);
    row("half an escape and brackets", "{\"type\":\"x\",\"s\":\"\\ud800\",\"v\":" + QByteArray(Million, '['),
        false);
    row("half an escape and no end",
        "{\"type\":\"x\",\"v\":\"" + QByteArray("\\ud800").repeated(Million / 10), false);
}

} // namespace

class TestLimits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void m9_received_data() { addHostileTexts(); }
    void m9_received();
    void m9_receivedBeforeSuccess_data() { addHostileTexts(); }
    void m9_receivedBeforeSuccess();
    void m9_sent();
    void m9_sentFromASmallThread();
    void m9_answersOfHttp_data();
    void m9_answersOfHttp();
    void m9_bodiesOfHttp();
};

void TestLimits::m9_received()
{
    QFETCH(QByteArray, text);
    QFETCH(bool, isJson);
    for (const auto transport :
         {ConnectionConfig::Transport::Automatic, ConnectionConfig::Transport::QWebSocket}) {
        RawServer server;
        WebSocketProvider provider;
        Connection *connection = provider.connection(u"a"_s);
        QSignalSpy broken(connection, &Connection::parseError);
        QList<QJsonObject> seen;
        int last = 0;
        connection->subscribe(u"*"_s, this, [&](const QJsonObject &message) { seen.append(message); });
        connection->subscribe(u"last"_s, this, [&last](const Message &) { ++last; });
        connection->open(ConnectionConfig()
                             .setUrl(server.url())
                             .setTransport(transport)
                             .setAuthentication(ConnectionConfig::Authentication::None));
        QTRY_VERIFY(connection->isConnected());
        server.write(RawServer::frame(0x1, text) + RawServer::frame(0x1, R"({"type":"last"})"));
        QTRY_COMPARE_WITH_TIMEOUT(last, 1, 20000);
        QCOMPARE(broken.size(), isJson ? 0 : 1);
        QCOMPARE(seen.size(), isJson ? 2 : 1); // with the last one
        if (isJson)
            QVERIFY(!seen.first().value(u"type"_s).toString().isEmpty());
        QVERIFY(connection->isConnected());
    }
}

void TestLimits::m9_receivedBeforeSuccess()
{
    QFETCH(QByteArray, text);
    RawServer server;
    WebSocketProvider provider;
    provider.setToken(u"t"_s);
    Connection *connection = provider.connection(u"a"_s);
    connection->open(ConnectionConfig().setUrl(server.url()));
    QTRY_COMPARE(server.frames().size(), 1);
    server.write(RawServer::frame(0x1, text));
    server.write(RawServer::frame(0x1, R"({"type":"auth_success","session_id":"s"})"));
    QTRY_VERIFY_WITH_TIMEOUT(connection->isConnected(), 20000);
    QCOMPARE(connection->messages()->rowCount(), 0); // rule A6
}

// Qt's writer recurses: 40,000 levels end a thread of 8 MiB.
void TestLimits::m9_sent()
{
    RawServer server;
    WebSocketProvider provider;
    Connection *connection = provider.connection(u"a"_s);
    connection->open(
        ConnectionConfig().setUrl(server.url()).setAuthentication(ConnectionConfig::Authentication::None));
    QTRY_VERIFY(connection->isConnected());
    QSignalSpy rejected(connection, &Connection::messageRejected);
    for (const int levels : {1024, 5'000, 60'000}) {
        const QJsonObject deep = nested(levels);
        QVERIFY(!connection->sendJson(deep));
        QVERIFY(!connection->sendJson(deep, "attachment"));
        QVERIFY(connection->request(deep, std::chrono::seconds(1)).isFinished());
    }
    QTRY_COMPARE(rejected.size(), 9);
    QVERIFY(rejected[0][0].toString().contains("1023 levels"_L1));
    QVERIFY(connection->sendJson(nested(1023)));
    // What we send we would take.
    QTRY_COMPARE(server.frames().size(), 1);
    QSignalSpy received(connection, &Connection::messageReceived);
    server.write(RawServer::frame(0x1, server.frames().first().payload));
    QTRY_COMPARE(received.size(), 1);
    const QJsonObject huge{{u"type"_s, u"n"_s}, {u"n"_s, 1.7976931348623157e308}, {u"inf"_s, qInf()}};
    QVERIFY(connection->sendJson(huge));
    QVERIFY(!connection->sendJson({{u"type"_s, u"k"_s}, {QString(Million, u'k'), 1}})); // maxMessageSize
    QTRY_COMPARE(server.frames().size(), 2);
}

// An audio thread's, as other systems make them: 512 KiB.
void TestLimits::m9_sentFromASmallThread()
{
    WebSocketProvider provider;
    Connection *connection = provider.connection(u"a"_s);
    RawServer server;
    connection->open(ConnectionConfig().setUrl(server.url()));
    const QJsonObject deepest = nested(1023);
    const QJsonObject tooDeep = nested(20'000);
    bool sent = false;
    bool refused = false;
    std::unique_ptr<QThread> thread(QThread::create([&] {
        sent = connection->sendJson(deepest);
        refused = !connection->sendJson(tooDeep);
    }));
    thread->setStackSize(512 * 1024);
    thread->start();
    QVERIFY(thread->wait(20000));
    QVERIFY(sent && refused);
}

void TestLimits::m9_answersOfHttp_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::newRow("brackets") << QByteArray(60'000, '[');
    QTest::newRow("in an object") << R"({"token":)" + QByteArray(30'000, '[') + QByteArray(30'000, ']') + '}';
    QTest::newRow("a million") << QByteArray(Million, '[');
    QTest::newRow("digits") << R"({"token":)" + QByteArray(60'000, '9') + '}';
    QTest::newRow("exponent") << QByteArray(R"({"token":1e999999999})");
    QTest::newRow("key") << "{\"" + QByteArray(60'000, 'k') + "\":1}";
    QTest::newRow("large key") << "{\"" + QByteArray(Million, 'k') + "\":1}";
    QTest::newRow("not UTF-8") << QByteArray("{\"token\":\"\xff\xfe\"");
    QTest::newRow("no string") << QByteArray(R"({"token":[[[[{"token":{}}]]]]})");
}

void TestLimits::m9_answersOfHttp()
{
    QFETCH(QByteArray, body);
    HttpServer http;
    http.answerJson(body);
    HttpTokenProvider tokens(http.url());
    tokens.setRetries(0);
    std::optional<TokenResult> result;
    tokens.request(this, [&](const TokenResult &answer) { result = answer; });
    QTRY_VERIFY(result);
    QCOMPARE(result->kind, TokenResult::Failed);
    QVERIFY2(result->reason.size() < 500, qPrintable(result->reason));

    WebSocketProvider provider;
    provider.setToken(u"t"_s);
    HttpPreparation preparation;
    preparation.setUrl(http.url().toString());
    Connection *connection = provider.connection(u"a"_s);
    connection->setPreparation(&preparation);
    connection->open(ConnectionConfig().setUrl(u"ws://127.0.0.1:1/{session_id}"_s));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(connection->errorCode(), ConnectionError::PreparationFailed);
}

void TestLimits::m9_bodiesOfHttp()
{
    HttpServer http;
    http.answerJson(R"({"token":"t"})");
    HttpTokenProvider tokens(http.url());
    tokens.setMethod(u"POST"_s);
    tokens.setRetries(0);
    tokens.setBody(nested(60'000));
    std::optional<TokenResult> result;
    tokens.request(this, [&](const TokenResult &answer) { result = answer; });
    QTRY_VERIFY(result);
    QCOMPARE(result->kind, TokenResult::Failed);
    QVERIFY2(result->reason.contains("1023 levels"_L1), qPrintable(result->reason));
    QVERIFY(http.requests().isEmpty());
}

QTEST_GUILESS_MAIN(TestLimits)
#include "tst_limits.moc"
