// SPDX-License-Identifier: MIT
#include "transport/handshake.h"

#include <QScopeGuard>
#include <QTest>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

using Outcome = ClientHandshake::Outcome;

// RFC 6455 §1.3's own example.
const QByteArray Key = "dGhlIHNhbXBsZSBub25jZQ==";
const QByteArray Accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

ClientHandshake handshake(bool offerDeflate = true,
                          const QString &url = QStringLiteral("ws://host:1234/a?b=c"))
{
    ClientHandshake::Request request;
    request.url = QUrl(url);
    request.protocols = {QStringLiteral("v2"), QStringLiteral("v1")};
    request.headers = {{QStringLiteral("X-App"), QStringLiteral("me")}};
    request.offerDeflate = offerDeflate;
    request.key = Key;
    return ClientHandshake(request);
}

QByteArray upgrade(const QByteArray &more = {})
{
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
           "Upgrade\r\nSec-WebSocket-Accept: " +
           Accept + "\r\n" + more + "\r\n";
}

Outcome read(ClientHandshake &client, const QByteArray &bytes, QByteArray *rest = nullptr)
{
    QByteArrayView input(bytes);
    const Outcome outcome = client.read(&input);
    if (rest)
        *rest = input.toByteArray();
    return outcome;
}

} // namespace

class TestHandshake : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theRequest();
    void requestsOfOtherHosts_data();
    void requestsOfOtherHosts();
    void keysAreNew();
    void accepted_data();
    void accepted();
    void inAnyPieces();
    void invalid_data();
    void invalid();
    void a7_whatTheServerSaysIsShown_data();
    void a7_whatTheServerSaysIsShown();
    void refused_data();
    void refused();
    void headersWithoutEndAreBounded();
    void bodiesWithoutEndAreBounded();
    void retryAfter_data();
    void retryAfter();
    void retryAfterInTheHourThatIsSkipped();
    void redirects();
    void interimAnswersAreBounded();
    void whatCameBeforeTheEnd();
};

void TestHandshake::theRequest()
{
    const QByteArray request = handshake().request();
    QVERIFY(request.startsWith("GET /a?b=c HTTP/1.1\r\nHost: host:1234\r\n"));
    for (const char *line :
         {"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: v2, v1",
          "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", "X-App: me"})
        QVERIFY2(request.contains(QByteArray("\r\n") + line + "\r\n"), line);
    QVERIFY(request.endsWith("\r\n\r\n"));
    QVERIFY(!handshake(false).request().contains("Extensions"));
}

void TestHandshake::requestsOfOtherHosts_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QByteArray>("begin");
    QTest::newRow("no path") << QStringLiteral("ws://host") << QByteArray("GET / HTTP/1.1\r\nHost: host\r\n");
    QTest::newRow("usual port") << QStringLiteral("wss://host:443/x")
                                << QByteArray("GET /x HTTP/1.1\r\nHost: host\r\n");
    QTest::newRow("the other's port")
        << QStringLiteral("wss://host:80/x") << QByteArray("GET /x HTTP/1.1\r\nHost: host:80\r\n");
    QTest::newRow("IPv6 with a zone") << QStringLiteral("ws://[fe80::1%25eth0]:8/")
                                      << QByteArray("GET / HTTP/1.1\r\nHost: [fe80::1]:8\r\n");
    QTest::newRow("IPv6") << QStringLiteral("ws://[::1]:8/")
                          << QByteArray("GET / HTTP/1.1\r\nHost: [::1]:8\r\n");
    QTest::newRow("IDN, spaces") << QStringLiteral("ws://bücher.example/ä b#frag")
                                 << QByteArray("GET /%C3%A4%20b HTTP/1.1\r\nHost: xn--bcher-kva.example\r\n");
    QTest::newRow("query alone") << QStringLiteral("ws://host?x=1 2")
                                 << QByteArray("GET /?x=1%202 HTTP/1.1\r\n");
}

void TestHandshake::requestsOfOtherHosts()
{
    QFETCH(const QString, url);
    QFETCH(const QByteArray, begin);
    const QByteArray request = handshake(true, url).request();
    QVERIFY2(request.startsWith(begin), request.constData());
}

