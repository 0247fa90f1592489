// SPDX-License-Identifier: MIT
#include "protocol/jsoneventprotocol.h"

#include "strictjson.h"

#include "core/message_p.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QRandomGenerator>
#include <QTest>

using namespace Everwire;
using namespace Everwire::Test;
using namespace Qt::StringLiterals;

namespace {

enum Kind { IsMessage, IsAuthenticated, IsFailed, IsIgnored, IsMalformed }; // as in Received::Outcome

Kind kindOf(const Received::Outcome &outcome)
{
    return static_cast<Kind>(outcome.index());
}

Received::Outcome receive(JsonEventProtocol &protocol, const QByteArray &utf8)
{
    const PaddedCopy padded(utf8);
    return protocol.receiveText(padded.view());
}

Received::Outcome receive(const QByteArray &utf8)
{
    JsonEventProtocol protocol;
    return receive(protocol, utf8);
}

Received::Outcome answer(const QByteArray &utf8)
{
    JsonEventProtocol protocol;
    (void)protocol.authenticate(u"token"_s);
    return receive(protocol, utf8);
}

QByteArray nested(int levels)
{
    return R"({"type":"deep","v":)" + QByteArray(levels - 1, '[') + QByteArray(levels - 1, ']') + '}';
}

const QByteArray Example =
    "{\"type\":\"ai_response\",\"content\":\"Gr\\u00fc\\u00dfe, \\\"Welt\\\" äöü "
    "😀\",\"n\":[0,-1,2.5,1e3,-0.5E-2],"
    "\"nested\":{\"a\":{\"b\":[true,false,null]},\"type\":\"inner\"},\"isFinal\":true,\"sessionId\":\"s-1\"}";

} // namespace

class TestJsonEventProtocol : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void a1_firstMessage();
    void a1_tokensThatNeedEscaping_data();
    void a1_tokensThatNeedEscaping();
    void a3_answers_data();
    void a3_answers();
    void a5_session_data();
    void a5_session();
    void a6_onlyWhileAuthenticating();
    void h1_heartbeat();
    void h1_oneAnswerForEachPing();
    void a3_whileRenewingAnErrorMayBeTheApps();
    void m1_typeAndBytes();
    void m1_typeOfManyMessages();
    void m2_noType_data();
    void m2_noType();
    void m2_notJson_data();
    void m2_notJson();
    void m1_whatJsonParseTakes_data();
    void m1_whatJsonParseTakes();
    void m1_manyMembersInAnyOrder_data();
    void m1_manyMembersInAnyOrder();
    void m1_halvesInATypeAreHeard();
    void m2_duplicateTypes();
    void m2_typeInsideDoesNotCount();
    void m9_numbers_data();
    void m9_numbers();
    void m9_nesting();
    void m9_deepMessagesCanBeRead();
    void m9_megabytes();
    void m9_nulAndBom();
    void m9_oneParserForManyTexts();
    void m9_mutations();
    void m9_truncations();
    void m9_mutatedAnswersNeverAuthenticateByAccident();
};

void TestJsonEventProtocol::a1_firstMessage()
{
    JsonEventProtocol protocol;
    const QByteArray message = protocol.authenticate(u"abc.def"_s);
    QCOMPARE(QJsonDocument::fromJson(message).object(),
             (QJsonObject{{u"type"_s, u"auth"_s}, {u"token"_s, u"abc.def"_s}}));
    QVERIFY(!message.contains('\n'));
}

