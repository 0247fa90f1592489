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

    function test_c3_everySpellingOfAnEnum_data() {
        return [
            { tag: "compression", option: "compression", value: ConnectionConfig.Off, is: "Off" },
            { tag: "heartbeat", option: "heartbeat", value: ConnectionConfig.Off, is: "Off" },
            { tag: "tokenRenewal", option: "tokenRenewal", value: ConnectionConfig.Off, is: "Off" },
            { tag: "Compression.Off", option: "compression", value: ConnectionConfig.Compression.Off, is: "Off" },
            { tag: "Heartbeat.Off", option: "heartbeat", value: ConnectionConfig.Heartbeat.Off, is: "Off" },
            { tag: "TokenRenewal.Off", option: "tokenRenewal", value: ConnectionConfig.TokenRenewal.Off, is: "Off" },
            { tag: "\"Off\"", option: "compression", value: "Off", is: "Off" },
            { tag: "\"off\"", option: "compression", value: "off", is: "Off" },
            { tag: "Auto", option: "compression", value: ConnectionConfig.Auto, is: "Auto" },
            { tag: "Reconnect", option: "tokenRenewal", value: ConnectionConfig.Reconnect, is: "Reconnect" },
            { tag: "Reconnect, another", option: "pendingOverflow", value: ConnectionConfig.Reconnect, is: "Reconnect" },
            { tag: "Reauthenticate", option: "tokenRenewal", value: ConnectionConfig.Reauthenticate,
              is: "Reauthenticate" },
            { tag: "Discard", option: "pendingOverflow", value: ConnectionConfig.Discard, is: "Discard" },
            { tag: "None", option: "authentication", value: ConnectionConfig.None, is: "None" },
            { tag: "FirstMessage", option: "authentication", value: ConnectionConfig.FirstMessage, is: "FirstMessage" },
            { tag: "Message", option: "heartbeat", value: ConnectionConfig.Message, is: "Message" },
            { tag: "Ping", option: "heartbeat", value: ConnectionConfig.Ping, is: "Ping" },
            { tag: "QWebSocket", option: "transport", value: ConnectionConfig.QWebSocket, is: "QWebSocket" },
            { tag: "Automatic", option: "transport", value: ConnectionConfig.Automatic, is: "Automatic" },
            { tag: "DropOldest", option: "queueOverflow", value: ConnectionConfig.DropOldest, is: "DropOldest" },
            { tag: "Reject", option: "queueOverflow", value: ConnectionConfig.Reject, is: "Reject" }
        ]
    }

    function test_c3_everySpellingOfAnEnum(data) {
        verify(WebSocketProvider.configure("provider-enum", { [data.option]: data.value }))
        const config = WebSocketProvider.configuration("provider-enum")
        const known = { compression: ConnectionConfig.Compression, heartbeat: ConnectionConfig.Heartbeat,
                        tokenRenewal: ConnectionConfig.TokenRenewal, transport: ConnectionConfig.Transport,
                        pendingOverflow: ConnectionConfig.PendingOverflow,
                        queueOverflow: ConnectionConfig.QueueOverflow,
                        authentication: ConnectionConfig.Authentication }
        compare(Number(config[data.option]), known[data.option][data.is])
    }

    function test_c3_durationsThatAreNone_data() {
        return [{ tag: "infinite", value: Infinity }, { tag: "NaN", value: NaN }, { tag: "negative", value: -1 },
                { tag: "huge", value: 1e300 }, { tag: "above 31 bits", value: 2147483648 }, { tag: "half", value: 0.5 },
                { tag: "text", value: "5" }, { tag: "undefined", value: undefined }, { tag: "null", value: null }]
    }

    function test_c3_durationsThatAreNone(data) {
        for (const option of ["linger", "drainBudget", "stableAfter", "pingInterval", "closeTimeout"]) {
            ignoreWarning(new RegExp(option + ": "))
            compare(WebSocketProvider.configure("provider-time", { [option]: data.value }), false)
        }
    }

    function test_c1_numbersInUrls_data() {
        return [{ tag: "ms", id: 1700000000000, path: "1700000000000" }, { tag: "double", id: 0.1, path: "0.1" },
                { tag: "negative", id: -5, path: "-5" }, { tag: "1e21", id: 1e21, path: "1e%2B21" },
                { tag: "true", id: true, path: "true" }, { tag: "text", id: "a b", path: "a b" },
                { tag: "list", id: [1], path: "" }, { tag: "object", id: { a: 1 }, path: "" },
                { tag: "NaN", id: NaN, path: "" }, { tag: "null", id: null, path: "" }]
    }

    function test_c1_numbersInUrls(data) {
        const connection = WebSocketProvider.connection("provider-template")
        if (data.path === "")
            ignoreWarning(/\{id\}/)
        connection.open({ url: "ws://127.0.0.1:9/s/{id}", options: { id: data.id },
                          authentication: ConnectionConfig.None })
        if (data.path === "") {
            compare(connection.state, Connection.Error)
            verify(connection.error.includes("{id}"))
        } else {
            compare(connection.url.toString(), "ws://127.0.0.1:9/s/" + data.path)
        }
        connection.close()
        tryCompare(connection, "state", Connection.Disconnected)
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
