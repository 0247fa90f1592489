// SPDX-License-Identifier: MIT
#include "client/events.h"
#include "client/router.h"
#include "core/typename.h"
#include "protocol/jsoneventprotocol.h"

#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;

struct Event
{
    Q_GADGET
    Q_PROPERTY(int n MEMBER n)
    Q_PROPERTY(qint64 big MEMBER big)
    Q_PROPERTY(double x MEMBER x)
    Q_PROPERTY(float narrow MEMBER narrow)
    Q_PROPERTY(bool isFinal MEMBER isFinal)
    Q_PROPERTY(QString content MEMBER content)
    Q_PROPERTY(QByteArray bytes MEMBER bytes)
    Q_PROPERTY(QStringList tags MEMBER tags)
    Q_PROPERTY(QVariant any MEMBER any)
    Q_PROPERTY(QJsonObject nested MEMBER nested)
    Q_PROPERTY(QString readOnly READ readOnly)

public:
    [[nodiscard]] QString readOnly() const { return u"mine"_s; }
    friend bool operator==(const Event &a, const Event &b)
    {
        return a.n == b.n && a.big == b.big && a.x == b.x && a.narrow == b.narrow && a.isFinal == b.isFinal &&
               a.content == b.content && a.bytes == b.bytes && a.tags == b.tags && a.any == b.any &&
               a.nested == b.nested;
    }

    int n = -1;
    qint64 big = -1;
    double x = -1;
    float narrow = -1;
    bool isFinal = false;
    QString content = QStringLiteral("unset");
    QByteArray bytes = "unset";
    QStringList tags;
    QVariant any;
    QJsonObject nested;
};

namespace {

const void *const eventKey = &Event::staticMetaObject;

Message receive(JsonEventProtocol &protocol, const QByteArray &utf8)
{
    const PaddedCopy padded(utf8);
    const Received::Outcome outcome = protocol.receiveText(padded.view());
    const auto *message = std::get_if<Message>(&outcome);
    return message ? *message : Message();
}

} // namespace

// What the subscribers take is made on the wire thread, and is what they would have been given without.
class TestInterest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void nothingIsMadeForNobody();
    void whoHearsAMessage();
    void aGadgetIsTheSameEitherWay_data();
    void aGadgetIsTheSameEitherWay();
    void whatIsMadeAgainIsAsNew();
    void fieldsInTheirOrder();
    void fieldsAreMadeAgain();
    void fieldsHaveNoOthersAddress();
    void fieldsOfAMessageThatWasNotMadeReady_data();
    void fieldsOfAMessageThatWasNotMadeReady();
    void onlyTheTypeThatIsWanted();
    void whoHearsEveryMessage_data();
    void whoHearsEveryMessage();
    void theLastSubscriptionEndsIt();
    void whatTheParserRefusesIsDecodedLater();
    void whileAuthenticatingNothingIs();
    void typesAreKeptOnce();

private:
    void publish() { router->publishInterest(*board); }
    template<typename Payload>
    Subscription subscribe(const QString &event)
    {
        return router->add(
            event, this, [](const Message &) {}, Detail::wantedAs<Payload>());
    }

    std::shared_ptr<InterestBoard> board;
    std::unique_ptr<Router> router;
    std::unique_ptr<JsonEventProtocol> protocol;
};

void TestInterest::init()
{
    board = std::make_shared<InterestBoard>();
    router = std::make_unique<Router>();
    protocol = std::make_unique<JsonEventProtocol>(board);
}

void TestInterest::nothingIsMadeForNobody()
{
    QVERIFY(!receive(*protocol, R"({"type":"a"})").decodedAs(eventKey));
    subscribe<Message>(u"a"_s);
    publish();
    QVERIFY(!receive(*protocol, R"({"type":"a","x":1})").decodedAs(eventKey));
    const quint32 before = board->number();
    publish(); // what is no news is not published
    QCOMPARE(board->number(), before);
}

