// SPDX-License-Identifier: MIT
//
// Against the guide's own backend: npm's ws and jsonwebtoken (tests/peers/guide-server.mjs).
#include <Everwire/FunctionTokenProvider>
#include <Everwire/WebSocketProvider>

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QMessageAuthenticationCode>
#include <QProcess>
#include <QSignalSpy>
#include <QTest>

using namespace Everwire;
using namespace std::chrono_literals;

namespace {

QString s(const char *text)
{
    return QString::fromUtf8(text);
}

const QByteArray secret("a secret of at least thirty-two bytes");

QByteArray base64Url(const QByteArray &bytes)
{
    return bytes.toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals);
}

QString jwt(const QString &user, std::chrono::seconds life, const QByteArray &key = secret)
{
    const QJsonObject claims{{s("sub"), user}, {s("exp"), QDateTime::currentSecsSinceEpoch() + life.count()}};
    const QByteArray head = base64Url(R"({"alg":"HS256","typ":"JWT"})") + '.' +
                            base64Url(QJsonDocument(claims).toJson(QJsonDocument::Compact));
    return QString::fromLatin1(
        head + '.' + base64Url(QMessageAuthenticationCode::hash(head, key, QCryptographicHash::Sha256)));
}

} // namespace

class tst_Guide : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void a1_a5_aRealJwtIsAccepted();
    void a3_anExpiredJwtIsRefusedAndAFreshOneTried();
    void q4_whatIsSentDuringAuthArrivesBehindIt();
    void m1_echoedUnicodeIsUnchanged();
    void r6_r8_theServersEndingsAreTold();
    void q6_largeTextsAndBinariesArrive();

private:
    [[nodiscard]] QList<QJsonObject> events(const char *name) const;

    std::unique_ptr<QProcess> process;
    std::unique_ptr<WebSocketProvider> provider;
    Connection *connection = nullptr;
    QByteArray printed;
};

void tst_Guide::init()
{
    process = std::make_unique<QProcess>();
    printed.clear();
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(s("EVERWIRE_JWT_SECRET"), QString::fromLatin1(secret));
    process->setProcessEnvironment(environment);
    process->setProcessChannelMode(QProcess::ForwardedErrorChannel);
    connect(process.get(), &QProcess::readyReadStandardOutput, this,
            [this] { printed += process->readAllStandardOutput(); });
    process->start(s("node"), {qEnvironmentVariable("EVERWIRE_GUIDE_SERVER")});
    QVERIFY2(process->waitForStarted(), "node is needed; scripts/setup --tests installs it");
    QTRY_VERIFY_WITH_TIMEOUT(printed.contains('\n'), 20000);
    const QByteArray first = printed.left(printed.indexOf('\n'));
    QVERIFY2(first.startsWith("listening on ws://"), first.constData());

    provider = std::make_unique<WebSocketProvider>();
    provider->setToken(jwt(s("user_xyz789"), 60s));
    connection = provider->connection(s("simulation"));
    QVERIFY(provider->configure(
        s("simulation"),
        ConnectionConfig().setUrl(QString::fromLatin1(first.mid(13))).setInitialReconnectDelay(10ms)));
}

void tst_Guide::cleanup()
{
    provider.reset();
    process->closeWriteChannel(); // it ends then
    QVERIFY(process->waitForFinished(10000));
    process.reset();
}

QList<QJsonObject> tst_Guide::events(const char *name) const
{
    QList<QJsonObject> found;
    for (const QByteArray &line : printed.split('\n')) {
        const QJsonObject event = QJsonDocument::fromJson(line).object();
        if (event.value(s("event")) == s(name))
            found.append(event);
    }
    return found;
}

void tst_Guide::a1_a5_aRealJwtIsAccepted()
{
    connection->open();
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(connection->sessionInfo().userId(), s("user_xyz789"));
    QVERIFY(!connection->sessionInfo().sessionId().isEmpty());
    QVERIFY(QDateTime::fromString(connection->sessionInfo().timestamp(), Qt::ISODateWithMs).isValid());
    QTRY_COMPARE(events("auth").size(), 1);
    QCOMPARE(events("connection").first().value(s("url")).toString(), s("/")); // a clean URL
    connection->close();
    QTRY_COMPARE(events("close").size(), 1);
    QCOMPARE(events("close").first().value(s("code")).toInt(), 1000);
    QCOMPARE(events("close").first().value(s("reason")).toString(), s("Client disconnect"));
}

