// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import VoiceSimulation

// How the line is: round trips over time, and a way to cut it.
GridLayout {
    id: panel

    required property VoiceSession voice
    property bool compact: false
    readonly property RoundTrip roundTrip: voice.roundTrip
    readonly property bool hasSamples: roundTrip.samples.length > 0

    function inMs(value: real): string {
        return qsTr("%1 ms").arg(value < 10 ? value.toFixed(1) : Math.round(value));
    }

    columns: compact ? 3 : 1
    columnSpacing: Theme.normal
    rowSpacing: Theme.small

    RowLayout {
        visible: !panel.compact
        Layout.fillWidth: true

        Text {
            textFormat: Text.PlainText
            Layout.fillWidth: true
            text: qsTr("Round trip")
            color: Theme.text
            font.pixelSize: Theme.textSize
            font.weight: Font.DemiBold
        }
        Text {
            textFormat: Text.PlainText
            text: panel.hasSamples ? qsTr("%1, median %2").arg(panel.inMs(panel.roundTrip.last)).arg(panel.inMs(panel.roundTrip.median)) : qsTr("not measured")
            color: Theme.muted
            font.pixelSize: Theme.smallSize
        }
    }
    Rectangle {
        Layout.fillWidth: true
        Layout.preferredHeight: panel.compact ? 32 : 56
        Layout.minimumWidth: 72
        radius: Theme.radius - 2
        color: Theme.window
        border.width: panel.compact ? 0 : 1
        border.color: Theme.border
        Accessible.role: Accessible.Graphic
        Accessible.name: panel.hasSamples ? qsTr("Round trip: last %1, median %2").arg(panel.inMs(panel.roundTrip.last)).arg(panel.inMs(panel.roundTrip.median)) : qsTr("Round trip not measured yet")

        Series {
            anchors.fill: parent
            anchors.margins: Theme.tight
            values: panel.roundTrip.samples
            color: Theme.accent
        }
    }
    Text {
        textFormat: Text.PlainText
        visible: panel.compact
        text: panel.hasSamples ? qsTr("%1 (median %2)").arg(panel.inMs(panel.roundTrip.last)).arg(panel.inMs(panel.roundTrip.median)) : qsTr("not measured")
        color: Theme.muted
        font.pixelSize: Theme.smallSize
    }
    AppButton {
        Layout.fillWidth: !panel.compact
        enabled: panel.voice.connection.isConnected
        glyph: Glyph.Cut
        text: panel.compact ? qsTr("Cut") : qsTr("Cut the line")
        Accessible.name: qsTr("Cut the line")
        hint: qsTr("The server drops the connection; watch it recover (Ctrl+K)")
        onClicked: panel.voice.cutLine()
    }
}
