// SPDX-License-Identifier: MIT
#include "jsonwebtoken.h"

#include <QCryptographicHash>
#include <QMessageAuthenticationCode>
#include <QTest>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;
using Status = TokenCheck::Status;

namespace {

const QByteArray secret(32, 's');
constexpr qint64 now = 1700000000;

QByteArray base64Url(const QByteArray &data)
{
    return data.toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals);
}

// A token with any header, properly signed: what is wrong with it is the header alone.
QByteArray signedWithHeader(const QByteArray &header)
{
    const QByteArray part = base64Url(header) + '.' + base64Url("{\"sub\":\"ann\"}");
    const QByteArray mac = QMessageAuthenticationCode::hash(part, secret, QCryptographicHash::Sha256);
    return part + '.' + base64Url(mac);
}

} // namespace

class TestJsonWebToken : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void rfc7515ExampleA1();
    void roundTrip();
    void times_data();
    void times();
    void refused_data();
    void refused();
    void everyTamperedCharacterIsNoticed();
};

void TestJsonWebToken::rfc7515ExampleA1()
{
    const QByteArray key = QByteArray::fromBase64(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        QByteArray::Base64UrlEncoding);
    const QByteArray token =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const TokenCheck check = verifyToken(token, key, 1300819379);
    QVERIFY2(check.isValid(), qPrintable(check.error));
    QCOMPARE(check.claims.value(u"iss"_s).toString(), u"joe"_s);
    QCOMPARE(verifyToken(token, key, 1300819380).status, Status::Expired);
}

void TestJsonWebToken::roundTrip()
{
    const QByteArray token = issueToken(demoClaims(u"Zoë"_s, now, 60), secret);
    const TokenCheck check = verifyToken(token, secret, now);
    QVERIFY2(check.isValid(), qPrintable(check.error));
    QCOMPARE(check.claims.value(u"sub"_s).toString(), u"Zoë"_s);
    QCOMPARE(check.claims.value(u"exp"_s).toInteger(), now + 60);
}

void TestJsonWebToken::times_data()
{
    QTest::addColumn<QJsonObject>("claims");
    QTest::addColumn<Status>("expected");
    QTest::newRow("valid for ever") << QJsonObject{} << Status::Malformed;
    QTest::newRow("one second left") << QJsonObject{{u"exp"_s, now + 1}} << Status::Valid;
    QTest::newRow("expires now") << QJsonObject{{u"exp"_s, now}} << Status::Expired;
    QTest::newRow("valid from now") << QJsonObject{{u"exp"_s, now + 60}, {u"nbf"_s, now}} << Status::Valid;
    QTest::newRow("valid in a second")
        << QJsonObject{{u"exp"_s, now + 60}, {u"nbf"_s, now + 1}} << Status::NotYetValid;
    QTest::newRow("exp as text") << QJsonObject{{u"exp"_s, u"tomorrow"_s}} << Status::Malformed;
    QTest::newRow("exp null") << QJsonObject{{u"exp"_s, QJsonValue::Null}} << Status::Malformed;
    QTest::newRow("nbf as text") << QJsonObject{{u"nbf"_s, u"0"_s}} << Status::Malformed;
}

void TestJsonWebToken::times()
{
    QFETCH(QJsonObject, claims);
    QFETCH(Status, expected);
    const TokenCheck check = verifyToken(issueToken(claims, secret), secret, now);
    QCOMPARE(check.status, expected);
    QCOMPARE(check.error.isEmpty(), expected == Status::Valid);
}

void TestJsonWebToken::refused_data()
{
    QTest::addColumn<QByteArray>("token");
    QTest::addColumn<Status>("expected");
    QTest::addColumn<QString>("errorPart");
    const QByteArray good = issueToken({{u"sub"_s, u"ann"_s}}, secret);
    const QList<QByteArray> parts = good.split('.');
    const QByteArray none = base64Url("{\"alg\":\"none\"}") + '.' + parts[1] + '.';

    QTest::newRow("empty") << QByteArray() << Status::Malformed << u"three parts"_s;
    QTest::newRow("two parts") << QByteArray("a.b") << Status::Malformed << u"three parts"_s;
    QTest::newRow("four parts") << good + ".x" << Status::Malformed << u"three parts"_s;
    QTest::newRow("header is no base64")
        << "!!." + parts[1] + '.' + parts[2] << Status::Malformed << u"header"_s;
    QTest::newRow("header is no JSON")
        << base64Url("hello") + '.' + parts[1] + '.' + parts[2] << Status::Malformed << u"header"_s;
    QTest::newRow("padded signature") << good + '=' << Status::Malformed << u"signature"_s;
    QTest::newRow("too long") << QByteArray(maximumTokenBytes + 1, 'a') << Status::Malformed << u"longer"_s;
    QTest::newRow("none, unsigned") << none << Status::UnsupportedAlgorithm << u"HS256"_s;
    QTest::newRow("none, signed") << signedWithHeader("{\"alg\":\"none\"}") << Status::UnsupportedAlgorithm
                                  << u"HS256"_s;
    QTest::newRow("None") << signedWithHeader("{\"alg\":\"None\"}") << Status::UnsupportedAlgorithm
                          << u"HS256"_s;
    QTest::newRow("RS256") << signedWithHeader("{\"alg\":\"RS256\"}") << Status::UnsupportedAlgorithm
                           << u"HS256"_s;
    QTest::newRow("HS512") << signedWithHeader("{\"alg\":\"HS512\"}") << Status::UnsupportedAlgorithm
                           << u"HS256"_s;
    QTest::newRow("no alg") << signedWithHeader("{\"typ\":\"JWT\"}") << Status::UnsupportedAlgorithm
                            << u"HS256"_s;
    QTest::newRow("crit") << signedWithHeader("{\"alg\":\"HS256\",\"crit\":[\"b64\"]}") << Status::Malformed
                          << u"extensions"_s;
    QTest::newRow("other secret") << issueToken({{u"sub"_s, u"ann"_s}}, QByteArray(32, 'x'))
                                  << Status::BadSignature << u"signature"_s;
    QTest::newRow("no signature") << parts[0] + '.' + parts[1] + '.' << Status::BadSignature
                                  << u"signature"_s;
    QTest::newRow("short signature") << good.chopped(2) << Status::Malformed << u"signature"_s;
}

void TestJsonWebToken::refused()
{
    QFETCH(QByteArray, token);
    QFETCH(Status, expected);
    QFETCH(QString, errorPart);
    const TokenCheck check = verifyToken(token, secret, now);
    QCOMPARE(check.status, expected);
    QVERIFY2(check.error.contains(errorPart), qPrintable(check.error));
    QVERIFY(check.claims.isEmpty());
}

void TestJsonWebToken::everyTamperedCharacterIsNoticed()
{
    const QByteArray good = issueToken(demoClaims(u"ann"_s, now, 60), secret);
    QVERIFY(verifyToken(good, secret, now).isValid());
    for (qsizetype i = 0; i < good.size(); ++i) {
        QByteArray tampered = good;
        tampered[i] = good[i] == 'A' ? 'B' : 'A';
        QVERIFY2(!verifyToken(tampered, secret, now).isValid(), qPrintable(u"character %1"_s.arg(i)));
    }
}

QTEST_APPLESS_MAIN(TestJsonWebToken)
#include "tst_jsonwebtoken.moc"
