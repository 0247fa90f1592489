// SPDX-License-Identifier: MIT
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import VoiceSimulation

// Who it is, where the conversation stands, how the line is.
Rectangle {
    id: header

    required property VoiceSession voice
    property bool withBack: false
    readonly property var beats: voice.scenario.beats
    readonly property int goal: voice.goal

    signal back

    implicitHeight: column.implicitHeight + 2 * Theme.normal
    color: Theme.surface

    ColumnLayout {
        id: column

        anchors.left: parent.left
        anchors.right: parent.right
        anchors.verticalCenter: parent.verticalCenter
        anchors.leftMargin: Theme.wide
        anchors.rightMargin: Theme.wide
        spacing: Theme.small

        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.normal

            AppButton {
                visible: header.withBack
                implicitWidth: Theme.controlHeight
                glyph: Glyph.Back
                Accessible.name: qsTr("End the session")
                hint: qsTr("End the session (Ctrl+Return)")
                onClicked: header.back()
            }
            Avatar {
                initials: header.voice.role.name.split(" ").map(word => word.charAt(0)).join("")
            }
            ColumnLayout {
                Layout.fillWidth: true
                spacing: 2

                Text {
                    textFormat: Text.PlainText
                    Layout.fillWidth: true
                    text: header.voice.role.name
                    color: Theme.text
                    elide: Text.ElideRight
                    font.pixelSize: Theme.titleSize
                    font.weight: Font.DemiBold
                    Accessible.role: Accessible.Heading
                    Accessible.name: text
                }
                Text {
                    textFormat: Text.PlainText
                    Layout.fillWidth: true
                    text: header.voice.scenario.title
                    color: Theme.muted
                    elide: Text.ElideRight
                    font.pixelSize: Theme.smallSize
                }
            }
            ConnectionBadge {
                connection: header.voice.connection
            }
        }
        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.small

            Row {
                spacing: Theme.tight

                Repeater {
                    model: header.beats.length

                    Rectangle {
                        required property int index

                        width: 20
                        height: 4
                        radius: 2
                        color: index <= header.goal ? Theme.accent : Theme.border
                    }
                }
            }
            Text {
                textFormat: Text.PlainText
                Layout.fillWidth: true
                text: header.goal < header.beats.length ? qsTr("Goal %1 of %2: %3").arg(header.goal + 1).arg(header.beats.length).arg(header.beats[header.goal].goal) : qsTr("All %1 goals reached").arg(header.beats.length)
                color: Theme.muted
                elide: Text.ElideRight
                font.pixelSize: Theme.smallSize
            }
        }
    }
}