void TestJsonEventProtocol::a1_tokensThatNeedEscaping_data()
{
    QTest::addColumn<QString>("token");
    QTest::newRow("quote") << u"a\"b"_s;
    QTest::newRow("backslash") << u"a\\b"_s;
    QTest::newRow("injection") << u"x\",\"type\":\"admin"_s;
    QTest::newRow("not ASCII") << u"tökén 😀"_s;
    QTest::newRow("control") << u"a\u0001b\n"_s;
    QTest::newRow("long") << QString(100'000, u'x');
    QTest::newRow("empty") << u""_s;
}

void TestJsonEventProtocol::a1_tokensThatNeedEscaping()
{
    QFETCH(QString, token);
    JsonEventProtocol protocol;
    const QByteArray message = protocol.authenticate(token);
    QVERIFY(StrictJson::isValid(message));
    const QJsonObject object = QJsonDocument::fromJson(message).object();
    QCOMPARE(object, (QJsonObject{{u"type"_s, u"auth"_s}, {u"token"_s, token}}));
}

void TestJsonEventProtocol::a3_answers_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("kind");
    QTest::addColumn<QString>("reason");
    const auto row = [](const char *name, const char *text, Kind kind, const QString &reason = {}) {
        QTest::newRow(name) << QByteArray(text) << int(kind) << reason;
    };
    const QString none = u"authentication failed"_s;
    row("form 1", R"({"type":"auth_error","error":"Invalid token"})", IsFailed, u"Invalid token"_s);
    row("form 1, no reason", R"({"type":"auth_error"})", IsFailed, none);
    row("form 1, reason no string", R"({"type":"auth_error","error":{"a":1}})", IsFailed, none);
    row("form 2",
        R"({"type":"error","payload":{"error":"token expired","code":"auth_failed"},"timestamp":"t"})",
        IsFailed, u"token expired"_s);
    row("form 2, no code", R"({"type":"error","payload":{"error":"no session"}})", IsFailed, u"no session"_s);
    row("form 2, no payload", R"({"type":"error"})", IsFailed, none);
    row("another error", R"({"type":"error","payload":{"error":"busy","code":"overload"}})", IsFailed,
        u"busy"_s);
    row("flat", R"({"type":"error","code":401,"message":"Unauthorized"})", IsFailed, u"Unauthorized"_s);
    row("nested", R"({"type":"error","error":{"code":"x","message":"no such user"}})", IsFailed,
        u"no such user"_s);
    row("nested twice", R"({"type":"error","payload":{"error":{"message":"expired"}}})", IsFailed,
        u"expired"_s);
    row("message in the payload", R"({"type":"error","payload":{"message":"gone"}})", IsFailed, u"gone"_s);
    row("the payload is a text", R"({"type":"error","payload":"not you"})", IsFailed, u"not you"_s);
    row("a code alone", R"({"type":"error","payload":{"code":4401}})", IsFailed, u"code 4401"_s);
    row("auth_failed", R"({"type":"auth_failed"})", IsFailed, none);
    row("auth_failed, with a reason", R"({"type":"auth_failed","reason":"expired"})", IsFailed, u"expired"_s);
    row("auth_error with a message", R"({"type":"auth_error","payload":{"message":"expired"}})", IsFailed,
        u"expired"_s);
    row("message", R"({"type":"status","state":"ready"})", IsIgnored);
    row("no type", R"({"a":1})", IsIgnored);
    row("array", "[1]", IsIgnored);
    row("type no string", R"({"type":["auth_success"]})", IsIgnored);
    row("other case", R"({"type":"AUTH_SUCCESS"})", IsIgnored);
    row("not JSON", "auth_success", IsMalformed);
    row("success", R"({"type":"auth_success","session_id":"s","user_id":"u","timestamp":"t"})",
        IsAuthenticated);
}

void TestJsonEventProtocol::a3_answers()
{
    QFETCH(QByteArray, text);
    QFETCH(int, kind);
    QFETCH(QString, reason);
    const Received::Outcome outcome = answer(text);
    QCOMPARE(int(kindOf(outcome)), kind);
    if (const auto *failed = std::get_if<Received::AuthenticationFailed>(&outcome))
        QCOMPARE(failed->reason, reason);
}

