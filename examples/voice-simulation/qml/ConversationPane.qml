// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import Everwire
import VoiceSimulation

// The conversation from top to bottom: who, what is wrong, what was said, the user's turn.
ColumnLayout {
    id: pane

    required property VoiceSession voice
    property bool narrow: false
    readonly property alias composer: composer

    signal back

    spacing: 0

    ConversationHeader {
        Layout.fillWidth: true
        voice: pane.voice
        withBack: pane.narrow
        onBack: pane.back()
    }
    Separator {}
    TroubleBanner {
        Layout.fillWidth: true
        voice: pane.voice
    }
    Item {
        Layout.fillWidth: true
        Layout.fillHeight: true
        Layout.minimumHeight: 80

        ConversationList {
            anchors.fill: parent
            voice: pane.voice
            visible: count > 0
            Keys.onSpacePressed: composer.button.toggle()
        }
        EmptyState {
            readonly property bool hasEnded: pane.voice.running && pane.voice.connection.state === Connection.Error

            anchors.centerIn: parent
            width: Math.min(parent.width - 2 * Theme.huge, 420)
            visible: pane.voice.conversation.turns.count === 0
            title: hasEnded ? qsTr("There is no connection") : pane.voice.running ? qsTr("Waiting for %1").arg(pane.voice.role.name) : qsTr("Ready when you are")
            detail: hasEnded ? qsTr("Try again, or end the session.") : pane.voice.running ? qsTr("The conversation begins as soon as the line is up.") : qsTr("Choose a scenario and a partner, then start the session. You speak, your partner answers, and the coach tells you how you sounded.")
        }
    }
    Separator {}
    LinePanel {
        Layout.fillWidth: true
        Layout.leftMargin: Theme.wide
        Layout.rightMargin: Theme.wide
        Layout.topMargin: Theme.small
        Layout.bottomMargin: Theme.small
        visible: pane.narrow
        compact: true
        voice: pane.voice
    }
    Separator {
        visible: pane.narrow
    }
    Composer {
        id: composer

        Layout.fillWidth: true
        voice: pane.voice
    }
}
