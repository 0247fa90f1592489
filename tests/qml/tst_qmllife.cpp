// SPDX-License-Identifier: MIT
//
// Rules O5 and O6 in QML: anything is done inside any signal, handler and promise of a page, and pages, engines and the
// provider go in any order.
#include "loadedpage.h"
#include "support/logrecorder.h"
#include "support/testserver.h"

#include <Everwire/WebSocketProvider>

#include <QCoreApplication>
#include <QSignalSpy>
#include <QTest>

#include <memory>

using namespace Everwire;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

const auto Source = QByteArrayLiteral(R"(
import QtQml
import Everwire
QtObject {
    id: page
    property string hook
    property string action
    property int done: 0
    property Connection connection: WebSocketProvider.connection("life")
    property ConnectionHandle handle: ConnectionHandle { id: handle; type: "life" }
    property var guest: null
    property Component guests: Component {
        QtObject {
            property var subscription: Subscription {
                connection: page.connection
                event: "hello"
                onReceived: page.here("subscription")
            }
        }
    }
    property var end: null
    property Connections watch: Connections {
        target: page.connection
        function onStateChanged() { page.here("state") }
        function onConnected() { page.here("connected") }
        function onDisconnected() { page.here("disconnected") }
        function onMessageReceived() { page.here("message") }
        function onParseError() { page.here("parseError") }
        function onMessageRejected() { page.here("rejected") }
        function onErrorChanged() { page.here("error") }
    }
    property bool isConnected: connection ? connection.isConnected : false
    onIsConnectedChanged: here("binding")

    function start() {
        guest = guests.createObject(page)
        end = connection.subscribe("hello", payload => here("function"))
        connection.opened().then(() => here("opened"), () => here("opened"))
        handle.open()
        connection.request({ type: "ask" }, 20).then(() => here("promise"), () => here("promise"))
    }
    function here(name) {
        if (name !== hook || done > 0)
            return
        ++done
        switch (action) {
        case "close": connection.close(); break
        case "reopen": connection.close(); connection.open(); break
        case "reconnect": connection.reconnect(); break
        case "send": for (let i = 0; i < 5; ++i) connection.sendJson({ type: "x", i: i }); break
        case "subscribe": connection.subscribe("hello", () => {}); break
        case "unsubscribe": end(); break
        case "destroySubscription": guest.destroy(); guest = null; gc(); break
        case "destroyHandle": handle.destroy(); gc(); break
        case "closeAll": WebSocketProvider.closeAll(); break
        case "signOut": WebSocketProvider.signOut(); break
        case "deletePage": page.destroy(); break
        case "throw": throw new Error("thrown on purpose")
        }
    }
}
)");

const char *const Hooks[] = {"state", "connected", "disconnected", "message",  "parseError", "rejected",
                             "error", "binding",   "subscription", "function", "opened",     "promise"};
const char *const Actions[] = {"close",     "reopen",      "reconnect",           "send",
                               "subscribe", "unsubscribe", "destroySubscription", "destroyHandle",
                               "closeAll",  "signOut",     "deletePage",          "throw"};

} // namespace

class TestQmlLife : public QObject
{
    Q_OBJECT

private:
    static Connection *connection() { return WebSocketProvider::instance()->connection(u"life"_s); }

private Q_SLOTS:
    void init()
    {
        WebSocketProvider::instance()->setToken(u"good"_s);
        m_server = std::make_unique<TestServer>();
        QVERIFY(WebSocketProvider::instance()->configure(u"life"_s, ConnectionConfig()
                                                                        .setUrl(m_server->url())
                                                                        .setInitialReconnectDelay(1ms)
                                                                        .setMaxQueuedMessages(2)
                                                                        .setLinger(0ms)));
    }

    // First, for Qt registers a module's types once.
    void c3_theModuleLoadsWithoutAWarning()
    {
        const LogRecorder log;
        const LoadedPage page(R"(
import QtQml
import Everwire
QtObject {
    property int off: ConnectionConfig.Off
    property int scoped: ConnectionConfig.Compression.Off
    property bool isTaken: WebSocketProvider.configure("off", { compression: ConnectionConfig.Off })
    property int error: ConnectionError.NoToken
    property int direction: Message.Outgoing
}
)");
        QCOMPARE(log.lines(), QStringList());
        QCOMPARE(page.root->property("off"), page.root->property("scoped"));
        QVERIFY(page.root->property("isTaken").toBool());
    }

    void o5_anythingInAnyHandler_data()
    {
        QTest::addColumn<QByteArray>("hook");
        QTest::addColumn<QByteArray>("action");
        for (const char *hook : Hooks) {
            for (const char *action : Actions)
                QTest::addRow("%s in %s", action, hook) << QByteArray(hook) << QByteArray(action);
        }
    }

    void o5_anythingInAnyHandler()
    {
        QFETCH(const QByteArray, hook);
        QFETCH(const QByteArray, action);
        LoadedPage page(Source);
        const QPointer<QObject> root = page.root.release(); // which destroys itself, where that is the action
        root->setProperty("hook", QString::fromLatin1(hook));
        root->setProperty("action", QString::fromLatin1(action));
        QQmlEngine::setObjectOwnership(root, QQmlEngine::JavaScriptOwnership);
        QVERIFY(QMetaObject::invokeMethod(root, "start"));
        const auto isDone = [&] { return !root || root->property("done").toInt() > 0; };
        QTRY_VERIFY(connection()->isConnected() || isDone());
        m_server->sendText(R"({"type":"hello"})");
        m_server->sendText("broken");
        if (hook == "rejected")
            connection()->sendJson({{u"no type"_s, 1}});
        if (hook == "disconnected" || hook == "error") {
            QTRY_VERIFY(connection()->isConnected());
            m_server->drop();
        }
        QTRY_VERIFY(isDone());
        // Whatever has become of it: it closes.
        QTRY_VERIFY(connection()->state() != Connection::Disconnecting);
        connection()->close();
        QTRY_COMPARE(connection()->state(), Connection::Disconnected);
        delete root;
        delete connection();
    }

    void o6_inAnyOrder_data()
    {
        QTest::addColumn<QString>("order");
        // a and b are the engines, c the connection, s the server.
        for (const char *order : {"abcs", "bacs", "cabs", "acbs", "sabc", "bsca"})
            QTest::newRow(order) << QString::fromLatin1(order);
    }

    void o6_inAnyOrder()
    {
        QFETCH(const QString, order);
        auto a = std::make_unique<LoadedPage>(Source);
        auto b = std::make_unique<LoadedPage>(Source);
        for (const auto *page : {a.get(), b.get()})
            QVERIFY(QMetaObject::invokeMethod(page->root.get(), "start"));
        QTRY_VERIFY(connection()->isConnected());
        m_server->sendText(R"({"type":"hello"})");
        for (const QChar what : order) {
            if (what == u'a')
                a.reset();
            else if (what == u'b')
                b.reset();
            else if (what == u'c')
                delete connection();
            else
                m_server.reset();
            QCoreApplication::processEvents();
            QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        }
        delete connection();
    }

private:
    std::unique_ptr<TestServer> m_server;
};

QTEST_GUILESS_MAIN(TestQmlLife)

#include "tst_qmllife.moc"
