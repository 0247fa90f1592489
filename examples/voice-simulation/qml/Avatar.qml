// SPDX-License-Identifier: MIT
import QtQuick
import VoiceSimulation

// A partner's initials.
Rectangle {
    id: avatar

    required property string initials
    property bool strong: true

    implicitWidth: 36
    implicitHeight: 36
    radius: width / 2
    color: strong ? Theme.accent : Theme.raised
    Accessible.ignored: true

    Text {
        textFormat: Text.PlainText
        anchors.centerIn: parent
        text: avatar.initials
        color: avatar.strong ? Theme.accentInk : Theme.muted
        font.pixelSize: Theme.smallSize
        font.weight: Font.DemiBold
    }
}
