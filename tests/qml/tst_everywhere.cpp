// SPDX-License-Identifier: MIT
//
// The bar: two QML engines and a widgets window on one connection.
#include "loadedpage.h"
#include "support/testserver.h"

#include <Everwire/ConnectionHandle>
#include <Everwire/WebSocketProvider>

#include <QJsonDocument>
#include <QLabel>
#include <QSignalSpy>
#include <QTest>

#include <memory>

using namespace Everwire;
using namespace Qt::StringLiterals;

namespace {

const auto Source = QByteArrayLiteral(R"(
import QtQml
import Everwire
QtObject {
    readonly property ConnectionHandle handle: ConnectionHandle { type: "everywhere"; autoConnect: true }
    readonly property int shownState: handle.connection.state
    property string opened: ""
    property string reply: ""
    function ask(name) {
        handle.connection.opened().then(session => { opened = session.sessionId })
        handle.connection.request({ type: "ask", request_id: name }).then(answer => { reply = answer.request_id })
    }
}
)");

struct QmlPage : LoadedPage
{
    QmlPage() : LoadedPage(Source) {}

    [[nodiscard]] Connection::State state() const
    {
        return Connection::State(root->property("shownState").toInt());
    }
    [[nodiscard]] QString text(const char *name) const { return root->property(name).toString(); }
    void ask(const QString &name) const
    {
        QVERIFY(QMetaObject::invokeMethod(root.get(), "ask", Q_ARG(QVariant, name)));
    }
};

class Window final : public QLabel
{
    Q_OBJECT

public:
    Window() : handle(u"everywhere"_s)
    {
        handle.open();
        shown.setBinding([bindable = handle.connection()->bindableState()] { return bindable.value(); });
    }
    void ask(const QString &name)
    {
        handle.connection()
            ->request({{u"type"_s, u"ask"_s}, {u"request_id"_s, name}}, std::chrono::seconds(10))
            .then(this,
                  [this](const QJsonObject &answer) { setText(answer.value("request_id"_L1).toString()); });
    }

    ConnectionHandle handle;
    QProperty<Connection::State> shown;
};

} // namespace

class TestEverywhere : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void oneSocketOneStateAndPromisesWhereTheyWereAsked();
};

void TestEverywhere::oneSocketOneStateAndPromisesWhereTheyWereAsked()
{
    TestServer server;
    WebSocketProvider *provider = WebSocketProvider::instance();
    provider->setToken(u"good"_s);
    QVERIFY(
        provider->configure(u"everywhere"_s, ConnectionConfig()
                                                 .setUrl(server.url())
                                                 .setLinger(std::chrono::milliseconds(0))
                                                 .setInitialReconnectDelay(std::chrono::milliseconds(10))));
    Connection *connection = provider->connection(u"everywhere"_s);
    auto first = std::make_unique<QmlPage>();
    auto second = std::make_unique<QmlPage>();
    auto window = std::make_unique<Window>();
    window->show();

    // At every change all of them show the same.
    int differences = 0;
    int changes = 0;
    connect(connection, &Connection::stateChanged, this, [&] {
        ++changes;
        if (first->state() != connection->state() || second->state() != connection->state() ||
            window->shown != connection->state())
            ++differences;
    });
    QTRY_VERIFY(connection->isConnected());
    first->ask(u"first"_s);
    second->ask(u"second"_s);
    window->ask(u"window"_s);
    QTRY_COMPARE(server.messages().size(), 3);
    for (const QByteArray &question : server.messages()) {
        QJsonObject answer = QJsonDocument::fromJson(question).object();
        answer.insert("type"_L1, u"answer"_s);
        server.sendText(QJsonDocument(answer).toJson());
    }
    QTRY_COMPARE(first->text("reply"), u"first"_s);
    QTRY_COMPARE(second->text("reply"), u"second"_s);
    QTRY_COMPARE(window->text(), u"window"_s);
    QCOMPARE(first->text("opened"), connection->sessionInfo().sessionId());
    QCOMPARE(second->text("opened"), connection->sessionInfo().sessionId());
    QCOMPARE(server.connectionsSoFar(), 1);
    server.drop();
    QTRY_COMPARE(server.connectionsSoFar(), 2);
    QTRY_VERIFY(connection->isConnected());
    QVERIFY(changes > 3);
    QCOMPARE(differences, 0);

    connection->disconnect(this);
    first.reset();
    QVERIFY(connection->isConnected());
    window.reset();
    QVERIFY(connection->isConnected());
    second.reset();
    QTRY_COMPARE(connection->state(), Connection::Disconnected);
    QCOMPARE(server.connectionsSoFar(), 2);
}

QTEST_MAIN(TestEverywhere)
#include "tst_everywhere.moc"