void TestInterest::whoHearsAMessage()
{
    const auto audienceOf = [this](const QByteArray &text) {
        return MessageData::of(receive(*protocol, text)).audience;
    };
    const QByteArray a = R"({"type":"a"})";
    QCOMPARE(audienceOf(a), Audience::Each); // nothing is known yet
    publish();
    QCOMPARE(audienceOf(a), Audience::Nobody);
    QCOMPARE(audienceOf("[1]"), Audience::Nobody);
    // It poses as a lifecycle event, which is to be logged (rule M5).
    QCOMPARE(audienceOf(R"({"type":"connected"})"), Audience::Each);

    Detail::Wanted newest;
    newest.onlyNewest = true;
    Subscription latest = router->add(
        u"a"_s, this, [](const Message &) {}, newest);
    publish();
    QCOMPARE(audienceOf(a), Audience::Newest);
    QCOMPARE(audienceOf(R"({"type":"b"})"), Audience::Nobody);
    Subscription each = subscribe<Message>(u"a"_s);
    publish();
    QCOMPARE(audienceOf(a), Audience::Each);
    each.unsubscribe();
    publish();
    QCOMPARE(audienceOf(a), Audience::Newest);
    subscribe<Message>(u"message"_s);
    publish();
    QCOMPARE(audienceOf(R"({"type":"b"})"), Audience::Each);

    // What was found out is true until somebody subscribes or leaves.
    const quint32 number = MessageData::of(receive(*protocol, a)).interest;
    QVERIFY(router->isCurrent(number));
    latest.unsubscribe();
    QVERIFY(!router->isCurrent(number));
    publish();
    QVERIFY(!router->isCurrent(number));
    QVERIFY(!router->isCurrent(0));
}

void TestInterest::aGadgetIsTheSameEitherWay_data()
{
    QTest::addColumn<QByteArray>("members");
    QTest::newRow("nothing") << QByteArray(R"("o":1)");
    QTest::newRow("all") << QByteArray(
        R"("n":3,"big":9007199254740993,"x":4.5,"narrow":0.5,"isFinal":true,"content":"Zo\u00eb \ud83d\ude00","bytes":"b",)"
        R"("tags":["a","b"],"any":{"a":[1]},"nested":{"b":{"c":null}})");
    QTest::newRow("whole numbers as doubles") << QByteArray(R"("n":2.0,"big":1e3,"x":7)");
    QTest::newRow("fractions for an int") << QByteArray(R"("n":2.6,"big":-2.6)");
    QTest::newRow("beyond an int") << QByteArray(R"("n":4294967299,"big":4294967299)");
    QTest::newRow("beyond 64 bits") << QByteArray(R"("n":9223372036854775808,"big":18446744073709551615)");
    QTest::newRow("negative zero") << QByteArray(R"("n":-0,"x":-0.0)");
    QTest::newRow("texts for numbers") << QByteArray(R"("n":"7","big":"8","x":"1.5","isFinal":"true")");
    QTest::newRow("numbers for texts") << QByteArray(R"("content":7,"bytes":8)");
    QTest::newRow("truths for numbers") << QByteArray(R"("n":true,"x":true,"content":true)");
    QTest::newRow("numbers for truths") << QByteArray(R"("isFinal":1)");
    QTest::newRow("null") << QByteArray(R"("n":null,"x":null,"isFinal":null,"content":null,"any":null)");
    QTest::newRow("objects") << QByteArray(R"("n":{},"content":{"a":1},"tags":{})");
    QTest::newRow("twice") << QByteArray(R"("n":1,"n":2,"content":"a","content":"b")");
    QTest::newRow("twice, the last of no use")
        << QByteArray(R"("n":1,"n":{},"x":1.53,"x":"u","isFinal":true,"isFinal":null)");
    QTest::newRow("read-only") << QByteArray(R"("readOnly":"theirs","n":1)");
    QTest::newRow("empty text") << QByteArray(R"("content":"")");
    QTest::newRow("nul") << QByteArray(R"("content":"a\u0000b")");
    QTest::newRow("escaped name") << QByteArray(R"("conten\u0074":"c")");
}

void TestInterest::aGadgetIsTheSameEitherWay()
{
    QFETCH(QByteArray, members);
    subscribe<Event>(u"e"_s);
    publish();
    const Message message = receive(*protocol, R"({"type":"e",)" + members + '}');
    const void *ready = message.decodedAs(eventKey);
    QVERIFY(ready);
    const auto later = Detail::toGadget<Event>(Message::fromText(message.bytes(), u"e"_s, Message::Incoming));
    QVERIFY(*static_cast<const Event *>(ready) == later);
    Detail::toHandler<void>(this, [&](const Event &taken) { QVERIFY(taken == later); })(message);
}

// Out of what was made for a message that is done with, where nobody else has it.
void TestInterest::whatIsMadeAgainIsAsNew()
{
    const auto pool = std::make_shared<MessagePool>();
    protocol = std::make_unique<JsonEventProtocol>(board, pool);
    subscribe<Event>(u"e"_s);
    publish();
    const auto giveBack = [&](Message &&message) {
        std::vector<CountedMessage> spent;
        spent.push_back({std::move(message), 100});
        pool->give(std::move(spent));
    };
    Message first = receive(*protocol, R"({"type":"e","n":1,"content":"one","tags":["a"],"any":5})");
    const void *const made = first.decodedAs(eventKey);
    QVERIFY(made);
    giveBack(std::move(first));
    const Message second = receive(*protocol, R"({"type":"e","isFinal":true})");
    QCOMPARE(second.decodedAs(eventKey), made);
    Event expected;
    expected.isFinal = true;
    QVERIFY(*static_cast<const Event *>(made) == expected);
    giveBack(Message(second)); // and we have it still
    QVERIFY(receive(*protocol, R"({"type":"e"})").decodedAs(eventKey) != made);
}

