// SPDX-License-Identifier: MIT
import QtQuick
import Everwire
import NotificationsExample

// The connection's state in colour and in words.
Rectangle {
    id: badge

    required property Connection connection
    readonly property int status: connection.state
    readonly property bool isBusy: status === Connection.Connecting || status === Connection.Authenticating || status === Connection.Reconnecting || status === Connection.Disconnecting
    readonly property color ink: status === Connection.Connected ? Theme.good : status === Connection.Error ? Theme.bad : isBusy ? Theme.warn : Theme.muted
    readonly property string label: {
        switch (status) {
        case Connection.Connecting:
            return qsTr("Connecting");
        case Connection.Authenticating:
            return qsTr("Signing in");
        case Connection.Connected:
            return qsTr("Live");
        case Connection.Reconnecting:
            return qsTr("Reconnecting");
        case Connection.Disconnecting:
            return qsTr("Closing");
        case Connection.Error:
            return qsTr("Not connected");
        default:
            return qsTr("Offline");
        }
    }

    implicitWidth: row.implicitWidth + 2 * Theme.normal
    implicitHeight: row.implicitHeight + 2 * Theme.tight + 2
    radius: height / 2
    color: status === Connection.Connected ? Theme.goodSoft : status === Connection.Error ? Theme.badSoft : isBusy ? Theme.warnSoft : Theme.raised
    Accessible.role: Accessible.StaticText
    Accessible.name: qsTr("Connection: %1").arg(label)

    Row {
        id: row

        anchors.centerIn: parent
        spacing: 6

        Rectangle {
            anchors.verticalCenter: parent.verticalCenter
            width: 8
            height: 8
            radius: 4
            color: badge.ink

            SequentialAnimation on opacity {
                running: badge.isBusy
                loops: Animation.Infinite
                alwaysRunToEnd: true

                NumberAnimation {
                    to: 0.25
                    duration: 450
                }
                NumberAnimation {
                    to: 1
                    duration: 450
                }
            }
        }
        PlainText {
            anchors.verticalCenter: parent.verticalCenter
            text: badge.label
            color: badge.ink
            font.pixelSize: Theme.smallSize
            font.weight: Font.DemiBold
        }
    }
}
