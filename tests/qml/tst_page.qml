// SPDX-License-Identifier: MIT
// What a page opens and listens to goes with the page.
import QtQuick
import QtQuick.Controls
import QtTest
import Everwire
import EverwireTests

TestCase {
    id: test
    name: "Page"
    when: windowShown
    width: 200
    height: 200
    visible: true

    readonly property Connection connection: WebSocketProvider.connection("page")
    property int heard: 0

    TestServer { id: server }

    StackView {
        id: stack
        anchors.fill: parent
        initialItem: Item { }
    }

    Component {
        id: page
        Item {
            id: root
            signal heard()
            readonly property ConnectionHandle handle: ConnectionHandle { type: "page"; autoConnect: true }
            readonly property Subscription chat: Subscription {
                connection: root.handle.connection
                event: "chat"
                onReceived: root.heard()
            }
            function ask() { handle.connection.request({ type: "ask" }).then(() => root.heard(), () => root.heard()) }
        }
    }

    // Untyped: QML knows the type better than qmllint does.
    function push(): var {
        const shown = stack.push(page, {}, StackView.Immediate)
        shown.heard.connect(() => { ++heard })
        return shown
    }

    function initTestCase() {
        WebSocketProvider.token = "good"
        verify(WebSocketProvider.configure("page", { url: server.url, linger: 50 }))
    }

    function cleanup() {
        stack.pop(null, StackView.Immediate)
        tryCompare(connection, "state", Connection.Disconnected)
        server.clear()
        heard = 0
    }

    function test_o7_m4_thePageTakesItAlong() {
        push()
        tryCompare(connection, "isConnected", true)
        server.sendText('{"type":"chat"}')
        tryCompare(test, "heard", 1)
        stack.pop(StackView.Immediate)
        tryCompare(connection, "state", Connection.Disconnected)
        connection.open()
        tryCompare(connection, "isConnected", true)
        const seen = connection.messages.count
        server.sendText('{"type":"chat"}')
        tryVerify(() => connection.messages.count > seen)
        compare(heard, 1)
        connection.close()
    }

    function test_o7_theNextPageKeepsItOpen() {
        const sockets = server.connectionsSoFar()
        push()
        tryCompare(connection, "isConnected", true)
        push()
        stack.pop(StackView.Immediate)
        push()
        wait(0)
        server.sendText('{"type":"chat"}')
        tryCompare(test, "heard", 2) // the page below listens as well
        compare(server.connectionsSoFar(), sockets + 1)
    }

    function test_aPromiseOfAPageThatIsGone() {
        const shown = push()
        tryCompare(connection, "isConnected", true)
        shown.ask()
        stack.pop(StackView.Immediate)
        tryCompare(connection, "state", Connection.Disconnected) // which fails the request; nothing crashes
    }
}
