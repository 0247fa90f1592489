// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic
import VoiceSimulation

// Press to speak. With a microphone it may be held, as one holds a radio's button, or clicked twice.
RoundButton {
    id: button

    required property VoiceSession voice
    readonly property bool speaking: voice.turn.speaking
    property double pressedAt: 0

    function toggle(): void {
        if (button.speaking)
            button.voice.turn.finish();
        else
            button.voice.talk();
    }

    function letGo(): void {
        const held = button.pressedAt > 0 && Date.now() - button.pressedAt > 400;
        if (held && button.speaking && button.voice.source === "microphone")
            button.voice.turn.finish();
    }

    implicitWidth: 60
    implicitHeight: 60
    // Not by way of our own property, which may change later than the turn: a press on a disabled button ends.
    enabled: voice.mayTalk && (voice.turn.speaking || !voice.turn.active)
    opacity: enabled ? 1 : 0.5
    Accessible.name: speaking ? qsTr("Stop speaking and send") : qsTr("Speak")
    ToolTip.text: qsTr("Space, or Ctrl+Space from anywhere")
    ToolTip.visible: hovered
    ToolTip.delay: 600

    onPressed: {
        button.pressedAt = button.speaking ? 0 : Date.now();
        button.toggle();
    }
    onReleased: button.letGo()
    onCanceled: button.letGo() // it slid off

    contentItem: Item {
        Glyph {
            anchors.centerIn: parent
            width: 26
            height: 26
            name: button.speaking ? Glyph.Stop : Glyph.Microphone
            color: button.speaking ? Theme.surface : Theme.accentInk
        }
    }
    background: Item {
        // The voice, around the button.
        Rectangle {
            readonly property real loudness: Math.sqrt(button.voice.session.audioLevel)

            anchors.centerIn: parent
            visible: button.speaking
            width: parent.width + 6 + 26 * Math.min(1, loudness)
            height: width
            radius: width / 2
            color: Theme.bad
            opacity: 0.18

            Behavior on width {
                NumberAnimation {
                    duration: 120
                }
            }
        }
        Rectangle {
            anchors.fill: parent
            radius: width / 2
            color: button.speaking ? Theme.bad : button.hovered ? Theme.accentHover : Theme.accent

            FocusRing {
                radius: width / 2
                shown: button.visualFocus
            }
        }
    }
}
