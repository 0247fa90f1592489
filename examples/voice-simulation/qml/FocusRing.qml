// SPDX-License-Identifier: MIT
import QtQuick
import VoiceSimulation

// Around the control that the keyboard is at.
Rectangle {
    property bool shown: false

    anchors.fill: parent
    anchors.margins: -3
    visible: shown
    color: "transparent"
    radius: Theme.radius + 3
    border.width: 2
    border.color: Theme.accent
}
