// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import Everwire
import VoiceSimulation

// Where the user speaks: the button, the level, and with what voice.
Rectangle {
    id: composer

    required property VoiceSession voice
    readonly property alias button: mic
    readonly property bool isWide: width >= 620
    readonly property bool usesMicrophone: voice.source === "microphone"
    readonly property var sources: (voice.turn.microphoneAvailable ? [
            {
                "title": qsTr("Microphone"),
                "source": "microphone"
            }
        ] : []).concat(Catalog.recordings(voice.scenarioId))
    readonly property string headline: {
        if (!voice.running)
            return qsTr("Start a session to speak");
        if (voice.turn.speaking)
            return usesMicrophone ? qsTr("Listening, %1 s").arg(voice.turn.seconds.toFixed(1)) : qsTr("Playing the recording, %1 s").arg(voice.turn.seconds.toFixed(1));
        if (!voice.connection.isConnected && (voice.turn.active || voice.awaitingAnswer))
            return qsTr("Waiting for the line");
        if (voice.turn.active)
            return qsTr("Sending");
        if (voice.connection.state === Connection.Error)
            return qsTr("There is no connection");
        if (voice.awaitingAnswer)
            return qsTr("%1 has the word").arg(voice.role.name);
        return usesMicrophone ? qsTr("Press or hold to speak (Space)") : qsTr("Press to speak (Space)");
    }

    implicitHeight: grid.implicitHeight + 2 * Theme.normal
    color: Theme.surface

    GridLayout {
        id: grid

        anchors.left: parent.left
        anchors.right: parent.right
        anchors.verticalCenter: parent.verticalCenter
        anchors.leftMargin: Theme.wide
        anchors.rightMargin: Theme.wide
        columns: composer.isWide ? 3 : 2
        columnSpacing: Theme.wide
        rowSpacing: Theme.small

        MicButton {
            id: mic

            voice: composer.voice
        }
        ColumnLayout {
            Layout.fillWidth: true
            spacing: Theme.small

            Text {
                textFormat: Text.PlainText
                Layout.fillWidth: true
                text: composer.headline
                color: Theme.text
                elide: Text.ElideRight
                font.pixelSize: Theme.textSize
                font.weight: Font.DemiBold
                Accessible.role: Accessible.StaticText
                Accessible.name: text
            }
            LevelMeter {
                Layout.fillWidth: true
                level: composer.voice.session.audioLevel
            }
        }
        ColumnLayout {
            Layout.columnSpan: composer.isWide ? 1 : 2
            Layout.fillWidth: !composer.isWide
            Layout.preferredWidth: composer.isWide ? 300 : -1
            spacing: Theme.tight

            SectionTitle {
                text: composer.voice.turn.microphoneAvailable ? qsTr("Speak with") : qsTr("No microphone: use a recording")
                Layout.fillWidth: true
                elide: Text.ElideRight
            }
            AppComboBox {
                Layout.fillWidth: true
                enabled: !composer.voice.turn.active
                model: composer.sources
                currentIndex: composer.sources.findIndex(entry => entry.source === composer.voice.source)
                Accessible.name: qsTr("Voice")
                onActivated: index => composer.voice.source = composer.sources[index].source
            }
        }
    }
}
