// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import NotificationsExample

// One notification. A click or Return reads it, Delete removes it.
ItemDelegate {
    id: row

    required property string notificationId
    required property string title
    required property string message
    required property date timestamp
    required property bool isRead
    property bool isCurrent: false

    signal read
    signal removed

    topPadding: Theme.normal
    bottomPadding: Theme.normal
    leftPadding: Theme.wide
    rightPadding: Theme.small
    hoverEnabled: true
    focusPolicy: Qt.NoFocus
    Accessible.name: (isRead ? "" : qsTr("Unread: ")) + title + ". " + message + " " + Clock.ago(timestamp)
    onClicked: row.read()

    FontMetrics {
        id: metrics

        font.pixelSize: Theme.textSize
    }

    contentItem: RowLayout {
        spacing: Theme.normal

        Rectangle {
            Layout.alignment: Qt.AlignTop
            Layout.topMargin: (metrics.height - height) / 2
            implicitWidth: 8
            implicitHeight: 8
            radius: 4
            color: Theme.accent
            opacity: row.isRead ? 0 : 1

            Behavior on opacity {
                NumberAnimation {
                    duration: 150
                }
            }
        }
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 3

            RowLayout {
                Layout.fillWidth: true
                spacing: Theme.small

                PlainText {
                    Layout.fillWidth: true
                    text: row.title === "" ? qsTr("No title") : row.title
                    elide: Text.ElideRight
                    color: row.isRead ? Theme.muted : Theme.text
                    font.weight: row.isRead ? Font.Normal : Font.DemiBold
                }
                PlainText {
                    text: Clock.ago(row.timestamp)
                    color: Theme.muted
                    font.pixelSize: Theme.smallSize
                }
            }
            PlainText {
                Layout.fillWidth: true
                visible: text !== ""
                text: row.message
                color: Theme.muted
                wrapMode: Text.Wrap
                maximumLineCount: 3
                elide: Text.ElideRight
                lineHeight: 1.1
                font.pixelSize: 13
            }
        }
        AppButton {
            Layout.alignment: Qt.AlignTop
            Layout.topMargin: -Theme.small
            flat: true
            focusPolicy: Qt.NoFocus
            glyph: Glyph.Close
            ink: Theme.muted
            hint: qsTr("Remove (Del)")
            opacity: row.hovered || row.isCurrent ? 1 : 0
            onClicked: row.removed()
        }
    }

    background: Rectangle {
        color: row.hovered || row.down ? Theme.raised : "transparent"

        Rectangle {
            anchors.left: parent.left
            anchors.right: parent.right
            anchors.bottom: parent.bottom
            anchors.leftMargin: Theme.wide + 8 + Theme.normal
            height: 1
            color: Theme.border
        }
        FocusRing {
            gap: -2
            shown: row.isCurrent
        }
    }
}
