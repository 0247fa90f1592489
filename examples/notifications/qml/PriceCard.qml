// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import Everwire
import NotificationsExample

// A connection type of the app's own, whose messages come faster than a display can show: each frame has the newest.
Card {
    id: card

    readonly property Connection connection: handle.connection
    readonly property real price: latest.latest?.value ?? 0
    property var history: []
    property bool isCompact: false
    readonly property real change: history.length > 1 ? price - history[0] : 0

    title: qsTr("Price")
    padding: Theme.wide
    action: StateBadge {
        visible: !card.connection.isConnected
        connection: card.connection
    }

    ConnectionHandle {
        id: handle

        type: "prices"
        autoConnect: true
    }
    Subscription {
        id: latest

        connection: card.connection
        event: "price"
        delivery: Subscription.Latest
        onReceived: price => card.history = card.history.slice(-179).concat(price.value)
    }

    RowLayout {
        Layout.fillWidth: true
        spacing: Theme.small

        PlainText {
            Layout.fillWidth: true
            text: card.price > 0 ? card.price.toFixed(2) : "–"
            elide: Text.ElideRight
            font.pixelSize: Theme.displaySize
            font.weight: Font.DemiBold
        }
        ColumnLayout {
            spacing: 0

            PlainText {
                Layout.alignment: Qt.AlignRight
                text: latest.latest?.symbol ?? ""
                font.weight: Font.DemiBold
            }
            PlainText {
                Layout.alignment: Qt.AlignRight
                visible: card.history.length > 1
                text: (card.change < 0 ? "▼ " : "▲ ") + Math.abs(card.change).toFixed(2)
                color: card.change < 0 ? Theme.bad : Theme.good
                font.pixelSize: Theme.smallSize
            }
        }
    }
    Sparkline {
        Layout.fillWidth: true
        visible: !card.isCompact
        implicitHeight: 56
        values: card.history
        capacity: 180
        ink: Theme.accent
    }
    PlainText {
        Layout.fillWidth: true
        visible: !card.isCompact
        text: qsTr("The newest of 200 messages a second")
        color: Theme.muted
        wrapMode: Text.Wrap
        font.pixelSize: Theme.smallSize
    }
}
