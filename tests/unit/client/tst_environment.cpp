// SPDX-License-Identifier: MIT
#include "client/environment.h"

#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;

class TestEnvironment : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup();
    void c2_names_data();
    void c2_names();
    void c2_plainAndPrefixed();
    void c2_blankIsNotSet();
    void c2_onlyTheUrlIsSet();
};

void TestEnvironment::cleanup()
{
    qunsetenv("MY_TYPE_WS_URL");
    qunsetenv("NEXT_PUBLIC_MY_TYPE_WS_URL");
}

void TestEnvironment::c2_names_data()
{
    QTest::addColumn<QString>("type");
    QTest::addColumn<QString>("variable");
    QTest::newRow("guide") << u"simulation"_s << u"SIMULATION_WS_URL"_s;
    QTest::newRow("notifications") << u"notifications"_s << u"NOTIFICATIONS_WS_URL"_s;
    QTest::newRow("dash") << u"my-type"_s << u"MY_TYPE_WS_URL"_s;
    QTest::newRow("dots and spaces") << u"a.b c"_s << u"A_B_C_WS_URL"_s;
    QTest::newRow("digits") << u"v2"_s << u"V2_WS_URL"_s;
    QTest::newRow("not ASCII") << u"öl"_s << u"_L_WS_URL"_s;
    QTest::newRow("equals sign") << u"a=b"_s << u"A_B_WS_URL"_s;
}

void TestEnvironment::c2_names()
{
    QFETCH(QString, type);
    QFETCH(QString, variable);
    QCOMPARE(Environment::variableFor(type), variable);
}

void TestEnvironment::c2_plainAndPrefixed()
{
    QCOMPARE(Environment::configurationFor(u"my-type"_s), ConnectionConfig());
    qputenv("NEXT_PUBLIC_MY_TYPE_WS_URL", "wss://web.example/");
    QCOMPARE(Environment::configurationFor(u"my-type"_s).url(), u"wss://web.example/"_s);
    qputenv("MY_TYPE_WS_URL", " wss://qt.example/ ");
    QCOMPARE(Environment::configurationFor(u"my-type"_s).url(), u"wss://qt.example/"_s);
    QCOMPARE(Environment::configurationFor(u"other"_s), ConnectionConfig());
}

void TestEnvironment::c2_blankIsNotSet()
{
    qputenv("MY_TYPE_WS_URL", "  ");
    QCOMPARE(Environment::configurationFor(u"my-type"_s), ConnectionConfig());
    qputenv("NEXT_PUBLIC_MY_TYPE_WS_URL", "wss://web.example/");
    QCOMPARE(Environment::configurationFor(u"my-type"_s).url(), u"wss://web.example/"_s);
}

void TestEnvironment::c2_onlyTheUrlIsSet()
{
    qputenv("MY_TYPE_WS_URL", "http://wrong.example");
    const ConnectionConfig config = Environment::configurationFor(u"my-type"_s);
    QCOMPARE(config.toVariantMap(), (QVariantMap{{u"url"_s, u"http://wrong.example"_s}}));
    QVERIFY(!config.problems().isEmpty()); // refused where it is used, not dropped silently
}

QTEST_GUILESS_MAIN(TestEnvironment)
#include "tst_environment.moc"
