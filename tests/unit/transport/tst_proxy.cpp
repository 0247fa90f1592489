// SPDX-License-Identifier: MIT
#include "transport/proxy.h"

#include <QTest>

using namespace Everwire;
using namespace Qt::StringLiterals;

class TestProxy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anEmptyOptionIsTheApplications();
    void noneIsNoProxy();
    void options_data();
    void options();
    void a7_namesHideThePassword();
};

void TestProxy::anEmptyOptionIsTheApplications()
{
    QVERIFY(!Proxy::fromOption({}));
    QCOMPARE(Proxy::nameOf({}), u"the application's proxy"_s);
}

void TestProxy::noneIsNoProxy()
{
    QCOMPARE(Proxy::fromOption(u"none"_s)->type(), QNetworkProxy::NoProxy);
}

void TestProxy::options_data()
{
    QTest::addColumn<QString>("option");
    QTest::addColumn<QNetworkProxy>("proxy");
    QTest::newRow("HTTP") << u"http://proxy.example.com:3128"_s
                          << QNetworkProxy(QNetworkProxy::HttpProxy, u"proxy.example.com"_s, 3128);
    QTest::newRow("SOCKS5") << u"socks5://127.0.0.1:1080"_s
                            << QNetworkProxy(QNetworkProxy::Socks5Proxy, u"127.0.0.1"_s, 1080);
    QTest::newRow("with a user") << u"http://me:pass@proxy:1"_s
                                 << QNetworkProxy(QNetworkProxy::HttpProxy, u"proxy"_s, 1, u"me"_s,
                                                  u"pass"_s);
    QTest::newRow("encoded") << u"http://m%40e:p%3a%2Fs%25@proxy:1"_s
                             << QNetworkProxy(QNetworkProxy::HttpProxy, u"proxy"_s, 1, u"m@e"_s, u"p:/s%"_s);
    QTest::newRow("IPv6") << u"socks5://[::1]:1080"_s
                          << QNetworkProxy(QNetworkProxy::Socks5Proxy, u"::1"_s, 1080);
}

void TestProxy::options()
{
    QFETCH(const QString, option);
    QFETCH(const QNetworkProxy, proxy);
    QVERIFY(Proxy::fromOption(option));
    QCOMPARE(*Proxy::fromOption(option), proxy);
}

void TestProxy::a7_namesHideThePassword()
{
    QCOMPARE(Proxy::nameOf(u"http://me:pass@proxy:3128/?x#y"_s), u"the proxy http://proxy:3128"_s);
    QCOMPARE(Proxy::nameOf(u"socks5://me:pass@[::1]:1080"_s), u"the proxy socks5://[::1]:1080"_s);
}

QTEST_GUILESS_MAIN(TestProxy)
#include "tst_proxy.moc"
