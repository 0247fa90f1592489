// SPDX-License-Identifier: MIT
import QtQuick
import NotificationsExample

// Around the control that the keyboard is at.
Rectangle {
    property bool shown: false
    property real gap: 3

    anchors.fill: parent
    anchors.margins: -gap
    visible: shown
    color: "transparent"
    radius: Theme.radius + gap
    border.width: 2
    border.color: Theme.accent
}
