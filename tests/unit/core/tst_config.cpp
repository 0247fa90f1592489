// SPDX-License-Identifier: MIT
#include "core/connectionconfig.h"

#include "core/effective.h"
#include "core/origin.h"
#include "transport/handshake.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QMetaEnum>
#include <QMetaProperty>
#include <QRegularExpression>
#include <QTest>

#include <cmath>
#include <limits>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

struct Option
{
    const char *key;
    QVariant fallback; // what its getter returns where nobody set it
    QVariant other;    // a good value that is not the default
    QVariantList bad;  // wrong types and impossible values
};

const QVariant Nan = std::numeric_limits<double>::quiet_NaN();
const QVariant Infinite = std::numeric_limits<double>::infinity();

QVariantList notABool()
{
    return {1, u"true"_s, 0.0, QVariantList(), QVariantMap(), QVariant()};
}

QVariantList notAtLeast(double least)
{
    return {least - 1, least + 0.5, u"many"_s,      u"5"_s,        QString(),          true,      Nan,
            Infinite,  1e300,       QVariantList(), QVariantMap(), QVariantList{5, 6}, QVariant()};
}

QVariantList notANumberBetween0And1()
{
    return {-0.01, 1.01, u"half"_s, u"0.5"_s, true, Nan, Infinite, QVariantList(), QVariant()};
}

QVariantList notAnEnum()
{
    return {u"nothing"_s, -1, 99, 0.5, true, u"0"_s, QVariantList(), QVariant()};
}