void TestHandshake::keysAreNew()
{
    const QByteArray key = ClientHandshake::makeKey();
    QCOMPARE(QByteArray::fromBase64(key).size(), 16);
    QVERIFY(key != ClientHandshake::makeKey());
}

void TestHandshake::accepted_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<bool>("deflate");
    QTest::newRow("plain") << upgrade() << false;
    QTest::newRow("subprotocol") << upgrade("Sec-WebSocket-Protocol: v1\r\n") << false;
    QTest::newRow("deflate")
        << upgrade("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n") << true;
    QTest::newRow("any case, lists, no spaces")
        << "HTTP/1.1 101\r\nUPGRADE:\t"
           "WebSocket \r\nconnection:keep-alive,UPGRADE\r\nsec-websocket-accept:" +
               Accept + "\r\n\r\n"
        << false;
    QTest::newRow("several Connection headers")
        << QByteArray(upgrade("Connection: x\r\n")).replace("Connection: Upgrade", "Connection: y, upgrade")
        << false;
    QTest::newRow("bare line feeds") << upgrade().replace("\r\n", "\n") << false;
    QTest::newRow("early hints first") << "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + upgrade() << false;
}

void TestHandshake::accepted()
{
    QFETCH(const QByteArray, answer);
    QFETCH(const bool, deflate);
    ClientHandshake client = handshake();
    QByteArray rest;
    QVERIFY2(read(client, answer + "frames", &rest) == Outcome::Accepted, qPrintable(client.problem()));
    QCOMPARE(rest, QByteArray("frames"));
    QCOMPARE(client.deflate().has_value(), deflate);
}

void TestHandshake::inAnyPieces()
{
    const QByteArray answer = upgrade("Sec-WebSocket-Protocol: v2\r\n");
    for (qsizetype size = 1; size < answer.size(); ++size) {
        ClientHandshake client = handshake();
        Outcome outcome = Outcome::Unfinished;
        for (qsizetype at = 0; at < answer.size(); at += size) {
            QCOMPARE(outcome, Outcome::Unfinished);
            outcome = read(client, answer.mid(at, size));
        }
        QCOMPARE(outcome, Outcome::Accepted);
        QCOMPARE(client.protocol(), QByteArray("v2"));
    }
}

void TestHandshake::invalid_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<QString>("word");
    const auto row = [](const char *name, const QByteArray &answer, const char *word) {
        QTest::newRow(name) << answer << QString::fromLatin1(word);
    };
    row("SSH", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP");
    row("HTTP/2", "HTTP/2 101 x\r\n\r\n", "begins with");
    row("HTTP/1.0", upgrade().replace("HTTP/1.1", "HTTP/1.0"), "HTTP/1.0");
    row("no status", "HTTP/1.1 abc\r\n\r\n", "begins with");
    row("no header", upgrade("nonsense\r\n"), "header");
    row("folded header", upgrade("X: a\r\n b\r\n"), "header");
    row("control character", upgrade(QByteArray("X: a\0b\r\n", 8)), "header");
    row("no Upgrade", upgrade().replace("Upgrade: websocket\r\n", ""), "Upgrade");
    row("another Upgrade", upgrade().replace("websocket", "h2c"), "h2c");
    // One value (RFC 6455 §4.1 item 2), unlike Connection's list.
    for (const char *value : {"websocket, foo", "foo, websocket", "websocket,", ",websocket",
                              "websocket, websocket", "websocket/13", "\"websocket\"", "websockets", ""})
        QTest::addRow("Upgrade: %s", value)
            << upgrade().replace("Upgrade: websocket", QByteArray("Upgrade: ") + value)
            << QStringLiteral("Upgrade");
    row("Upgrade twice", upgrade("Upgrade: websocket\r\n"), "Upgrade");
    row("Upgrade twice, one empty", upgrade("Upgrade:\r\n"), "Upgrade");
    row("Connection names it within a word", upgrade().replace("Connection: Upgrade", "Connection: upgrades"),
        "Connection");
    row("no Connection", upgrade().replace("Connection: Upgrade\r\n", ""), "Connection");
    row("no Accept", upgrade().replace("Sec-WebSocket-Accept", "X-Accept"), "Sec-WebSocket-Accept");
    row("wrong Accept", upgrade().replace(Accept, "bm9uc2Vuc2U="), "Sec-WebSocket-Accept");
    row("Accept twice", upgrade("Sec-WebSocket-Accept: " + Accept + "\r\n"), "Sec-WebSocket-Accept");
    row("subprotocol unasked", upgrade("Sec-WebSocket-Protocol: v3\r\n"), "v3");
    row("subprotocol in another case", upgrade("Sec-WebSocket-Protocol: V1\r\n"), "V1");
    row("two subprotocols", upgrade("Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: v2\r\n"), "v1");
    row("extension unasked", upgrade("Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n"), "x-webkit");
    row("deflate twice", upgrade("Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n"),
        "deflate");
    row("unknown parameter", upgrade("Sec-WebSocket-Extensions: permessage-deflate; foo\r\n"), "foo");
}

