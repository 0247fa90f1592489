// SPDX-License-Identifier: MIT
pragma ComponentBehavior: Bound
import QtQuick
import VoiceSimulation

// The partner has heard the turn and has not begun to answer.
Rectangle {
    id: bubble

    required property string partner

    implicitWidth: row.implicitWidth + 2 * Theme.wide
    implicitHeight: row.implicitHeight + 2 * Theme.small
    radius: 16
    color: Theme.surface
    border.width: 1
    border.color: Theme.border

    Row {
        id: row

        anchors.centerIn: parent
        spacing: Theme.small

        Repeater {
            model: 3

            Rectangle {
                id: dot

                required property int index

                anchors.verticalCenter: parent.verticalCenter
                width: 6
                height: 6
                radius: 3
                color: Theme.muted

                SequentialAnimation on opacity  {
                    running: bubble.visible
                    loops: Animation.Infinite

                    PauseAnimation {
                        duration: 150 * dot.index
                    }
                    NumberAnimation {
                        to: 0.3
                        duration: 300
                    }
                    NumberAnimation {
                        to: 1
                        duration: 300
                    }
                    PauseAnimation {
                        duration: 150 * (2 - dot.index)
                    }
                }
            }
        }
        Text {
            textFormat: Text.PlainText
            text: qsTr("%1 is thinking").arg(bubble.partner)
            color: Theme.muted
            font.pixelSize: Theme.smallSize
        }
    }
}