QList<Option> options()
{
    return {
        {"url",
         u""_s,
         u"wss://example.com/a?b=c"_s,
         {u"http://example.com"_s, u"example.com"_s, u"wss://"_s, u"ws:///path"_s, u"wss://a/#frag"_s,
          u"wss://a:99999/"_s, u"wss://a b/"_s, 5, true, QVariantList(), QVariant()}},
        {"protocols",
         QStringList(),
         QStringList{u"chat"_s, u"v2.chat"_s},
         {u"chat"_s, QVariantList{1}, QStringList{u"two words"_s}, QStringList{u""_s},
          QStringList{u"chat\n"_s}, QStringList{u"a,b"_s}, QStringList{u"chät"_s},
          QStringList{u"a"_s, u"a"_s}, 5, QVariantMap(), QVariant()}},
        {"headers",
         QVariantMap(),
         QVariantMap{{u"X-Client"_s, u"qt"_s}},
         {QVariantMap{{u"Sec-WebSocket-Key"_s, u"x"_s}},
          QVariantMap{{u"sec-websocket-protocol"_s, u"x"_s}},
          QVariantMap{{u"Host"_s, u"x"_s}},
          QVariantMap{{u"UPGRADE"_s, u"x"_s}},
          QVariantMap{{u"Connection"_s, u"x"_s}},
          QVariantMap{{u"Content-Length"_s, u"1"_s}},
          QVariantMap{{u"Transfer-Encoding"_s, u"chunked"_s}},
          QVariantMap{{u"X A"_s, u"x"_s}},
          QVariantMap{{u""_s, u"x"_s}},
          QVariantMap{{u"X:"_s, u"x"_s}},
          QVariantMap{{u"X\n"_s, u"x"_s}},
          QVariantMap{{u"X\r\nY"_s, u"x"_s}},
          QVariantMap{{u"X"_s, u"a\r\nEvil: b"_s}},
          QVariantMap{{u"X"_s, u"a\n"_s}},
          QVariantMap{{u"X"_s, u"a\r"_s}},
          QVariantMap{{u"X"_s, QString(QChar(0))}},
          QVariantMap{{u"X"_s, QVariantMap()}},
          u"X: y"_s,
          5,
          QVariantList(),
          QVariant()}},
        {"autoReconnect", true, false, notABool()},
        {"maxReconnectAttempts", 10, -1, notAtLeast(-1)},
        {"initialReconnectDelay", 1000, 0, notAtLeast(0)},
        {"maxReconnectDelay", 30000, 0, notAtLeast(0)},
        {"reconnectJitter", 0.2, 1.0, notANumberBetween0And1()},
        {"stableAfter", 5000, 0, notAtLeast(0)},
        {"connectTimeout", 10000, 1, notAtLeast(1)},
        {"tokenTimeout", 10000, 1, notAtLeast(1)},
        {"preparationTimeout", 10000, 1, notAtLeast(1)},
        {"authTimeout", 5000, 1, notAtLeast(1)},
        {"tokenRenewal", u"Reconnect"_s, u"Reauthenticate"_s, notAnEnum()},
        {"closeTimeout", 3000, 1, notAtLeast(1)},
        {"authentication", u"FirstMessage"_s, u"None"_s, notAnEnum()},
        {"allowInsecureAuth", false, true, notABool()},
        {"terminalCloseCodes",
         QVariantList(),
         QVariantList{1001, 4999},
         {QVariantList{999}, QVariantList{5000}, QVariantList{-1}, QVariantList{u"x"_s}, QVariantList{1000.5},
          QVariantList{true}, 4000, u"4000"_s, QVariantMap(), QVariant()}},
        {"authFailureCloseCodes",
         QVariantList{4001, 4401, 4403},
         QVariantList{1008, 4999},
         {QVariantList{999}, QVariantList{5000}, QVariantList{u"x"_s}, 4000, QVariantMap(), QVariant()}},
        {"maxQueuedMessages", 100, 0, notAtLeast(0)},
        {"maxQueuedBytes", 16 * 1024 * 1024, 0, notAtLeast(0)},
        {"queueOverflow", u"Reject"_s, u"DropOldest"_s, notAnEnum()},
        {"transport", u"Automatic"_s, u"QWebSocket"_s, notAnEnum()},
        {"compression", u"Auto"_s, u"Off"_s, notAnEnum()},
        {"compressionThreshold", 128, 0, notAtLeast(0)},
        {"followRedirects", false, true, notABool()},
        {"caCertificates", QStringList(), QStringList{u"ca.pem"_s}, {QVariantList{1}, 5, QVariant()}},
        {"clientCertificate", QString(), u"client.pem"_s, {5, QVariantList(), QVariant()}},
        {"clientKey", QString(), u"client.key"_s, {5, QVariantList(), QVariant()}},
        {"pinnedPublicKeys",
         QStringList(),
         QStringList{u"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="_s},
         {QStringList{u"sha256/AAAA"_s}, QStringList{u"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="_s},
          QStringList{u"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"_s}, 5, QVariant()}},
        {"ignoreTlsErrors",
         QStringList(),
         QStringList{u"SelfSignedCertificate"_s},
         {QStringList{u"Everything"_s}, QStringList{u"NoError"_s}, QStringList{u""_s}, true, QVariant()}},
        {"proxy",
         QString(),
         u"socks5://user:word@proxy.example.com:1080"_s,
         {u"proxy.example.com:3128"_s, u"ftp://proxy:21"_s, u"http://proxy"_s, u"http://:80"_s, 5,
          QVariant()}},
        {"maxMessageSize", 512 * 1024, 1, notAtLeast(1)},
        {"maxFrameSize", 32 * 1024, 16, notAtLeast(16)},
        {"requestIdField", u"request_id"_s, u"id"_s, {QString(), 5, QVariant(), u"type"_s}},
        {"replyIdField", u"request_id"_s, u"in_reply_to"_s, {QString(), 5, QVariant(), u"type"_s}},
        {"binarySupported", true, false, notABool()},
        {"historyLimit", 1000, 0, notAtLeast(0)},
        {"historyBytes", 16 * 1024 * 1024, 0, notAtLeast(0)},
        {"drainBudget", 4, 1, notAtLeast(1)},
        {"maxPendingBytes", 32 * 1024 * 1024, 1, notAtLeast(1)},
        {"pendingOverflow", u"Reconnect"_s, u"Discard"_s, notAnEnum()},
        {"heartbeat", u"Ping"_s, u"Message"_s, notAnEnum()},
        {"pingInterval", 25000, 1, notAtLeast(1)},
        {"pongTimeout", 10000, 1, notAtLeast(1)},
        {"linger", 1000, 0, notAtLeast(0)},
        {"debug", false, true, notABool()},
        {"options", QVariantMap(), QVariantMap{{u"id"_s, 5}}, {u"x"_s, 5, QVariantList(), true, QVariant()}},
    };
}

// As the property shows it; enums by name.
QVariant shown(const ConnectionConfig &config, const char *key)
{
    const QMetaObject &meta = ConnectionConfig::staticMetaObject;
    const QMetaProperty found = meta.property(meta.indexOfProperty(key));
    const QVariant value = found.readOnGadget(&config);
    if (found.isEnumType())
        return value.toString();
    if (value.typeId() == qMetaTypeId<QList<int>>()) {
        QVariantList list;
        for (const int number : value.value<QList<int>>())
            list.append(number);
        return list;
    }
    return value;
}

ConnectionConfig from(const QVariantMap &map, QStringList *problems)
{
    problems->clear();
    return ConnectionConfig::fromVariantMap(map, problems);
}

QStringList problemsOf(const QString &key, const QVariant &value)
{
    QStringList problems;
    (void)from({{key, value}}, &problems);
    return problems;
}

} // namespace

