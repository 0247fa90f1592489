// SPDX-License-Identifier: MIT
import QtQuick
import QtTest
import Everwire
import EverwireTests

TestCase {
    id: test
    name: "Handle"

    readonly property Connection connection: WebSocketProvider.connection("handle")

    TestServer { id: server }

    Component {
        id: handleComponent
        ConnectionHandle { type: "handle" }
    }

    function init() {
        WebSocketProvider.token = "good"
        verify(WebSocketProvider.configure("handle", { url: server.url, linger: 50 }))
    }

    // Untyped: QML knows the type better than qmllint does.
    function create(component, properties) { return createTemporaryObject(component, test, properties ?? {}) }

    // An object that is gone turns a property to null.
    property QtObject doomed
    function destroyNow(object) {
        doomed = object
        object.destroy()
        tryCompare(test, "doomed", null)
    }

    function cleanup() {
        connection.close()
        tryCompare(connection, "state", Connection.Disconnected)
    }

    function test_o7_autoConnectOpens() {
        const handle = create(handleComponent, { autoConnect: true })
        compare(handle.connection, connection)
        tryCompare(connection, "isConnected", true)
    }

    function test_o7_closesWithTheLastHandle() {
        const before = server.connectionsSoFar()
        const first = create(handleComponent, { autoConnect: true })
        const second = create(handleComponent, { autoConnect: true })
        tryCompare(connection, "isConnected", true)
        destroyNow(first)
        compare(connection.isConnected, true)
        destroyNow(second)
        tryCompare(connection, "state", Connection.Disconnected)
        compare(server.connectionsSoFar(), before + 1)
    }

    function test_o7_aHandleThatComesInTimeKeepsItOpen() {
        verify(WebSocketProvider.configure("handle", { url: server.url, linger: 100000 }))
        const before = server.connectionsSoFar()
        const first = create(handleComponent)
        first.open()
        tryCompare(connection, "isConnected", true)
        first.close()
        compare(connection.isConnected, true)
        const second = create(handleComponent)
        second.open()
        compare(connection.isConnected, true)
        compare(server.connectionsSoFar(), before + 1)
    }

    function test_o7_handlesCloseOnlyWhatHandlesOpened() {
        verify(WebSocketProvider.configure("handle", { url: server.url, linger: 0 }))
        connection.open()
        tryCompare(connection, "isConnected", true)
        const handle = create(handleComponent)
        handle.open()
        destroyNow(handle)
        connection.sendJson({ type: "still-there" })
        tryVerify(() => server.messages().length === 1)
        compare(connection.isConnected, true)
    }

    function test_o7_anOpenHandleAsksForItsNewType() {
        const other = WebSocketProvider.connection("handle-other")
        verify(WebSocketProvider.configure("handle-other", { url: server.url, linger: 0 }))
        const handle = create(handleComponent)
        handle.open()
        tryCompare(connection, "isConnected", true)
        handle.type = "handle-other"
        compare(handle.connection, other)
        tryCompare(other, "isConnected", true)
        tryCompare(connection, "state", Connection.Disconnected)
        handle.type = ""
        tryCompare(other, "state", Connection.Disconnected)
        handle.type = "handle"
        tryCompare(connection, "isConnected", true)
        handle.close()
        handle.type = "handle-other"
        tryCompare(connection, "state", Connection.Disconnected)
        compare(other.state, Connection.Disconnected)
    }

    function test_typeCanChange() {
        const handle = create(handleComponent, { type: "" })
        compare(handle.connection, null)
        handle.open() // no harm
        handle.type = "handle"
        compare(handle.connection, connection)
    }
}
