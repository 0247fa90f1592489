// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic
import NotificationsExample

Button {
    id: control

    property int glyph: Glyph.None
    property string hint
    property color ink: Theme.text

    implicitHeight: Math.max(Theme.controlHeight, implicitContentHeight + 2 * Theme.tight)
    implicitWidth: Math.max(implicitHeight, implicitContentWidth + leftPadding + rightPadding)
    leftPadding: text === "" ? 0 : flat ? Theme.small : Theme.normal
    rightPadding: leftPadding
    opacity: enabled ? 1 : 0.45
    font.pixelSize: Theme.textSize
    font.weight: Font.DemiBold
    Accessible.name: text === "" ? hint : text
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
            }
            PlainText {
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
        color: control.hovered || control.down ? Theme.raised : control.flat ? "transparent" : Theme.surface
        border.width: control.flat ? 0 : 1
        border.color: Theme.outline

        FocusRing {
            gap: control.flat ? 0 : 3
            shown: control.visualFocus
        }
    }
}
