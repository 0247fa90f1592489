// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import VoiceSimulation

ApplicationWindow {
    id: window

    // There is nobody to sign in as.
    required property bool tokenMissing
    readonly property bool isWide: width >= 860
    readonly property alias voice: voice

    function setThemeMode(mode: string): void {
        Theme.mode = mode;
    }

    function startOrStop(): void {
        if (voice.running) {
            voice.stop();
            return;
        }
        voice.start();
        conversation.composer.button.forceActiveFocus(Qt.TabFocusReason);
    }

    width: 1100
    height: 760
    minimumWidth: 480
    minimumHeight: 560
    visible: true
    title: qsTr("Voice simulation")
    color: Theme.window
    palette {
        window: Theme.window
        windowText: Theme.text
        base: Theme.surface
        text: Theme.text
        button: Theme.surface
        buttonText: Theme.text
        mid: Theme.outline
        dark: Theme.muted
        highlight: Theme.accent
        highlightedText: Theme.accentInk
        toolTipBase: Theme.surface
        toolTipText: Theme.text
    }

    VoiceSession {
        id: voice
    }

    RowLayout {
        anchors.fill: parent
        spacing: 0
        visible: !window.tokenMissing

        Rectangle {
            Layout.fillHeight: true
            Layout.fillWidth: !window.isWide
            Layout.preferredWidth: window.isWide ? 340 : window.width
            visible: window.isWide || !voice.running
            color: Theme.surface

            ColumnLayout {
                anchors.fill: parent
                anchors.margins: Theme.wide
                spacing: Theme.wide

                SetupPane {
                    Layout.fillWidth: true
                    Layout.fillHeight: true
                    voice: voice
                    onStartOrStop: window.startOrStop()
                }
                Separator {
                    visible: window.isWide && voice.running
                }
                LinePanel {
                    Layout.fillWidth: true
                    visible: window.isWide && voice.running
                    voice: voice
                }
            }
        }
        Rectangle {
            Layout.fillHeight: true
            visible: window.isWide
            implicitWidth: 1
            color: Theme.border
        }
        ConversationPane {
            id: conversation

            Layout.fillWidth: true
            Layout.fillHeight: true
            visible: window.isWide || voice.running
            narrow: !window.isWide
            voice: voice
            onBack: window.startOrStop()
        }
    }

    EmptyState {
        anchors.centerIn: parent
        width: Math.min(parent.width - 2 * Theme.huge, 460)
        visible: window.tokenMissing
        glyph: Glyph.Warning
        title: qsTr("There is no token to sign in with")
        detail: qsTr("Start this app with scripts/demo: it starts a server on this machine and issues a token. For a server of your own, set the environment variables EVERWIRE_TOKEN and SIMULATION_WS_URL.")
    }

    Shortcut {
        sequences: ["Ctrl+Return", "Ctrl+Enter"]
        autoRepeat: false
        enabled: !window.tokenMissing
        onActivated: window.startOrStop()
    }
    Shortcut {
        sequence: "Ctrl+Space"
        autoRepeat: false
        enabled: conversation.composer.button.enabled
        onActivated: conversation.composer.button.toggle()
    }
    Shortcut {
        sequence: "Ctrl+K"
        autoRepeat: false
        enabled: voice.connection.isConnected
        onActivated: voice.cutLine()
    }
    Shortcut {
        sequence: "Ctrl+R"
        autoRepeat: false
        enabled: voice.running && !voice.connection.isConnected
        onActivated: voice.connection.reconnect()
    }
    Shortcut {
        sequence: "Ctrl+D"
        autoRepeat: false
        onActivated: Theme.toggle()
    }
}