void TestInterest::fieldsInTheirOrder()
{
    Detail::Wanted wanted;
    wanted.form = Detail::Wanted::Fields;
    wanted.fields = std::make_shared<const QList<QByteArray>>(QList<QByteArray>{"b", "none", "a", "null"});
    router->add(
        u"e"_s, this, [](const Message &) {}, wanted);
    publish();
    const Message message = receive(*protocol, R"({"type":"e","a":"ä","c":3,"b":{"x":[1]},"null":null})");
    const void *ready = message.decodedAs(wanted.fields.get());
    QVERIFY(ready);
    const auto &fields = *static_cast<const Detail::Fields *>(ready);
    QCOMPARE(fields.size(), 4);
    QCOMPARE(fields.value(0).toMap(), (QVariantMap{{u"x"_s, QVariantList{1}}}));
    QVERIFY(!fields.value(1).isValid());
    QCOMPARE(fields.value(2).toString(), u"ä"_s);
    QVERIFY(fields.value(3).isNull() && fields.value(3).isValid());
}

// Nothing of those that they were made of before is left in them.
void TestInterest::fieldsAreMadeAgain()
{
    const auto pool = std::make_shared<MessagePool>();
    protocol = std::make_unique<JsonEventProtocol>(board, pool);
    Detail::Wanted wanted;
    wanted.form = Detail::Wanted::Fields;
    wanted.fields = std::make_shared<const QList<QByteArray>>(QList<QByteArray>{"a", "b"});
    router->add(
        u"e"_s, this, [](const Message &) {}, wanted);
    publish();
    const auto fieldsOf = [&](const Message &message) {
        return static_cast<const Detail::Fields *>(message.decodedAs(wanted.fields.get()));
    };
    Message first = receive(*protocol, R"({"type":"e","a":")" + QByteArray(10'000, 'x') + R"(","b":[1]})");
    const Detail::Fields *const made = fieldsOf(first);
    QVERIFY(made);
    QCOMPARE(made->text(0).size(), 10'000);
    std::vector<CountedMessage> spent;
    spent.push_back({std::move(first), 100});
    pool->give(std::move(spent));
    const Message second = receive(*protocol, R"({"type":"e","b":"short"})");
    QCOMPARE(fieldsOf(second), made);
    QCOMPARE(made->kind(0), Detail::Fields::Absent);
    QCOMPARE(made->text(1), u"short"_s);
}

// A message that was made for fields that are gone must not be taken for one of others'.
void TestInterest::fieldsHaveNoOthersAddress()
{
    Detail::Wanted wanted;
    wanted.form = Detail::Wanted::Fields;
    wanted.fields = std::make_shared<const QList<QByteArray>>(QList<QByteArray>{"a"});
    Subscription subscription = router->add(
        u"e"_s, this, [](const Message &) {}, wanted);
    publish();
    const std::weak_ptr<const QList<QByteArray>> fields = wanted.fields;
    Message message = receive(*protocol, R"({"type":"e","a":1})");
    wanted = {};
    subscription.unsubscribe();
    publish();
    (void)receive(*protocol, R"({"type":"e","a":1})"); // forgets the old interest
    QVERIFY(!fields.expired());
    message = {};
    QVERIFY(fields.expired());
}

void TestInterest::fieldsOfAMessageThatWasNotMadeReady_data()
{
    QTest::addColumn<QByteArray>("utf8");
    QTest::newRow("an object") << QByteArray(R"({"a":"ä","c":3,"b":{"x":[1,-2.5,true]},"null":null})");
    QTest::newRow("twice") << QByteArray(R"({"a":1,"a":"2"})");
    QTest::newRow("twice, a text first") << QByteArray(R"({"a":"one","b":"two","a":"drei","b":[]})");
    QTest::newRow("numbers") << QByteArray(R"({"a":-9223372036854775808,"b":2.5})");
    QTest::newRow("beyond a signed number")
        << QByteArray(R"({"a":18446744073709551615,"b":9007199254740993})");
    QTest::newRow("truths") << QByteArray(R"({"a":true,"b":false})");
    QTest::newRow("empty text") << QByteArray(R"({"a":"","b":"x"})");
    QTest::newRow("escaped") << QByteArray(R"({"\u0061":"\ud83d\ude00\n"})");
    QTest::newRow("a number beyond 64 bits") << QByteArray(R"({"a":123456789012345678901234567890,"b":1})");
    QTest::newRow("large") << R"({"b":"x","a":")" + QByteArray(100'000, 'y') + "\"}";
    QTest::newRow("an array") << QByteArray(R"(["a"])");
    QTest::newRow("no JSON") << QByteArray(R"({"a":)");
    QTest::newRow("nothing") << QByteArray();
}

