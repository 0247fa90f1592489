// SPDX-License-Identifier: MIT
//
// HttpTokenProvider, HttpPreparation, and the session that SimulationSession has made.
#include <Everwire/HttpPreparation>
#include <Everwire/HttpTokenProvider>
#include <Everwire/SimulationSession>
#include <Everwire/WebSocketProvider>

#include "auth/jsonexchange.h"
#include "support/httpserver.h"
#include "support/logrecorder.h"
#include "support/testserver.h"

#include <QJsonDocument>
#include <QLoggingCategory>
#include <QNetworkAccessManager>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr auto Token = TokenResult::Token;
constexpr auto None = TokenResult::None;
constexpr auto Failed = TokenResult::Failed;

} // namespace

class TestHttp : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void a_answers_data();
    void a_answers();
    void a_theRequest();
    void a_postsABody();
    void a_transientFailuresAreTriedAgain();
    void a_retryAfterIsHonoured();
    void a_aServerThatHangs();
    void a_aDrippingServerIsBounded();
    void a_noServer();
    void a8_noTokenOverPlainHttp();
    void a_badUrlsAndHeaders_data();
    void a_badUrlsAndHeaders();
    void a_abandonedAndAskedAgain();
    void a_goneMeanwhile();
    void a1_fiftyConnectionsOneRequest();
    void a7_nothingSecretIsPrintedOrReadBack();
    void a4_401IsFinalAnd500IsNot();

    void aSessionIsMadeBeforeTheSocket();
    void preparation_data();
    void preparation();
    void preparationTakesTheFieldsItIsTold();
    void preparationsUrlIsATemplate();
    void a8_preparationOverPlainHttp();

    void simulationSessionHasItMade();
    void simulationSessionRejoinsWhatTheAppNames();

private:
    [[nodiscard]] TokenResult ask(HttpTokenProvider &tokens);

    std::unique_ptr<HttpServer> http;
    std::unique_ptr<TestServer> server;
    std::unique_ptr<WebSocketProvider> provider;
};

void TestHttp::init()
{
    http = std::make_unique<HttpServer>();
    server = std::make_unique<TestServer>();
    provider = std::make_unique<WebSocketProvider>();
}

void TestHttp::cleanup()
{
    provider.reset();
    server.reset();
    http.reset();
}

TokenResult TestHttp::ask(HttpTokenProvider &tokens)
{
    std::optional<TokenResult> result;
    tokens.request(this, [&](const TokenResult &answer) { result = answer; });
    [&] { QTRY_VERIFY_WITH_TIMEOUT(result, 20000); }();
    tokens.abandon(this);
    return result.value_or(TokenResult());
}

void TestHttp::a_answers_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QString>("path");
    QTest::addColumn<int>("kind");
    QTest::addColumn<QString>("text"); // the token, or a part of the reason
    const auto row = [](const char *name, int status, const QByteArray &body, const QString &path,
                        TokenResult::Kind kind, const QString &text) {
        QTest::newRow(name) << status << body << path << int(kind) << text;
    };
    row("token", 200, R"({"token":"a.b.c"})", {}, Token, u"a.b.c"_s);
    row("access_token", 201, R"({"access_token":"a.b.c"})", {}, Token, u"a.b.c"_s);
    row("both", 200, R"({"access_token":"x","token":"a.b.c"})", {}, Token, u"a.b.c"_s);
    row("path", 200, R"({"data":{"tokens":[{"jwt":"x"},{"jwt":"a.b.c"}]}})", u"data.tokens.1.jwt"_s, Token,
        u"a.b.c"_s);
    row("path that leads nowhere", 200, R"({"token":"x"})", u"data.jwt"_s, Failed, u"has no \"data.jwt\""_s);
    row("empty token", 200, R"({"token":""})", {}, Failed, u"has no \"token\""_s);
    row("null", 200, R"({"token":null})", {}, Failed, u"has no \"token\""_s);
    row("a number", 200, R"({"token":5})", {}, Failed, u"has no \"token\""_s);
    row("HTML", 200, " <!DOCTYPE html><html>", {}, Failed, u"answered with HTML"_s);
    row("an array", 200, R"(["a.b.c"])", {}, Failed, u"other JSON"_s);
    row("broken", 200, R"({"token":)", {}, Failed, u"no JSON ("_s);
    row("empty", 200, "", {}, Failed, u"no JSON ("_s);
    row("no content", 204, "", {}, None, u"204"_s);
    row("401", 401, R"({"error":"x"})", {}, None, u"answered 401 Because. Sign in again"_s);
    row("403", 403, "", {}, None, u"answered 403"_s);
    row("404", 404, "<html>", {}, Failed, u"answered 404 Because. Check the URL"_s);
    row("400", 400, "", {}, Failed, u"answered 400"_s);
    row("500", 500, "", {}, Failed, u"answered 500 Because: the server has a problem"_s);
    row("429", 429, "", {}, Failed, u"answered 429"_s);
    row("too large", 200, R"({"token":"a.b.c","x":")" + QByteArray(70000, 'x') + "\"}", {}, Failed,
        u"larger than 64 KiB"_s);
}

