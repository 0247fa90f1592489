// SPDX-License-Identifier: MIT
// Two QML engines and C++ share one provider, one connection and one socket.
#include "loadedpage.h"
#include "support/testserver.h"

#include <Everwire/Connection>
#include <Everwire/WebSocketProvider>

#include <QJsonDocument>
#include <QJsonObject>
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

    property string session: ""
    property string failure: ""
    property int reply: 0
    property int all: 0
    function check(what) {
        // Only an object of this very engine is an instance of its Object.
        if (!(what instanceof Promise))
            throw new Error("the promise is of another engine")
        return what
    }
    function waitForIt() {
        check(connection.opened().then(info => { session = info.sessionId; return info }))
            .then(info => { if (info.sessionId !== session) failure = "the chain is broken" })
    }
    function waitForTheError() {
        check(connection.opened().catch(error => { failure = error.code + ": " + error.message }))
    }
    function ask() {
        check(connection.request({ type: "ask" }, 5000)
            .then(answer => { reply = answer.n }, error => { failure = error.message }))
    }
    function askAll() {
        Promise.all([connection.opened(), connection.request({ type: "ask" })])
            .then(values => { all = values.length; reply = values[1].n; session = values[0].sessionId })
    }
    function askInVain() { connection.request({ type: "ask" }, 20).catch(error => { failure = error.message }) }
    function askAndLook() { connection.request({ type: "ask" }) }
}
)");

// An engine with one object in it.
struct Page : LoadedPage
{
    Page() : LoadedPage(Source) {}

    void call(const char *function) const { QVERIFY(QMetaObject::invokeMethod(root.get(), function)); }
    [[nodiscard]] QString text(const char *name) const { return root->property(name).toString(); }
    [[nodiscard]] int heard() const { return root->property("heard").toInt(); }
    [[nodiscard]] int heardByElement() const { return root->property("heardByElement").toInt(); }
};

QByteArray answerTo(const QByteArray &question, int n)
{
    QJsonObject answer = QJsonDocument::fromJson(question).object();
    answer.insert(QStringLiteral("type"), QStringLiteral("answer"));
    answer.insert(QStringLiteral("n"), n);
    return QJsonDocument(answer).toJson();
}

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

    void promisesAreTheAskingEngines()
    {
        const Page first;
        const Page second;
        first.call("waitForIt");
        second.call("waitForIt");
        for (const Page *page : {&second, &first})
            QTRY_VERIFY(!page->text("session").isEmpty());
        QCOMPARE(m_server->connectionsSoFar(), 1);
        second.call("ask");
        QTRY_COMPARE(m_server->messages().size(), 1);
        m_server->sendText(answerTo(m_server->messages().first(), 7));
        QTRY_COMPARE(second.root->property("reply").toInt(), 7);
        QCOMPARE(first.root->property("reply").toInt(), 0);
        QCOMPARE(first.text("failure") + second.text("failure"), QString());
    }

    void promisesAreRejectedWithTheError()
    {
        m_server->setAuth(TestServer::Auth::RefuseForm1);
        const Page first;
        const Page second;
        first.call("waitForTheError");
        second.call("waitForTheError");
        for (const Page *page : {&first, &second})
            QTRY_VERIFY2(page->text("failure").startsWith(
                             QString::number(ConnectionError::AuthenticationFailed) + QStringLiteral(": ")),
                         qPrintable(page->text("failure")));
        m_server->setAuth(TestServer::Auth::Accept);
        WebSocketProvider::instance()->setToken(QStringLiteral("another"));
        open();
        second.call("askInVain");
        QTRY_COMPARE(second.text("failure"), QStringLiteral("There was no reply within 20 ms"));
    }

    void promisesCanBeCombined()
    {
        const Page first;
        const Page second;
        first.call("waitForIt"); // it is the first engine that sees the connection
        second.call("askAll");
        QTRY_COMPARE(m_server->messages().size(), 1);
        m_server->sendText(answerTo(m_server->messages().first(), 9));
        QTRY_COMPARE(second.root->property("all").toInt(), 2);
        QCOMPARE(second.root->property("reply").toInt(), 9);
        QVERIFY(!second.text("session").isEmpty());
    }

    void promisesOfAnEngineOrAnObjectThatIsGone()
    {
        auto first = std::make_unique<Page>();
        Page second;
        open();
        first->call("ask");
        second.call("ask");
        second.call("askAndLook");
        QTRY_COMPARE(m_server->messages().size(), 3);
        const QList<QByteArray> questions = m_server->messages();
        first.reset();
        second.engine.collectGarbage();
        second.root.reset();
        for (const QByteArray &question : questions)
            m_server->sendText(answerTo(question, 1));
        QTRY_COMPARE(connection()->messages()->rowCount(), 6); // and nothing has crashed
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        QVERIFY(connection()->isConnected());
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
