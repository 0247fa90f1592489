// SPDX-License-Identifier: MIT
import QtQuick
import QtTest
import Everwire
import EverwireTests

TestCase {
    id: test
    name: "Session"
    when: windowShown
    width: 200
    height: 200
    visible: true

    TestServer { id: server }

    SimulationSession {
        id: session
        scenario: "objection-handling"
        role: "buyer"
        audioFormat: SimulationSession.Base64
    }

    SignalSpy { id: responses; target: session; signalName: "aiResponse" }
    SignalSpy { id: audio; target: session; signalName: "audioProcessed" }

    component TurnRow: Item {
        required property int who
        required property string content
        required property date timestamp
        required property bool isFinal
        width: 10
        height: 10
    }

    ListView {
        id: list
        anchors.fill: parent
        model: session.turns
        delegate: TurnRow { }
    }

    // Untyped: QML knows the delegate's type, qmllint does not.
    function rowAt(index) { return list.itemAtIndex(index) }

    function test_aConversation() {
        WebSocketProvider.token = "good"
        verify(WebSocketProvider.configure("simulation", { url: server.url }))
        session.start()
        tryCompare(session.connection, "isConnected", true)
        verify(session.sessionId !== "")

        compare(session.sendAudioChunk(new Int16Array(160).buffer), true)
        compare(session.completeTurn(), true)
        tryVerify(() => server.messages().length >= 2)

        server.sendText('{"type":"ai_response","content":"Hello!","is_final":true}')
        tryCompare(responses, "count", 1)
        compare(responses.signalArguments[0][0], "Hello!")
        tryVerify(() => list.count > 0 && list.itemAtIndex(list.count - 1))
        const turn = rowAt(list.count - 1)
        compare(turn.who, TurnModel.Ai)
        compare(turn.content, "Hello!")
        compare(turn.isFinal, true)

        session.stop()
        tryCompare(session.connection, "state", Connection.Disconnected)
    }
}