void TestHttp::a_answers()
{
    QFETCH(int, status);
    QFETCH(QByteArray, body);
    QFETCH(QString, path);
    QFETCH(int, kind);
    QFETCH(QString, text);
    http->answer(status, body);
    HttpTokenProvider tokens(http->url());
    tokens.setTokenPath(path);
    tokens.setRetries(0);
    const TokenResult result = ask(tokens);
    QCOMPARE(int(result.kind), kind);
    if (kind == Token)
        QCOMPARE(result.token, text);
    else
        QVERIFY2(result.reason.contains(text), qPrintable(result.reason));
    QCOMPARE(http->requests().size(), 1);
}

void TestHttp::a_theRequest()
{
    http->answerJson(R"({"token":"t"})");
    HttpTokenProvider tokens(http->url(u"/a?b=c"_s));
    tokens.setHeaders({{u"Authorization"_s, u"Bearer refresh"_s}, {u"X-N"_s, 5}});
    QCOMPARE(ask(tokens).kind, Token);
    const HttpServer::Request request = http->requests().first();
    QCOMPARE(request.method, "GET");
    QCOMPARE(request.target, "/a?b=c");
    QCOMPARE(request.headers.value("authorization"), "Bearer refresh");
    QCOMPARE(request.headers.value("x-n"), "5");
    QCOMPARE(request.headers.value("accept"), "application/json");
    QVERIFY(request.body.isEmpty());
}

void TestHttp::a_postsABody()
{
    http->answerJson(R"({"token":"t"})");
    HttpTokenProvider tokens(http->url());
    tokens.setMethod(u"post"_s);
    tokens.setBody({{u"grant_type"_s, u"refresh_token"_s}});
    QCOMPARE(ask(tokens).kind, Token);
    const HttpServer::Request request = http->requests().first();
    QCOMPARE(request.method, "POST");
    QCOMPARE(request.headers.value("content-type"), "application/json");
    QCOMPARE(request.body, R"({"grant_type":"refresh_token"})");
    tokens.setMethod(u"DELETE"_s); // refused, with a warning
    QCOMPARE(tokens.method(), u"POST"_s);
}

void TestHttp::a_transientFailuresAreTriedAgain()
{
    http->answer(503);
    http->closeEarly();
    http->answerJson(R"({"token":"t"})");
    HttpTokenProvider tokens(http->url());
    QCOMPARE(ask(tokens).token, u"t"_s);
    QCOMPARE(http->requests().size(), 3);

    http = std::make_unique<HttpServer>();
    http->answer(500);
    tokens.setUrl(http->url());
    QCOMPARE(ask(tokens).kind, Failed);
    QCOMPARE(http->requests().size(), 3);

    http = std::make_unique<HttpServer>();
    http->answer(404);
    tokens.setUrl(http->url());
    QCOMPARE(ask(tokens).kind, Failed);
    QCOMPARE(http->requests().size(), 1);
}

