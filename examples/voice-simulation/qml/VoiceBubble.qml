// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import VoiceSimulation

// What the user said, as a picture with its length, and what was measured in it.
Rectangle {
    id: bubble

    required property real seconds
    required property var levels
    required property string words
    required property var measures
    required property int outage
    required property string arrival
    required property bool isFinal
    required property bool isOnline
    readonly property bool isMeasured: measures.speechSeconds !== undefined
    readonly property string length: Math.floor(Math.round(seconds) / 60) + ":" + String(Math.round(seconds) % 60).padStart(2, "0")
    readonly property string facts: {
        if (!isFinal)
            return qsTr("Speaking");
        if (!isMeasured)
            return isOnline ? qsTr("Sent") : qsTr("Waits for the line");
        const pauses = measures.longPauseCount === 0 ? qsTr("no long pauses") : measures.longPauseCount === 1 ? qsTr("1 long pause") : qsTr("%1 long pauses").arg(measures.longPauseCount);
        return [qsTr("%1 s of speech").arg(measures.speechSeconds.toFixed(1)), pauses, qsTr("%1 syllables/s").arg(measures.syllablesPerSecond.toFixed(1)), qsTr("%1 dB").arg(Math.round(measures.loudnessDbfs))].join(" · ").replace("-", "\u2212");
    }

    implicitHeight: column.implicitHeight + 2 * Theme.normal
    radius: 16
    color: Theme.mine
    Accessible.role: Accessible.ListItem
    Accessible.name: qsTr("You spoke for %1 seconds. %2 %3").arg(seconds.toFixed(1)).arg(words).arg(facts)

    ColumnLayout {
        id: column

        anchors.left: parent.left
        anchors.right: parent.right
        anchors.top: parent.top
        anchors.margins: Theme.normal
        anchors.leftMargin: Theme.wide
        anchors.rightMargin: Theme.wide
        spacing: Theme.small

        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.normal

            Glyph {
                name: Glyph.Microphone
                color: Theme.mineInk
            }
            Series {
                Layout.fillWidth: true
                Layout.preferredHeight: 28
                style: Series.Voice
                values: bubble.levels
                color: Theme.mineInk
            }
            Text {
                textFormat: Text.PlainText
                text: bubble.length
                color: Theme.mineInk
                font.pixelSize: Theme.textSize
                font.weight: Font.DemiBold
            }
        }
        Text {
            textFormat: Text.PlainText
            Layout.fillWidth: true
            visible: bubble.words !== ""
            text: bubble.words
            color: Theme.mineInk
            wrapMode: Text.Wrap
            font.pixelSize: Theme.textSize
            lineHeight: 1.15
        }
        Text {
            textFormat: Text.PlainText
            Layout.fillWidth: true
            text: bubble.facts
            color: Theme.mineMutedInk
            wrapMode: Text.Wrap
            font.pixelSize: Theme.smallSize
        }
        RowLayout {
            Layout.fillWidth: true
            visible: bubble.outage > 0
            spacing: Theme.small

            Glyph {
                Layout.alignment: Qt.AlignTop
                implicitWidth: 16
                implicitHeight: 16
                name: bubble.arrival === "processed" ? Glyph.Check : Glyph.Cut
                color: Theme.mineInk
            }
            Text {
                textFormat: Text.PlainText
                Layout.fillWidth: true
                text: (bubble.arrival === "processed" ? qsTr("The line was gone for %1 s, and every part arrived") : bubble.arrival === "incomplete" ? qsTr("The line was gone for %1 s, and a part is missing") : qsTr("The line was gone for %1 s")).arg((bubble.outage / 1000).toFixed(1))
                color: Theme.mineInk
                wrapMode: Text.Wrap
                font.pixelSize: Theme.smallSize
            }
        }
    }
}
