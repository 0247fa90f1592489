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
    readonly property bool isAt: hovered || isCurrent

    signal read
    signal removed

    function appear(): void {
        appearing.start();
    }

    topPadding: Theme.normal
    bottomPadding: Theme.normal
    leftPadding: Theme.wide
    rightPadding: Theme.wide
    hoverEnabled: true
    focusPolicy: Qt.NoFocus
    Accessible.name: (isRead ? "" : qsTr("Unread: ")) + title + ". " + message + " " + Clock.ago(timestamp)
    onClicked: row.read()

    NumberAnimation {
        id: appearing

        target: row
        property: "opacity"
        from: 0
        to: 1
        duration: 200
    }
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
                    opacity: row.isAt ? 0 : 1 // the button is there
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
                font.pixelSize: Theme.bodySize
            }
        }
    }

    AppButton {
        anchors.right: parent.right
        anchors.top: parent.top
        anchors.margins: Theme.tight
        anchors.rightMargin: Theme.small
        visible: row.isAt
        flat: true
        focusPolicy: Qt.NoFocus
        glyph: Glyph.Close
        ink: Theme.muted
        hint: qsTr("Remove (Del)")
        onClicked: row.removed()
    }

    background: Rectangle {
        color: row.hovered || row.down ? Theme.raised : "transparent"

        Rectangle {
            anchors.left: parent.left
            anchors.right: parent.right
            anchors.bottom: parent.bottom
            anchors.leftMargin: Theme.wide + 8 + Theme.normal
            anchors.rightMargin: Theme.wide
            height: 1
            color: Theme.border
        }
        FocusRing {
            gap: -2
            shown: row.isCurrent
        }
    }
}