void TestJsonEventProtocol::a5_session_data()
{
    QTest::addColumn<QByteArray>("members");
    QTest::addColumn<SessionInfo>("session");
    const auto row = [](const char *name, const char *members, const SessionInfo &session) {
        QTest::newRow(name) << QByteArray(members) << session;
    };
    row("texts", R"("session_id":"s","user_id":"ü","timestamp":"2024")",
        SessionInfo(u"s"_s, u"ü"_s, u"2024"_s));
    row("numbers", R"("session_id":5,"user_id":42)", SessionInfo(u"5"_s, u"42"_s, {}));
    row("large numbers", R"("session_id":9007199254740993,"user_id":1700000000000.0)",
        SessionInfo(u"9007199254740993"_s, u"1700000000000"_s, {}));
    row("zero, negative, a fraction", R"("session_id":0,"user_id":-7,"timestamp":1.5)",
        SessionInfo(u"0"_s, u"-7"_s, u"1.5"_s));
    row("truths", R"("session_id":true,"user_id":false)", SessionInfo(u"true"_s, u"false"_s, {}));
    row("nulls", R"("session_id":null,"user_id":null,"timestamp":null)", {});
    row("structures", R"("session_id":{"id":1},"user_id":[2])", {});
    row("the guide's spelling", R"("sessionId":"s","userId":42)", SessionInfo(u"s"_s, u"42"_s, {}));
    row("both spellings", R"("sessionId":"b","session_id":"a","user_id":"","userId":"u")",
        SessionInfo(u"a"_s, u"u"_s, {}));
    row("in a payload", R"("payload":{"session_id":1,"userId":"u"},"timestamp":"t")",
        SessionInfo(u"1"_s, u"u"_s, u"t"_s));
    row("a number that no 64 bits hold", R"("session_id":"s","n":123456789012345678901234567890)",
        SessionInfo(u"s"_s, {}, {}));
}

void TestJsonEventProtocol::a5_session()
{
    QFETCH(QByteArray, members);
    QFETCH(SessionInfo, session);
    const Received::Outcome outcome = answer(R"({"type":"auth_success",)" + members + '}');
    QCOMPARE(kindOf(outcome), IsAuthenticated);
    QCOMPARE(std::get<Received::Authenticated>(outcome).session, session);
}

void TestJsonEventProtocol::a6_onlyWhileAuthenticating()
{
    const QByteArray success = R"({"type":"auth_success","session_id":"s"})";
    QCOMPARE(kindOf(receive(success)), IsMessage); // nobody asked
    JsonEventProtocol protocol;
    (void)protocol.authenticate(u"token"_s);
    const Received::Outcome early = receive(protocol, R"({"type":"early"})");
    QCOMPARE(kindOf(early), IsIgnored);
    QCOMPARE(std::get<Received::Ignored>(early).type, u"early"_s);
    QCOMPARE(kindOf(receive(protocol, success)), IsAuthenticated);
    QCOMPARE(kindOf(receive(protocol, success)), IsMessage);
    QCOMPARE(kindOf(receive(protocol, R"({"type":"auth_error","error":"x"})")), IsMessage);
    QCOMPARE(kindOf(receive(protocol, R"({"type":"error","payload":{"code":"auth_failed"}})")), IsMessage);
}

void TestJsonEventProtocol::h1_heartbeat()
{
    const QByteArray ping = JsonEventProtocol().heartbeat();
    QCOMPARE(QJsonDocument::fromJson(ping).object(), (QJsonObject{{u"type"_s, u"ping"_s}}));
}

void TestJsonEventProtocol::h1_oneAnswerForEachPing()
{
    const QByteArray pong = R"({"timestamp":"t","type":"pong"})";
    JsonEventProtocol protocol;
    QCOMPARE(kindOf(receive(protocol, pong)), IsMessage);
    (void)protocol.heartbeat();
    (void)protocol.heartbeat();
    QCOMPARE(kindOf(receive(protocol, R"({"type":"Pong"})")), IsMessage);
    QCOMPARE(kindOf(receive(protocol, R"({"payload":{"type":"pong"}})")), IsMessage);
    (void)protocol.reauthenticate(u"token"_s); // meanwhile
    for (int i = 0; i < 2; ++i) {
        const Received::Outcome outcome = receive(protocol, pong);
        QVERIFY(std::holds_alternative<Received::HeartbeatAnswer>(outcome));
    }
    QCOMPARE(kindOf(receive(protocol, pong)), IsMessage);
}

