// SPDX-License-Identifier: MIT
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import VoiceSimulation

// The scenario's goals and how far the conversation is.
ColumnLayout {
    id: goals

    required property VoiceSession voice

    spacing: Theme.small

    Repeater {
        model: goals.voice.scenario.beats

        RowLayout {
            id: entry

            required property int index
            required property var modelData
            readonly property bool isDone: index < goals.voice.goal
            readonly property bool isNext: index === goals.voice.goal

            Layout.fillWidth: true
            spacing: Theme.small

            Rectangle {
                Layout.alignment: Qt.AlignTop
                implicitWidth: 20
                implicitHeight: 20
                radius: 10
                color: entry.isDone ? Theme.goodSoft : entry.isNext ? Theme.accentSoft : Theme.raised

                Glyph {
                    anchors.centerIn: parent
                    width: 12
                    height: 12
                    visible: entry.isDone
                    name: Glyph.Check
                    color: Theme.good
                }
                Text {
                    textFormat: Text.PlainText
                    anchors.centerIn: parent
                    visible: !entry.isDone
                    text: entry.index + 1
                    color: entry.isNext ? Theme.accentText : Theme.muted
                    font.pixelSize: Theme.smallSize
                    font.weight: Font.DemiBold
                }
            }
            Text {
                textFormat: Text.PlainText
                Layout.fillWidth: true
                text: entry.modelData.goal
                color: entry.isNext ? Theme.text : Theme.muted
                wrapMode: Text.Wrap
                font.pixelSize: Theme.smallSize
                lineHeight: 1.15
                Accessible.name: entry.isDone ? qsTr("Done: %1").arg(text) : text
            }
        }
    }
}
