// SPDX-License-Identifier: MIT
//
// docs/from-react.md: every QML block is run and does what it says, and no section of the web client's guide is missing.
#include "support/logrecorder.h"
#include "support/testserver.h"

#include <Everwire/WebSocketProvider>

#include <QFile>
#include <QGuiApplication>
#include <QJsonDocument>
#include <QMap>
#include <QProcess>
#include <QQmlComponent>
#include <QQmlEngine>
#include <QQuickItem>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

#include <functional>

using namespace Everwire;
using namespace Qt::StringLiterals;

namespace {

// A block on the page, as a person's app would have it.
struct Page
{
    TestServer server;
    QTemporaryDir folder;
    LogRecorder log;
    QQmlEngine engine;
    std::unique_ptr<QObject> root;
    Connection *simulation = nullptr;

    [[nodiscard]] bool hasLogged(const QString &text) const
    {
        const QStringList lines = log.lines();
        return std::any_of(lines.begin(), lines.end(),
                           [&](const QString &line) { return line.contains(text); });
    }
    void click(const QString &text) const
    {
        for (QObject *object : root->findChildren<QObject *>()) {
            if (object->inherits("QQuickAbstractButton") && object->property("text") == text) {
                QVERIFY(QMetaObject::invokeMethod(object, "clicked"));
                return;
            }
        }
        QFAIL(qPrintable(u"there is no button "_s + text));
    }
    [[nodiscard]] QString textOf(const char *name) const
    {
        const QObject *object = root->findChild<QObject *>(QString::fromLatin1(name));
        return object ? object->property("text").toString() : u"no such object"_s;
    }
    [[nodiscard]] QJsonObject message(int index) const
    {
        return QJsonDocument::fromJson(server.messages().value(index)).object();
    }
};

using Check = std::function<void(Page &)>;

void opens(Page &page)
{
    page.simulation->open();
    QTRY_VERIFY(page.simulation->isConnected());
}

#define LOGS(text) QTRY_VERIFY2(page.hasLogged(QStringLiteral(text)), text)

const QMap<QString, Check> &checks()
{
    static const QMap<QString, Check> theChecks{
        {u"pattern-1"_s,
         [](Page &page) {
             QTRY_VERIFY(page.simulation->isConnected());
             page.click(u"Send"_s);
             QTRY_COMPARE(page.message(0),
                          (QJsonObject{{u"type"_s, u"message"_s}, {u"content"_s, u"Hello!"_s}}));
             page.root.reset();
             QTRY_COMPARE(page.simulation->state(), Connection::Disconnected);
         }},
        {u"pattern-2"_s,
         [](Page &page) {
             QTRY_VERIFY(WebSocketProvider::instance()->connection(u"notifications"_s)->isConnected());
             page.root.reset();
             QTRY_COMPARE(WebSocketProvider::instance()->connection(u"notifications"_s)->state(),
                          Connection::Disconnected);
         }},
        {u"pattern-3"_s,
         [](Page &page) {
             opens(page);
             page.server.sendText(R"({"type":"ai_response","content":"Good morning"})");
             LOGS("AI Response: Good morning");
         }},
        {u"pattern-3-js"_s,
         [](Page &page) {
             opens(page);
             page.server.sendText(R"({"type":"ai_response","content":"Good morning"})");
             LOGS("AI Response: Good morning");
             page.root.reset();
             page.server.sendText(R"({"type":"ai_response","content":"too late"})");
             QTRY_COMPARE(page.simulation->messages()->count(), 2);
             QVERIFY(!page.hasLogged(u"too late"_s));
         }},
        {u"pattern-4"_s,
         [](Page &page) {
             page.click(u"Connect All"_s);
             LOGS("all are open");
             QCOMPARE(page.server.connectionsSoFar(), 2);
         }},
        {u"api-hook"_s,
         [](Page &page) {
             LOGS("sent true true true");
             QTRY_COMPARE(page.server.messages().size(), 3);
         }},
        {u"api-context"_s,
         [](Page &page) {
             LOGS("3 true");
             QTRY_COMPARE(page.simulation->state(), Connection::Disconnected);
             QCOMPARE(page.server.messages().size(), 1);
         }},
        {u"environment"_s, [](Page &page) { QTRY_VERIFY(page.simulation->isConnected()); }},
        {u"custom-configuration"_s,
         [](Page &page) {
             QTRY_VERIFY(page.simulation->isConnected());
             QCOMPARE(page.simulation->url().path(), u"/abc123"_s);
             QCOMPARE(page.simulation->configuration().maxReconnectAttempts(), 5);
         }},
        {u"client-to-server"_s,
         [](Page &page) {
             QTRY_COMPARE(page.server.messages().size(), 2);
             QCOMPARE(page.message(0).value("data"_L1), QJsonValue(u"payload"_s));
             QVERIFY(page.message(0).value("timestamp"_L1).toDouble() > 1e12);
             QCOMPARE(page.server.messages().at(1), QByteArray("\1\2\3"));
         }},
        {u"server-to-client"_s,
         [](Page &page) {
             opens(page);
             QCOMPARE(page.textOf("answer"), QString());
             page.server.sendText(R"({"type":"ai_response","content":"Good morning"})");
             QTRY_COMPARE(page.textOf("answer"), u"Good morning"_s);
         }},
        {u"special-events"_s,
         [](Page &page) {
             QVERIFY(WebSocketProvider::instance()->configure(
                 u"simulation"_s, ConnectionConfig()
                                      .setUrl(page.server.url())
                                      .setMaxReconnectAttempts(1)
                                      .setInitialReconnectDelay(std::chrono::milliseconds(10))));
             opens(page);
             page.server.setAuth(TestServer::Auth::RefuseForm1);
             page.server.drop();
             for (const QString &event : {u"stateChange"_s, u"connected"_s, u"disconnected"_s, u"error"_s,
                                          u"connectionError"_s, u"reconnecting"_s})
                 QTRY_VERIFY2(page.hasLogged(u"heard "_s + event), qPrintable(event));
             QTRY_COMPARE(page.simulation->state(), Connection::Error);
             LOGS("heard maxReconnectAttemptsReached");
         }},
        {u"reconnection-configuration"_s,
         [](Page &page) {
             QCOMPARE(page.simulation->configuration().maxReconnectAttempts(), 10);
             QCOMPARE(page.simulation->configuration().maxReconnectDelay(), std::chrono::seconds(30));
             QVERIFY(page.simulation->configuration().autoReconnect());
         }},
        {u"monitoring-reconnection"_s,
         [](Page &page) {
             QVERIFY(WebSocketProvider::instance()->configure(
                 u"simulation"_s, ConnectionConfig()
                                      .setUrl(u"ws://127.0.0.1:1/"_s)
                                      .setMaxReconnectAttempts(1)
                                      .setInitialReconnectDelay(std::chrono::milliseconds(10))));
             page.simulation->open();
             LOGS("Reconnecting attempt 1");
             LOGS("Failed to reconnect after 1 attempts");
         }},
        {u"component-errors"_s,
         [](Page &page) {
             page.simulation->open(QVariantMap{{u"nonsense"_s, 1}});
             QTRY_VERIFY(page.textOf("alert").contains("nonsense"_L1));
             page.click(u"Retry Connection"_s);
             QTRY_VERIFY(page.simulation->isConnected());
             QCOMPARE(page.textOf("alert"), QString());
         }},
        {u"provider-errors"_s,
         [](Page &page) {
             page.simulation->open(QVariantMap{{u"nonsense"_s, 1}});
             QVERIFY(page.root->property("simulationError").toString().contains("nonsense"_L1));
             QCOMPARE(page.root->property("notificationsError").toString(), QString());
         }},
        {u"global-errors"_s,
         [](Page &page) {
             page.simulation->open(QVariantMap{{u"nonsense"_s, 1}});
             LOGS("WebSocket error: simulation open() was given");
         }},
        {u"authentication"_s,
         [](Page &page) {
             QTRY_VERIFY(page.simulation->isConnected());
             QCOMPARE(page.server.tokens(), QList<QByteArray>{"jwt"});
         }},
        {u"session-info"_s,
         [](Page &page) {
             opens(page);
             QVERIFY(!page.simulation->sessionInfo().userId().isEmpty());
             QCOMPARE(page.textOf("who"), page.simulation->sessionInfo().userId() + u", "_s +
                                              page.simulation->sessionInfo().sessionId());
         }},
        {u"queuing"_s,
         [](Page &page) {
             QTRY_COMPARE(page.server.messages().size(), 2);
             const QList<TestServer::Received> all = page.server.received();
             QVERIFY(all[0].bytes.contains("\"auth\""));
             QVERIFY(all[1].bytes.contains("message1"));
             QVERIFY(all[2].bytes.contains("message2"));
         }},
        {u"auth-errors"_s,
         [](Page &page) {
             page.server.setAuth(TestServer::Auth::RefuseForm1);
             page.simulation->open();
             LOGS("Auth failed: ");
             page.simulation->close();
             QTRY_COMPARE(page.simulation->state(), Connection::Disconnected);
             page.server.setAuth(TestServer::Auth::Silent);
             WebSocketProvider::instance()->setToken(u"another"_s);
             page.simulation->open(ConnectionConfig().setAuthTimeout(std::chrono::milliseconds(20)));
             LOGS("Auth timeout");
         }},
        {u"simulation"_s,
         [](Page &page) {
             QTRY_VERIFY(page.simulation->isConnected());
             page.click(u"Speak"_s);
             QTRY_COMPARE(page.server.messages().size(), 3);
             page.server.sendText(R"({"type":"ai_response","content":"Hello there","isFinal":true})");
             LOGS("AI: Hello there");
         }},
        {u"notifications"_s,
         [](Page &page) {
             QTRY_VERIFY(WebSocketProvider::instance()->connection(u"notifications"_s)->isConnected());
             page.server.sendText(R"({"type":"notification","id":"1","title":"New score","message":"84"})");
             LOGS("toast: New score");
             QTRY_COMPARE(page.textOf("badge"), u"1"_s);
         }},
        {u"types"_s,
         [](Page &) {
             for (const QString &type : {u"simulation"_s, u"notifications"_s, u"whiteboard"_s}) {
                 bool isThere = false;
                 for (const Connection *connection : WebSocketProvider::instance()->connections()->list())
                     isThere = isThere || connection->type() == type;
                 QVERIFY2(isThere, qPrintable(type));
             }
         }},
        {u"handle-errors"_s,
         [](Page &page) {
             page.simulation->open(QVariantMap{{u"nonsense"_s, 1}});
             page.click(u"Retry"_s);
             QTRY_VERIFY(page.simulation->isConnected());
         }},
        {u"rerenders"_s,
         [](Page &page) {
             opens(page);
             page.server.sendMany(
                 500, [](int n) { return R"({"type":"price","value":)" + QByteArray::number(n) + "}"; });
             QTRY_COMPARE(page.textOf("price"), u"499"_s);
         }},
        {u"debug"_s,
         [](Page &page) {
             opens(page);
             LOGS("authenticating -> connected");
         }},
        {u"troubleshooting-state"_s, [](Page &page) { LOGS("State: 3 Error:"); }},
        {u"troubleshooting-messages"_s,
         [](Page &page) {
             opens(page);
             page.server.sendText(R"({"no":"type"})");
             LOGS(R"(Raw message: {"no":"type"})");
         }},
        {u"troubleshooting-multiple"_s,
         [](Page &page) {
             QTRY_VERIFY(page.simulation->isConnected());
             QCOMPARE(page.server.connectionsSoFar(), 1);
         }},
        {u"message-queue"_s,
         [](Page &page) {
             opens(page);
             page.server.drop();
             QTRY_COMPARE(page.server.messages(), (QList<QByteArray>{"message 1", "message 2"}));
             QCOMPARE(page.server.connectionsSoFar(), 2);
         }},
        {u"memory"_s, [](Page &page) { QCOMPARE(page.simulation->configuration().historyLimit(), 200); }},
        {u"migration-direct"_s,
         [](Page &page) {
             QTRY_VERIFY(page.simulation->isConnected());
             page.server.sendText(R"({"type":"chat"})");
             LOGS("message chat");
         }},
        {u"migration-managers"_s,
         [](Page &page) {
             opens(page);
             page.click(u"Go"_s);
             QTRY_COMPARE(page.server.messages(), QList<QByteArray>{"go"});
         }},
    };
    return theChecks;
}

// Sections of the guide that are about the client and have code.
const QStringList &guideSections()
{
    static const QStringList theSections{u"Pattern 1: Simple Hook Usage"_s,
                                         u"Pattern 2: Auto-Connect"_s,
                                         u"Pattern 3: Event Subscription"_s,
                                         u"Pattern 4: Direct Provider Access"_s,
                                         u"useWebSocket"_s,
                                         u"useWebSocketContext"_s,
                                         u"Environment Variables"_s,
                                         u"Custom Configuration"_s,
                                         u"Client → Server"_s,
                                         u"Server → Client"_s,
                                         u"Special Events"_s,
                                         u"Reconnection Strategy"_s,
                                         u"Monitoring Reconnection"_s,
                                         u"Component-Level Errors"_s,
                                         u"Provider-Level Errors"_s,
                                         u"Global Error Handling"_s,
                                         u"First Message Authentication"_s,
                                         u"Session Info"_s,
                                         u"Message Queuing During Auth"_s,
                                         u"Auth Error Handling"_s,
                                         u"Example 1: Simulation Feature"_s,
                                         u"Example 2: Notifications"_s,
                                         u"1. Use Appropriate Connection Type"_s,
                                         u"2. Clean Up Subscriptions"_s,
                                         u"3. Handle Connection Errors"_s,
                                         u"4. Optimize Re-renders"_s,
                                         u"5. Debug Mode in Development"_s,
                                         u"Unit Testing"_s,
                                         u"Integration Testing"_s,
                                         u"Connection Fails Immediately"_s,
                                         u"Messages Not Received"_s,
                                         u"Multiple Connections Created"_s,
                                         u"Connection Pooling"_s,
                                         u"Message Queue"_s,
                                         u"Memory Management"_s,
                                         u"From Direct WebSocket Usage"_s,
                                         u"From Component-Scoped Managers"_s};
    return theSections;
}

const QString &markdown()
{
    static const QString theText = [] {
        QFile file(QStringLiteral(EVERWIRE_PAGE));
        return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
    }();
    return theText;
}

// Name → code of the QML blocks.
const QMap<QString, QString> &blocks()
{
    static const QMap<QString, QString> theBlocks = [] {
        QMap<QString, QString> found;
        static const QRegularExpression block(u"^<!-- run: ([a-z0-9-]+) -->\\n```qml\\n(.*?)^```$"_s,
                                              QRegularExpression::MultilineOption |
                                                  QRegularExpression::DotMatchesEverythingOption);
        for (auto it = block.globalMatch(markdown()); it.hasNext();) {
            const auto match = it.next();
            found.insert(match.captured(1), match.captured(2));
        }
        return found;
    }();
    return theBlocks;
}

QByteArray wholeFile(const QString &block, const QString &more = {})
{
    return (u"import QtQuick\nimport QtQuick.Controls\nimport QtTest\nimport Everwire\n"
            "Item {\n    width: 300; height: 300\n"
            "    readonly property Connection simulation: WebSocketProvider.connection(\"simulation\")\n"
            "    property string serverUrl\n    property string environmentFile\n"_s +
            more + block + u"}\n"_s)
        .toUtf8();
}

} // namespace