void TestJsonEventProtocol::a3_whileRenewingAnErrorMayBeTheApps()
{
    const auto renewing = [](const QByteArray &text) {
        JsonEventProtocol protocol;
        (void)protocol.reauthenticate(u"token"_s);
        return kindOf(receive(protocol, text));
    };
    QCOMPARE(renewing(R"({"type":"error","payload":{"error":"busy"}})"), IsMessage);
    QCOMPARE(renewing(R"({"type":"error","payload":{"error":"busy","code":"overload"}})"), IsMessage);
    QCOMPARE(renewing(R"({"type":"error","code":500})"), IsMessage);
    QCOMPARE(renewing(R"({"type":"error","code":401})"), IsFailed);
    QCOMPARE(renewing(R"({"type":"error","payload":{"code":"token_expired"}})"), IsFailed);
    QCOMPARE(renewing(R"({"type":"auth_failed"})"), IsFailed);
    QCOMPARE(renewing(R"({"type":"auth_error","error":"no"})"), IsFailed);
}

void TestJsonEventProtocol::m1_typeAndBytes()
{
    const auto message = std::get<Message>(receive(Example));
    QCOMPARE(message.type(), u"ai_response"_s);
    QCOMPARE(message.bytes(), Example);
    QCOMPARE(message.direction(), Message::Incoming);
    QCOMPARE(message.json(), QJsonDocument::fromJson(Example).object());
    // An escaped key or value is the same key or value.
    QCOMPARE(std::get<Message>(receive(R"({"t\u0079pe":"a\u0062\n"})")).type(), u"ab\n"_s);
    QCOMPARE(std::get<Message>(receive(" \r\n\t{ \"type\" : \"x\" } \n")).type(), u"x"_s);
    QCOMPARE(std::get<Message>(receive(R"({"type":"größe😀"})")).type(), u"größe😀"_s);
}

void TestJsonEventProtocol::m1_typeOfManyMessages()
{
    JsonEventProtocol protocol; // which remembers the last type
    for (const auto &type : {"a"_L1, "a"_L1, "b"_L1, ""_L1, "a"_L1, "ab"_L1}) {
        const QByteArray text = "{\"type\":\"" + QByteArray(type.data(), type.size()) + "\"}";
        QCOMPARE(std::get<Message>(receive(protocol, text)).type(), QString(type));
        QCOMPARE(std::get<Message>(receive(protocol, "{}")).type(), QString());
    }
}

void TestJsonEventProtocol::m2_noType_data()
{
    QTest::addColumn<QByteArray>("text");
    for (const char *text :
         {"{}", "[]", "[{\"type\":\"x\"}]", "\"type\"", "5", "-0.0", "true", "null", " null ", "{\"type\":5}",
          "{\"type\":null}", "{\"type\":{\"type\":\"x\"}}", "{\"type\":\"\"}", "{\"Type\":\"x\"}"})
        QTest::newRow(text) << QByteArray(text);
}

// "message" only: there is no type.
void TestJsonEventProtocol::m2_noType()
{
    QFETCH(QByteArray, text);
    const Received::Outcome outcome = receive(text);
    QCOMPARE(kindOf(outcome), IsMessage);
    QCOMPARE(std::get<Message>(outcome).type(), QString());
    QCOMPARE(std::get<Message>(outcome).bytes(), text);
}

void TestJsonEventProtocol::m2_notJson_data()
{
    QTest::addColumn<QByteArray>("text");
    const QList<QByteArray> texts{"",
                                  " ",
                                  "\n",
                                  "hello",
                                  "{",
                                  "}",
                                  "{\"type\"}",
                                  "{\"type\":}",
                                  "{\"type\":\"x\"",
                                  "{\"type\":\"x\"}}",
                                  "{\"type\":\"x\"} {\"type\":\"y\"}",
                                  "{\"type\":\"x\",}",
                                  "{'type':'x'}",
                                  "{type:\"x\"}",
                                  "[1,]",
                                  "[1 2]",
                                  "{\"type\":\"x\",\"n\":01}",
                                  "{\"type\":\"x\",\"n\":1.}",
                                  "{\"type\":\"x\",\"n\":.5}",
                                  "{\"type\":\"x\",\"n\":-.5}",
                                  "{\"type\":\"x\",\"n\":-01}",
                                  "{\"type\":\"x\",\"n\":+1}",
                                  "{\"type\":\"x\",\"n\":1e}",
                                  "{\"type\":\"x\",\"n\":-}",
                                  "{\"type\":\"x\",\"n\":0x10}",
                                  "{\"type\":\"x\",\"n\":NaN}",
                                  "{\"type\":\"x\",\"n\":Infinity}",
                                  "{\"type\":\"x\",\"s\":\"\\x41\"}",
                                  "{\"type\":\"x\",\"s\":\"\\u12\"}",
                                  "{\"type\":\"x\",\"s\":\"\t\"}",
                                  "{\"type\":\"x\",\"b\":tru}",
                                  "{\"type\":\"x\"}//",
                                  "{\"type\":\"x\",\"s\":\"\xff\"}",
                                  "{\"type\":\"x\",\"s\":\"\xc3\"}",
                                  "{\"type\":\"x\",\"s\":\"\xed\xa0\x80\"}",
                                  "{\"type\":\"x\",\"s\":\"\xc0\x80\"}",
                                  "{\"type\":\"\xf4\x90\x80\x80\"}",
                                  "\xff\xfe{\"type\":\"x\"}"};
    for (int i = 0; i < texts.size(); ++i)
        QTest::addRow("%d %s", i, texts.at(i).toPercentEncoding("{}\":, ").constData()) << texts.at(i);
}