class TestConfig : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyOptionIsCovered();
    void defaults_data() { addOptions(); }
    void defaults();
    void c1_roundTrip_data() { addOptions(); }
    void c1_roundTrip();
    void c1_everythingAtOnce();
    void c1_mergeTakesOnlyWhatIsSet();
    void c1_aDefaultThatIsSetWins();
    void c3_badValuesNameTheirKey_data();
    void c3_badValuesNameTheirKey();
    void c3_unknownKeys();
    void c3_problemsAreSafeToLog();
    void c3_oneBadValueLeavesTheOthers();
    void c3_settersAreCheckedToo();
    void c3_goodUrls_data();
    void c3_goodUrls();
    void c3_goodHeaders();
    void c3_enumsByNameInAnyCaseAndByValue();
    void c3_numbersOfEveryType();
    void c3_aNameIsTheSameNumberInEachEnum();
    void c3_durationsThatNoTimerHolds();
    void c3_optionsThatDoNothing_data();
    void c3_optionsThatDoNothing();
    void c3_idleOptionsAreNamed();
    void reconnectIsAutoReconnect();
    void templates_data();
    void templates();
    void templatesThatNothingFills();
    void c1_numbersAsJavaScriptWritesThem_data();
    void c1_numbersAsJavaScriptWritesThem();
    void c1_whatHasNoTextIsRefusedByName();
    void a8_origins_data();
    void a8_origins();
    void o4_noUrl();
    void implicitSharing();

private:
    void addOptions();
};

void TestConfig::addOptions()
{
    QTest::addColumn<QString>("key");
    QTest::addColumn<QVariant>("fallback");
    QTest::addColumn<QVariant>("other");
    for (const Option &option : options())
        QTest::newRow(option.key) << QString::fromLatin1(option.key) << option.fallback << option.other;
}

void TestConfig::everyOptionIsCovered()
{
    QStringList covered;
    for (const Option &option : options())
        covered.append(QString::fromLatin1(option.key));
    const QMetaObject &meta = ConnectionConfig::staticMetaObject;
    QStringList properties;
    for (int i = 0; i < meta.propertyCount(); ++i)
        properties.append(QString::fromLatin1(meta.property(i).name()));
    QCOMPARE(covered, properties);
    // And the error for an unknown key lists the same.
    const QStringList problems = problemsOf(u"nonsense"_s, 1);
    QVERIFY(problems.value(0).endsWith(covered.join(u", "_s)));
}

void TestConfig::defaults()
{
    QFETCH(QString, key);
    QFETCH(QVariant, fallback);
    QFETCH(QVariant, other);
    QCOMPARE(shown(ConnectionConfig(), qPrintable(key)), fallback);
    QVERIFY(fallback != other);
    QVERIFY(ConnectionConfig().toVariantMap().isEmpty());
    QVERIFY(ConnectionConfig().problems().isEmpty());
}

void TestConfig::c1_roundTrip()
{
    QFETCH(QString, key);
    QFETCH(QVariant, fallback);
    QFETCH(QVariant, other);
    for (const QVariant &value : {other, fallback}) {
        QStringList problems;
        const ConnectionConfig config = from({{key, value}}, &problems);
        QCOMPARE(problems, QStringList());
        QCOMPARE(shown(config, qPrintable(key)), value);
        QCOMPARE(config.toVariantMap(), (QVariantMap{{key, value}}));
        QCOMPARE(from(config.toVariantMap(), &problems), config);
        QVERIFY(config != ConnectionConfig());
    }
}

void TestConfig::c1_everythingAtOnce()
{
    QVariantMap map;
    for (const Option &option : options())
        map.insert(QString::fromLatin1(option.key), option.other);
    QStringList problems;
    const ConnectionConfig config = from(map, &problems);
    QCOMPARE(problems, QStringList());
    QCOMPARE(config.toVariantMap(), map);
    QCOMPARE(ConnectionConfig().mergedWith(config), config);
    QCOMPARE(config.mergedWith(ConnectionConfig()), config);
}

void TestConfig::c1_mergeTakesOnlyWhatIsSet()
{
    const auto base = ConnectionConfig().setUrl(u"wss://a"_s).setHistoryLimit(5).setDebug(true);
    const auto over = ConnectionConfig().setUrl(u"wss://b"_s).setOptions({{u"k"_s, 1}});
    const ConnectionConfig merged = base.mergedWith(over);
    QCOMPARE(merged.url(), u"wss://b"_s);
    QCOMPARE(merged.historyLimit(), 5);
    QVERIFY(merged.debug());
    QCOMPARE(merged.options(), (QVariantMap{{u"k"_s, 1}}));
    QCOMPARE(base.url(), u"wss://a"_s);
}

void TestConfig::c1_aDefaultThatIsSetWins()
{
    const auto base = ConnectionConfig().setHistoryLimit(5).setDebug(true);
    const auto merged = base.mergedWith(ConnectionConfig().setHistoryLimit(1000).setDebug(false));
    QCOMPARE(merged.historyLimit(), 1000);
    QVERIFY(!merged.debug());
}