void tst_Guide::a3_anExpiredJwtIsRefusedAndAFreshOneTried()
{
    QStringList tokens{jwt(s("u"), -60s), jwt(s("u"), 60s, "another secret of thirty-two bytes!!"),
                       jwt(s("u"), 60s)};
    FunctionTokenProvider source([&tokens]() -> QString { return tokens.takeFirst(); });
    connection->setTokenProvider(&source);
    QSignalSpy refused(connection, &Connection::authenticationError);
    connection->open();
    QTRY_VERIFY(connection->isConnected());
    QCOMPARE(refused.size(), 2);
    QTRY_COMPARE(events("auth").size(), 3);
}

void tst_Guide::q4_whatIsSentDuringAuthArrivesBehindIt()
{
    connection->open();
    QVERIFY(connection->sendJson({{s("type"), s("message1")}}));
    QVERIFY(connection->sendJson({{s("type"), s("message2")}}));
    QVERIFY(connection->send(QByteArray("\0\1\2", 3)));
    QTRY_COMPARE(events("binary").size(), 1);
    QCOMPARE(events("binary").first().value(s("size")).toInt(), 3);
    const QList<QJsonObject> messages = events("message");
    QCOMPARE(messages.size(), 2);
    QCOMPARE(messages[0].value(s("message")).toObject().value(s("type")).toString(), s("message1"));
    QCOMPARE(messages[1].value(s("message")).toObject().value(s("type")).toString(), s("message2"));
}

void tst_Guide::m1_echoedUnicodeIsUnchanged()
{
    const QJsonObject sent{{s("type"), s("echo")},
                           {s("text"), s("Grüße, 世界 😀 \" \\ \n \u0001")},
                           {s("nested"), QJsonArray{1, 2.5, QJsonObject{{s("a"), true}}}}};
    QList<QJsonObject> heard;
    connection->subscribe(s("echo"), this, [&heard](const QJsonObject &object) { heard.append(object); });
    connection->open();
    QVERIFY(connection->sendJson(sent));
    QTRY_COMPARE(heard.size(), 1);
    QCOMPARE(heard.first(), sent);
}

void tst_Guide::r6_r8_theServersEndingsAreTold()
{
    QSignalSpy ended(connection, &Connection::disconnected);
    QSignalSpy connected(connection, &Connection::connected);
    connection->open();
    QTRY_COMPARE(connected.size(), 1);
    QVERIFY(connection->sendJson({{s("type"), s("close")}, {s("code"), 4000}, {s("reason"), s("because")}}));
    QTRY_COMPARE(connected.size(), 2);
    QVERIFY(connection->sendJson({{s("type"), s("terminate")}}));
    QTRY_COMPARE(connected.size(), 3);
    QCOMPARE(ended.size(), 2);
    QCOMPARE(ended[0][0].toInt(), 4000);
    QCOMPARE(ended[0][1].toString(), s("because"));
    QCOMPARE(ended[1][0].toInt(), 1006);
}

void tst_Guide::q6_largeTextsAndBinariesArrive()
{
    connection->open();
    const QString words = s("äöü€😀").repeated(20000);
    QList<QString> heard;
    connection->subscribe(s("echo"), this,
                          [&heard](const QJsonObject &o) { heard.append(o.value(s("text")).toString()); });
    QVERIFY(connection->sendJson({{s("type"), s("echo")}, {s("text"), words}}));
    QVERIFY(connection->send(QByteArray(500 * 1024, 'b')));
    QTRY_COMPARE(heard.size(), 1);
    QCOMPARE(heard.first(), words);
    QTRY_COMPARE(events("binary").size(), 1);
    QCOMPARE(events("binary").first().value(s("size")).toInt(), 500 * 1024);
}

QTEST_GUILESS_MAIN(tst_Guide)
#include "tst_guide.moc"
