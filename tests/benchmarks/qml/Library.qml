// SPDX-License-Identifier: MIT
// The same with Everwire, whose connection keeps the last thousand messages.
import QtQuick
import Everwire

QtObject {
    id: root

    required property Connection connection
    required property var stage
    required property bool onlyLatest

    property int received: 0
    property string content
    property string timestamp
    readonly property MessageModel model: connection.messages
    property Component row: Text {
        required property var payload
        text: payload.content ?? ""
    }

    function open() { connection.open() }

    property list<QtObject> subscriptions: [
        Subscription {
            connection: root.connection
            event: "ai_response"
            fields: ["content", "timestamp"]
            delivery: root.onlyLatest ? Subscription.Latest : Subscription.Each
            onReceived: payload => {
                root.received += 1
                root.content = payload.content
                root.timestamp = payload.timestamp
            }
        },
        Subscription {
            connection: root.connection
            event: "begin"
            onReceived: root.stage.begin()
        },
        Subscription {
            connection: root.connection
            event: "end"
            onReceived: root.stage.end()
        }
    ]

    property Connections losses: Connections {
        target: root.connection
        function onConnectionError(message) { root.stage.lose(message) }
        function onDisconnected(code, reason) { root.stage.lose("closed with " + code) }
    }
}