void TestHttp::a_retryAfterIsHonoured()
{
    http->answer(429, {}, "Retry-After: 3\r\n");
    QNetworkAccessManager network;
    JsonExchange::Request request;
    request.url = http->url();
    std::optional<JsonExchange::Answer> answer;
    new JsonExchange(
        network, request, [&](const JsonExchange::Answer &got) { answer = got; }, this);
    QTRY_VERIFY(answer);
    QVERIFY(answer->mayPass);
    QCOMPARE(answer->waitBefore(0), 3s);

    QList<std::chrono::milliseconds> waits;
    for (int retry = 0; retry < 6; ++retry)
        waits.append(JsonExchange::Answer().waitBefore(retry));
    QCOMPARE(waits, (QList<std::chrono::milliseconds>{250ms, 500ms, 1s, 2s, 4s, 5s}));
    answer->retryAfter = 1h;
    QCOMPARE(answer->waitBefore(0), 5s); // a person waits for it
    QCOMPARE(answer->waitBefore(1000), 5s);
}

void TestHttp::a_aServerThatHangs()
{
    http->answerRaw({});
    HttpTokenProvider tokens(http->url());
    tokens.setTimeout(50);
    tokens.setRetries(1);
    const TokenResult result = ask(tokens);
    QCOMPARE(result.kind, Failed);
    QVERIFY2(result.reason.endsWith(u"did not answer within 50 ms"_s), qPrintable(result.reason));
    QCOMPARE(http->requests().size(), 2);
}

void TestHttp::a_aDrippingServerIsBounded()
{
    http->answerRaw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"tok");
    HttpTokenProvider tokens(http->url());
    tokens.setTimeout(100);
    tokens.setRetries(0);
    QVERIFY(ask(tokens).reason.endsWith(u"did not answer within 100 ms"_s));
}

void TestHttp::a_noServer()
{
    const QUrl url = http->url();
    http.reset();
    HttpTokenProvider tokens(url);
    tokens.setRetries(0);
    const TokenResult result = ask(tokens);
    QCOMPARE(result.kind, Failed);
    QVERIFY2(result.reason.contains("could not be asked"_L1), qPrintable(result.reason));
}

void TestHttp::a8_noTokenOverPlainHttp()
{
    HttpTokenProvider tokens(QUrl(u"http://example.com/token?secret=x"_s));
    const TokenResult result = ask(tokens);
    QCOMPARE(result.kind, Failed);
    QVERIFY2(result.reason.startsWith("http://example.com/token would be asked unencrypted"_L1),
             qPrintable(result.reason));
}

void TestHttp::a_badUrlsAndHeaders_data()
{
    QTest::addColumn<QUrl>("url");
    QTest::addColumn<QVariantMap>("headers");
    QTest::addColumn<QString>("text");
    QTest::newRow("none") << QUrl() << QVariantMap() << u"no http"_s;
    QTest::newRow("scheme") << QUrl(u"ftp://h/"_s) << QVariantMap() << u"no http"_s;
    QTest::newRow("no host") << QUrl(u"https:///x"_s) << QVariantMap() << u"no http"_s;
    QTest::newRow("a line end") << QUrl(u"https://h/"_s) << QVariantMap{{u"X"_s, u"a\r\nY: b"_s}}
                                << u"the value of X is not a line"_s;
    QTest::newRow("no name") << QUrl(u"https://h/"_s) << QVariantMap{{u""_s, u"a"_s}}
                             << u"\"\" is not a header name"_s;
}

void TestHttp::a_badUrlsAndHeaders()
{
    QFETCH(QUrl, url);
    QFETCH(QVariantMap, headers);
    QFETCH(QString, text);
    HttpTokenProvider tokens(url);
    tokens.setHeaders(headers);
    const TokenResult result = ask(tokens);
    QCOMPARE(result.kind, Failed);
    QVERIFY2(result.reason.contains(text), qPrintable(result.reason));
}

