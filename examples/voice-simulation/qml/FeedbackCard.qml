// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import VoiceSimulation

// The coach's words on the turn before.
Rectangle {
    id: card

    required property string text
    required property bool isGood
    readonly property color ink: isGood ? Theme.good : Theme.warn

    implicitHeight: row.implicitHeight + 2 * Theme.normal
    radius: 16
    color: isGood ? Theme.goodSoft : Theme.warnSoft
    Accessible.role: Accessible.Note
    Accessible.name: qsTr("Coach: %1").arg(text)

    RowLayout {
        id: row

        anchors.left: parent.left
        anchors.right: parent.right
        anchors.top: parent.top
        anchors.margins: Theme.normal
        anchors.leftMargin: Theme.wide
        anchors.rightMargin: Theme.wide
        spacing: Theme.normal

        Glyph {
            Layout.alignment: Qt.AlignTop
            name: card.isGood ? Glyph.Check : Glyph.Coach
            color: card.ink
        }
        Column {
            Layout.fillWidth: true
            spacing: 2

            Text {
                textFormat: Text.PlainText
                width: parent.width
                text: card.isGood ? qsTr("Coach: well done") : qsTr("Coach: try this")
                color: card.ink
                font.pixelSize: Theme.smallSize
                font.weight: Font.DemiBold
            }
            Text {
                textFormat: Text.PlainText
                width: parent.width
                text: card.text
                color: Theme.text
                wrapMode: Text.Wrap
                font.pixelSize: Theme.textSize
                lineHeight: 1.15
            }
        }
    }
}
