// SPDX-License-Identifier: MIT
#include <Everwire/ConnectionConfig>
#include <Everwire/ConnectionError>
#include <Everwire/Message>
#include <Everwire/SessionInfo>

#include <QDebug>
#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;

namespace {

template<typename Value>
QString shown(const Value &value)
{
    return QDebug::toString(value);
}

} // namespace

class TestDebug : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void values();
    void a7_aConfigurationKeepsItsSecrets();
    void c4_aMessageKeepsItsPayload();
    void quotingOfTheCallerStays();
};

void TestDebug::values()
{
    QCOMPARE(shown(SessionInfo(u"s1"_s, u"u1"_s, u"2026"_s)),
             u"SessionInfo(\"s1\", user \"u1\", \"2026\")"_s);
    QCOMPARE(
        shown(ConnectionError(ConnectionError::ConnectionLost, u"gone"_s, 1006, true)),
        u"ConnectionError(Everwire::ConnectionError::ConnectionLost, \"gone\", close code 1006, final)"_s);
    QCOMPARE(shown(ConnectionError()), u"ConnectionError(Everwire::ConnectionError::NoError, \"\")"_s);
    QCOMPARE(shown(Message()), u"Message()"_s);
    QCOMPARE(shown(ConnectionConfig()), u"ConnectionConfig()"_s);
    const auto config = ConnectionConfig()
                            .setUrl(u"wss://host/path"_s)
                            .setMaxReconnectAttempts(3)
                            .setTerminalCloseCodes({4003, 4004})
                            .setQueueOverflow(ConnectionConfig::QueueOverflow::DropOldest);
    QCOMPARE(shown(config), u"ConnectionConfig(maxReconnectAttempts: 3, queueOverflow: DropOldest, "
                            "terminalCloseCodes: 4003 4004, url: wss://host/path)"_s);
}

void TestDebug::a7_aConfigurationKeepsItsSecrets()
{
    const QString text = shown(ConnectionConfig()
                                   .setUrl(u"wss://me:SECRET@host/a?token=SECRET#SECRET"_s)
                                   .setHeaders({{u"Authorization"_s, u"Bearer SECRET"_s}})
                                   .setProxy(u"http://me:SECRET@proxy:3128"_s)
                                   .setClientKey(u"-----BEGIN PRIVATE KEY-----SECRET"_s)
                                   .setOptions({{u"token"_s, u"SECRET"_s}}));
    QVERIFY2(!text.contains("SECRET"_L1), qPrintable(text));
    for (const QLatin1String name :
         {"wss://host/a"_L1, "headers: Authorization"_L1, "proxy: http://proxy:3128"_L1, "options: token"_L1})
        QVERIFY2(text.contains(name), qPrintable(text));
}

void TestDebug::c4_aMessageKeepsItsPayload()
{
    const QByteArray json = R"({"type":"chat","text":"SECRET"})";
    QCOMPARE(shown(Message::fromText(json, u"chat"_s, Message::Incoming)),
             u"Message(incoming \"chat\", 31 bytes)"_s);
    QCOMPARE(shown(Message::fromBinary("SECRET", Message::Outgoing)),
             u"Message(outgoing \"binary\", 6 bytes)"_s);
}

void TestDebug::quotingOfTheCallerStays()
{
    QString text;
    QDebug(&text).noquote() << SessionInfo(u"s"_s, u"u"_s, u"t"_s) << u"next"_s;
    QCOMPARE(text.trimmed(), u"SessionInfo(s, user u, t) next"_s);
}

QTEST_GUILESS_MAIN(TestDebug)
#include "tst_debug.moc"
