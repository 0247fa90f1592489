// SPDX-License-Identifier: MIT
import QtQuick
import NotificationsExample

// A bell with a number.
Item {
    id: bell

    required property int unread

    function ring(): void {
        ringing.restart();
    }

    Glyph {
        id: picture

        anchors.centerIn: parent
        width: 26
        height: 26
        name: Glyph.Bell
        color: Theme.text
        transformOrigin: Item.Top

        SequentialAnimation {
            id: ringing

            NumberAnimation {
                target: picture
                property: "rotation"
                to: 14
                duration: 70
            }
            NumberAnimation {
                target: picture
                property: "rotation"
                to: -11
                duration: 120
            }
            NumberAnimation {
                target: picture
                property: "rotation"
                to: 0
                duration: 200
                easing.type: Easing.OutBack
            }
        }
    }
    Rectangle {
        anchors.right: parent.right
        anchors.top: parent.top
        anchors.margins: -1
        width: Math.max(height, number.implicitWidth + 12)
        height: number.implicitHeight + 5
        radius: height / 2
        color: Theme.alarm
        border.width: 2
        border.color: Theme.surface
        scale: bell.unread > 0 ? 1 : 0

        Behavior on scale {
            NumberAnimation {
                duration: 150
                easing.type: Easing.OutBack
            }
        }

        PlainText {
            id: number

            anchors.centerIn: parent
            text: bell.unread > 99 ? qsTr("99+") : bell.unread
            color: Theme.alarmInk
            font.pixelSize: 11
            font.weight: Font.Bold
        }
    }
}
