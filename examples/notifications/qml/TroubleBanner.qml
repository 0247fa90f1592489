// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import Everwire
import NotificationsExample

// Why nothing comes in and what happens next, while that is so.
Rectangle {
    id: banner

    required property Connection connection
    readonly property bool hasEnded: connection.state === Connection.Error
    readonly property bool isWaiting: connection.state === Connection.Reconnecting
    property bool wasConnected: false
    readonly property string waiting: wasConnected ? qsTr("Connection lost. Attempt %1 in %2 s") : qsTr("No connection yet. Attempt %1 in %2 s")
    readonly property color ink: hasEnded ? Theme.bad : Theme.warn

    signal retry

    visible: hasEnded || isWaiting
    implicitHeight: row.implicitHeight + 2 * Theme.normal
    color: hasEnded ? Theme.badSoft : Theme.warnSoft
    Accessible.role: Accessible.AlertMessage
    Accessible.name: headline.text + " " + reason.text

    Connections {
        target: banner.connection

        function onConnected(): void {
            banner.wasConnected = true;
        }
    }
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
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 2

            PlainText {
                id: headline

                Layout.fillWidth: true
                text: banner.hasEnded ? qsTr("There is no connection") : banner.waiting.arg(banner.connection.reconnectAttempt).arg((banner.connection.nextRetryIn / 1000).toFixed(1))
                color: banner.ink
                wrapMode: Text.Wrap
                font.weight: Font.DemiBold
            }
            PlainText {
                id: reason

                Layout.fillWidth: true
                visible: text !== ""
                text: banner.connection.error
                wrapMode: Text.Wrap
                font.pixelSize: Theme.smallSize
            }
        }
        AppButton {
            glyph: Glyph.Retry
            text: qsTr("Retry")
            hint: qsTr("Connect now (Ctrl+R)")
            onClicked: banner.retry()
        }
    }
}