// Rule: C9
void TestHandshake::invalid()
{
    QFETCH(const QByteArray, answer);
    QFETCH(const QString, word);
    ClientHandshake client = handshake();
    QCOMPARE(read(client, answer), Outcome::Invalid);
    QVERIFY2(client.problem().contains(word), qPrintable(client.problem()));

    if (answer.contains("permessage-deflate")) {
        ClientHandshake without = handshake(false);
        QCOMPARE(read(without, answer), Outcome::Invalid);
    }
}

void TestHandshake::a7_whatTheServerSaysIsShown_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<QString>("shown");
    const auto row = [](const char *name, const QByteArray &answer, const char *shown) {
        QTest::newRow(name) << answer << QString::fromUtf8(shown);
    };
    const QByteArray token = "SECRET-TOKEN-0123456789";
    row("a phrase", "HTTP/1.1 401 no " + token + "\x1b[2J\r\nContent-Length: 0\r\n\r\n",
        "401 no [token]\\u001b[2J.");
    row("a body",
        "HTTP/1.1 403 No\r\nContent-Length: 46\r\n\r\n{\"token\":\"" + token + "\"}\x9b\n\nok \xe2\x80\xae",
        "(it says: {\"token\":\"[token]\"}\ufffd ok \\u202e)");
    row("a body, cut", "HTTP/1.1 403 No\r\nContent-Length: 12\r\n\r\n" + token.left(12),
        "(it says: [token])");
    row("a place", "HTTP/1.1 302 x\r\nLocation: /login/" + token + "\r\n\r\n",
        "host:1234/login/[token] (302)");
    row("a subprotocol", upgrade("Sec-WebSocket-Protocol: " + token + "\r\n"), "\"[token]\"");
    row("an extension", upgrade("Sec-WebSocket-Extensions: x-" + token + "\r\n"), "x-[token]");
    row("a parameter", upgrade("Sec-WebSocket-Extensions: permessage-deflate; x=" + token + "\r\n"),
        "x=[token]");
    row("an upgrade", "HTTP/1.1 101 x\r\nUpgrade: " + token + "\r\n\r\n", "says \"[token]\"");
    row("no header", "HTTP/1.1 200 x\r\n" + token + "\r\n\r\n", "none: [token]");
    row("no HTTP", "SSH-2.0 " + token + "\r\n", "said: SSH-2.0 [token]");
    row("no status", "HTTP/1.1 " + token + "\r\n\r\n", "with: HTTP/1.1 [token]");
}

void TestHandshake::a7_whatTheServerSaysIsShown()
{
    QFETCH(const QByteArray, answer);
    QFETCH(const QString, shown);
    ClientHandshake::Request request;
    request.url = QUrl(QStringLiteral("ws://host:1234/a"));
    request.protocols = {QStringLiteral("v1")};
    request.offerDeflate = true;
    request.key = Key;
    request.secrets = {QStringLiteral("SECRET-TOKEN-0123456789")};
    ClientHandshake client(request);
    if (read(client, answer) == Outcome::Unfinished)
        (void)client.finish();
    QVERIFY2(client.problem().contains(shown), qPrintable(client.problem()));
    QVERIFY2(!client.problem().contains(QStringLiteral("SECRET")), qPrintable(client.problem()));
}

