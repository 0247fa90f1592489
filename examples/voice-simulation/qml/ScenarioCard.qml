// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic
import VoiceSimulation

// One scenario to choose.
RadioButton {
    id: card

    required property string title
    required property string description

    padding: Theme.normal
    spacing: Theme.tight
    opacity: enabled || checked ? 1 : 0.55
    text: title
    Accessible.description: description

    indicator: null
    contentItem: Column {
        spacing: card.spacing

        Text {
            textFormat: Text.PlainText
            width: parent.width
            text: card.title
            color: card.checked ? Theme.accentText : Theme.text
            wrapMode: Text.Wrap
            font.pixelSize: Theme.textSize
            font.weight: Font.DemiBold
        }
        Text {
            textFormat: Text.PlainText
            width: parent.width
            text: card.description
            color: card.checked ? Theme.text : Theme.muted
            wrapMode: Text.Wrap
            font.pixelSize: Theme.smallSize
            lineHeight: 1.15
        }
    }
    background: Rectangle {
        radius: Theme.radius
        color: card.checked ? Theme.accentSoft : card.hovered ? Theme.raised : Theme.surface
        border.width: card.checked ? 2 : 1
        border.color: card.checked ? Theme.accent : Theme.border

        FocusRing {
            shown: card.visualFocus
        }
    }
}
