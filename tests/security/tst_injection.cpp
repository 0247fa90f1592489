// SPDX-License-Identifier: MIT
//
// Nobody adds a line to a request: what is no data in a URL, a header, a subprotocol or a token is refused, in every
// position, and what is data arrives as the same data.
#include <Everwire/HttpPreparation>
#include <Everwire/HttpTokenProvider>
#include <Everwire/WebSocketProvider>

#include "support/httpserver.h"
#include "support/rawserver.h"
#include "transport/handshake.h"

#include <QJsonDocument>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

// Line ends and what becomes one where 16 bits are cut to 8; NUL; other controls; spaces; and what is not ASCII.
const QStringList Breaks{u"\r"_s,           u"\n"_s, u"\r\nEvil: 1"_s, u"\n\nGET / HTTP/1.1"_s,
                         QString(QChar(0)), u"\v"_s, u"\x7f"_s};
const QStringList Others{u" "_s,      u"\u560a"_s, u"\u560d"_s, u"\u010a"_s,    u"\u010d"_s,
                         u"\u2028"_s, u"\u0085"_s, u"ä"_s,      u"\U0001f600"_s};

// The text with what in every position.
QStringList everywhere(const QString &text, const QString &what)
{
    QStringList list;
    for (qsizetype i = 0; i <= text.size(); ++i)
        list.append(text.left(i) + what + text.mid(i));
    return list;
}

ClientHandshake::Request toRequest(const ConnectionConfig &config)
{
    QString problem;
    ClientHandshake::Request request;
    request.url = config.resolvedUrl(&problem);
    request.protocols = config.protocols();
    request.headers = config.headers();
    request.key = ClientHandshake::makeKey();
    return request;
}

// A request of so many header lines, each printable and with a name; its target is visible ASCII without a space.
void isWellFormed(const QByteArray &request, int lines)
{
    QVERIFY(request.endsWith("\r\n\r\n"));
    const QByteArray head = request.chopped(4);
    const QList<QByteArray> all = QByteArray(head).replace("\r\n", "\n").split('\n');
    QVERIFY2(all.size() == lines + 1, request.constData());
    QCOMPARE(head.count('\r'), lines);
    QCOMPARE(head.count('\n'), lines);
    QVERIFY(!head.contains('\0'));
    const QList<QByteArray> first = all.first().split(' ');
    QVERIFY2(first.size() == 3 && first[0] == "GET" && first[1].startsWith('/') && first[2] == "HTTP/1.1",
             all.first().constData());
    for (const char c : first[1])
        QVERIFY2(c > 0x20 && c < 0x7f, all.first().constData());
    QVERIFY(!request.contains("\r\nEvil"));
}

ConnectionConfig plain()
{
    return ConnectionConfig().setUrl(u"ws://127.0.0.1:1234/a/b?c=d"_s);
}

constexpr int Lines = 5; // Host, Upgrade, Connection, Sec-WebSocket-Key, Sec-WebSocket-Version

} // namespace

class TestInjection : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void c3_urls();
    void c3_filledParts();
    void c3_dotsAreNoData();
    void c3_headerNames();
    void c3_headerValues();
    void c3_protocols();
    void c3_bothTransportsSendTheValue();
    void a_tokens();
    void a_tokensInAHeader();
    void a_httpRequests();
};

void TestInjection::c3_urls()
{
    isWellFormed(ClientHandshake(toRequest(plain())).request(), Lines);
    int refused = 0;
    for (const QString &what : Breaks + Others) {
        const QStringList urls = everywhere(plain().url(), what);
        for (const QString &url : urls) {
            const auto config = ConnectionConfig().setUrl(url);
            QString problem;
            if (!config.problems().isEmpty() || config.resolvedUrl(&problem).isEmpty()) {
                ++refused;
                continue;
            }
            isWellFormed(ClientHandshake(toRequest(config)).request(), Lines);
            // It goes where it went, or to a name that holds no such character.
            const QByteArray host = config.resolvedUrl(&problem).host(QUrl::FullyEncoded).toLatin1();
            for (const char c : host)
                QVERIFY2(c > 0x20 && c < 0x7f, host.constData());
        }
    }
    QVERIFY(refused > 100);
}

