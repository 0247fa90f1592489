// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import VoiceSimulation

// Before there is a conversation: what to do first.
ColumnLayout {
    id: empty

    required property string title
    required property string detail
    property int glyph: Glyph.Wave

    spacing: Theme.small

    Rectangle {
        Layout.alignment: Qt.AlignHCenter
        implicitWidth: 56
        implicitHeight: 56
        radius: 28
        color: Theme.accentSoft

        Glyph {
            anchors.centerIn: parent
            width: 26
            height: 26
            name: empty.glyph
            color: Theme.accentText
        }
    }
    Text {
        textFormat: Text.PlainText
        Layout.fillWidth: true
        text: empty.title
        color: Theme.text
        horizontalAlignment: Text.AlignHCenter
        wrapMode: Text.Wrap
        font.pixelSize: Theme.titleSize
        font.weight: Font.DemiBold
    }
    Text {
        Layout.fillWidth: true
        text: empty.detail
        textFormat: Text.PlainText
        color: Theme.muted
        horizontalAlignment: Text.AlignHCenter
        wrapMode: Text.Wrap
        font.pixelSize: Theme.textSize
        lineHeight: 1.2
    }
}
