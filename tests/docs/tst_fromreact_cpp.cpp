// SPDX-License-Identifier: MIT
//
// The C++ code of docs/from-react.md, run: a block without a declaration here does not compile, a declaration without a
// block does not link.
#include <Everwire/ConnectionException>
#include <Everwire/ConnectionHandle>
#include <Everwire/FunctionTokenProvider>
#include <Everwire/SimulationSession>
#include <Everwire/WebSocketProvider>

#include "support/logrecorder.h"
#include "support/testserver.h"

#include <QJsonDocument>
#include <QPropertyNotifier>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QWebSocket>
#include <QWebSocketServer>

using namespace Everwire;

struct AiResponse
{
    Q_GADGET
    Q_PROPERTY(QString content MEMBER content)

public:
    QString content;
};

class TestFromReactCpp : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void run_data();
    void run();

private:
    // The blocks.
    void pattern_1_cpp();
    void pattern_2_cpp();
    void pattern_3_cpp();
    void pattern_4_cpp();
    void environment_cpp();
    void custom_configuration_cpp();
    void client_to_server_cpp();
    void server_to_client_cpp();
    void monitoring_reconnection_cpp();
    void global_errors_cpp();
    void authentication_cpp();
    void session_info_cpp();
    void simulation_cpp();
    void integration_testing_cpp();
    void pooling_cpp();
    void migration_direct_cpp();

    using Function = void (TestFromReactCpp::*)();
    struct Block
    {
        const char *name;
        Function run;
        Function check;
    };
    [[nodiscard]] static QList<Block> blocks();

    // What they should have done.
    void opens() { QTRY_VERIFY(simulation->isConnected()); }
    void logs(const char *text)
    {
        const QString wanted = QString::fromUtf8(text);
        const auto has = [&] {
            const QStringList lines = log->lines();
            return std::any_of(lines.begin(), lines.end(),
                               [&](const QString &line) { return line.contains(wanted); });
        };
        QTRY_VERIFY2(has(), text);
    }
    void receives(int count) { QTRY_VERIFY(server->messages().size() >= count); }
    void checkPattern1();
    void checkPattern2() { QTRY_COMPARE(server->connectionsSoFar(), 1); }
    void checkPattern3();
    void checkPattern4() { logs("all are open"); }
    void checkCustomConfiguration();
    void checkClientToServer();
    void checkMonitoring();
    void checkGlobalErrors();
    void checkAuthentication();
    void checkSessionInfo();
    void checkSimulation();
    void checkMessage();
    void checkNothing() {}

    WebSocketProvider *provider = nullptr;
    Connection *simulation = nullptr;
    QProperty<Connection::State> status;
    QString serverUrl;
    QString environmentFile;
    std::unique_ptr<TestServer> server;
    std::unique_ptr<LogRecorder> log;
    QTemporaryDir folder;
};

QList<TestFromReactCpp::Block> TestFromReactCpp::blocks()
{
    using T = TestFromReactCpp;
    return {{"pattern-1", &T::pattern_1_cpp, &T::checkPattern1},
            {"pattern-2", &T::pattern_2_cpp, &T::checkPattern2},
            {"pattern-3", &T::pattern_3_cpp, &T::checkPattern3},
            {"pattern-4", &T::pattern_4_cpp, &T::checkPattern4},
            {"environment", &T::environment_cpp, &T::opens},
            {"custom-configuration", &T::custom_configuration_cpp, &T::checkCustomConfiguration},
            {"client-to-server", &T::client_to_server_cpp, &T::checkClientToServer},
            {"server-to-client", &T::server_to_client_cpp, &T::checkPattern3},
            {"monitoring-reconnection", &T::monitoring_reconnection_cpp, &T::checkMonitoring},
            {"global-errors", &T::global_errors_cpp, &T::checkGlobalErrors},
            {"authentication", &T::authentication_cpp, &T::checkAuthentication},
            {"session-info", &T::session_info_cpp, &T::checkSessionInfo},
            {"simulation", &T::simulation_cpp, &T::checkSimulation},
            {"integration-testing", &T::integration_testing_cpp, &T::checkNothing}, // it checks itself
            {"pooling", &T::pooling_cpp, &T::checkNothing},
            {"migration-direct", &T::migration_direct_cpp, &T::checkMessage}};
}

