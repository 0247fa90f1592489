// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import Everwire
import VoiceSimulation

// What is wrong and what happens next, while something is.
Rectangle {
    id: banner

    required property VoiceSession voice
    readonly property Connection connection: voice.connection
    readonly property bool isWaiting: connection.state === Connection.Reconnecting
    readonly property bool hasEnded: connection.state === Connection.Error
    readonly property bool isRetrying: connection.reconnectAttempt > 0 && !isWaiting && !connection.isConnected
    readonly property int waiting: connection.queuedMessages + voice.turn.heldChunks
    readonly property color ink: hasEnded ? Theme.bad : Theme.warn
    readonly property string headline: isWaiting ? (voice.wasConnected ? qsTr("Connection lost. Attempt %1 in %2 s") : qsTr("No connection yet. Attempt %1 in %2 s")).arg(connection.reconnectAttempt).arg((connection.nextRetryIn / 1000).toFixed(1)) : isRetrying ? qsTr("Connecting again, attempt %1").arg(connection.reconnectAttempt) : hasEnded ? qsTr("There is no connection") : qsTr("Please note")
    readonly property string keeping: waiting === 0 || connection.isConnected ? "" : waiting === 1 ? qsTr("One message is kept and goes out as soon as the line is back.") : qsTr("%1 messages are kept and go out as soon as the line is back.").arg(waiting)

    visible: voice.running && (isWaiting || isRetrying || hasEnded || voice.trouble !== "")
    implicitHeight: row.implicitHeight + 2 * Theme.normal
    color: hasEnded ? Theme.badSoft : Theme.warnSoft
    Accessible.role: Accessible.AlertMessage
    Accessible.name: headline
    Accessible.description: voice.trouble + " " + keeping

    RowLayout {
        id: row

        anchors.left: parent.left
        anchors.right: parent.right
        anchors.verticalCenter: parent.verticalCenter
        anchors.leftMargin: Theme.wide
        anchors.rightMargin: Theme.wide
        spacing: Theme.normal

        Glyph {
            Layout.alignment: Qt.AlignTop
            name: Glyph.Warning
            color: banner.ink
        }
        Column {
            Layout.fillWidth: true
            spacing: 2

            Text {
                textFormat: Text.PlainText
                width: parent.width
                text: banner.headline
                color: banner.ink
                wrapMode: Text.Wrap
                font.pixelSize: Theme.textSize
                font.weight: Font.DemiBold
            }
            Text {
                textFormat: Text.PlainText
                width: parent.width
                visible: text !== ""
                text: banner.voice.trouble
                color: Theme.text
                wrapMode: Text.Wrap
                font.pixelSize: Theme.smallSize
            }
            Text {
                textFormat: Text.PlainText
                width: parent.width
                visible: text !== ""
                text: banner.keeping
                color: Theme.text
                wrapMode: Text.Wrap
                font.pixelSize: Theme.smallSize
            }
        }
        AppButton {
            visible: banner.isWaiting || banner.hasEnded
            glyph: Glyph.Retry
            text: qsTr("Retry")
            hint: qsTr("Connect now (Ctrl+R)")
            onClicked: banner.connection.reconnect()
        }
    }
}