void TestJsonEventProtocol::m2_notJson()
{
    QFETCH(QByteArray, text);
    QVERIFY(!StrictJson::isValid(text));
    const Received::Outcome outcome = receive(text);
    QCOMPARE(kindOf(outcome), IsMalformed);
    QCOMPARE(std::get<Received::Malformed>(outcome).text, text);
    QVERIFY(!std::get<Received::Malformed>(outcome).reason.isEmpty());
}

void TestJsonEventProtocol::m1_whatJsonParseTakes_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QJsonValue>("value");
    const QString high(QChar(0xd83d));
    const QString low(QChar(0xde00));
    const auto row = [](const char *name, const char *json, const QJsonValue &value) {
        QTest::newRow(name) << QByteArray(json) << value;
    };
    row("a high half at the end", R"("half \ud83d")", u"half "_s + high);
    row("a low half at the start", R"("\ude00 rest")", low + u" rest"_s);
    row("a half alone", R"("\uD83D")", high);
    row("halves in the wrong order", R"("\ude00\ud83d")", low + high);
    row("a half before an escape", R"("\ud83d\n\u0041")", high + u"\nA"_s);
    row("two high halves and a low one", R"("\ud83d\ud83d\ude00")", high + high + low);
    row("a pair", R"("\ud83d\ude00")", high + low);
    row("a half as a key", R"({"\ud83d":1})", QJsonObject{{high, 1}});
    row("a half in the depth", R"([[{"a":["\ud83d"]}]])",
        QJsonArray{QJsonArray{QJsonObject{{u"a"_s, QJsonArray{high}}}}});
    row("a half and a huge number", R"(["\ud83d",123456789012345678901234567890])",
        QJsonArray{high, 123456789012345678901234567890.0});
    row("beyond a double", "1e400", qInf());
    row("below a double", "-1e400", -qInf());
    row("too small for a double", "1e-400", 0.0);
    row("an endless exponent", "1e99999999999999999999999", qInf());
    row("an endless negative exponent", "-1e-99999999999999999999999", 0.0);
    row("many zeros and an exponent", QByteArray("0." + QByteArray(700, '0') + "1e300").constData(), 0.0);
    row("more digits than a double has", QByteArray(400, '9').constData(), qInf());
    row("nothing, with an exponent", "0e400", 0.0);
    row("a half and too small", R"(["\ud83d",1e-400,0.5e1])", QJsonArray{high, 0.0, 5.0});
    row("NUL", R"("a\u0000\ud83d")", QString(u'a') + QChar(0) + high);
    row("the same key twice", R"({"a":"\ud83d","a":2})", QJsonObject{{u"a"_s, 2}});
    row("an empty key", R"({"":"\ud83d"})", QJsonObject{{QString(), high}});
    row("white space", " \t\r\n[ \"\\ud83d\" , 1e400 ] ", QJsonArray{high, qInf()});
}

