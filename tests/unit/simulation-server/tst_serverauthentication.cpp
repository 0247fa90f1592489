// SPDX-License-Identifier: MIT
#include "jsonwebtoken.h"
#include "serverfixture.h"
#include "testclient.h"

#include <QDateTime>
#include <QSignalSpy>
#include <QTest>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

class TestServerAuthentication : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void refusesToStart();
    void success();
    void silentClientIsClosed();
    void firstMessageMustBeAuth_data();
    void firstMessageMustBeAuth();
    void wrongToken_data();
    void wrongToken();
    void unknownScenario();
    void unknownRole();
    void invalidSessionId();
    void sessionOfSomebodyElse();
    void openingLineOnce();
    void sessionsAreLimited();
    void connectionsAreLimited();
};

void TestServerAuthentication::refusesToStart()
{
    ServerOptions options = quickOptions();
    options.secret.chop(1);
    SimulationServer weak(options);
    QVERIFY(!weak.listen());
    QVERIFY2(weak.errorString().contains(u"32 bytes"_s), qPrintable(weak.errorString()));

    options = quickOptions();
    options.scenarios.problems = QStringList{u"x.json: broken"_s};
    SimulationServer empty(options);
    QVERIFY(!empty.listen());
    QVERIFY2(empty.errorString().contains(u"scenario"_s), qPrintable(empty.errorString()));

    const auto first = startServer(quickOptions());
    QVERIFY(first);
    options = quickOptions();
    options.port = quint16(first->url().port());
    SimulationServer second(options);
    QVERIFY(!second.listen());
    QVERIFY(!second.errorString().isEmpty());
}

void TestServerAuthentication::success()
{
    const auto server = startServer(quickOptions());
    QVERIFY(server);
    QSignalSpy authenticated(server.get(), &SimulationServer::clientAuthenticated);
    TestClient client;
    client.start(server->streamUrl(u"sess_1"_s), server->token(u"ann"_s));
    QTRY_COMPARE(client.count(u"auth_success"_s), 1);
    const QJsonObject answer = client.messages.first();
    QCOMPARE(answer.keys(), (QStringList{u"session_id"_s, u"timestamp"_s, u"type"_s, u"user_id"_s}));
    QCOMPARE(answer.value(u"session_id"_s).toString(), u"sess_1"_s);
    QCOMPARE(answer.value(u"user_id"_s).toString(), u"ann"_s);
    const QDateTime time = QDateTime::fromString(answer.value(u"timestamp"_s).toString(), Qt::ISODateWithMs);
    QVERIFY(qAbs(time.secsTo(QDateTime::currentDateTimeUtc())) < 60);
    QCOMPARE(authenticated.size(), 1);
    QCOMPARE(authenticated.first(), (QVariantList{u"sess_1"_s, u"ann"_s}));

    client.close();
    QTRY_COMPARE(server->connectionCount(), 0);
    QCOMPARE(server->sessionCount(), 1);
}

void TestServerAuthentication::silentClientIsClosed()
{
    ServerOptions options = quickOptions();
    options.authTimeout = 50ms;
    const auto server = startServer(options);
    QVERIFY(server);
    TestClient client;
    client.open(server->url());
    QTRY_VERIFY(client.ended);
    QCOMPARE(int(client.closeCode()), 4002);
    QCOMPARE(client.closeReason(), u"Authentication timeout"_s);
}

void TestServerAuthentication::firstMessageMustBeAuth_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QByteArray>("binary");
    QTest::newRow("ping") << u"{\"type\":\"ping\"}"_s << QByteArray();
    QTest::newRow("no JSON") << u"hello"_s << QByteArray();
    QTest::newRow("binary") << QString() << QByteArray("hello");
}