void TestHandshake::refused_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("advice");
    QTest::newRow("401") << 401 << QStringLiteral("credentials");
    QTest::newRow("403") << 403 << QStringLiteral("origin");
    QTest::newRow("404") << 404 << QStringLiteral("path");
    QTest::newRow("426") << 426 << QStringLiteral("version");
    QTest::newRow("429") << 429 << QStringLiteral("too many");
    QTest::newRow("503") << 503 << QStringLiteral("overloaded");
    QTest::newRow("500") << 500 << QStringLiteral("failed at the server");
    QTest::newRow("200") << 200 << QStringLiteral("Check the URL");
}

void TestHandshake::refused()
{
    QFETCH(const int, status);
    QFETCH(const QString, advice);
    ClientHandshake client = handshake();
    const QByteArray head =
        "HTTP/1.1 " + QByteArray::number(status) + " Some Words\r\nContent-Length: 9\r\n\r\n";
    QCOMPARE(read(client, head), Outcome::Unfinished);
    QVERIFY(client.isReadingBody());
    QCOMPARE(read(client, "not "), Outcome::Unfinished);
    QCOMPARE(read(client, "today"), Outcome::Refused);
    QCOMPARE(client.status(), status);
    QVERIFY(client.problem().startsWith(QString::number(status) +
                                        QStringLiteral(" Some Words (it says: not today)")));
    QVERIFY2(client.problem().contains(advice), qPrintable(client.problem()));
}

