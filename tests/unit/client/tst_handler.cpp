// SPDX-License-Identifier: MIT
#include "client/handler.h"

#include "client/events.h"

#include <QJsonArray>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;

struct Point
{
    Q_GADGET
    Q_PROPERTY(int x MEMBER x)
    Q_PROPERTY(double y MEMBER y)
    Q_PROPERTY(QString name MEMBER name)
    Q_PROPERTY(bool isFinal MEMBER isFinal)
    Q_PROPERTY(QStringList tags MEMBER tags)
    Q_PROPERTY(QVariant any MEMBER any)
    Q_PROPERTY(int sum READ sum)

public:
    [[nodiscard]] int sum() const { return x + int(y); }

    int x = -1;
    double y = -1;
    QString name = QStringLiteral("unset");
    bool isFinal = false;
    QStringList tags;
    QVariant any;
};

class Receiver : public QObject
{
    Q_OBJECT

public:
    void onObject(const QJsonObject &object) { objects.append(object); }
    void onObjectConst(QJsonObject object) const { objects.append(object); }
    void onMessage(Message message) { messages.append(message); }
    void onVariant(const QVariant &value) { values.append(value); }
    void onNothing() { ++nothings; }
    void onNothingNoexcept() noexcept { ++nothings; }
    void onPoint(const Point &point) { points.append(point); }

    mutable QList<QJsonObject> objects;
    QList<Message> messages;
    QVariantList values;
    QList<Point> points;
    int nothings = 0;
};

namespace {

int freeCalls = 0;

void freeFunction(const QJsonObject &object)
{
    freeCalls += object.value("x"_L1).toInt();
}

const QByteArray Json =
    R"({"type":"point","x":3,"y":4.5,"name":"p","isFinal":true,"tags":["a","b"],"extra":1})";

Message point()
{
    return Message::fromText(Json, u"point"_s, Message::Incoming);
}

} // namespace

// Rules: M1 (what a subscriber's function may take)
class TestHandler : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void lambdas();
    void mutableLambda();
    void standardFunction();
    void freeFunctions();
    void members();
    void gadgetByArgument();
    void gadgetByTemplateArgument();
    void conversions_data();
    void conversions();
    void whatIsMissingKeepsItsDefault();
    void notAnObject();
    void binaryAndEvents();
    void m5_scalarsOfEvents();
    void m5_valuesOfEvents();
};

void TestHandler::lambdas()
{
    QObject context;
    QJsonObject object;
    Detail::toHandler<void>(&context, [&](const QJsonObject &o) { object = o; })(point());
    QCOMPARE(object, point().json());
    QJsonObject copy;
    Detail::toHandler<void>(&context, [&](QJsonObject o) { copy = o; })(point());
    QCOMPARE(copy, object);

    Message message;
    const Message original = point();
    Detail::toHandler<void>(&context, [&](const Message &m) { message = m; })(original);
    QCOMPARE(message.messageId(), original.messageId());

    QVariant value;
    Detail::toHandler<void>(&context, [&](const QVariant &v) { value = v; })(original);
    QCOMPARE(value.toJsonObject(), object);

    int calls = 0;
    Detail::toHandler<void>(&context, [&] { ++calls; })(original);
    Detail::toHandler<void>(&context, [&]() noexcept { return ++calls; })(original);
    QCOMPARE(calls, 2);
}

void TestHandler::mutableLambda()
{
    QObject context;
    QList<int> seen;
    const auto handler =
        Detail::toHandler<void>(&context, [&seen, count = 0]() mutable { seen.append(++count); });
    handler(point());
    handler(point());
    QCOMPARE(seen, (QList{1, 2}));
}

void TestHandler::standardFunction()
{
    QObject context;
    const auto count = std::make_shared<int>(0);
    const std::function<void(const QJsonObject &)> function = [count](const QJsonObject &) { ++*count; };
    Detail::toHandler<void>(&context, function)(point());
    QCOMPARE(*count, 1);
}

void TestHandler::freeFunctions()
{
    QObject context;
    freeCalls = 0;
    Detail::toHandler<void>(&context, freeFunction)(point());
    Detail::toHandler<void>(&context, &freeFunction)(point());
    QCOMPARE(freeCalls, 6);
}

void TestHandler::members()
{
    Receiver receiver;
    const Message message = point();
    Detail::toHandler<void>(&receiver, &Receiver::onObject)(message);
    Detail::toHandler<void>(&receiver, &Receiver::onObjectConst)(message);
    Detail::toHandler<void>(&receiver, &Receiver::onMessage)(message);
    Detail::toHandler<void>(&receiver, &Receiver::onVariant)(message);
    Detail::toHandler<void>(&receiver, &Receiver::onNothing)(message);
    Detail::toHandler<void>(&receiver, &Receiver::onNothingNoexcept)(message);
    Detail::toHandler<void>(&receiver, &Receiver::onPoint)(message);
    QCOMPARE(receiver.objects, (QList{message.json(), message.json()}));
    QCOMPARE(receiver.messages.size(), 1);
    QCOMPARE(receiver.values.first().toJsonObject(), message.json());
    QCOMPARE(receiver.nothings, 2);
    QCOMPARE(receiver.points.first().x, 3);
}

