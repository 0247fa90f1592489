// SPDX-License-Identifier: MIT
import QtQuick
import QtTest
import Everwire
import EverwireTests

TestCase {
    id: test
    name: "FilteredMessages"
    when: windowShown
    width: 200
    height: 400

    readonly property Connection connection: WebSocketProvider.connection("filtered")
    property Connection shown: connection

    TestServer { id: server }

    FilteredMessages {
        id: answers
        source: test.shown?.messages ?? null
        types: ["ai_response", "error"]
    }

    SignalSpy { id: inserted; target: answers; signalName: "rowsInserted" }

    ListView {
        id: list
        anchors.fill: parent
        model: answers
        delegate: Text {
            required property int index
            required property string type
            required property var payload
            height: 20
            text: type + " " + payload.n
        }
    }

    function init() {
        WebSocketProvider.token = "good"
        verify(WebSocketProvider.configure("filtered", { url: server.url, historyLimit: 40 }))
        connection.messages.clear()
        test.shown = connection
        answers.types = ["ai_response", "error"]
        answers.direction = FilteredMessages.AnyDirection
        inserted.clear()
        connection.open()
        tryCompare(connection, "isConnected", true)
    }

    function cleanup() {
        connection.close()
        tryCompare(connection, "state", Connection.Disconnected)
    }

    function texts() {
        list.forceLayout()
        return Array.from({ length: list.count }, (_, row) => list.itemAtIndex(row)?.text ?? "?")
    }

    function sendAll(messages) {
        const last = answers.source.count + messages.length
        messages.forEach(message => server.sendText(JSON.stringify(message)))
        tryCompare(answers.source, "count", last)
    }

    function test_m7_aListShowsTheFilteredRows() {
        compare(texts(), [])
        sendAll([{ type: "ai_response", n: 1 }, { type: "chat", n: 2 }, { type: "error", n: 3 }])
        compare(texts(), ["ai_response 1", "error 3"])
        compare(answers.count, 2)
        compare(answers.at(1).payload.n, 3)
        answers.types = ["chat"]
        compare(texts(), ["chat 2"])
        answers.types = []
        compare(texts(), ["ai_response 1", "chat 2", "error 3"])
    }

    function test_m7_byDirection() {
        answers.types = []
        verify(connection.sendJson({ type: "chat", n: 1 }))
        tryCompare(answers, "count", 1)
        sendAll([{ type: "chat", n: 2 }])
        tryCompare(answers, "count", 2)
        answers.direction = FilteredMessages.Outgoing
        compare(texts(), ["chat 1"])
        answers.direction = FilteredMessages.Incoming
        compare(texts(), ["chat 2"])
    }

    function test_m7_theOldestGo() {
        answers.types = ["chat"]
        server.sendMany("chat", 1)
        server.sendMany("noise", 38)
        server.sendMany("chat", 1)
        tryVerify(() => answers.source.count === 40)
        compare(texts(), ["chat 1", "chat 1"])
        server.sendMany("noise", 1)
        tryCompare(answers, "count", 1)
        compare(texts(), ["chat 1"])
        const before = inserted.count
        server.sendMany("noise", 100)
        tryCompare(answers, "count", 0)
        compare(texts(), [])
        compare(inserted.count, before)
    }

    function test_m7_clearAndNoSource() {
        sendAll([{ type: "error", n: 1 }])
        compare(texts(), ["error 1"])
        connection.messages.clear()
        compare(texts(), [])
        sendAll([{ type: "error", n: 2 }])
        compare(texts(), ["error 2"])
        test.shown = null
        compare(answers.source, null)
        compare(texts(), [])
    }
}
