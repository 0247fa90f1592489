// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import VoiceSimulation

Rectangle {
    Layout.fillWidth: true
    implicitHeight: 1
    color: Theme.border
}
