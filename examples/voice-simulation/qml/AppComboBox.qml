// SPDX-License-Identifier: MIT
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import VoiceSimulation

// A list of {title, …} to choose from.
ComboBox {
    id: control

    implicitHeight: Theme.controlHeight
    leftPadding: Theme.normal
    rightPadding: Theme.normal
    opacity: enabled ? 1 : 0.5
    font.pixelSize: Theme.textSize
    textRole: "title"

    contentItem: Text {
        textFormat: Text.PlainText
        rightPadding: control.indicator.width + Theme.small
        text: control.displayText
        font: control.font
        color: Theme.text
        elide: Text.ElideRight
        verticalAlignment: Text.AlignVCenter
    }

    indicator: Glyph {
        x: control.width - width - Theme.normal
        y: (control.height - height) / 2
        width: 16
        height: 16
        name: Glyph.Chevron
        color: Theme.muted
    }

    background: Rectangle {
        radius: Theme.radius
        color: control.hovered ? Theme.raised : Theme.surface
        border.width: 1
        border.color: Theme.outline

        FocusRing {
            shown: control.visualFocus
        }
    }

    delegate: ItemDelegate {
        id: entry

        required property int index
        required property var modelData

        width: ListView.view ? ListView.view.width : 0
        height: Theme.controlHeight
        highlighted: control.highlightedIndex === index
        text: modelData.title

        contentItem: Text {
            textFormat: Text.PlainText
            text: entry.text
            font.pixelSize: Theme.textSize
            font.weight: control.currentIndex === entry.index ? Font.DemiBold : Font.Normal
            color: Theme.text
            elide: Text.ElideRight
            verticalAlignment: Text.AlignVCenter
        }
        background: Rectangle {
            radius: Theme.radius - 2
            color: entry.highlighted ? Theme.accentSoft : "transparent"
        }
    }

    popup: Popup {
        y: -height - Theme.tight
        width: control.width
        padding: Theme.tight

        contentItem: ListView {
            implicitHeight: contentHeight
            clip: true
            model: control.delegateModel
            currentIndex: control.highlightedIndex
        }
        background: Rectangle {
            radius: Theme.radius
            color: Theme.surface
            border.width: 1
            border.color: Theme.border
        }
    }
}