void TestInjection::c3_filledParts()
{
    for (const QString &what : Breaks + Others) {
        const QStringList values = everywhere(u"abc"_s, what);
        for (const QString &value : values) {
            const auto config =
                ConnectionConfig().setUrl(u"ws://127.0.0.1/{id}/x?y={id}"_s).setOptions({{u"id"_s, value}});
            const auto request = toRequest(config);
            isWellFormed(ClientHandshake(request).request(), Lines);
            QCOMPARE(QUrl::fromPercentEncoding(request.url.path(QUrl::FullyEncoded).toLatin1()),
                     u"/%1/x"_s.arg(value));
        }
    }
}

void TestInjection::c3_dotsAreNoData()
{
    for (const QString &value : {u"."_s, u".."_s}) {
        QString problem;
        const auto filled = [&](const QString &url) {
            problem.clear();
            return ConnectionConfig().setUrl(url).setOptions({{u"id"_s, value}}).resolvedUrl(&problem);
        };
        QVERIFY(filled(u"wss://h/sessions/{id}/stream"_s).isEmpty());
        QVERIFY2(problem.contains("another path"_L1), qPrintable(problem));
        QVERIFY(filled(u"wss://h/sessions/{id}"_s).isEmpty());
        QVERIFY(filled(u"wss://h/{id}?x=1"_s).isEmpty());
        QCOMPARE(filled(u"wss://h/x?id={id}"_s).query(), u"id="_s + value);
        QCOMPARE(filled(u"wss://h/v{id}"_s).path(), u"/v"_s + value);
    }
    QString problem;
    QCOMPARE(ConnectionConfig()
                 .setUrl(u"wss://h/{id}"_s)
                 .setOptions({{u"id"_s, u"..."_s}})
                 .resolvedUrl(&problem)
                 .path(),
             u"/..."_s);
}

void TestInjection::c3_headerNames()
{
    for (const QString &what : Breaks + Others) {
        const QStringList names = everywhere(u"X-Key"_s, what);
        for (const QString &name : names)
            QVERIFY2(!plain().setHeaders({{name, u"v"_s}}).problems().isEmpty(), qPrintable(name));
    }
}

// Spaces and other alphabets are data in a value (RFC 9110 §5.5), which goes as UTF-8.
void TestInjection::c3_headerValues()
{
    for (const QString &what : Breaks) {
        const QStringList values = everywhere(u"value"_s, what);
        for (const QString &value : values) {
            const QStringList problems = plain().setHeaders({{u"X-Key"_s, value}}).problems();
            QCOMPARE(problems.size(), 1);
            QVERIFY(!problems.first().contains(u"value"_s + what)); // nor is the value told
        }
    }
    for (const QString &what : Others) {
        const QStringList values = everywhere(u"value"_s, what);
        for (const QString &value : values) {
            const auto config = plain().setHeaders({{u"X-Key"_s, value}});
            QCOMPARE(config.problems(), QStringList());
            const QByteArray request = ClientHandshake(toRequest(config)).request();
            isWellFormed(request, Lines + 1);
            QVERIFY(request.contains("\r\nX-Key: " + value.toUtf8() + "\r\n"));
        }
    }
}

void TestInjection::c3_protocols()
{
    for (const QString &what : Breaks + Others) {
        const QStringList names = everywhere(u"chat"_s, what);
        for (const QString &name : names)
            QVERIFY2(!plain().setProtocols({name}).problems().isEmpty(), qPrintable(name));
    }
}

void TestInjection::c3_bothTransportsSendTheValue()
{
    WebSocketProvider provider;
    Connection *connection = provider.connection(u"a"_s);
    for (const auto transport :
         {ConnectionConfig::Transport::Automatic, ConnectionConfig::Transport::QWebSocket}) {
        for (const QString &what : Others) {
            RawServer server;
            connection->open(ConnectionConfig()
                                 .setUrl(server.url().toString() + u"p"_s + what + u"?q="_s + what)
                                 .setAuthentication(ConnectionConfig::Authentication::None)
                                 .setCompression(ConnectionConfig::Compression::Off)
                                 .setTransport(transport)
                                 .setCloseTimeout(1ms)
                                 .setHeaders({{u"X-Key"_s, u"a"_s + what + u"b"_s}}));
            QTRY_VERIFY(server.request().endsWith("\r\n\r\n"));
            isWellFormed(server.request(), Lines + 1);
            // From Qt 6.7 on, QNetworkRequest keeps the names of headers in lower case.
            const QByteArray value = ": a" + what.toUtf8() + "b\r\n";
            QVERIFY(server.request().contains("\r\nX-Key" + value) ||
                    server.request().contains("\r\nx-key" + value));
            connection->close();
            QTRY_COMPARE(connection->state(), Connection::Disconnected);
        }
    }
}

