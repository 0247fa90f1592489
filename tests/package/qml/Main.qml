// SPDX-License-Identifier: MIT
import QtQml
import Everwire

QtObject {
    readonly property Connection connection: WebSocketProvider.connection("simulation")

    Component.onCompleted: {
        console.info("state", connection.state)
        if (connection.state !== Connection.Disconnected)
            throw new Error("a connection that nobody opened is not Disconnected")
    }
}
