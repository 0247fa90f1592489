// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic
import VoiceSimulation

Button {
    id: control

    enum Kind {
        Primary,
        Plain,
        Danger
    }

    property int kind: AppButton.Kind.Plain
    property int glyph: Glyph.None
    property string hint
    readonly property color ink: kind === AppButton.Kind.Primary ? Theme.accentInk : kind === AppButton.Kind.Danger ? Theme.bad : Theme.text

    implicitHeight: Theme.controlHeight
    leftPadding: text === "" ? Theme.small : Theme.wide
    rightPadding: leftPadding
    opacity: enabled ? 1 : 0.5
    font.pixelSize: Theme.textSize
    font.weight: Font.DemiBold
    Accessible.description: hint
    ToolTip.text: hint
    ToolTip.visible: hint !== "" && (hovered || visualFocus)
    ToolTip.delay: 600

    contentItem: Item {
        implicitWidth: children[0].implicitWidth
        implicitHeight: children[0].implicitHeight

        Row {
            anchors.centerIn: parent
            spacing: Theme.small

            Glyph {
                anchors.verticalCenter: parent.verticalCenter
                visible: control.glyph !== Glyph.None
                name: control.glyph
                color: control.ink
                width: 18
                height: 18
            }
            Text {
                textFormat: Text.PlainText
                anchors.verticalCenter: parent.verticalCenter
                visible: text !== ""
                text: control.text
                font: control.font
                color: control.ink
            }
        }
    }

    background: Rectangle {
        radius: Theme.radius
        color: control.kind === AppButton.Kind.Primary ? (control.hovered || control.down ? Theme.accentHover : Theme.accent) : (control.hovered || control.down ? Theme.raised : Theme.surface)
        border.width: control.kind === AppButton.Kind.Primary ? 0 : 1
        border.color: control.kind === AppButton.Kind.Danger ? Theme.bad : Theme.outline

        FocusRing {
            shown: control.visualFocus
        }
    }
}