void TestHttp::a_abandonedAndAskedAgain()
{
    http->answerRaw({});
    http->answerJson(R"({"token":"second"})");
    HttpTokenProvider tokens(http->url());
    QObject first;
    tokens.request(&first, [](const TokenResult &) { QFAIL("it was abandoned"); });
    QTRY_COMPARE(http->requests().size(), 1);
    tokens.abandon(&first);
    QCOMPARE(ask(tokens).token, u"second"_s);
}

void TestHttp::a_goneMeanwhile()
{
    http->answerRaw({});
    auto tokens = std::make_unique<HttpTokenProvider>(http->url());
    std::optional<TokenResult> result;
    tokens->request(this, [&](const TokenResult &answer) { result = answer; });
    QTRY_COMPARE(http->requests().size(), 1);
    tokens.reset();
    QTRY_VERIFY(result);
    QCOMPARE(result->reason, u"the token provider is gone"_s);
}

void TestHttp::a1_fiftyConnectionsOneRequest()
{
    http->answerJson(R"({"token":"t"})");
    HttpTokenProvider tokens(http->url());
    provider->setTokenProvider(&tokens);
    for (int i = 0; i < 50; ++i) {
        const QString type = u"type-%1"_s.arg(i);
        QVERIFY(provider->configure(type, ConnectionConfig().setUrl(server->url())));
        provider->connection(type)->open();
    }
    for (Connection *connection : provider->connections()->list())
        QTRY_VERIFY(connection->isConnected());
    QCOMPARE(http->requests().size(), 1);
    QCOMPARE(server->tokens().size(), 50);
}

void TestHttp::a7_nothingSecretIsPrintedOrReadBack()
{
    QLoggingCategory::setFilterRules(u"everwire.*=true"_s);
    const auto restored = qScopeGuard([] { QLoggingCategory::setFilterRules({}); });
    const LogRecorder log;
    http->answer(500, "SECRET-body");
    http->answer(302, {}, "Location: http://127.0.0.1:1/x?SECRET-location\r\n");
    http->answerRaw("HTTP/1.1 422 no SECRET-header or SECRET-refresh\x1b\r\nContent-Length: 0\r\n\r\n");
    http->answerJson(R"({"tokn":"SECRET-token"})");
    HttpTokenProvider tokens(http->url(u"/token?SECRET-query"_s));
    tokens.setMethod(u"POST"_s);
    tokens.setRetries(0);
    tokens.setHeaders({{u"Authorization"_s, u"SECRET-header"_s}});
    tokens.setBody({{u"refresh"_s, u"SECRET-refresh"_s}});
    QCOMPARE(tokens.property("headers").toMap(), QVariantMap());
    QCOMPARE(tokens.property("body").toJsonObject(), QJsonObject());
    QStringList said;
    for (int i = 0; i < 4; ++i)
        said.append(ask(tokens).reason);
    QVERIFY2(said[2].contains("answered 422 no [token] or [token]\\u001b"_L1), qPrintable(said[2]));
    QVERIFY2(said[1].contains("redirects to http://127.0.0.1:1/x, which is another server"_L1),
             qPrintable(said[1]));
    for (const QString &line : said + log.lines())
        QVERIFY2(!line.contains("SECRET"_L1), qPrintable(line));
}

void TestHttp::a4_401IsFinalAnd500IsNot()
{
    http->answer(500);
    http->answer(401);
    HttpTokenProvider tokens(http->url());
    tokens.setRetries(0);
    provider->setTokenProvider(&tokens);
    QVERIFY(
        provider->configure(u"a"_s, ConnectionConfig().setUrl(server->url()).setInitialReconnectDelay(10ms)));
    Connection *connection = provider->connection(u"a"_s);
    QSignalSpy errors(connection, &Connection::errorOccurred);
    connection->open();
    QTRY_COMPARE(connection->state(), Connection::Error);
    QCOMPARE(errors.size(), 2);
    QCOMPARE(errors[0][0].value<ConnectionError>().code(), ConnectionError::TokenFailed);
    QCOMPARE(connection->errorCode(), ConnectionError::NoToken);
    QVERIFY2(connection->error().contains("401"_L1), qPrintable(connection->error()));
}