void TestConfig::c3_badValuesNameTheirKey_data()
{
    QTest::addColumn<QString>("key");
    QTest::addColumn<QVariant>("value");
    for (const Option &option : options()) {
        int number = 0;
        for (const QVariant &value : option.bad)
            QTest::addRow("%s %d %s", option.key, ++number, value.typeName())
                << QString::fromLatin1(option.key) << value;
    }
}

void TestConfig::c3_badValuesNameTheirKey()
{
    QFETCH(QString, key);
    QFETCH(QVariant, value);
    QStringList problems;
    const ConnectionConfig config = from({{key, value}}, &problems);
    QVERIFY2(!problems.isEmpty(), "accepted");
    for (const QString &problem : problems)
        QVERIFY2(problem.startsWith(key + u": "_s), qPrintable(problem));
    QVERIFY(config.toVariantMap().isEmpty()); // left out
}

void TestConfig::c3_unknownKeys()
{
    for (const QString &key : {u"URL"_s, u"maxReconnectAttempt"_s, u""_s, u"url "_s}) {
        const QStringList problems = problemsOf(key, 1);
        QCOMPARE(problems.size(), 1);
        QVERIFY2(problems.first().startsWith(key + u": "_s), qPrintable(problems.first()));
    }
}

void TestConfig::c3_problemsAreSafeToLog()
{
    QStringList problems;
    from({{u"a\nb"_s, 1},
          {u"headers"_s, QVariantMap{{u"x\r\ny"_s, u"1"_s}}},
          {u"protocols"_s, QStringList{u"p\033[31m"_s}}},
         &problems);
    QCOMPARE(problems.size(), 3);
    for (const QString &problem : std::as_const(problems))
        QVERIFY2(!problem.contains(QRegularExpression(u"[\\x00-\\x1f]"_s)), qPrintable(problem));
    problems.clear();
    from({{u"linger"_s, 1e18}}, &problems);
    QCOMPARE(problems, QStringList{u"linger: expected a whole number of milliseconds, not 1e+18"_s});
}

void TestConfig::c3_oneBadValueLeavesTheOthers()
{
    QStringList problems;
    const ConnectionConfig config =
        from({{u"linger"_s, -1}, {u"historyLimit"_s, 7}, {u"what"_s, 1}}, &problems);
    QCOMPARE(problems.size(), 2);
    QCOMPARE(config.toVariantMap(), (QVariantMap{{u"historyLimit"_s, 7}}));
}

void TestConfig::c3_settersAreCheckedToo()
{
    const auto config = ConnectionConfig()
                            .setUrl(u"http://x"_s)
                            .setLinger(-1ms)
                            .setConnectTimeout(0ms)
                            .setReconnectJitter(std::nan(""))
                            .setHeaders({{u"Host"_s, u"x"_s}})
                            .setProtocols({u"a b"_s})
                            .setTerminalCloseCodes({1})
                            .setMaxReconnectAttempts(-2);
    const QString problems = config.problems().join(u'\n');
    for (const auto &key : {u"url"_s, u"linger"_s, u"connectTimeout"_s, u"reconnectJitter"_s, u"headers"_s,
                            u"protocols"_s, u"terminalCloseCodes"_s, u"maxReconnectAttempts"_s})
        QVERIFY2(problems.contains(key + u':'), qPrintable(key));
    QCOMPARE(config.problems().size(), 8);
    const QStringList tooLong = ConnectionConfig().setStableAfter(30 * 24h).problems();
    QCOMPARE(tooLong, QStringList{u"stableAfter: 2592000000 is above 2147483647"_s});
    // Of a URL that is none, only what is wrong with it is said, not its query (rules A7, C4).
    const QStringList noUrl = ConnectionConfig().setUrl(u"ws://host:99999/a?key=SECRET"_s).problems();
    QCOMPARE(noUrl.size(), 1);
    QVERIFY2(!noUrl.first().contains(u"SECRET"_s), qPrintable(noUrl.first()));
}

void TestConfig::c3_goodUrls_data()
{
    QTest::addColumn<QVariant>("url");
    for (const auto &url :
         {u"ws://localhost"_s, u"WSS://Example.com:8443/a/b?x=1&y=2"_s, u"ws://[::1]:80/"_s,
          u"wss://a/{id}"_s, u"wss://{host}/x"_s, u"wss://a/%20"_s, u"ws://127.0.0.1:1"_s, u""_s})
        QTest::newRow(qPrintable(url)) << QVariant(url);
    QTest::newRow("a QUrl") << QVariant(QUrl(u"wss://a/b"_s));
}

void TestConfig::c3_goodUrls()
{
    QFETCH(QVariant, url);
    QCOMPARE(problemsOf(u"url"_s, url), QStringList());
}

