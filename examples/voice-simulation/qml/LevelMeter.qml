// SPDX-License-Identifier: MIT
pragma ComponentBehavior: Bound
import QtQuick
import VoiceSimulation

// Loudness as it sounds: from -50 dB at the left to -6 dB at the right.
Item {
    id: meter

    // 0 to 1, as SimulationSession.audioLevel.
    required property real level
    readonly property real target: level > 0 ? Math.max(0, Math.min(1, (20 * Math.log10(level) + 50) / 44)) : 0
    property real shown: target
    readonly property int bars: Math.max(1, Math.floor(width / 8))

    implicitHeight: 14
    Accessible.role: Accessible.Indicator
    Accessible.name: qsTr("Level")
    Accessible.description: qsTr("%1 percent").arg(Math.round(target * 100))

    Behavior on shown {
        NumberAnimation {
            duration: 140
            easing.type: Easing.OutQuad
        }
    }

    Row {
        spacing: 3

        Repeater {
            model: meter.bars

            Rectangle {
                required property int index
                readonly property real share: (index + 1) / meter.bars

                width: 5
                height: meter.height
                radius: 2
                color: meter.shown >= share - 0.5 / meter.bars ? (share > 0.92 ? Theme.bad : share > 0.8 ? Theme.warn : Theme.good) : Theme.border
            }
        }
    }
}