void TestServerAuthentication::firstMessageMustBeAuth()
{
    QFETCH(QString, text);
    QFETCH(QByteArray, binary);
    const auto server = startServer(quickOptions());
    QVERIFY(server);
    TestClient client;
    connect(&client, &QWebSocket::connected, &client, [&] {
        if (binary.isEmpty())
            client.sendTextMessage(text);
        else
            client.sendBinaryMessage(binary);
    });
    client.open(server->url());
    QTRY_VERIFY(client.ended);
    QCOMPARE(int(client.closeCode()), 4001);
    QVERIFY(client.messages.isEmpty());
}

void TestServerAuthentication::wrongToken_data()
{
    QTest::addColumn<QString>("token");
    QTest::addColumn<AuthErrorForm>("form");
    QTest::addColumn<QJsonObject>("expected");
    const QByteArray secret = quickOptions().secret;
    const qint64 now = QDateTime::currentSecsSinceEpoch();
    const auto signedBy = [now](const QByteArray &key, qint64 ttl) {
        return QString::fromLatin1(issueToken(demoClaims(u"ann"_s, now, ttl), key));
    };
    const QJsonObject plain{{u"type"_s, u"auth_error"_s}, {u"error"_s, u"Invalid token"_s}};
    const auto payload = [](const QString &error) {
        return QJsonObject{{u"type"_s, u"error"_s},
                           {u"payload"_s, QJsonObject{{u"error"_s, error}, {u"code"_s, u"auth_failed"_s}}}};
    };
    const QString forged = signedBy(QByteArray(32, 'x'), 60);
    const QString withoutUser = QString::fromLatin1(issueToken({}, secret));
    QTest::newRow("forged") << forged << AuthErrorForm::AuthError << plain;
    QTest::newRow("expired") << signedBy(secret, -1) << AuthErrorForm::AuthError << plain;
    QTest::newRow("empty") << QString() << AuthErrorForm::AuthError << plain;
    QTest::newRow("without sub") << withoutUser << AuthErrorForm::AuthError << plain;
    QTest::newRow("forged, payload") << forged << AuthErrorForm::Payload << payload(u"invalid token"_s);
    QTest::newRow("expired, payload")
        << signedBy(secret, -1) << AuthErrorForm::Payload << payload(u"token expired"_s);
}

void TestServerAuthentication::wrongToken()
{
    QFETCH(QString, token);
    QFETCH(AuthErrorForm, form);
    QFETCH(QJsonObject, expected);
    ServerOptions options = quickOptions();
    options.authErrorForm = form;
    const auto server = startServer(options);
    QVERIFY(server);
    TestClient client;
    client.start(server->url(), token);
    QTRY_VERIFY(client.ended);
    QCOMPARE(client.messages.size(), 1);
    QJsonObject answer = client.messages.first();
    QCOMPARE(answer.contains(u"timestamp"_s), form == AuthErrorForm::Payload);
    answer.remove(u"timestamp"_s);
    QCOMPARE(answer, expected);
    QCOMPARE(int(client.closeCode()), 4001);
    QCOMPARE(client.closeReason(), u"Authentication failed"_s);
    QCOMPARE(server->sessionCount(), 0);
}

void TestServerAuthentication::unknownScenario()
{
    const auto server = startServer(quickOptions());
    QVERIFY(server);
    TestClient client;
    client.start(server->streamUrl(u"s"_s, u"moon-landing"_s), server->token());
    QTRY_VERIFY(client.ended);
    QCOMPARE(int(client.closeCode()), 1008);
    QCOMPARE(client.errorText(),
             u"unknown scenario; use one of: clinical-consultation, feature-demo, objection-handling"_s);
}

void TestServerAuthentication::unknownRole()
{
    const auto server = startServer(quickOptions());
    QVERIFY(server);
    TestClient client;
    client.start(server->streamUrl(u"s"_s, u"feature-demo"_s, u"pilot"_s), server->token());
    QTRY_COMPARE(client.errorText(),
                 u"unknown role, operations-lead plays instead; use one of: operations-lead, it-manager"_s);
    client.sendJson({{u"type"_s, u"ping"_s}});
    QTRY_COMPARE(client.count(u"pong"_s), 1);
}