void TestFromReactCpp::init()
{
    server = std::make_unique<TestServer>();
    provider = WebSocketProvider::instance();
    provider->setToken("good");
    serverUrl = server->url().toString();
    for (const char *type : {"simulation", "notifications"})
        QVERIFY(provider->configure(type, ConnectionConfig().setUrl(serverUrl).setInitialReconnectDelay(
                                              std::chrono::milliseconds(10))));
    simulation = provider->connection("simulation");
    QFile file(folder.filePath(".env.development"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("NEXT_PUBLIC_SIMULATION_WS_URL=" + serverUrl.toUtf8());
    environmentFile = file.fileName();
    log = std::make_unique<LogRecorder>();
}

void TestFromReactCpp::cleanup()
{
    log.reset();
    status.setValue(Connection::Disconnected); // without its binding
    provider->setTokenProvider(nullptr);
    disconnect(provider, nullptr, this, nullptr);
    const QList<Connection *> all = provider->connections()->list();
    qDeleteAll(all);
    qDeleteAll(findChildren<SimulationSession *>());
}

void TestFromReactCpp::run_data()
{
    QTest::addColumn<int>("index");
    int index = 0;
    for (const Block &block : blocks())
        QTest::newRow(block.name) << index++;
}

void TestFromReactCpp::run()
{
    QFETCH(int, index);
    const Block block = blocks().at(index);
    if (block.run == &TestFromReactCpp::environment_cpp)
        QVERIFY(provider->configure("simulation", ConnectionConfig()));
    (this->*block.run)();
    if (!QTest::currentTestFailed())
        (this->*block.check)();
}

void TestFromReactCpp::checkPattern1()
{
    QTRY_COMPARE(status.value(), Connection::Connected);
    QTRY_COMPARE(server->messages().size(), 1);
    QCOMPARE(QJsonDocument::fromJson(server->messages().first()).object(),
             (QJsonObject{{"type", "message"}, {"content", "Hello!"}}));
}

void TestFromReactCpp::checkPattern3()
{
    simulation->open();
    opens();
    server->sendText(R"({"type":"ai_response","content":"Good morning"})");
    logs("Good morning");
}

void TestFromReactCpp::checkCustomConfiguration()
{
    opens();
    QCOMPARE(simulation->url().path(), QString("/abc123"));
    QCOMPARE(simulation->configuration().maxReconnectAttempts(), 5);
    QCOMPARE(simulation->configuration().options().value("scenario").toString(),
             QString("emergency-response"));
}

void TestFromReactCpp::checkClientToServer()
{
    receives(2);
    QVERIFY(server->messages().at(0).contains("\"timestamp\""));
    QCOMPARE(server->messages().at(1), QByteArray("\1\2\3"));
}

void TestFromReactCpp::checkMonitoring()
{
    QVERIFY(provider->configure(
        "simulation",
        ConnectionConfig().setUrl(serverUrl).setMaxReconnectAttempts(1).setInitialReconnectDelay(
            std::chrono::milliseconds(10))));
    simulation->open();
    opens();
    server.reset();
    logs("Reconnecting attempt 1");
    logs("Failed to reconnect after 1 attempts");
}

void TestFromReactCpp::checkGlobalErrors()
{
    provider->connection("nowhere")->open();
    logs("WebSocket error: \"nowhere\" Everwire::ConnectionError::NotConfigured");
}

void TestFromReactCpp::checkAuthentication()
{
    opens();
    QCOMPARE(server->tokens(), QList<QByteArray>{"jwt"});
}

void TestFromReactCpp::checkSessionInfo()
{
    simulation->open();
    opens();
    logs(qPrintable('"' + simulation->sessionInfo().userId() + "\" \"" +
                    simulation->sessionInfo().sessionId() + '"'));
}

void TestFromReactCpp::checkSimulation()
{
    receives(3);
    QVERIFY(server->messages().at(0).contains("audio_chunk"));
    QCOMPARE(server->messages().at(1).size(), 3200);
    QVERIFY(server->messages().at(2).contains("audio_complete"));
}

void TestFromReactCpp::checkMessage()
{
    opens();
    server->sendText(R"({"type":"chat"})");
    logs("message \"chat\"");
}

QTEST_GUILESS_MAIN(TestFromReactCpp)
#include "tst_fromreact_cpp.moc"

#include "snippets.inc"
