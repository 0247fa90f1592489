// SPDX-License-Identifier: MIT
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import VoiceSimulation

// What to practise and with whom; start and end.
ColumnLayout {
    id: pane

    required property VoiceSession voice

    readonly property bool hasRoomForGoals: height >= 470 // the header shows the next one anyway

    signal startOrStop

    spacing: Theme.wide

    RowLayout {
        Layout.fillWidth: true
        spacing: Theme.normal

        Rectangle {
            implicitWidth: 36
            implicitHeight: 36
            radius: Theme.radius
            color: Theme.accent

            Glyph {
                anchors.centerIn: parent
                name: Glyph.Wave
                color: Theme.accentInk
            }
        }
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 0

            Text {
                textFormat: Text.PlainText
                Layout.fillWidth: true
                text: qsTr("Voice simulation")
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
                text: qsTr("Practise a hard conversation")
                color: Theme.muted
                elide: Text.ElideRight
                font.pixelSize: Theme.smallSize
            }
        }
        ThemeButton {}
    }

    ScrollView {
        id: scroll

        Layout.fillWidth: true
        Layout.fillHeight: true
        contentWidth: availableWidth
        ScrollBar.horizontal.policy: ScrollBar.AlwaysOff

        ColumnLayout {
            width: scroll.availableWidth
            spacing: Theme.small

            SectionTitle {
                text: qsTr("Scenario")
            }
            Repeater {
                model: Catalog.scenarios

                ScenarioCard {
                    required property var modelData

                    Layout.fillWidth: true
                    visible: checked || !pane.voice.running
                    enabled: !pane.voice.running
                    title: modelData.title
                    description: modelData.description
                    checked: pane.voice.scenarioId === modelData.id
                    onClicked: pane.voice.scenarioId = modelData.id
                }
            }
            SectionTitle {
                Layout.topMargin: Theme.small
                text: qsTr("Your partner")
            }
            ColumnLayout {
                Layout.fillWidth: true
                spacing: Theme.tight

                Repeater {
                    model: pane.voice.scenario.roles

                    RoleCard {
                        required property var modelData

                        Layout.fillWidth: true
                        visible: checked || !pane.voice.running
                        enabled: !pane.voice.running
                        name: modelData.name
                        persona: modelData.persona
                        checked: pane.voice.roleId === modelData.id
                        onClicked: pane.voice.roleId = modelData.id
                    }
                }
            }
            SectionTitle {
                Layout.topMargin: Theme.small
                visible: pane.voice.running && pane.hasRoomForGoals
                text: qsTr("Goals")
            }
            GoalList {
                Layout.fillWidth: true
                visible: pane.voice.running && pane.hasRoomForGoals
                voice: pane.voice
            }
        }
    }

    AppButton {
        Layout.fillWidth: true
        kind: pane.voice.running ? AppButton.Kind.Plain : AppButton.Kind.Primary
        glyph: pane.voice.running ? Glyph.Stop : Glyph.Play
        text: pane.voice.running ? qsTr("End the session") : qsTr("Start the session")
        hint: qsTr("Ctrl+Return")
        onClicked: pane.startOrStop()
    }
}
