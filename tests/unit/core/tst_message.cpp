// SPDX-License-Identifier: MIT
#include "core/message.h"

#include <QJsonArray>
#include <QMetaProperty>
#include <QSet>
#include <QTest>

#include <atomic>
#include <thread>
#include <vector>

using namespace Everwire;
using namespace Qt::StringLiterals;

class TestMessage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void m1_object();
    void m1_decodesOnce();
    void m2_otherJson_data();
    void m2_otherJson();
    void m3_binary();
    void m5_event();
    void m7_idsAreUnique();
    void m7_timestampIsUtcAndNow();
    void m9_whatIsNotJson();
    void nullMessage();
    void gadgetProperties();
    void threadsShareOneBody();
};

void TestMessage::m1_object()
{
    const QByteArray utf8 = R"({"type":"status","state":"größer","n":[1,2]})";
    const Message message = Message::fromText(utf8, u"status"_s, Message::Incoming);
    QCOMPARE(message.type(), u"status"_s);
    QCOMPARE(message.bytes(), utf8);
    QCOMPARE(message.direction(), Message::Incoming);
    QVERIFY(!message.isBinary());
    QVERIFY(!message.isNull());
    QCOMPARE(message.payload().typeId(), int(QMetaType::QJsonObject));
    QCOMPARE(message.json().value("state"_L1).toString(), u"größer"_s);
    QCOMPARE(message.json().value("type"_L1).toString(), u"status"_s); // the whole value
    QCOMPARE(Message::fromText(utf8, {}, Message::Outgoing).direction(), Message::Outgoing);
}

void TestMessage::m1_decodesOnce()
{
    // One decoding hands out one string; each of its own would be another.
    const Message message = Message::fromText("\"a text\"", {}, Message::Incoming);
    const Message copy = message;
    const QString first = message.payload().toString();
    const QString second = copy.payload().toString();
    QCOMPARE(first, u"a text"_s);
    QCOMPARE(static_cast<const void *>(first.constData()), static_cast<const void *>(second.constData()));
}

void TestMessage::m2_otherJson_data()
{
    QTest::addColumn<QByteArray>("utf8");
    QTest::addColumn<QVariant>("payload");
    QTest::newRow("array") << QByteArray("[1,\"x\"]") << QVariant(QJsonArray{1, u"x"_s});
    QTest::newRow("empty array") << QByteArray("[]") << QVariant(QJsonArray());
    QTest::newRow("string") << QByteArray("\"hello\"") << QVariant(u"hello"_s);
    QTest::newRow("number") << QByteArray("1.5") << QVariant(1.5);
    QTest::newRow("true") << QByteArray("true") << QVariant(true);
    QTest::newRow("null") << QByteArray("null") << QVariant::fromValue(nullptr);
    QTest::newRow("with space") << QByteArray(" 7 ") << QVariant(7);
}

void TestMessage::m2_otherJson()
{
    QFETCH(QByteArray, utf8);
    QFETCH(QVariant, payload);
    const Message message = Message::fromText(utf8, {}, Message::Incoming);
    QCOMPARE(message.payload(), payload);
    QCOMPARE(message.json(), QJsonObject());
    QCOMPARE(message.bytes(), utf8);
}

void TestMessage::m3_binary()
{
    const QByteArray bytes("{\"type\":\"x\"}\0\xff", 14);
    const Message message = Message::fromBinary(bytes, Message::Incoming);
    QVERIFY(message.isBinary());
    QCOMPARE(message.payload(), QVariant(bytes));
    QCOMPARE(message.bytes(), bytes);
    QCOMPARE(message.type(), QString());
    QCOMPARE(message.json(), QJsonObject());
}