void TestHttp::aSessionIsMadeBeforeTheSocket()
{
    http->answer(201, R"({"session_id":"s 1","n":7,"nested":{"a":1}})");
    HttpPreparation preparation;
    preparation.setUrl(http->url(u"/api/v1/simulations"_s).toString());
    preparation.setBody({{u"simulation_type"_s, u"feature_demo"_s}});
    preparation.setHeaders({{u"X-Client"_s, u"qt"_s}});
    provider->setToken(u"jwt"_s);
    Connection *connection = provider->connection(u"a"_s);
    connection->setPreparation(&preparation);
    connection->open(
        ConnectionConfig().setUrl(server->url().toString() + u"simulations/{session_id}/stream"_s));
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(connection->url().path(QUrl::FullyEncoded), u"/simulations/s%201/stream"_s);
    QCOMPARE(connection->configuration().options(), (QVariantMap{{u"session_id"_s, u"s 1"_s}, {u"n"_s, 7}}));
    const HttpServer::Request request = http->requests().first();
    QCOMPARE(request.method, "POST");
    QCOMPARE(request.target, "/api/v1/simulations");
    QCOMPARE(request.headers.value("authorization"), "Bearer jwt");
    QCOMPARE(request.headers.value("x-client"), "qt");
    QCOMPARE(request.body, R"({"simulation_type":"feature_demo"})");
}

void TestHttp::preparation_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("code");
    QTest::addColumn<bool>("isFinal");
    QTest::newRow("unknown scenario")
        << 422 << QByteArray() << int(ConnectionError::PreparationFailed) << true;
    QTest::newRow("overloaded") << 503 << QByteArray() << int(ConnectionError::PreparationFailed) << false;
    QTest::newRow("unauthorized") << 401 << QByteArray() << int(ConnectionError::AuthenticationFailed)
                                  << false;
    QTest::newRow("HTML") << 200 << QByteArray("<html>") << int(ConnectionError::PreparationFailed) << true;
    QTest::newRow("no id") << 200 << QByteArray("{}") << int(ConnectionError::PreparationFailed) << true;
}

void TestHttp::preparation()
{
    QFETCH(int, status);
    QFETCH(QByteArray, body);
    QFETCH(int, code);
    QFETCH(bool, isFinal);
    http->answer(status, body);
    HttpPreparation preparation;
    preparation.setUrl(http->url().toString());
    provider->setToken(u"jwt"_s);
    Connection *connection = provider->connection(u"a"_s);
    connection->setPreparation(&preparation);
    QSignalSpy errors(connection, &Connection::errorOccurred);
    connection->open(ConnectionConfig()
                         .setUrl(server->url().toString() + u"{session_id}"_s)
                         .setInitialReconnectDelay(1h)
                         .setMaxReconnectDelay(1h));
    QTRY_COMPARE(errors.size(), 1);
    const auto error = errors[0][0].value<ConnectionError>();
    QCOMPARE(int(error.code()), code);
    QCOMPARE(error.isFinal(), isFinal);
    QVERIFY2(!error.message().contains("jwt"_L1), qPrintable(error.message()));
    QCOMPARE(server->connectionsSoFar(), 0);
}

void TestHttp::preparationTakesTheFieldsItIsTold()
{
    http->answerJson(R"({"id":"a","secret":"b"})");
    HttpPreparation preparation;
    preparation.setUrl(http->url().toString());
    preparation.setFields({u"id"_s});
    provider->setToken(u"jwt"_s);
    Connection *connection = provider->connection(u"a"_s);
    connection->setPreparation(&preparation);
    connection->open(ConnectionConfig().setUrl(server->url().toString() + u"{id}"_s));
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(connection->configuration().options(), (QVariantMap{{u"id"_s, u"a"_s}}));
}

