// SPDX-License-Identifier: MIT
#include "transport/headervalue.h"

#include <QTest>

using namespace Everwire::HeaderValue;

class TestHeaderValue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void listsInAnyCase();
    void extensions();
    void badExtensions_data();
    void badExtensions();
};

void TestHeaderValue::listsInAnyCase()
{
    QVERIFY(listHas("keep-alive, Upgrade", "upgrade"));
    QVERIFY(listHas("UPGRADE", "upgrade"));
    QVERIFY(listHas(" ,\tupgrade ,", "upgrade"));
    QVERIFY(!listHas("upgrades", "upgrade"));
    QVERIFY(!listHas("", "upgrade"));
}

void TestHeaderValue::extensions()
{
    const auto list = parseExtensions("a, Permessage-Deflate ; x ;y= \"12\"; Z=3,b");
    QVERIFY(list);
    QCOMPARE(list->size(), 3);
    QCOMPARE(list->at(1).name, QByteArray("permessage-deflate"));
    QCOMPARE(list->at(1).parameters.size(), 3);
    QVERIFY(!list->at(1).parameters[0].value);
    QCOMPARE(*list->at(1).parameters[1].value, QByteArray("12"));
    QCOMPARE(list->at(1).parameters[2].name, QByteArray("z"));
    QVERIFY(parseExtensions("")->isEmpty());
}

void TestHeaderValue::badExtensions_data()
{
    QTest::addColumn<QByteArray>("value");
    for (const char *value :
         {",", "a,", "a;", "a;=1", "a;b=", "a b", "a;b=\"c", "a;b=\"c d\"", "a;b=\"\\", "a;;b", "\"a\""})
        QTest::addRow("%s", value) << QByteArray(value);
}

void TestHeaderValue::badExtensions()
{
    QFETCH(const QByteArray, value);
    QVERIFY(!parseExtensions(value));
}

QTEST_APPLESS_MAIN(TestHeaderValue)
#include "tst_headervalue.moc"
