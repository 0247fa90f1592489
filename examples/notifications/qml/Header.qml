// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import Everwire
import NotificationsExample

Rectangle {
    id: header

    required property NotificationFeed feed
    readonly property alias bell: bell

    implicitHeight: row.implicitHeight + 2 * Theme.small
    color: Theme.surface

    RowLayout {
        id: row

        anchors.left: parent.left
        anchors.right: parent.right
        anchors.verticalCenter: parent.verticalCenter
        anchors.leftMargin: Theme.normal
        anchors.rightMargin: Theme.wide
        spacing: Theme.small

        BellButton {
            id: bell

            unread: header.feed.unreadCount
        }
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 0

            PlainText {
                Layout.fillWidth: true
                text: qsTr("Notifications")
                elide: Text.ElideRight
                font.pixelSize: Theme.titleSize
                font.weight: Font.DemiBold
                Accessible.role: Accessible.Heading
                Accessible.name: text
            }
            PlainText {
                Layout.fillWidth: true
                text: header.feed.notifications.count === 0 ? qsTr("Nothing new") : header.feed.unreadCount === 0 ? qsTr("All read") : qsTr("%1 unread").arg(header.feed.unreadCount)
                color: Theme.muted
                elide: Text.ElideRight
                font.pixelSize: Theme.smallSize
            }
        }
        StateBadge {
            connection: header.feed.connection
        }
        AppButton {
            flat: true
            glyph: Theme.dark ? Glyph.Sun : Glyph.Moon
            hint: Theme.dark ? qsTr("Light colours (Ctrl+D)") : qsTr("Dark colours (Ctrl+D)")
            onClicked: Theme.toggle()
        }
    }
    Rectangle {
        anchors.left: parent.left
        anchors.right: parent.right
        anchors.bottom: parent.bottom
        height: 1
        color: Theme.border
    }
}
