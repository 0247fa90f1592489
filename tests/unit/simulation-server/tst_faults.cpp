// SPDX-License-Identifier: MIT
#include "faults.h"
#include "streamurl.h"

#include <QTest>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;
using Kind = Fault::Kind;

class TestFaults : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void messages_data();
    void messages();
    void queries_data();
    void queries();
    void streamUrls();
    void sessionIds_data();
    void sessionIds();
};

void TestFaults::messages_data()
{
    QTest::addColumn<QJsonObject>("message");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<int>("ms");
    QTest::addColumn<int>("code");
    const auto close = [](const QJsonValue &code, const QString &reason) {
        return QJsonObject{{u"kind"_s, u"close"_s}, {u"code"_s, code}, {u"reason"_s, reason}};
    };
    QTest::newRow("drop") << QJsonObject{{u"kind"_s, u"drop"_s}} << Kind::Drop << 0 << 1000;
    QTest::newRow("close") << close(4000, u"x"_s) << Kind::Close << 0 << 4000;
    QTest::newRow("silence") << QJsonObject{{u"kind"_s, u"silence"_s}, {u"ms"_s, 20}} << Kind::Silence << 20
                             << 1000;
    QTest::newRow("silence for good") << QJsonObject{{u"kind"_s, u"silence"_s}} << Kind::Silence << 0 << 1000;
    QTest::newRow("slow") << QJsonObject{{u"kind"_s, u"slow"_s}, {u"ms"_s, 5}} << Kind::Slow << 5 << 1000;
    QTest::newRow("slow as text") << QJsonObject{{u"kind"_s, u"slow"_s}, {u"ms"_s, u"5"_s}} << Kind::None << 0
                                  << 1000;
    QTest::newRow("slow for days") << QJsonObject{{u"kind"_s, u"slow"_s}, {u"ms"_s, 1e9}} << Kind::None << 0
                                   << 1000;
    QTest::newRow("unknown") << QJsonObject{{u"kind"_s, u"explode"_s}} << Kind::None << 0 << 1000;
    QTest::newRow("close without code") << QJsonObject{{u"kind"_s, u"close"_s}} << Kind::None << 0 << 1000;
    QTest::newRow("1006 never travels") << close(1006, {}) << Kind::None << 0 << 1000;
    QTest::newRow("5000") << close(5000, {}) << Kind::None << 0 << 1000;
    QTest::newRow("reason of 123 bytes") << close(4000, QString(123, u'x')) << Kind::Close << 0 << 4000;
    QTest::newRow("reason of 124 bytes") << close(4000, QString(62, u'é')) << Kind::None << 0 << 1000;
}

void TestFaults::messages()
{
    QFETCH(QJsonObject, message);
    QFETCH(Kind, kind);
    QFETCH(int, ms);
    QFETCH(int, code);
    const ParsedFault parsed = faultFromMessage(message);
    QCOMPARE(parsed.fault.kind, kind);
    QCOMPARE(parsed.error.isEmpty(), kind != Kind::None);
    QCOMPARE(parsed.fault.duration, std::chrono::milliseconds(ms));
    QCOMPARE(int(parsed.fault.closeCode), code);
}

void TestFaults::queries_data()
{
    QTest::addColumn<QString>("value");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<bool>("isError");
    QTest::newRow("none") << QString() << Kind::None << false;
    QTest::newRow("silence-auth") << u"silence-auth"_s << Kind::SilentAuth << false;
    QTest::newRow("reject-auth") << u"reject-auth"_s << Kind::RejectAuth << false;
    QTest::newRow("drop-auth") << u"drop-auth"_s << Kind::DropAuth << false;
    QTest::newRow("close-1011") << u"close-1011"_s << Kind::Close << false;
    QTest::newRow("drop-after-20") << u"drop-after-20"_s << Kind::DropAfter << false;
    QTest::newRow("close-") << u"close-"_s << Kind::None << true;
    QTest::newRow("close-1005") << u"close-1005"_s << Kind::None << true;
    QTest::newRow("drop-after-x") << u"drop-after-x"_s << Kind::None << true;
    QTest::newRow("unknown") << u"melt"_s << Kind::None << true;
}

void TestFaults::queries()
{
    QFETCH(QString, value);
    QFETCH(Kind, kind);
    QFETCH(bool, isError);
    const ParsedFault parsed = faultFromQuery(value);
    QCOMPARE(parsed.fault.kind, kind);
    QCOMPARE(!parsed.error.isEmpty(), isError);
}

void TestFaults::streamUrls()
{
    const StreamRequest stream =
        parseStreamUrl(QUrl(u"ws://h/api/v1/simulations/s-1/stream?scenario=a%20b&role=r&fault=drop-auth"_s));
    QVERIFY(stream.isStream);
    QCOMPARE(stream.sessionId, u"s-1"_s);
    QCOMPARE(stream.scenario, u"a b"_s);
    QCOMPARE(stream.role, u"r"_s);
    QCOMPARE(stream.fault, u"drop-auth"_s);

    const StreamRequest other = parseStreamUrl(QUrl(u"ws://h/"_s));
    QVERIFY(!other.isStream);
    QVERIFY(isSessionId(other.sessionId));
    QVERIFY(other.sessionId != parseStreamUrl(QUrl(u"ws://h/"_s)).sessionId);
    QVERIFY(!isSessionId(parseStreamUrl(QUrl(u"ws://h/api/v1/simulations/..%2Fx/stream"_s)).sessionId));
}

void TestFaults::sessionIds_data()
{
    QTest::addColumn<QString>("id");
    QTest::addColumn<bool>("valid");
    QTest::newRow("plain") << u"sess_abc-123"_s << true;
    QTest::newRow("64") << QString(64, u'x') << true;
    QTest::newRow("65") << QString(65, u'x') << false;
    QTest::newRow("empty") << QString() << false;
    QTest::newRow("dots") << u".."_s << false;
    QTest::newRow("slash") << u"a/b"_s << false;
    QTest::newRow("line end") << u"a\n"_s << false;
    QTest::newRow("letter beyond ASCII") << u"é"_s << false;
}

void TestFaults::sessionIds()
{
    QFETCH(QString, id);
    QFETCH(bool, valid);
    QCOMPARE(isSessionId(id), valid);
}

QTEST_APPLESS_MAIN(TestFaults)
#include "tst_faults.moc"