void TestConfig::c3_goodHeaders()
{
    const QVariantMap headers{{u"Authorization"_s, u"Basic abc="_s},
                              {u"X-Tab"_s, u"a\tb"_s},
                              {u"x-number"_s, 5},
                              {u"!#$%&'*+.^_`|~-"_s, u""_s}};
    QCOMPARE(problemsOf(u"headers"_s, headers), QStringList());
    const QStringList problems = problemsOf(u"headers"_s, QVariantMap{{u"Sec-WebSocket-Protocol"_s, u"x"_s}});
    QVERIFY(problems.value(0).contains(u"use protocols"_s)); // says what to do instead
}

void TestConfig::c3_enumsByNameInAnyCaseAndByValue()
{
    QStringList problems;
    QCOMPARE(from({{u"heartbeat"_s, u"off"_s}}, &problems).heartbeat(), ConnectionConfig::Heartbeat::Off);
    QCOMPARE(from({{u"heartbeat"_s, u"MESSAGE"_s}}, &problems).heartbeat(),
             ConnectionConfig::Heartbeat::Message);
    QCOMPARE(from({{u"heartbeat"_s, 2}}, &problems).heartbeat(), ConnectionConfig::Heartbeat::Off);
    QCOMPARE(from({{u"heartbeat"_s, 2.0}}, &problems).heartbeat(), ConnectionConfig::Heartbeat::Off);
    QCOMPARE(from({{u"heartbeat"_s, QVariant::fromValue(ConnectionConfig::Heartbeat::Message)}}, &problems)
                 .heartbeat(),
             ConnectionConfig::Heartbeat::Message);
    QCOMPARE(problems, QStringList());
    QVERIFY(problemsOf(u"heartbeat"_s, u"x"_s).first().contains(u"Ping, Message, Off"_s));
}

void TestConfig::c3_numbersOfEveryType()
{
    QStringList problems;
    for (const QVariant &value : {QVariant(5), QVariant(5u), QVariant(qlonglong(5)), QVariant(qulonglong(5)),
                                  QVariant(5.0), QVariant(5.0f), QVariant::fromValue(short(5))}) {
        QCOMPARE(from({{u"historyLimit"_s, value}}, &problems).historyLimit(), 5);
        QCOMPARE(from({{u"maxQueuedBytes"_s, value}}, &problems).maxQueuedBytes(), 5);
        QCOMPARE(from({{u"linger"_s, value}}, &problems).linger(), 5ms);
        QCOMPARE(problems, QStringList());
    }
    QCOMPARE(from({{u"maxQueuedBytes"_s, 9007199254740992.0}}, &problems).maxQueuedBytes(), qint64(1) << 53);
    QCOMPARE(problems, QStringList());
    QCOMPARE(problemsOf(u"historyLimit"_s, qlonglong(1) << 31).size(), 1);
    QCOMPARE(problemsOf(u"maxQueuedBytes"_s, 1e17).size(), 1);
    QCOMPARE(from({{u"reconnectJitter"_s, 0}}, &problems).reconnectJitter(), 0.0);
    QCOMPARE(problems, QStringList());
}

// QML has one ConnectionConfig.Off for all of them.
void TestConfig::c3_aNameIsTheSameNumberInEachEnum()
{
    QHash<QByteArray, int> values;
    int shared = 0;
    const QMetaObject &meta = ConnectionConfig::staticMetaObject;
    for (int i = 0; i < meta.enumeratorCount(); ++i) {
        const QMetaEnum one = meta.enumerator(i);
        for (int key = 0; key < one.keyCount(); ++key) {
            const auto known = values.constFind(one.key(key));
            shared += known == values.constEnd() ? 0 : 1;
            QVERIFY2(known == values.constEnd() || *known == one.value(key), one.key(key));
            values.insert(one.key(key), one.value(key));
        }
    }
    QVERIFY(shared >= 3);
    QStringList problems;
    for (const QString &option : {u"compression"_s, u"heartbeat"_s, u"tokenRenewal"_s})
        QCOMPARE(from({{option, values.value("Off")}}, &problems).toVariantMap(),
                 (QVariantMap{{option, u"Off"_s}}));
    QCOMPARE(problems, QStringList());
}