// As JSON.parse reads it, and nothing that JSON.parse refuses: the same values with an error behind them are no JSON.
void TestJsonEventProtocol::m1_whatJsonParseTakes()
{
    QFETCH(QByteArray, json);
    QFETCH(QJsonValue, value);
    const QByteArray text = R"({"v":)" + json + R"(,"type":"x"})";
    const Received::Outcome outcome = receive(text);
    QCOMPARE(kindOf(outcome), IsMessage);
    const auto message = std::get<Message>(outcome);
    QCOMPARE(message.type(), u"x"_s);
    QCOMPARE(message.bytes(), text);
    QCOMPARE(message.json().value("v"_L1), value);
    QCOMPARE(kindOf(answer(text)), IsIgnored);
    for (const QByteArray &broken :
         {R"({"v":)" + json + ",}", R"({"v":)" + json, R"({"v":)" + json + R"(,"w":"\x41"})",
          R"({"v":)" + json + R"(,"w":1.})", R"({"v":)" + json + R"(,"w":.5})",
          R"({"v":)" + json + R"(,"w":+1})", R"({"v":)" + json + R"(,"w":01})",
          R"({"v":)" + json + ",\"w\":\"\t\"}", R"({"v":)" + json + R"(,"w":"\ud8"})",
          R"({"v":)" + json + R"(,"w":NaN})", "\v" + text, text + "x", R"({'v':)" + json + '}'})
        QVERIFY2(kindOf(receive(broken)) == IsMalformed, broken.constData());
}

void TestJsonEventProtocol::m1_manyMembersInAnyOrder_data()
{
    QTest::addColumn<QByteArray>("number");
    QTest::newRow("strict JSON") << QByteArray("1");
    QTest::newRow("beyond a double") << QByteArray("1e999");
}

// With an insertion for each, as QJsonObject sorts, half a million would take many minutes.
void TestJsonEventProtocol::m1_manyMembersInAnyOrder()
{
    QFETCH(const QByteArray, number);
    constexpr int count = 500'000;
    QByteArray text = R"({"type":"x","same":1,"big":)" + number;
    quint32 key = 1;
    for (int i = 0; i < count; ++i) {
        key = key * 1664525U + 1013904223U; // has every value once
        text += ",\"k" + QByteArray::number(key, 36) + "\":" + QByteArray::number(i);
    }
    text += R"(,"same":2})";
    const Received::Outcome outcome = receive(text);
    QCOMPARE(kindOf(outcome), IsMessage);
    const QJsonObject object = std::get<Message>(outcome).json();
    QCOMPARE(object.size(), count + 3);
    QCOMPARE(object.value(u"same").toInt(), 2);
    QCOMPARE(object.value(QLatin1Char('k') + QString::number(key, 36)).toInt(), count - 1);
}

// What is heard is known by the type's UTF-8, which half a pair does not have.
void TestJsonEventProtocol::m1_halvesInATypeAreHeard()
{
    const auto board = std::make_shared<InterestBoard>();
    const auto interest = std::make_shared<Interest>();
    Interest::InType &known = interest->types[QByteArrayLiteral("known")];
    known.isHeard = true;
    known.onlyNewest = false;
    board->publish(interest);
    JsonEventProtocol protocol(board);
    const QString type = u"smile\xd83d"_s;
    for (int i = 0; i < 2; ++i) {
        const auto half = std::get<Message>(receive(protocol, R"({"type":"smile\ud83d"})"));
        QCOMPARE(half.type(), type);
        QCOMPARE(MessageData::of(half).audience, Audience::Each);
        const auto unknown = std::get<Message>(receive(protocol, R"({"type":"unknown"})"));
        QCOMPARE(MessageData::of(unknown).audience, Audience::Nobody);
        const auto heard = std::get<Message>(receive(protocol, R"({"type":"known","v":"\ud83d"})"));
        QCOMPARE(heard.type(), u"known"_s);
        QCOMPARE(MessageData::of(heard).audience, Audience::Each);
    }
}

void TestJsonEventProtocol::m2_duplicateTypes()
{
    // The last one counts, as in JSON.parse.
    QCOMPARE(std::get<Message>(receive(R"({"type":"a","x":1,"type":"b"})")).type(), u"b"_s);
    QCOMPARE(std::get<Message>(receive(R"({"type":"a","type":5})")).type(), QString());
    QCOMPARE(std::get<Message>(receive(R"({"type":5,"type":"a"})")).type(), u"a"_s);
    const auto message = std::get<Message>(receive(R"({"type":"a","type":"b"})"));
    QCOMPARE(message.json().value("type"_L1).toString(), message.type());
}