// As Message::json() has them.
void TestInterest::fieldsOfAMessageThatWasNotMadeReady()
{
    QFETCH(const QByteArray, utf8);
    const QList<QByteArray> names{"b", "none", "a", "null"};
    const QJsonObject object = Message::fromText(utf8, {}, Message::Incoming).json();
    const Detail::Fields fields = Detail::fieldsOf(Message::fromText(utf8, {}, Message::Incoming), names);
    QCOMPARE(fields.size(), names.size());
    const Detail::Fields binary = Detail::fieldsOf(Message::fromBinary(utf8, Message::Incoming), names);
    for (qsizetype i = 0; i < names.size(); ++i) {
        QCOMPARE(fields.value(i), object.value(QString::fromUtf8(names[i])).toVariant());
        QCOMPARE(binary.value(i), QVariant());
    }
}

void TestInterest::onlyTheTypeThatIsWanted()
{
    subscribe<Event>(u"e"_s);
    publish();
    QVERIFY(receive(*protocol, R"({"type":"e"})").decodedAs(eventKey));
    QVERIFY(!receive(*protocol, R"({"type":"f"})").decodedAs(eventKey));
    QVERIFY(!receive(*protocol, R"({"n":1})").decodedAs(eventKey));
    QVERIFY(!receive(*protocol, R"(["e"])").decodedAs(eventKey));
    QVERIFY(receive(*protocol, R"({"type":"e"})").decodedAs(eventKey));
}

void TestInterest::whoHearsEveryMessage_data()
{
    QTest::addColumn<QString>("event");
    QTest::newRow("message") << Events::Message;
    QTest::newRow("*") << Events::AnyMessage;
}

void TestInterest::whoHearsEveryMessage()
{
    QFETCH(QString, event);
    subscribe<Event>(event);
    publish();
    QVERIFY(receive(*protocol, R"({"type":"e"})").decodedAs(eventKey));
    QVERIFY(receive(*protocol, R"({"n":1})").decodedAs(eventKey));
}

void TestInterest::theLastSubscriptionEndsIt()
{
    Subscription first = subscribe<Event>(u"e"_s);
    Subscription second = subscribe<Event>(u"e"_s);
    first.unsubscribe();
    publish();
    QVERIFY(receive(*protocol, R"({"type":"e"})").decodedAs(eventKey));
    second.unsubscribe();
    publish();
    QVERIFY(!receive(*protocol, R"({"type":"e"})").decodedAs(eventKey));
}

// Numbers of more than 64 bits are JSON (rule M9), but not for the parser.
void TestInterest::whatTheParserRefusesIsDecodedLater()
{
    subscribe<Event>(u"e"_s);
    publish();
    const Message message = receive(*protocol, R"({"type":"e","x":99999999999999999999,"n":5})");
    QVERIFY(!message.decodedAs(eventKey));
    int n = 0;
    Detail::toHandler<void>(this, [&](const Event &event) { n = event.n; })(message);
    QCOMPARE(n, 5);
}

void TestInterest::whileAuthenticatingNothingIs()
{
    subscribe<Event>(u"e"_s);
    publish();
    (void)protocol->authenticate(u"token"_s);
    QVERIFY(receive(*protocol, R"({"type":"e"})").isNull()); // rule A6
    (void)receive(*protocol, R"({"type":"auth_success"})");
    QVERIFY(receive(*protocol, R"({"type":"e"})").decodedAs(eventKey));
}

void TestInterest::typesAreKeptOnce()
{
    QCOMPARE(internType("kept"), internType(QByteArray("kept")));
    QCOMPARE(*internType("käse"), u"käse"_s);
    QVERIFY(!internType(""));
    QVERIFY(!internType(QByteArray(101, 'x')));
    const Message longType = receive(*protocol, R"({"type":")" + QByteArray(101, 'x') + R"("})");
    QCOMPARE(longType.type(), QString(101, u'x'));
    // A peer that makes up types gets no memory for them but that of its messages.
    for (int i = 0; i < 5000; ++i)
        QCOMPARE(receive(*protocol, R"({"type":"made-up-)" + QByteArray::number(i) + R"("})").type(),
                 u"made-up-%1"_s.arg(i));
    QVERIFY(!internType("one-more"));
    QVERIFY(internType("kept"));
}

QTEST_GUILESS_MAIN(TestInterest)
#include "tst_interest.moc"