void TestConfig::c3_durationsThatNoTimerHolds()
{
    using Setter = ConnectionConfig &(ConnectionConfig::*)(std::chrono::milliseconds);
    const std::pair<const char *, Setter> setters[] = {
        {"initialReconnectDelay", &ConnectionConfig::setInitialReconnectDelay},
        {"maxReconnectDelay", &ConnectionConfig::setMaxReconnectDelay},
        {"stableAfter", &ConnectionConfig::setStableAfter},
        {"connectTimeout", &ConnectionConfig::setConnectTimeout},
        {"tokenTimeout", &ConnectionConfig::setTokenTimeout},
        {"preparationTimeout", &ConnectionConfig::setPreparationTimeout},
        {"authTimeout", &ConnectionConfig::setAuthTimeout},
        {"closeTimeout", &ConnectionConfig::setCloseTimeout},
        {"drainBudget", &ConnectionConfig::setDrainBudget},
        {"pingInterval", &ConnectionConfig::setPingInterval},
        {"pongTimeout", &ConnectionConfig::setPongTimeout},
        {"linger", &ConnectionConfig::setLinger}};
    constexpr std::chrono::milliseconds most{std::numeric_limits<int>::max()};
    for (const auto &[name, set] : setters) {
        ConnectionConfig config;
        QCOMPARE((config.*set)(most).problems(), QStringList());
        for (const std::chrono::milliseconds bad : {most + 1ms, std::chrono::milliseconds::max(), -1ms,
                                                    -5'000'000'000ms, std::chrono::milliseconds::min()}) {
            const QStringList problems = (config.*set)(bad).problems();
            QVERIFY2(problems.size() == 1 && problems.first().startsWith(QLatin1String(name) + u": "_s),
                     name);
            QVERIFY2(problems.first().contains(QString::number(bad.count())), qPrintable(problems.first()));
            QCOMPARE(shown(config, name).toInt() < 0,
                     bad < 0ms); // whatever is shown of it, it has not wrapped
            QCOMPARE(config == (ConnectionConfig().*set)(std::chrono::milliseconds(int(bad.count()))),
                     bad == -1ms);
        }
    }
}

void TestConfig::c3_optionsThatDoNothing_data()
{
    QTest::addColumn<ConnectionConfig>("config");
    QTest::addColumn<QStringList>("plain"); // what is refused with a ws:// URL
    QTest::addColumn<QStringList>("tls");   // and with a wss:// URL
    const QString pin = u"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="_s;
    QTest::newRow("nothing") << ConnectionConfig() << QStringList() << QStringList();
    QTest::newRow("pins") << ConnectionConfig().setPinnedPublicKeys({pin})
                          << QStringList{u"pinnedPublicKeys"_s} << QStringList();
    QTest::newRow("CAs") << ConnectionConfig().setCaCertificates({u"ca.pem"_s})
                         << QStringList{u"caCertificates"_s} << QStringList();
    QTest::newRow("a client's certificate")
        << ConnectionConfig().setClientCertificate(u"c.pem"_s).setClientKey(u"k.pem"_s)
        << QStringList{u"clientCertificate"_s, u"clientKey"_s} << QStringList();
    QTest::newRow("ignored errors") << ConnectionConfig().setIgnoreTlsErrors({u"SelfSignedCertificate"_s})
                                    << QStringList{u"ignoreTlsErrors"_s} << QStringList();
    // Unset by a type whose server has no TLS.
    QTest::newRow("pins, unset again") << ConnectionConfig().setPinnedPublicKeys({pin}).mergedWith(
                                              ConnectionConfig().setPinnedPublicKeys({}))
                                       << QStringList() << QStringList();
    QTest::newRow("redirects") << ConnectionConfig().setFollowRedirects(true) << QStringList()
                               << QStringList();
    QTest::newRow("redirects, QWebSocket")
        << ConnectionConfig().setFollowRedirects(true).setTransport(ConnectionConfig::Transport::QWebSocket)
        << QStringList{u"followRedirects"_s} << QStringList{u"followRedirects"_s};
    QTest::newRow("a heartbeat above the limit")
        << ConnectionConfig().setHeartbeat(ConnectionConfig::Heartbeat::Message).setMaxMessageSize(14)
        << QStringList{u"maxMessageSize"_s} << QStringList{u"maxMessageSize"_s};
}

void TestConfig::c3_optionsThatDoNothing()
{
    QFETCH(ConnectionConfig, config);
    QFETCH(QStringList, plain);
    QFETCH(QStringList, tls);
    const auto refused = [&config](const char *url) {
        QStringList names;
        for (const QString &problem : Effective::problems(config, QUrl(QString::fromLatin1(url))))
            names.append(problem.section(u": "_s, 0, 0));
        return names;
    };
    QCOMPARE(config.problems(), QStringList()); // by itself it is good
    QCOMPARE(refused("ws://h/"), plain);
    QCOMPARE(refused("WS://h/"), plain);
    QCOMPARE(refused("wss://h/"), tls);
}

void TestConfig::c3_idleOptionsAreNamed()
{
    QCOMPARE(Effective::warnings(ConnectionConfig()), QStringList());
    QCOMPARE(
        Effective::warnings(ConnectionConfig().setPingInterval(1s).setStableAfter(1s).setAuthTimeout(1s)),
        QStringList());
    const auto config = ConnectionConfig()
                            .setHeartbeat(ConnectionConfig::Heartbeat::Off)
                            .setPingInterval(1s)
                            .setAutoReconnect(false)
                            .setStableAfter(1s)
                            .setAuthentication(ConnectionConfig::Authentication::None)
                            .setTokenRenewal(ConnectionConfig::TokenRenewal::Reauthenticate)
                            .setAuthFailureCloseCodes({4001})
                            .setCompression(ConnectionConfig::Compression::Off)
                            .setCompressionThreshold(5);
    const QString warnings = Effective::warnings(config).join(u'\n');
    for (const QString &option : {u"pingInterval"_s, u"stableAfter"_s, u"tokenRenewal"_s,
                                  u"authFailureCloseCodes"_s, u"compressionThreshold"_s})
        QVERIFY2(warnings.contains(option + u" has no effect"_s), qPrintable(warnings));
    QCOMPARE(Effective::warnings(config).size(), 5);
}

// The guide's name.
void TestConfig::reconnectIsAutoReconnect()
{
    QStringList problems;
    QVERIFY(!from({{u"reconnect"_s, false}}, &problems).autoReconnect());
    QCOMPARE(problems, QStringList());
    QCOMPARE(from({{u"reconnect"_s, false}}, &problems).toVariantMap(),
             (QVariantMap{{u"autoReconnect"_s, false}}));
    QVERIFY(!problemsOf(u"reconnect"_s, 3).isEmpty());
}

void TestConfig::templates_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QVariantMap>("options");
    QTest::addColumn<QString>("resolved");
    const QVariantMap id{{u"session_id"_s, u"abc"_s}};
    QTest::newRow("none") << u"wss://a/b"_s << QVariantMap() << u"wss://a/b"_s;
    QTest::newRow("path") << u"wss://a/{session_id}/stream"_s << id << u"wss://a/abc/stream"_s;
    QTest::newRow("encoded braces") << u"wss://a/%7Bsession_id%7d"_s << id << u"wss://a/abc"_s;
    QTest::newRow("twice") << u"wss://a/{session_id}?x={session_id}"_s << id << u"wss://a/abc?x=abc"_s;
    QTest::newRow("number") << u"wss://a/{n}"_s << QVariantMap{{u"n"_s, 42}} << u"wss://a/42"_s;
    QTest::newRow("host") << u"wss://{h}/x"_s << QVariantMap{{u"h"_s, u"example.com"_s}}
                          << u"wss://example.com/x"_s;
    QTest::newRow("is data") << u"wss://a/{v}/z"_s << QVariantMap{{u"v"_s, u"b/c?d=e#f g&h"_s}}
                             << u"wss://a/b%2Fc%3Fd%3De%23f%20g%26h/z"_s;
    QTest::newRow("percent") << u"wss://a/{v}"_s << QVariantMap{{u"v"_s, u"%7Bx%7D"_s}}
                             << u"wss://a/%257Bx%257D"_s;
    QTest::newRow("not filled again")
        << u"wss://a/{v}"_s << QVariantMap{{u"v"_s, u"{w}"_s}, {u"w"_s, u"no"_s}} << u"wss://a/%7Bw%7D"_s;
    QTest::newRow("utf-8") << u"wss://a/{v}"_s << QVariantMap{{u"v"_s, u"ä"_s}} << u"wss://a/%C3%A4"_s;
    QTest::newRow("header injection")
        << u"wss://a/{v}"_s << QVariantMap{{u"v"_s, u"x\r\nEvil: y"_s}} << u"wss://a/x%0D%0AEvil%3A%20y"_s;
}