void TestJsonEventProtocol::m2_typeInsideDoesNotCount()
{
    QCOMPARE(std::get<Message>(receive(R"({"a":{"type":"x"},"b":[{"type":"y"}]})")).type(), QString());
    QCOMPARE(std::get<Message>(receive(R"({"type":"x","a":{"type":"y"}})")).type(), u"x"_s);
    QCOMPARE(kindOf(answer(R"({"type":"x","payload":{"type":"auth_success"}})")), IsIgnored);
}

void TestJsonEventProtocol::m9_numbers_data()
{
    QTest::addColumn<QByteArray>("number");
    for (const char *number :
         {"18446744073709551615", "18446744073709551616", "-9223372036854775809", "1e308", "1e309", "-1e400",
          "1e-400", "0.1e-999999999", "1E+2", "0.0000000000000000000001"})
        QTest::newRow(number) << QByteArray(number);
    QTest::newRow("10,000 digits") << QByteArray(10'000, '9');
    QTest::newRow("10,000 decimals") << "0." + QByteArray(10'000, '3');
}

void TestJsonEventProtocol::m9_numbers()
{
    QFETCH(QByteArray, number);
    const QByteArray text = R"({"n":)" + number + R"(,"type":"big"})";
    const StrictJson::Verdict verdict = StrictJson::check(text);
    QVERIFY(verdict != StrictJson::Invalid);
    const Received::Outcome outcome = receive(text);
    QCOMPARE(kindOf(outcome), IsMessage);
    QCOMPARE(std::get<Message>(outcome).type(), u"big"_s);
    QCOMPARE(std::get<Message>(outcome).bytes(), text);
    QCOMPARE(std::get<Message>(outcome).json().value("type"_L1).toString(), u"big"_s);
}

void TestJsonEventProtocol::m9_nesting()
{
    QCOMPARE(kindOf(receive(nested(1000))), IsMessage);
    for (const int levels : {1025, 1100, 100'000}) {
        const Received::Outcome outcome = receive(nested(levels));
        QCOMPARE(kindOf(outcome), IsMalformed);
        QVERIFY(std::get<Received::Malformed>(outcome).reason.contains(u"1024"_s));
    }
    QCOMPARE(kindOf(receive(QByteArray(1'000'000, '['))), IsMalformed);
    QCOMPARE(kindOf(receive(QByteArray("{\"a\":").repeated(100'000))), IsMalformed);
    // A number beyond 64 bits takes the other parser, which must not recurse further either.
    QCOMPARE(kindOf(receive("[123456789012345678901234567890," + QByteArray(100'000, '['))), IsMalformed);
    QCOMPARE(kindOf(receive("[123456789012345678901234567890," + QByteArray(100'000, '[') +
                            QByteArray(100'000, ']') + ']')),
             IsMalformed);
}

// What is let through as a message can be decoded.
void TestJsonEventProtocol::m9_deepMessagesCanBeRead()
{
    int accepted = 0;
    for (int levels = 1000; levels <= 1030; ++levels) {
        const Received::Outcome outcome = receive(nested(levels));
        const auto *message = std::get_if<Message>(&outcome);
        if (!message)
            continue;
        ++accepted;
        QCOMPARE(message->json().value("type"_L1).toString(), u"deep"_s);
    }
    QVERIFY(accepted >= 20);
}

void TestJsonEventProtocol::m9_megabytes()
{
    const QByteArray big(4 * 1024 * 1024, 'k');
    QCOMPARE(std::get<Message>(receive("{\"" + big + "\":1,\"type\":\"x\"}")).type(), u"x"_s);
    QCOMPARE(std::get<Message>(receive("{\"type\":\"" + big + "\"}")).type().size(), big.size());
    QCOMPARE(kindOf(receive("{\"" + big + "\":1")), IsMalformed);
    QCOMPARE(kindOf(receive('"' + big + '"')), IsMessage);
    QCOMPARE(kindOf(receive(big)), IsMalformed);
    const QByteArray keys = QByteArray("\"type\":\"a\",").repeated(200'000);
    QCOMPARE(std::get<Message>(receive('{' + keys + "\"type\":\"z\"}")).type(), u"z"_s);
}

void TestJsonEventProtocol::m9_nulAndBom()
{
    QCOMPARE(kindOf(receive(QByteArray("{\"type\":\"x\"}\0", 13))), IsMalformed);
    QCOMPARE(kindOf(receive(QByteArray("\0", 1))), IsMalformed);
    QCOMPARE(kindOf(receive(QByteArray("{\"type\":\"a\0b\"}", 14))), IsMalformed);
    QCOMPARE(std::get<Message>(receive(R"({"type":"a\u0000b"})")).type(), QStringLiteral("a\u0000b"));
    // A byte order mark is allowed to be ignored (RFC 8259 §8.1) or to be an error; never part of a message
    // that cannot be read.
    const Received::Outcome bom = receive("\xEF\xBB\xBF{\"type\":\"x\"}");
    if (const auto *message = std::get_if<Message>(&bom))
        QCOMPARE(message->json().value("type"_L1).toString(), u"x"_s);
    else
        QCOMPARE(kindOf(bom), IsMalformed);
}

void TestJsonEventProtocol::m9_oneParserForManyTexts()
{
    // A failure leaves nothing behind in the parser that is used again.
    JsonEventProtocol protocol;
    for (int i = 0; i < 100; ++i) {
        QCOMPARE(kindOf(receive(protocol, QByteArray(i * 37, '['))), IsMalformed);
        QCOMPARE(std::get<Message>(receive(protocol, Example)).type(), u"ai_response"_s);
    }
}

void TestJsonEventProtocol::m9_mutations()
{
    QRandomGenerator random(20240511); // the same every time
    JsonEventProtocol protocol;
    int valid = 0;
    for (int round = 0; round < 10'000; ++round) {
        QByteArray text = Example;
        for (auto changes = random.bounded(1, 4); changes > 0; --changes) {
            const qsizetype at = random.bounded(int(text.size()));
            static const QByteArray letters = "{}[]\",:\\.-+eE0123456789utfn \n\xc3\xff";
            switch (random.bounded(4)) {
            case 0: text[at] = char(random.bounded(256)); break;
            case 1: text.remove(at, random.bounded(1, 4)); break;
            case 2: text.insert(at, letters.at(random.bounded(int(letters.size())))); break;
            default: text[at] = letters.at(random.bounded(int(letters.size()))); break;
            }
        }
        const StrictJson::Verdict verdict = StrictJson::check(text);
        const Received::Outcome outcome = receive(protocol, text);
        QVERIFY2((kindOf(outcome) == IsMessage) == (verdict != StrictJson::Invalid),
                 text.toPercentEncoding().constData());
        if (const auto *message = std::get_if<Message>(&outcome)) {
            ++valid;
            const QJsonObject object = QJsonDocument::fromJson(text).object();
            if (!object.isEmpty() || verdict == StrictJson::Valid) // it takes no huge number
                QCOMPARE(message->json(), object);
            QCOMPARE(message->json().value("type"_L1).toString(), message->type());
        }
    }
    QVERIFY(valid > 500 && valid < 9'500); // the mutations find both sides
}

void TestJsonEventProtocol::m9_truncations()
{
    for (qsizetype size = 0; size < Example.size(); ++size) {
        QCOMPARE(kindOf(receive(Example.first(size))), IsMalformed);
        // Where the byte array's own memory ends there is nothing that may be read.
        const QByteArray raw = QByteArray::fromRawData(Example.constData(), size);
        QCOMPARE(kindOf(receive(raw)), IsMalformed);
    }
}

void TestJsonEventProtocol::m9_mutatedAnswersNeverAuthenticateByAccident()
{
    QRandomGenerator random(7);
    const QByteArray failure = R"({"type":"auth_error","error":"auth_success"})";
    for (int round = 0; round < 5'000; ++round) {
        QByteArray text = failure;
        text[random.bounded(int(text.size()))] = char(random.bounded(256));
        QVERIFY2(kindOf(answer(text)) != IsAuthenticated, text.constData());
    }
}

QTEST_GUILESS_MAIN(TestJsonEventProtocol)
#include "tst_jsoneventprotocol.moc"
