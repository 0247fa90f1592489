// SPDX-License-Identifier: MIT
#include "core/timestamp.h"
#include "core/tokentimes.h"

#include <QJsonObject>
#include <QTest>

#include <ctime>

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
    void a5_timesOfServers_data();
    void a5_timesOfServers();
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
    QCOMPARE(tokenSubject(jwt(R"({"sub":9007199254740993})")), u"9007199254740993"_s);
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

void TestTokenTimes::a5_timesOfServers_data()
{
    QTest::addColumn<QJsonValue>("value");
    QTest::addColumn<QDateTime>("time"); // invalid: it is none
    const QDateTime ten({2026, 1, 28}, {10, 0}, Qt::UTC);
    const auto text = [](const char *value, const QDateTime &time) {
        QTest::newRow(value) << QJsonValue(QString::fromUtf8(value)) << time;
    };
    const auto number = [](double value, const QDateTime &time) {
        QTest::newRow(QByteArray::number(value, 'g', 17).constData()) << QJsonValue(value) << time;
    };
    text("2026-01-28T10:00:00.123", ten.addMSecs(123));
    text("2026-01-28T10:00:00.123456", ten.addMSecs(123));
    text("2026-01-28T10:00:00,123456789", ten.addMSecs(123));
    text("2026-01-28T10:00:00.5", ten.addMSecs(500));
    text("2026-01-28T10:00:00", ten);
    text("2026-01-28T10:00", ten);
    text("2026-01-28 10:00:00", ten);
    text("2026-01-28t10:00:00z", ten);
    text("2026-01-28T10:00:00Z", ten);
    text("2026-01-28T10:00:00 Z", ten);
    text("2026-01-28T19:00:00+09:00", ten);
    text("2026-01-28T19:00:00+0900", ten);
    text("2026-01-28T19:00:00+09", ten);
    text("2026-01-28T04:30:00.000-05:30", ten);
    text("2026-01-28 10:00:00 +0000", ten);
    text("2026-01-28", ten.addSecs(-10 * 3600));
    text("2026-01-27T24:00:00", ten.addSecs(-10 * 3600));
    text("2026-03-29T02:30:00", QDateTime({2026, 3, 29}, {2, 30}, Qt::UTC)); // an hour that Berlin has not
    text("2016-12-31T23:59:60Z", QDateTime({2016, 12, 31}, {23, 59, 59}, Qt::UTC));
    text("1769594400", ten);
    text("1769594400000", ten);
    text("1769594400.25", ten.addMSecs(250));
    number(1769594400, ten);
    number(1769594400.25, ten.addMSecs(250));
    number(1769594400000.0, ten);
    number(0, QDateTime({1970, 1, 1}, {0, 0}, Qt::UTC));
    for (const char *none : {"", "yesterday", "2026-13-01T10:00:00", "2026-02-30", "2026-01-28T25:00:00",
                             "2026-01-28T10:60", "2026-01-28T10:00:61", "2026-01-28T10:00:00+99:00",
                             "10:00:00", "2026-01-28T10:00:00.Z", "2026-01-28T10:00:00Zulu", "1e300", "nan"})
        text(none, {});
    number(1e300, {});
    QTest::newRow("null") << QJsonValue() << QDateTime();
    QTest::newRow("an object") << QJsonValue(QJsonObject()) << QDateTime();
    QTest::newRow("a truth") << QJsonValue(true) << QDateTime();
}

// Whatever zone this machine is in.
void TestTokenTimes::a5_timesOfServers()
{
    QFETCH(QJsonValue, value);
    QFETCH(QDateTime, time);
    const QByteArray before = qgetenv("TZ");
    for (const char *zone : {"UTC", "Asia/Tokyo", "Europe/Berlin", "America/St_Johns"}) {
        qputenv("TZ", zone);
        tzset();
        const QDateTime read = Timestamp::fromJson(value);
        QCOMPARE(read.isValid(), time.isValid());
        QCOMPARE(read, time);
        QVERIFY(!read.isValid() || read.timeSpec() == Qt::UTC);
    }
    before.isEmpty() ? qunsetenv("TZ") : qputenv("TZ", before);
    tzset();
}

QTEST_GUILESS_MAIN(TestTokenTimes)
#include "tst_tokentimes.moc"