class TestFromReact : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void nothingIsMissing();
    void everyBlockHasANameAndACheck();
    void run_data();
    void run();
    void theUnitTestRuns();
};

void TestFromReact::nothingIsMissing()
{
    QVERIFY(!markdown().isEmpty());
    QStringList missing;
    for (const QString &section : guideSections()) {
        const qsizetype at = markdown().indexOf(u"\n## "_s + section + u'\n');
        if (at < 0)
            missing.append(section);
    }
    QCOMPARE(missing, QStringList());
    QCOMPARE(markdown().count(u"\n## "_s), guideSections().size() + 1); // and what is to come
}

void TestFromReact::everyBlockHasANameAndACheck()
{
    QCOMPARE(markdown().count(u"\n```qml\n"_s), blocks().size());
    static const QRegularExpression namedCpp(u"<!-- run: [a-z0-9-]+ -->\\n```cpp\\n"_s);
    QCOMPARE(markdown().count(u"\n```cpp\n"_s), markdown().count(namedCpp));
    QStringList names = blocks().keys();
    names.removeOne(u"unit-testing"_s); // theUnitTestRuns()
    QCOMPARE(names, checks().keys());
}

void TestFromReact::run_data()
{
    QTest::addColumn<QString>("block");
    for (const QString &name : checks().keys())
        QTest::newRow(qPrintable(name)) << name;
}

