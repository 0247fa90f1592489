// SPDX-License-Identifier: MIT
import QtQuick
import VoiceSimulation

AppButton {
    implicitWidth: Theme.controlHeight
    glyph: Theme.dark ? Glyph.Sun : Glyph.Moon
    Accessible.name: Theme.dark ? qsTr("Light colours") : qsTr("Dark colours")
    hint: Theme.dark ? qsTr("Light colours (Ctrl+D)") : qsTr("Dark colours (Ctrl+D)")
    onClicked: Theme.toggle()
}