void TestConfig::templates()
{
    QFETCH(QString, url);
    QFETCH(QVariantMap, options);
    QFETCH(QString, resolved);
    QString problem;
    const QUrl found = ConnectionConfig().setUrl(url).setOptions(options).resolvedUrl(&problem);
    QCOMPARE(problem, QString());
    QCOMPARE(found.toString(QUrl::FullyEncoded), resolved);
}

void TestConfig::templatesThatNothingFills()
{
    for (const QVariant &value : {QVariant(), QVariant(u""_s), QVariant(QVariantList())}) {
        QString problem;
        const auto config =
            ConnectionConfig().setUrl(u"wss://a/{session_id}"_s).setOptions({{u"session_id"_s, value}});
        QVERIFY(config.resolvedUrl(&problem).isEmpty());
        QVERIFY(problem.contains(u"{session_id}"_s));
    }
    // What fills a part can spoil the URL.
    QString problem;
    const auto config = ConnectionConfig().setUrl(u"{s}://a/"_s).setOptions({{u"s"_s, u"http"_s}});
    QVERIFY(config.resolvedUrl(&problem).isEmpty());
    QVERIFY(!problem.isEmpty());
}

void TestConfig::c1_numbersAsJavaScriptWritesThem_data()
{
    QTest::addColumn<QVariant>("value");
    QTest::addColumn<QString>("text");
    const auto row = [](const QVariant &value, const char *text) {
        QTest::addRow("%s %s", value.typeName(), text) << value << QString::fromLatin1(text);
    };
    row(1700000000000.0, "1700000000000");
    row(1e20, "100000000000000000000");
    row(1e21, "1e+21");
    row(1.5e300, "1.5e+300");
    row(0.1, "0.1");
    row(0.000001, "0.000001");
    row(1e-7, "1e-7");
    row(1.25e-10, "1.25e-10");
    row(0.0, "0");
    row(-0.0, "0");
    row(-42.0, "-42");
    row(-1.5, "-1.5");
    row(123456789.125, "123456789.125");
    row(9007199254740991.0, "9007199254740991");
    row(2.0f, "2");
    row(42, "42");
    row(qlonglong(9007199254740993), "9007199254740993");
    row(qulonglong(18446744073709551615u), "18446744073709551615");
    row(true, "true");
    row(false, "false");
    row(u"a b"_s, "a b");
    row(QJsonValue(1700000000000.0), "1700000000000");
    row(QJsonValue(u"x"_s), "x");
}

