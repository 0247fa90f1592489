// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic
import VoiceSimulation

// One partner to talk to: initials, name, what to expect.
RadioButton {
    id: card

    required property string name
    required property string persona
    readonly property string initials: name.split(" ").map(word => word.charAt(0)).join("")

    padding: Theme.small
    opacity: enabled || checked ? 1 : 0.55
    text: name
    Accessible.description: persona

    indicator: null
    contentItem: Row {
        spacing: Theme.normal

        Avatar {
            anchors.verticalCenter: parent.verticalCenter
            initials: card.initials
            strong: card.checked
        }
        Column {
            anchors.verticalCenter: parent.verticalCenter
            width: parent.width - 36 - Theme.normal
            spacing: 2

            Text {
                textFormat: Text.PlainText
                width: parent.width
                text: card.name
                color: Theme.text
                wrapMode: Text.Wrap
                font.pixelSize: Theme.textSize
                font.weight: card.checked ? Font.DemiBold : Font.Normal
            }
            Text {
                textFormat: Text.PlainText
                width: parent.width
                text: card.persona
                color: Theme.muted
                wrapMode: Text.Wrap
                font.pixelSize: Theme.smallSize
            }
        }
    }
    background: Rectangle {
        radius: Theme.radius
        color: card.checked ? Theme.accentSoft : card.hovered ? Theme.raised : "transparent"

        FocusRing {
            shown: card.visualFocus
        }
    }
}
