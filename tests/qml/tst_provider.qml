// SPDX-License-Identifier: MIT
import QtQuick
import QtTest
import Everwire

TestCase {
    id: test
    name: "Provider"

    component Row: Item {
        required property string type
        required property Connection connection
        required property bool isConnected
        required property var model // Item has a "state" of its own
    }

    Repeater {
        id: repeater
        model: WebSocketProvider.connections
        delegate: Row { }
    }

    SignalSpy { id: debugSpy; target: WebSocketProvider; signalName: "debugChanged" }

    // Untyped: QML knows the delegate's type, qmllint does not.
    function rowAt(index) { return repeater.itemAt(index) }

    function test_oneConnectionForEachType() {
        const first = WebSocketProvider.connection("provider-a")
        verify(first)
        compare(WebSocketProvider.connection("provider-a"), first)
        verify(WebSocketProvider.connection("provider-b") !== first)
        compare(first.type, "provider-a")
        compare(first.state, Connection.Disconnected)
        compare(first.isConnected, false)
    }

    function test_anEmptyTypeIsRefused() {
        ignoreWarning(/needs the name of a type/)
        compare(WebSocketProvider.connection(""), null)
    }

    function test_connectionsIsAModel() {
        const before = repeater.count
        const connection = WebSocketProvider.connection("provider-model")
        compare(repeater.count, before + 1)
        compare(WebSocketProvider.connections.count, before + 1)
        const row = rowAt(before)
        compare(row.type, "provider-model")
        compare(row.connection, connection)
        compare(row.model.state, Connection.Disconnected)
        compare(row.isConnected, false)
        connection.open()
        compare(row.model.state, Connection.Error)
        connection.close()
    }

    function test_c1_configureAndReadBack() {
        verify(WebSocketProvider.configure("provider-config", {
            url: "ws://127.0.0.1:9/{room}",
            connectTimeout: 1234,
            reconnect: false,
            queueOverflow: ConnectionConfig.DropOldest,
            terminalCloseCodes: [4000, 4010],
            options: { room: "blue" }
        }))
        const config = WebSocketProvider.configuration("provider-config")
        compare(config.url, "ws://127.0.0.1:9/{room}")
        compare(config.connectTimeout, 1234)
        compare(config.autoReconnect, false)
        compare(config.queueOverflow, ConnectionConfig.DropOldest)
        compare(config.terminalCloseCodes, [4000, 4010])
        compare(config.options, { room: "blue" })
        compare(WebSocketProvider.connection("provider-config").configuration().connectTimeout, 1234)
    }

    function test_c3_unknownKeysAreRefused() {
        ignoreWarning(/conectTimeout/)
        compare(WebSocketProvider.configure("provider-c3", { url: "ws://127.0.0.1:9/", conectTimeout: 1 }), false)
        compare(WebSocketProvider.configuration("provider-c3").url, "")
    }

    function test_a7_theTokenReadsAsEmpty() {
        WebSocketProvider.token = "secret"
        compare(WebSocketProvider.token, "")
    }

    function test_debugNotifies() {
        WebSocketProvider.debug = true
        WebSocketProvider.debug = false
        compare(debugSpy.count, 2)
    }

    function test_enums() {
        compare([Connection.Disconnected, Connection.Connecting, Connection.Authenticating, Connection.Connected,
                 Connection.Reconnecting, Connection.Disconnecting, Connection.Error], [0, 1, 2, 3, 4, 5, 6])
        compare(ConnectionConfig.QueueOverflow.DropOldest, ConnectionConfig.DropOldest)
        compare(ConnectionConfig.Authentication.None, 1)
        compare(ConnectionError.NoError, 0)
        verify(ConnectionError.NoToken > 0)
        compare([Message.Incoming, Message.Outgoing], [0, 1])
        compare([SimulationSession.BinaryFrame, SimulationSession.Base64], [0, 1])
        compare([TurnModel.User, TurnModel.Ai], [0, 1])
        compare([Subscription.Each, Subscription.Latest, Subscription.Sampled], [0, 1, 2])
    }
}
