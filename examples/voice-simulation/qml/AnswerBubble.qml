// SPDX-License-Identifier: MIT
import QtQuick
import VoiceSimulation

// What the partner says, as it comes in.
Rectangle {
    id: bubble

    required property string text
    required property bool isFinal
    required property real widest

    width: Math.min(widest, label.implicitWidth + 2 * Theme.wide)
    implicitHeight: label.implicitHeight + 2 * Theme.normal
    radius: 16
    color: Theme.surface
    border.width: 1
    border.color: Theme.border
    Accessible.role: Accessible.ListItem
    Accessible.name: text

    Text {
        id: label

        textFormat: Text.PlainText
        anchors.left: parent.left
        anchors.top: parent.top
        anchors.leftMargin: Theme.wide
        anchors.topMargin: Theme.normal
        width: bubble.widest - 2 * Theme.wide
        text: bubble.isFinal ? bubble.text : bubble.text + "\u2026"
        color: Theme.text
        wrapMode: Text.Wrap
        font.pixelSize: Theme.textSize
        lineHeight: 1.2
    }
}
