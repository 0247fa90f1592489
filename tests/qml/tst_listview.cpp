// SPDX-License-Identifier: MIT
//
// Views of a connection's messages that follow their end, while a server sends as fast as it can.
#include "loadedpage.h"
#include "support/testserver.h"

#include <Everwire/FilteredMessages>
#include <Everwire/WebSocketProvider>

#include <QAbstractItemModelTester>
#include <QQuickItem>
#include <QQuickWindow>
#include <QSignalSpy>
#include <QTest>

#include <memory>

using namespace Everwire;
using namespace Qt::StringLiterals;

using Tester = QAbstractItemModelTester;

namespace {

// The end is followed by what is inserted: the count stays where it is once the history is full.
const auto Source = QByteArrayLiteral(R"(
import QtQuick
import QtQuick.Window
import Everwire
Window {
    id: root
    width: 400
    height: 400
    visible: true
    property Connection connection: WebSocketProvider.connection("flood")
    property FilteredMessages even: FilteredMessages { source: root.connection.messages; types: ["even"] }

    component Log: ListView {
        id: log
        width: 200
        height: 400
        delegate: Component { // Qt 6.4 makes none of its own in an inline component
            Text {
                required property var payload
                height: 20
                text: payload.n
            }
        }
        Connections {
            target: log.model
            function onRowsInserted() { Qt.callLater(log.positionViewAtEnd) }
        }
    }
    property ListView all: Log { parent: root.contentItem; model: root.connection.messages }
    property ListView some: Log { parent: root.contentItem; x: 200; model: root.even }

    // The last row's text, where all of the row is in view.
    function lastShown(list) {
        const row = list.itemAtIndex(list.count - 1)
        const top = row ? row.y - list.contentY : -1
        return top >= 0 && top + row.height <= list.height ? row.text : ""
    }
    function lastOfAll() { return lastShown(all) }
    function lastOfSome() { return lastShown(some) }
}
)");

// A window with the lists in it.
struct Page : LoadedPage
{
    Page() : LoadedPage(Source) {}

    [[nodiscard]] QString ask(const char *function) const
    {
        QVariant answer;
        QMetaObject::invokeMethod(root.get(), function, Q_RETURN_ARG(QVariant, answer));
        return answer.toString();
    }
};

QByteArray numbered(int n)
{
    return QByteArray(R"({"type":")") + (n % 2 == 0 ? "even" : "odd") + R"(","n":)" + QByteArray::number(n) +
           '}';
}

} // namespace

class TestListView : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void m7_listsFollowTheEndOfAFlood_data();
    void m7_listsFollowTheEndOfAFlood();

private:
    static Connection *connection() { return WebSocketProvider::instance()->connection(u"flood"_s); }

    std::unique_ptr<TestServer> m_server;
};

void TestListView::init()
{
    m_server = std::make_unique<TestServer>();
    WebSocketProvider::instance()->setToken(u"good"_s);
}

void TestListView::cleanup()
{
    delete connection();
}

void TestListView::m7_listsFollowTheEndOfAFlood_data()
{
    QTest::addColumn<int>("limit");
    QTest::newRow("the last two thousand")
        << 2000; // of more, the testers, who look at all, would take minutes
    QTest::newRow("the last hundred") << 100;
    QTest::newRow("fewer than a view shows") << 7;
}

void TestListView::m7_listsFollowTheEndOfAFlood()
{
    QFETCH(int, limit);
    constexpr int total = 20'000;
    QVERIFY(WebSocketProvider::instance()->configure(
        u"flood"_s, ConnectionConfig().setUrl(m_server->url()).setHistoryLimit(limit)));
    const Page page;
    MessageModel *messages = connection()->messages();
    auto *even = page.root->property("even").value<FilteredMessages *>();
    QVERIFY(even);
    const Tester messagesTester(messages, Tester::FailureReportingMode::QtTest);
    const Tester evenTester(even, Tester::FailureReportingMode::QtTest);
    QSignalSpy inserted(messages, &MessageModel::rowsInserted);
    QSignalSpy insertedEven(even, &FilteredMessages::rowsInserted);
    // Some bursts are always on their way: all of them at once would come in a few insertions only.
    int sent = 0;
    const auto sendBurst = [&] {
        m_server->sendMany(100, [sent](int i) { return numbered(sent + i + 1); });
        sent += 100;
    };
    int heard = 0;
    const QObject scope;
    connect(connection(), &Connection::messageReceived, &scope, [&] {
        if (++heard % 100 == 0 && sent < total)
            sendBurst();
    });
    connection()->open();
    QTRY_VERIFY(connection()->isConnected());
    QCOMPARE(messages->limit(), limit);

    for (int i = 0; i < 5; ++i)
        sendBurst();
    QTRY_COMPARE_WITH_TIMEOUT(heard, total, 60'000);
    QCOMPARE(messages->count(), limit);
    QCOMPARE(even->count(), messages->limit() % 2 == 0 ? limit / 2 : limit / 2 + 1);
    QTRY_COMPARE(page.ask("lastOfAll"), QString::number(total));
    QTRY_COMPARE(page.ask("lastOfSome"), QString::number(total));
    QVERIFY(inserted.size() <= total);
    QVERIFY(insertedEven.size() <= inserted.size());
    qInfo("%d messages came by %d insertions, %d of them in the filtered list", total, int(inserted.size()),
          int(insertedEven.size()));
}

QTEST_MAIN(TestListView)
#include "tst_listview.moc"
