// SPDX-License-Identifier: MIT
import QtQuick
import QtTest
import Everwire
import EverwireTests

TestCase {
    id: test
    name: "NotificationFeed"
    when: windowShown
    width: 200
    height: 200
    visible: true

    TestServer { id: server }

    Component {
        id: feedComponent
        NotificationFeed {
            property var heard: []
            onNotificationReceived: notification => heard.push(notification)
        }
    }

    Component {
        id: destroyingItself
        NotificationFeed {
            id: self
            onNotificationReceived: self.destroy()
        }
    }

    component Row: Text {
        required property string notificationId
        required property string title
        required property string message
        required property date timestamp
        required property bool isRead
        required property var payload
        text: title
        textFormat: Text.PlainText
    }

    ListView {
        id: list
        anchors.fill: parent
        delegate: Row { }
    }

    // Untyped: QML knows the types, qmllint does not.
    function create(component, properties) { return createTemporaryObject(component, test, properties ?? {}) }
    function rowAt(index) { return list.itemAtIndex(index) }

    property QtObject doomed

    function init() {
        WebSocketProvider.token = "good"
        verify(WebSocketProvider.configure("notifications", { url: server.url, linger: 0 }))
    }

    function cleanup() {
        list.model = null
        WebSocketProvider.connection("notifications").close()
        tryCompare(WebSocketProvider.connection("notifications"), "state", Connection.Disconnected)
    }

    function send(fields) { server.sendText(JSON.stringify(Object.assign({ type: "notification" }, fields))) }

    function test_aListOfThem() {
        const feed = create(feedComponent)
        compare(feed.autoConnect, true)
        tryCompare(feed.connection, "isConnected", true)
        list.model = feed.notifications
        send({ id: "a", title: "<b>Hello</b>", message: "Words", timestamp: "2026-03-01T12:00:00Z", link: "/x" })
        send({ id: "b", title: "Second" })
        tryCompare(list, "count", 2)
        tryVerify(() => rowAt(1) !== null)
        const row = rowAt(1)
        compare(row.notificationId, "a")
        compare(row.text, "<b>Hello</b>")
        compare(row.message, "Words")
        compare(row.timestamp.getTime(), Date.UTC(2026, 2, 1, 12))
        compare(row.isRead, false)
        compare(row.payload.link, "/x")
        compare(feed.unreadCount, 2)
        compare(feed.notifications.count, 2)

        feed.markAsRead("a")
        compare(row.isRead, true)
        compare(feed.unreadCount, 1)
        feed.remove("b")
        compare(feed.notifications.count, 1)
        feed.clear()
        compare(list.count, 0)
        compare(feed.error, "")
    }

    function test_theSignalsNotification() {
        const feed = create(feedComponent)
        tryCompare(feed.connection, "isConnected", true)
        send({ id: 7, title: "Seven", message: "Words", timestamp: Date.UTC(2026, 2, 1), extra: [1] })
        tryVerify(() => feed.heard.length === 1)
        const notification = feed.heard[0]
        compare(notification.id, "7")
        compare(notification.title, "Seven")
        compare(notification.message, "Words")
        compare(new Date(notification.timestamp).getTime(), Date.UTC(2026, 2, 1))
        compare(notification.extra, [1])
    }

    function test_autoConnectCanBeOff() {
        const before = server.connectionsSoFar()
        const feed = create(feedComponent, { autoConnect: false })
        wait(0)
        compare(feed.connection.state, Connection.Disconnected)
        feed.open()
        tryCompare(feed.connection, "isConnected", true)
        compare(server.connectionsSoFar(), before + 1)
    }

    function test_o7_theConnectionGoesWithTheLastFeed() {
        const feed = create(feedComponent)
        const connection = feed.connection
        tryCompare(connection, "isConnected", true)
        doomed = feed
        feed.destroy()
        tryCompare(test, "doomed", null)
        tryCompare(connection, "state", Connection.Disconnected)
    }

    function test_o5_destroyedInItsOwnHandler() {
        doomed = destroyingItself.createObject(test)
        tryCompare(WebSocketProvider.connection("notifications"), "isConnected", true)
        send({ id: "a" })
        send({ id: "b" })
        tryCompare(test, "doomed", null)
    }
}
