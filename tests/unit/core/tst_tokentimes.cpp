// SPDX-License-Identifier: MIT
#include "core/tokentimes.h"

#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

QString jwt(const QByteArray &claims)
{
    return u"eyJhbGciOiJIUzI1NiJ9."_s +
           QString::fromLatin1(
               claims.toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals)) +
           u".c2lnbmF0dXJl"_s;
}

} // namespace

class TestTokenTimes : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void reads();
    void saysWhose();
    void saysNothingOfWhatIsNoJwt_data();
    void saysNothingOfWhatIsNoJwt();
    void left_data();
    void left();
};

void TestTokenTimes::reads()
{
    const TokenTimes times = tokenTimes(jwt(R"({"sub":"ü?>","iat":1700000000,"exp":1700003600.5})"));
    QCOMPARE(times.issuedAt.value_or(0), 1'700'000'000'000);
    QCOMPARE(times.expiresAt.value_or(0), 1'700'003'600'500);
}

void TestTokenTimes::saysWhose()
{
    QCOMPARE(tokenSubject(jwt(R"({"sub":"ü?>"})")), u"ü?>"_s);
    QCOMPARE(tokenSubject(jwt(R"({"sub":1700000000000})")), u"1700000000000"_s);
    QCOMPARE(tokenSubject(jwt(R"({"exp":1})")), QString());
    QCOMPARE(tokenSubject(u"a-session-cookie"_s), QString());
}

void TestTokenTimes::saysNothingOfWhatIsNoJwt_data()
{
    QTest::addColumn<QString>("token");
    QTest::newRow("empty") << QString();
    QTest::newRow("opaque") << u"a-session-cookie"_s;
    QTest::newRow("dots") << u"..."_s;
    QTest::newRow("two parts") << u"a.b"_s;
    QTest::newRow("not base64") << u"a.§§§§.c"_s;
    QTest::newRow("not JSON") << jwt("exp=5");
    QTest::newRow("no object") << jwt("[1700000000]");
    QTest::newRow("no claims") << jwt("{}");
    QTest::newRow("words") << jwt(R"({"exp":"tomorrow","iat":null})");
    QTest::newRow("negative") << jwt(R"({"exp":-5,"iat":-1})");
    QTest::newRow("beyond time") << jwt(R"({"exp":1e300,"iat":1e18})");
    QTest::newRow("a megabyte") << QString(1'000'000, u'x');
}

void TestTokenTimes::saysNothingOfWhatIsNoJwt()
{
    QFETCH(QString, token);
    QVERIFY(!tokenTimes(token).expiresAt);
    QVERIFY(!tokenTimes(token).issuedAt);
    QVERIFY(!timeLeft(tokenTimes(token), 0));
}

void TestTokenTimes::left_data()
{
    using Time = std::optional<qint64>;
    QTest::addColumn<Time>("issuedAt");
    QTest::addColumn<Time>("expiresAt");
    QTest::addColumn<qint64>("expected"); // -1: unknown
    QTest::newRow("no end") << Time(1000) << Time() << qint64(-1);
    QTest::newRow("an hour") << Time() << Time(3'601'000) << qint64(3'600'000);
    QTest::newRow("issued in our future") << Time(5000) << Time(9000) << qint64(8000);
    QTest::newRow("expired by our clock") << Time(100) << Time(900) << qint64(800);
    QTest::newRow("expired, of unknown life") << Time() << Time(900) << qint64(-1);
    QTest::newRow("expired before it was issued") << Time(900) << Time(800) << qint64(-1);
}

void TestTokenTimes::left()
{
    QFETCH(std::optional<qint64>, issuedAt);
    QFETCH(std::optional<qint64>, expiresAt);
    QFETCH(qint64, expected);
    QCOMPARE(qint64(timeLeft({issuedAt, expiresAt}, 1000).value_or(-1ms).count()), expected);
}

QTEST_GUILESS_MAIN(TestTokenTimes)
#include "tst_tokentimes.moc"