void TestHandshake::headersWithoutEndAreBounded()
{
    ClientHandshake client = handshake();
    Outcome outcome = read(client, "HTTP/1.1 101 x\r\n");
    int lines = 0;
    for (; outcome == Outcome::Unfinished && lines < 100'000; ++lines)
        outcome = read(client, "X-Endless: header\r\n");
    QCOMPARE(outcome, Outcome::Invalid);
    QVERIFY(lines < 1000);
    QVERIFY(client.problem().contains(QStringLiteral("16 KiB")));
}

void TestHandshake::bodiesWithoutEndAreBounded()
{
    ClientHandshake client = handshake();
    Outcome outcome = read(client, "HTTP/1.1 500 x\r\n\r\n");
    int pieces = 0;
    for (; outcome == Outcome::Unfinished && pieces < 100'000; ++pieces)
        outcome = read(client, "no end ");
    QCOMPARE(outcome, Outcome::Refused);
    QVERIFY(pieces < 1000);
    QVERIFY(client.problem().size() < 400);
}

void TestHandshake::retryAfter_data()
{
    QTest::addColumn<QByteArray>("headers");
    QTest::addColumn<int>("seconds");
    QTest::newRow("none") << QByteArray() << 0;
    QTest::newRow("seconds") << QByteArray("Retry-After: 120\r\n") << 120;
    QTest::newRow("negative") << QByteArray("Retry-After: -1\r\n") << 0;
    QTest::newRow("huge") << QByteArray("Retry-After: 99999999999\r\n") << 86400;
    QTest::newRow("more than 64 bits") << QByteArray("Retry-After: 99999999999999999999\r\n") << 86400;
    QTest::newRow("twice") << QByteArray("Retry-After: 120\r\nRetry-After: 60\r\n") << 120;
    QTest::newRow("RFC 850's date") << QByteArray("Date: Wednesday, 21-Oct-15 07:28:00 GMT\r\n"
                                                  "Retry-After: Wednesday, 21-Oct-15 07:29:30 GMT\r\n")
                                    << 90;
    QTest::newRow("in the last century") << QByteArray("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n") << 0;
    QTest::newRow("asctime's date")
        << QByteArray("Date: Wed Oct  7 07:28:00 2015\r\nRetry-After: Wed Oct  7 07:29:30 2015\r\n") << 90;
    QTest::newRow("nonsense") << QByteArray("Retry-After: soon\r\n") << 0;
    QTest::newRow("a date, by the server's clock")
        << QByteArray("Date: Wed, 21 Oct 2015 07:28:00 GMT\r\nRetry-After: Wed, 21 Oct 2015 07:29:30 GMT\r\n")
        << 90;
    QTest::newRow("a date that has passed")
        << QByteArray("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n") << 0;
    QTest::newRow("a date without a time")
        << QByteArray("Date: Wed, 21 Oct 2015 GMT\r\nRetry-After: Wed, 21 Oct 2015 07:29:30 GMT\r\n") << 0;
}

void TestHandshake::retryAfter()
{
    QFETCH(const QByteArray, headers);
    QFETCH(const int, seconds);
    ClientHandshake client = handshake();
    QCOMPARE(read(client, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n" + headers + "\r\n"), Outcome::Refused);
    QCOMPARE(client.retryAfter(), std::chrono::seconds(seconds));
}

// The hour that local clocks skip in spring is an hour like any other in UTC.
void TestHandshake::retryAfterInTheHourThatIsSkipped()
{
    const QByteArray zone = qgetenv("TZ");
    const auto restore = qScopeGuard([&] { zone.isEmpty() ? qunsetenv("TZ") : qputenv("TZ", zone); });
    qputenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3");
    for (const QByteArray &dates :
         {QByteArray("Date: Sun, 29 Mar 2026 01:59:30 GMT\r\nRetry-After: Sun, 29 Mar 2026 02:01:00 GMT\r\n"),
          QByteArray("Date: Sun Mar 29 02:59:30 2026\r\nRetry-After: Sun Mar 29 03:01:00 2026\r\n")}) {
        ClientHandshake client = handshake();
        QCOMPARE(read(client, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n" + dates + "\r\n"),
                 Outcome::Refused);
        QCOMPARE(client.retryAfter(), 90s);
    }
}

void TestHandshake::redirects()
{
    for (const QByteArray &location :
         {QByteArray("/new?key=secret"), QByteArray("http://host:1234/new?key=secret")}) {
        ClientHandshake client = handshake();
        QCOMPARE(read(client, "HTTP/1.1 308 Moved\r\nLocation: " + location + "\r\n\r\n"),
                 Outcome::Redirected);
        QCOMPARE(client.location().path(), QStringLiteral("/new"));
        QCOMPARE(client.location().port(), 1234);
        QVERIFY(client.problem().contains(QStringLiteral("host:1234/new")));
        QVERIFY(!client.problem().contains(QStringLiteral("secret"))); // rule A7
    }
    ClientHandshake without = handshake();
    QCOMPARE(read(without, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), Outcome::Refused);
    ClientHandshake toNowhere = handshake();
    QCOMPARE(read(toNowhere, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation:\r\n\r\n"),
             Outcome::Refused);
    ClientHandshake far = handshake();
    QCOMPARE(read(far, "HTTP/1.1 302 Found\r\nLocation: /" + QByteArray(9000, 'x') + "\r\n\r\n"),
             Outcome::Redirected);
    QVERIFY(far.problem().size() < 400);
    QCOMPARE(far.location().path().size(), 9001);
}

void TestHandshake::interimAnswersAreBounded()
{
    const QByteArray interim("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    ClientHandshake patient = handshake();
    QCOMPARE(read(patient, interim.repeated(8)), Outcome::Unfinished);
    QCOMPARE(read(patient, interim), Outcome::Invalid);
    QVERIFY(patient.problem().contains(QStringLiteral("103")));
}

void TestHandshake::whatCameBeforeTheEnd()
{
    ClientHandshake silent = handshake();
    QCOMPARE(silent.finish(), Outcome::Invalid);
    QVERIFY(silent.problem().contains(QStringLiteral("without an answer")));

    ClientHandshake half = handshake();
    QCOMPARE(read(half, "HTTP/1.1 101 Sw"), Outcome::Unfinished);
    QCOMPARE(half.finish(), Outcome::Invalid);

    ClientHandshake chunked = handshake();
    QCOMPARE(read(chunked, "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nbecause\r\n"),
             Outcome::Unfinished);
    QCOMPARE(chunked.finish(), Outcome::Refused);
    QVERIFY2(chunked.problem().contains(QStringLiteral("(it says: because)")), qPrintable(chunked.problem()));
}

QTEST_APPLESS_MAIN(TestHandshake)
#include "tst_handshake.moc"
