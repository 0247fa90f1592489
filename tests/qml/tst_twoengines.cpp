// SPDX-License-Identifier: MIT
// Two QML engines and C++ share one provider, one connection and one socket.
#include "support/testserver.h"

#include <Everwire/Connection>
#include <Everwire/WebSocketProvider>

#include <QQmlComponent>
#include <QQmlEngine>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QTest>

#include <memory>

using namespace Everwire;

namespace {

const auto Source = QByteArrayLiteral(R"(
import QtQml
import Everwire
QtObject {
    property WebSocketProvider provider: WebSocketProvider
    property Connection connection: WebSocketProvider.connection("twoengines")
    property string type: ""
    property int heard: 0
    property int heardByElement: 0
    property var end
    property Subscription subscription: Subscription {
        connection: WebSocketProvider.connection("twoengines")
        event: "chat"
        onReceived: payload => { heardByElement = payload.n }
    }
    function listen() {
        end = connection.subscribe("chat", payload => {
            // Only an object of this very engine is an instance of its Object.
            if (!(payload instanceof Object))
                throw new Error("the payload is another engine's")
            heard = payload.n
        })
        if (!(end instanceof Function))
            throw new Error("the function is another engine's")
    }
    function listenAndThrow() { connection.subscribe("chat", () => { throw new Error("boom") }) }
    function stop() { end() }
}
)");

// An engine with one object in it.
struct Page
{
    Page()
    {
        engine.addImportPath(QStringLiteral(EVERWIRE_QML_DIR));
        QQmlComponent component(&engine);
        component.setData(Source, QUrl(QStringLiteral("page.qml")));
        root.reset(component.create());
        if (!root)
            qFatal("%s", qPrintable(component.errorString()));
    }

    void call(const char *function) const { QVERIFY(QMetaObject::invokeMethod(root.get(), function)); }
    [[nodiscard]] int heard() const { return root->property("heard").toInt(); }
    [[nodiscard]] int heardByElement() const { return root->property("heardByElement").toInt(); }

    QQmlEngine engine;
    std::unique_ptr<QObject> root;
};

QByteArray chat(int n)
{
    return R"({"type":"chat","n":)" + QByteArray::number(n) + "}";
}

} // namespace

class TestTwoEngines : public QObject
{
    Q_OBJECT

private:
    static Connection *connection()
    {
        return WebSocketProvider::instance()->connection(QStringLiteral("twoengines"));
    }
    void open()
    {
        connection()->open();
        QTRY_VERIFY(connection()->isConnected());
    }

    std::unique_ptr<TestServer> m_server;

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<TestServer>();
        WebSocketProvider *provider = WebSocketProvider::instance();
        provider->setToken(QStringLiteral("good"));
        QVERIFY(
            provider->configure(QStringLiteral("twoengines"), ConnectionConfig().setUrl(m_server->url())));
    }

    void cleanup()
    {
        connection()->close();
        QTRY_COMPARE(connection()->state(), Connection::Disconnected);
        delete connection();
    }

    void oneObjectAndOneSocket()
    {
        const Page first;
        const Page second;
        for (const Page *page : {&first, &second}) {
            QCOMPARE(page->root->property("provider").value<WebSocketProvider *>(),
                     WebSocketProvider::instance());
            QCOMPARE(page->root->property("connection").value<Connection *>(), connection());
        }
        open();
        m_server->sendText(chat(1));
        QTRY_COMPARE(first.heardByElement(), 1);
        QTRY_COMPARE(second.heardByElement(), 1);
        QCOMPARE(m_server->connectionsSoFar(), 1);
    }

    void m4_theFunctionEndsItInEachEngine()
    {
        const Page first;
        const Page second;
        first.call("listen");
        second.call("listen");
        open();
        m_server->sendText(chat(1));
        QTRY_COMPARE(first.heard(), 1);
        QTRY_COMPARE(second.heard(), 1);
        second.call("stop");
        m_server->sendText(chat(2));
        QTRY_COMPARE(first.heard(), 2);
        QCOMPARE(second.heard(), 1);
        first.call("stop");
        m_server->sendText(chat(3));
        QTRY_COMPARE(first.heardByElement(), 3);
        QCOMPARE(first.heard(), 2);
    }

    void m4_oneEngineGoesTheOtherGoesOn()
    {
        auto first = std::make_unique<Page>();
        const Page second;
        int heardInCpp = 0;
        connection()->subscribe(QStringLiteral("chat"), this, [&] { ++heardInCpp; });
        first->call("listen");
        second.call("listen");
        open();
        m_server->sendText(chat(1));
        QTRY_COMPARE(second.heard(), 1);
        first.reset();
        m_server->sendText(chat(2));
        QTRY_COMPARE(second.heard(), 2);
        QCOMPARE(second.heardByElement(), 2);
        QCOMPARE(heardInCpp, 2);
        QVERIFY(connection()->isConnected());
        QCOMPARE(m_server->connectionsSoFar(), 1);
    }

    void m6_throwingInOneEngineAffectsNoOther()
    {
        const Page first;
        const Page second;
        first.call("listenAndThrow");
        second.call("listen");
        open();
        QTest::ignoreMessage(QtWarningMsg,
                             QRegularExpression(QStringLiteral(R"(page\.qml:\d+: .*"chat".*boom)")));
        m_server->sendText(chat(1));
        QTRY_COMPARE(second.heard(), 1);
    }

    void o5_theConnectionIsDeleted()
    {
        const Page page;
        page.call("listen");
        open();
        QSignalSpy changed(page.root->property("subscription").value<QObject *>(),
                           SIGNAL(connectionChanged()));
        delete connection();
        QCOMPARE(changed.count(), 1);
        page.call("stop"); // no harm, now and after the handler is gone
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        page.call("stop");
    }
};

QTEST_GUILESS_MAIN(TestTwoEngines)

#include "tst_twoengines.moc"