void TestHttp::preparationsUrlIsATemplate()
{
    http->answerJson(R"({"id":"a"})");
    HttpPreparation preparation;
    preparation.setUrl(http->url().toString() + u"/{tenant}"_s);
    provider->setToken(u"jwt"_s);
    Connection *connection = provider->connection(u"a"_s);
    connection->setPreparation(&preparation);
    const auto config = ConnectionConfig().setUrl(server->url().toString() + u"{id}"_s);
    connection->open(config);
    QTRY_COMPARE(connection->state(), Connection::Error);
    QVERIFY2(connection->error().contains("{tenant}"_L1), qPrintable(connection->error()));
    connection->open(ConnectionConfig(config).setOptions({{u"tenant"_s, u"a/b"_s}}));
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(http->requests().first().target, "/token/a%2Fb");
}

void TestHttp::a8_preparationOverPlainHttp()
{
    HttpPreparation preparation;
    preparation.setUrl(u"http://example.com/sessions"_s);
    provider->setToken(u"jwt"_s);
    Connection *connection = provider->connection(u"a"_s);
    connection->setPreparation(&preparation);
    connection->open(ConnectionConfig().setUrl(server->url().toString() + u"{id}"_s));
    QTRY_COMPARE(connection->state(), Connection::Error);
    QVERIFY2(connection->error().contains("unencrypted"_L1), qPrintable(connection->error()));
}

void TestHttp::simulationSessionHasItMade()
{
    http->answer(201, R"({"session_id":"made-1"})");
    http->answer(201, R"({"session_id":"made-2"})");
    provider->setToken(u"jwt"_s);
    QVERIFY(provider->configure(
        u"simulation"_s, ConnectionConfig().setUrl(server->url().toString() + u"{session_id}/stream"_s)));
    SimulationSession session(provider.get());
    session.setScenario(u"objection_handling"_s);
    session.setSessionsUrl(http->url(u"/api/v1/simulations"_s).toString());
    session.setSessionRequest({{u"scenario_prompt"_s, u"A cautious buyer"_s}});
    session.start();
    QTRY_VERIFY(session.connection()->isConnected());
    QCOMPARE(session.sessionId(), u"made-1"_s);
    QCOMPARE(session.connection()->url().path(), u"/made-1/stream"_s);
    QCOMPARE(QJsonDocument::fromJson(http->requests().first().body).object(),
             (QJsonObject{{u"simulation_type"_s, u"objection_handling"_s},
                          {u"scenario_prompt"_s, u"A cautious buyer"_s}}));
    session.start(); // it is
    server->drop();
    QTRY_COMPARE(server->connectionsSoFar(), 2); // the same session goes on
    QTRY_VERIFY(session.connection()->isConnected());
    QCOMPARE(http->requests().size(), 1);
    session.stop();
    QTRY_COMPARE(session.connection()->state(), Connection::Disconnected);
    session.start();
    QTRY_COMPARE(session.sessionId(), u"made-2"_s);
    QTRY_VERIFY(session.connection()->isConnected());
}

void TestHttp::simulationSessionRejoinsWhatTheAppNames()
{
    provider->setToken(u"jwt"_s);
    QVERIFY(provider->configure(
        u"simulation"_s, ConnectionConfig().setUrl(server->url().toString() + u"{session_id}/stream"_s)));
    SimulationSession session(provider.get());
    session.setSessionsUrl(http->url().toString());
    session.setSessionId(u"mine"_s);
    session.start();
    QTRY_VERIFY(session.connection()->isConnected());
    QCOMPARE(session.connection()->url().path(), u"/mine/stream"_s);
    QVERIFY(http->requests().isEmpty());
}

QTEST_GUILESS_MAIN(TestHttp)
#include "tst_http.moc"