void TestMessage::m5_event()
{
    const Message scalar = Message::fromEvent(u"stateChange"_s, u"connected"_s);
    QCOMPARE(scalar.type(), u"stateChange"_s);
    QCOMPARE(scalar.payload(), QVariant(u"connected"_s));
    QCOMPARE(scalar.json(), (QJsonObject{{u"value"_s, u"connected"_s}}));
    const Message map = Message::fromEvent(u"reconnecting"_s, QVariantMap{{u"attempt"_s, 2}});
    QCOMPARE(map.json(), (QJsonObject{{u"attempt"_s, 2}}));
    QCOMPARE(Message::fromEvent(u"authenticationTimeout"_s, {}).json(), QJsonObject());
    QVERIFY(!Message::fromEvent(u"authenticationTimeout"_s, {}).payload().isValid());
}

void TestMessage::m7_idsAreUnique()
{
    QSet<QString> ids;
    for (int i = 0; i < 300; ++i)
        ids.insert(Message::fromText("{}", {}, Message::Incoming).messageId());
    ids.insert(Message::fromBinary({}, Message::Incoming).messageId());
    ids.insert(Message::fromEvent({}, {}).messageId());
    QCOMPARE(ids.size(), 302);
    const Message one = Message::fromText(R"({"id":"theirs"})", {}, Message::Incoming);
    QCOMPARE(Message(one).messageId(), one.messageId()); // NOLINT: the copy is what is tested
    QVERIFY(one.messageId() != u"theirs"_s);
}

void TestMessage::m7_timestampIsUtcAndNow()
{
    const QDateTime before = QDateTime::currentDateTimeUtc();
    const Message message = Message::fromText("{}", {}, Message::Incoming);
    QCOMPARE(message.timestamp().timeSpec(), Qt::UTC);
    QVERIFY(message.timestamp() >= before);
    QVERIFY(message.timestamp() <= QDateTime::currentDateTimeUtc());
}

void TestMessage::m9_whatIsNotJson()
{
    // What an app sends as text need not be JSON.
    const Message message = Message::fromText("1],[2", {}, Message::Outgoing);
    QCOMPARE(message.payload(), QVariant(u"1],[2"_s));
    QCOMPARE(message.json(), QJsonObject());
    QCOMPARE(Message::fromText("1,2", {}, Message::Outgoing).payload(), QVariant(u"1,2"_s));
    QCOMPARE(Message::fromText("", {}, Message::Outgoing).payload(), QVariant(u""_s));
}

void TestMessage::nullMessage()
{
    const Message message;
    QVERIFY(message.isNull());
    QCOMPARE(message.messageId(), QString());
    QCOMPARE(message.type(), QString());
    QVERIFY(!message.payload().isValid());
    QCOMPARE(message.json(), QJsonObject());
    QCOMPARE(message.bytes(), QByteArray());
    QVERIFY(!message.timestamp().isValid());
    QVERIFY(!message.isBinary());
}

void TestMessage::gadgetProperties()
{
    const Message message = Message::fromText(R"({"type":"a"})", u"a"_s, Message::Outgoing);
    const QMetaObject &meta = Message::staticMetaObject;
    const auto read = [&](const char *name) {
        return meta.property(meta.indexOfProperty(name)).readOnGadget(&message);
    };
    QCOMPARE(read("type"), QVariant(u"a"_s));
    QCOMPARE(read("messageId"), QVariant(message.messageId()));
    QCOMPARE(read("payload").toJsonObject(), message.json());
    QCOMPARE(read("timestamp").toDateTime(), message.timestamp());
    QCOMPARE(read("direction").toInt(), int(Message::Outgoing));
    QCOMPARE(read("isBinary"), QVariant(false));
}

void TestMessage::threadsShareOneBody()
{
    for (int round = 0; round < 50; ++round) {
        const Message message =
            Message::fromText(R"({"type":"t","list":[1,2,3]})", u"t"_s, Message::Incoming);
        std::atomic<int> good{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([copy = message, &good] {
                good += copy.json().value("list"_L1).toArray().size() == 3 && copy.type() == u"t"_s;
            });
        }
        for (auto &thread : threads)
            thread.join();
        QCOMPARE(good.load(), 4);
    }
}

QTEST_GUILESS_MAIN(TestMessage)
#include "tst_message.moc"