void TestServerAuthentication::invalidSessionId()
{
    const auto server = startServer(quickOptions());
    QVERIFY(server);
    TestClient client;
    QUrl url = server->url();
    url.setPath(u"/api/v1/simulations/..%2F..%2Fetc/stream"_s, QUrl::StrictMode);
    client.start(url, server->token());
    QTRY_VERIFY(client.ended);
    QCOMPARE(int(client.closeCode()), 1008);
    QVERIFY2(client.errorText().contains(u"session_id"_s), qPrintable(client.errorText()));
    QCOMPARE(server->sessionCount(), 0);
}

void TestServerAuthentication::sessionOfSomebodyElse()
{
    const auto server = startServer(quickOptions());
    QVERIFY(server);
    TestClient owner;
    owner.start(server->streamUrl(u"mine"_s), server->token(u"ann"_s));
    QTRY_COMPARE(owner.count(u"auth_success"_s), 1);
    TestClient stranger;
    stranger.start(server->streamUrl(u"mine"_s), server->token(u"bob"_s));
    QTRY_VERIFY(stranger.ended);
    QCOMPARE(int(stranger.closeCode()), 1008);
    QVERIFY2(stranger.errorText().contains(u"somebody else"_s), qPrintable(stranger.errorText()));
    QVERIFY(!owner.ended);
}

void TestServerAuthentication::openingLineOnce()
{
    const auto server = startServer(quickOptions());
    QVERIFY(server);
    const QUrl url = server->streamUrl(u"s"_s, u"objection-handling"_s, u"founder"_s);
    TestClient first;
    first.start(url, server->token());
    QTRY_COMPARE(first.statusCount(u"listening"_s), 1);
    QVERIFY2(first.reply().startsWith(u"Tom here."_s), qPrintable(first.reply()));

    TestClient again;
    again.start(url, server->token());
    QTRY_COMPARE(again.count(u"auth_success"_s), 1);
    TestClient elsewhere;
    elsewhere.start(server->url(), server->token());
    QTRY_COMPARE(elsewhere.count(u"auth_success"_s), 1);
    for (TestClient *client : {&again, &elsewhere}) {
        client->sendJson({{u"type"_s, u"ping"_s}});
        QTRY_COMPARE(client->count(u"pong"_s), 1);
        QCOMPARE(client->messages.size(), 2); // auth_success and pong
    }
}

void TestServerAuthentication::sessionsAreLimited()
{
    ServerOptions options = quickOptions();
    options.maxSessions = 1;
    const auto server = startServer(options);
    QVERIFY(server);
    TestClient first;
    first.start(server->streamUrl(u"a"_s), server->token());
    QTRY_COMPARE(first.count(u"auth_success"_s), 1);

    TestClient refused;
    refused.start(server->streamUrl(u"b"_s), server->token());
    QTRY_VERIFY(refused.ended);
    QCOMPARE(int(refused.closeCode()), 1011);

    first.close();
    QTRY_COMPARE(server->connectionCount(), 0);
    TestClient second;
    second.start(server->streamUrl(u"b"_s), server->token());
    QTRY_COMPARE(second.statusCount(u"listening"_s), 1); // the session that was left made room
    QCOMPARE(server->sessionCount(), 1);
}

void TestServerAuthentication::connectionsAreLimited()
{
    ServerOptions options = quickOptions();
    options.maxConnections = 1;
    const auto server = startServer(options);
    QVERIFY(server);
    TestClient first;
    first.start(server->url(), server->token());
    QTRY_COMPARE(first.count(u"auth_success"_s), 1);
    TestClient second;
    second.open(server->url());
    QTRY_VERIFY(second.ended);
    QCOMPARE(int(second.closeCode()), 1011);
    QCOMPARE(second.closeReason(), u"Too many connections"_s);
    QVERIFY(!first.ended);
}

QTEST_GUILESS_MAIN(TestServerAuthentication)
#include "tst_serverauthentication.moc"