void TestFromReact::run()
{
    QFETCH(QString, block);
    Page page;
    WebSocketProvider *provider = WebSocketProvider::instance();
    provider->setToken(u"good"_s);
    provider->setDebug(false);
    QFile file(page.folder.filePath(u".env.development"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("NEXT_PUBLIC_SIMULATION_WS_URL=" + page.server.url().toString().toUtf8());
    file.close();
    const auto config = ConnectionConfig()
                            .setUrl(page.server.url())
                            .setLinger(std::chrono::milliseconds(0))
                            .setInitialReconnectDelay(std::chrono::milliseconds(10));
    for (const QString &type : {u"simulation"_s, u"notifications"_s})
        QVERIFY(provider->configure(type, config));
    if (block == "environment"_L1)
        QVERIFY(provider->configure(u"simulation"_s, ConnectionConfig()));
    page.simulation = provider->connection(u"simulation"_s);

    page.engine.addImportPath(QStringLiteral(EVERWIRE_QML_DIR));
    QQmlComponent component(&page.engine);
    component.setData(wholeFile(blocks().value(block)), QUrl(block + u".qml"_s));
    page.root.reset(component.createWithInitialProperties(
        {{u"serverUrl"_s, page.server.url().toString()}, {u"environmentFile"_s, file.fileName()}}));
    QVERIFY2(page.root, qPrintable(component.errorString()));
    checks().value(block)(page);

    page.root.reset();
    provider->setTokenProvider(nullptr);
    const QList<Connection *> all = provider->connections()->list();
    qDeleteAll(all);
}

// By the runner that people's QML tests have.
void TestFromReact::theUnitTestRuns()
{
    const TestServer server;
    const QTemporaryDir folder;
    QFile file(folder.filePath(u"tst_usewebsocket.qml"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(wholeFile(blocks().value(u"unit-testing"_s),
                         u"    Component.onCompleted: WebSocketProvider.token = \"good\"\n"_s));
    file.close();
    QProcess runner;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"SIMULATION_WS_URL"_s, server.url().toString());
    runner.setProcessEnvironment(environment);
    runner.setProcessChannelMode(QProcess::MergedChannels);
    runner.start(QStringLiteral(EVERWIRE_QMLTESTS), {u"-input"_s, file.fileName()});
    QVERIFY(runner.waitForFinished(60000));
    const QByteArray output = runner.readAll();
    QVERIFY2(runner.exitCode() == 0 &&
                 output.contains("PASS   : everwire::useWebSocket::test_connectsAndDisconnects()"),
             output.constData());
    QCOMPARE(server.connectionsSoFar(), 1);
}

QTEST_MAIN(TestFromReact)
#include "tst_fromreact.moc"