// In a URL and in a header.
void TestConfig::c1_numbersAsJavaScriptWritesThem()
{
    QFETCH(QVariant, value);
    QFETCH(QString, text);
    QString problem;
    const QUrl url =
        ConnectionConfig().setUrl(u"wss://h/s/{id}"_s).setOptions({{u"id"_s, value}}).resolvedUrl(&problem);
    QCOMPARE(problem, QString());
    QCOMPARE(url.path(QUrl::FullyDecoded), u"/s/"_s + text);
    const QVariantMap headers{{u"X-Id"_s, value}};
    QCOMPARE(problemsOf(u"headers"_s, headers), QStringList());
    ClientHandshake::Request request;
    request.url = url;
    request.headers = headers;
    QVERIFY(ClientHandshake(request).request().contains("\r\nX-Id: " + text.toLatin1() + "\r\n"));
}

void TestConfig::c1_whatHasNoTextIsRefusedByName()
{
    for (const QVariant &value :
         {QVariant(QVariantList{1}), QVariant(QStringList{u"a"_s}), QVariant(QVariantMap{{u"a"_s, 1}}), Nan,
          Infinite, QVariant(-std::numeric_limits<double>::infinity()), QVariant(QJsonArray{1}),
          QVariant(QJsonObject())}) {
        QString problem;
        const auto config = ConnectionConfig().setUrl(u"wss://h/{room}"_s).setOptions({{u"room"_s, value}});
        QVERIFY(config.resolvedUrl(&problem).isEmpty());
        QVERIFY2(problem.contains("{room}"_L1), qPrintable(problem));
        const QStringList problems = problemsOf(u"headers"_s, QVariantMap{{u"X-Room"_s, value}});
        QVERIFY2(problems.value(0).contains("X-Room"_L1), value.typeName());
    }
}

void TestConfig::a8_origins_data()
{
    QTest::addColumn<QString>("other");
    QTest::addColumn<bool>("isSame"); // as wss://host/path
    const auto row = [](const char *other, bool isSame) {
        QTest::newRow(other) << QString::fromLatin1(other) << isSame;
    };
    row("wss://host/elsewhere?x=1", true);
    row("wss://host:443/", true);
    row("WSS://HOST/", true);
    row("https://host/", true);
    row("wss://user:password@host/", true);
    row("wss://host:444/", false);
    row("ws://host/", false);
    row("ws://host:443/", false);
    row("http://host/", false);
    row("wss://host.example/", false);
    row("wss://host./", false);
    row("wss://host@evil/", false);
    row("ftp://host/", false);
    row("file:///host", false);
    row("host", false);
    row("", false);
}

void TestConfig::a8_origins()
{
    QFETCH(QString, other);
    QFETCH(bool, isSame);
    QCOMPARE(isSameOrigin(QUrl(u"wss://host/path"_s), QUrl(other)), isSame);
    QCOMPARE(isSameOrigin(QUrl(other), QUrl(u"wss://host/path"_s)), isSame);
}

void TestConfig::o4_noUrl()
{
    QString problem;
    QVERIFY(ConnectionConfig().resolvedUrl(&problem).isEmpty());
    QVERIFY(!problem.isEmpty());
}

void TestConfig::implicitSharing()
{
    const auto config = ConnectionConfig().setHistoryLimit(1);
    ConnectionConfig copy = config;
    copy.setHistoryLimit(2);
    QCOMPARE(config.historyLimit(), 1);
    QCOMPARE(copy.historyLimit(), 2);
    ConnectionConfig moved = std::move(copy);
    QCOMPARE(moved.historyLimit(), 2);
    copy = config;
    QCOMPARE(copy, config);
}

QTEST_GUILESS_MAIN(TestConfig)
#include "tst_config.moc"
