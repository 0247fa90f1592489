// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Everwire
import NotificationsExample

// A bar that is bound to the last message of a type.
Card {
    id: card

    readonly property Connection connection: handle.connection
    readonly property real percent: progress.latest?.percent ?? 0
    readonly property bool isScored: progress.latest !== undefined && progress.latest?.assessment_id === complete.latest?.assessment_id

    title: qsTr("Assessment")
    padding: Theme.wide
    action: StateBadge {
        visible: !card.connection.isConnected
        connection: card.connection
    }

    ConnectionHandle {
        id: handle

        type: "assessments"
        autoConnect: true
    }
    Subscription {
        id: progress

        connection: card.connection
        event: "progress"
    }
    Subscription {
        id: complete

        connection: card.connection
        event: "complete"
    }

    RowLayout {
        Layout.fillWidth: true
        spacing: Theme.small

        PlainText {
            Layout.fillWidth: true
            text: card.isScored ? qsTr("Finished") : progress.latest?.step ?? qsTr("No recording yet")
            wrapMode: Text.Wrap
            font.weight: Font.DemiBold
        }
        PlainText {
            text: qsTr("%1 %").arg(Math.round(card.percent))
            color: Theme.muted
        }
    }
    ProgressBar {
        id: bar

        Layout.fillWidth: true
        from: 0
        to: 100
        value: card.percent
        Accessible.name: card.title

        background: Rectangle {
            implicitHeight: 8
            radius: height / 2
            color: Theme.raised
        }
        contentItem: Item {
            implicitHeight: 8

            Rectangle {
                width: Math.max(height, bar.visualPosition * parent.width)
                height: parent.height
                radius: height / 2
                visible: bar.value > 0
                color: card.isScored ? Theme.good : Theme.accent
            }
        }
    }
    PlainText {
        Layout.fillWidth: true
        text: complete.latest === undefined ? qsTr("No score yet") : card.isScored ? qsTr("Score %1 of 100").arg(complete.latest.score) : qsTr("Last score: %1 of 100").arg(complete.latest.score)
        color: card.isScored ? Theme.good : Theme.muted
        elide: Text.ElideRight
        font.pixelSize: Theme.smallSize
    }
}
