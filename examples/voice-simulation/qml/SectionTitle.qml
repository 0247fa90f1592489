// SPDX-License-Identifier: MIT
import QtQuick
import VoiceSimulation

Text {
    textFormat: Text.PlainText
    color: Theme.muted
    font.pixelSize: Theme.smallSize
    font.weight: Font.DemiBold
    Accessible.role: Accessible.Heading
    Accessible.name: text
}