void TestInjection::a_tokens()
{
    WebSocketProvider provider;
    Connection *connection = provider.connection(u"a"_s);
    RawServer refusing;
    for (const QString &what : Breaks) {
        const QStringList tokens = everywhere(u"a.b"_s, what);
        for (const QString &token : tokens) {
            provider.setToken(token);
            connection->open(ConnectionConfig().setUrl(refusing.url()));
            QTRY_COMPARE(connection->state(), Connection::Error);
            QCOMPARE(connection->errorCode(), ConnectionError::InvalidToken);
            QVERIFY(!connection->error().contains(what) && !connection->error().contains("a.b"_L1));
        }
    }
    QCOMPARE(refusing.connections(), 0);
    // In JSON the others are data, and so is what would end a string there.
    for (const QString &what : Others + QStringList{u"\""_s, u"\\"_s, u"\",\"type\":\"admin"_s}) {
        RawServer server;
        const QString token = u"a"_s + what + u"b"_s;
        provider.setToken(token);
        connection->open(ConnectionConfig().setUrl(server.url()).setCloseTimeout(1ms));
        QTRY_COMPARE(server.frames().size(), 1);
        QCOMPARE(QJsonDocument::fromJson(server.frames().first().payload).object(),
                 (QJsonObject{{u"type"_s, u"auth"_s}, {u"token"_s, token}}));
        connection->close();
        QTRY_COMPARE(connection->state(), Connection::Disconnected);
    }
}

void TestInjection::a_tokensInAHeader()
{
    for (const QString &what : Others) {
        HttpServer http;
        http.answer(422);
        WebSocketProvider provider;
        provider.setToken(u"a"_s + what + u"b"_s);
        HttpPreparation preparation;
        preparation.setUrl(http.url().toString());
        Connection *connection = provider.connection(u"a"_s);
        connection->setPreparation(&preparation);
        connection->open(ConnectionConfig().setUrl(u"ws://127.0.0.1:1/{id}"_s));
        QTRY_COMPARE(http.requests().size(), 1);
        QVERIFY(!http.requests().first().headers.contains("evil"));
        QCOMPARE(http.requests().first().headers.value("authorization"), "Bearer a" + what.toUtf8() + "b");
    }
}

void TestInjection::a_httpRequests()
{
    HttpServer http;
    http.answerJson(R"({"token":"t"})");
    const auto ask = [this](HttpTokenProvider &tokens) {
        std::optional<TokenResult> result;
        tokens.request(this, [&](const TokenResult &answer) { result = answer; });
        [&] { QTRY_VERIFY(result); }();
        return result.value_or(TokenResult());
    };
    for (const QString &what : Breaks) {
        const QStringList values = everywhere(u"ab"_s, what);
        for (const QString &value : values) {
            HttpTokenProvider tokens(http.url());
            tokens.setRetries(0);
            tokens.setHeaders({{u"X-Key"_s, value}});
            QCOMPARE(ask(tokens).kind, TokenResult::Failed);
            tokens.setHeaders({{value, u"x"_s}});
            QCOMPARE(ask(tokens).kind, TokenResult::Failed);
            tokens.setMethod(u"GET"_s + what);
            QCOMPARE(tokens.method(), u"GET"_s);
        }
    }
    QVERIFY(http.requests().isEmpty());
    for (const QString &what : Breaks + Others) {
        HttpTokenProvider tokens(QUrl(http.url().toString() + what + u"x?y="_s + what));
        tokens.setRetries(0);
        const auto before = http.requests().size();
        const bool isAsked = ask(tokens).kind == TokenResult::Token;
        QCOMPARE(http.requests().size() - before, isAsked ? 1 : 0);
        if (isAsked)
            QVERIFY(!http.requests().last().headers.contains("evil") &&
                    http.requests().last().target.startsWith("/token"));
    }
}

QTEST_GUILESS_MAIN(TestInjection)
#include "tst_injection.moc"
