// SPDX-License-Identifier: MIT
// What somebody writes with the QML module QtWebSockets: every message parsed, the last hundred kept in a ListModel.
import QtQuick
import QtWebSockets

QtObject {
    id: root

    required property string url
    required property var stage

    property int received: 0
    property string content
    property string timestamp
    property ListModel model: ListModel {}
    property Component row: Text {
        required property string content
        text: content
    }

    function open() { socket.active = true }

    function receive(message) {
        const event = JSON.parse(message)
        switch (event.type) {
        case "ai_response":
            received += 1
            content = event.content
            timestamp = event.timestamp
            model.append({ content: event.content, timestamp: event.timestamp })
            if (model.count > 100)
                model.remove(0, model.count - 100)
            break
        case "begin":
            stage.begin()
            break
        case "end":
            stage.end()
            break
        }
    }

    property WebSocket socket: WebSocket {
        url: root.url
        active: false
        onTextMessageReceived: message => root.receive(message)
        onStatusChanged: status => {
            if (status === WebSocket.Error || status === WebSocket.Closed)
                root.stage.lose(errorString)
        }
    }
}