void TestHandler::gadgetByArgument()
{
    QObject context;
    Point got;
    Detail::toHandler<void>(&context, [&](const Point &p) { got = p; })(point());
    QCOMPARE(got.x, 3);
    QCOMPARE(got.y, 4.5);
    QCOMPARE(got.name, u"p"_s);
    QVERIFY(got.isFinal);
    QCOMPARE(got.tags, (QStringList{u"a"_s, u"b"_s}));
    QCOMPARE(got.sum(), 7);
}

void TestHandler::gadgetByTemplateArgument()
{
    QObject context;
    int x = 0;
    Detail::toHandler<Point>(&context, [&](const auto &p) { x = p.x; })(point());
    QCOMPARE(x, 3);
    Receiver receiver;
    Detail::toHandler<Point>(&receiver, &Receiver::onPoint)(point());
    QCOMPARE(receiver.points.size(), 1);
    QVariant value;
    Detail::toHandler<QVariant>(&context, [&](const auto &v) { value = v; })(point());
    QCOMPARE(value.toJsonObject(), point().json());
}

void TestHandler::conversions_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<int>("x");
    QTest::addColumn<QString>("name");
    QTest::newRow("number as text") << QByteArray(R"({"x":"7"})") << 7 << u"unset"_s;
    QTest::newRow("text as number") << QByteArray(R"({"name":7})") << -1 << u"7"_s;
    QTest::newRow("double") << QByteArray(R"({"x":2.0})") << 2 << u"unset"_s;
    QTest::newRow("no number") << QByteArray(R"({"x":"seven"})") << -1 << u"unset"_s;
    QTest::newRow("object") << QByteArray(R"({"x":{"a":1},"name":"n"})") << -1 << u"n"_s;
    QTest::newRow("read-only") << QByteArray(R"({"sum":99,"x":1})") << 1 << u"unset"_s;
    QTest::newRow("other case") << QByteArray(R"({"X":5})") << -1 << u"unset"_s;
}

// As QVariant converts; what it cannot convert leaves the default.
void TestHandler::conversions()
{
    QFETCH(QByteArray, json);
    QFETCH(int, x);
    QFETCH(QString, name);
    const auto got = Detail::toGadget<Point>(Message::fromText(json, {}, Message::Incoming));
    QCOMPARE(got.x, x);
    QCOMPARE(got.name, name);
}

void TestHandler::whatIsMissingKeepsItsDefault()
{
    const auto got = Detail::toGadget<Point>(Message::fromText("{}", {}, Message::Incoming));
    QCOMPARE(got.x, -1);
    QCOMPARE(got.name, u"unset"_s);
    const auto any =
        Detail::toGadget<Point>(Message::fromText(R"({"any":{"a":[1]}})", {}, Message::Incoming));
    QCOMPARE(any.any.toMap().value(u"a"_s).toList(), QVariantList{1});
}

// Rules: M2
void TestHandler::notAnObject()
{
    QObject context;
    const Message array = Message::fromText("[1]", {}, Message::Incoming);
    QJsonObject object{{u"a"_s, 1}};
    Detail::toHandler<void>(&context, [&](const QJsonObject &o) { object = o; })(array);
    QVERIFY(object.isEmpty());
    QVariant value;
    Detail::toHandler<void>(&context, [&](const QVariant &v) { value = v; })(array);
    QCOMPARE(value.toJsonArray(), QJsonArray{1});
    QCOMPARE(Detail::toGadget<Point>(array).x, -1);
}

// Rules: M3, M5
void TestHandler::binaryAndEvents()
{
    QObject context;
    QVariant value;
    const auto handler = Detail::toHandler<void>(&context, [&](const QVariant &v) { value = v; });
    handler(Message::fromBinary("\x01", Message::Incoming));
    QCOMPARE(value.toByteArray(), QByteArray("\x01"));
    handler(Message::fromEvent(u"stateChange"_s, u"connected"_s));
    QCOMPARE(value.toString(), u"connected"_s);
    int x = 0;
    Detail::toHandler<void>(&context, [&](const Point &p) { x = p.x; })(
        Message::fromEvent(u"reconnecting"_s, QVariantMap{{u"x"_s, 2}}));
    QCOMPARE(x, 2);
}

void TestHandler::m5_scalarsOfEvents()
{
    QObject context;
    QString state;
    Detail::toHandler<void>(&context, [&](const QString &name) { state = name; })(
        Message::fromEvent(u"stateChange"_s, u"connected"_s));
    QCOMPARE(state, u"connected"_s);
    int attempts = 0;
    const auto takesInt = Detail::toHandler<void>(&context, [&](int count) { attempts = count; });
    takesInt(Message::fromEvent(u"maxReconnectAttemptsReached"_s, 10));
    QCOMPARE(attempts, 10);
    takesInt(point()); // what does not convert is the type's default
    QCOMPARE(attempts, 0);
}

void TestHandler::m5_valuesOfEvents()
{
    QObject context;
    const SessionInfo session(u"s"_s, u"u"_s, u"2026-01-28T10:00:00Z"_s);
    SessionInfo heard;
    Detail::toHandler<void>(&context, [&](const SessionInfo &info) { heard = info; })(
        Message::fromEvent(Events::Connected, Events::toMap(session)));
    QCOMPARE(heard, session);

    const ConnectionError error(ConnectionError::ConnectionLost, u"gone"_s, 1006, true);
    ConnectionError told;
    Detail::toHandler<void>(&context, [&](const ConnectionError &e) { told = e; })(
        Message::fromEvent(Events::Error, Events::toMap(error)));
    QCOMPARE(told, error);
}

QTEST_GUILESS_MAIN(TestHandler)
#include "tst_handler.moc"
