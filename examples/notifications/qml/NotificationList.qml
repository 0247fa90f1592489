// SPDX-License-Identifier: MIT
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Everwire
import NotificationsExample

// Newest first. Stays at the top until the user scrolls away from it.
Card {
    id: card

    required property NotificationFeed feed

    function toTop(): void {
        list.currentIndex = list.count > 0 ? 0 : -1;
        list.positionViewAtBeginning();
        list.forceActiveFocus(Qt.TabFocusReason);
    }

    title: qsTr("Inbox")
    action: AppButton {
        flat: true
        glyph: Glyph.Check
        ink: Theme.accentText
        text: qsTr("Mark all as read")
        hint: qsTr("Mark all as read (Ctrl+M)")
        font.pixelSize: Theme.smallSize
        enabled: card.feed.unreadCount > 0
        onClicked: card.feed.markAllAsRead()
    }

    ListView {
        id: list

        property bool follows: true
        readonly property string currentId: (currentItem as NotificationDelegate)?.notificationId ?? ""

        Layout.fillWidth: true
        Layout.fillHeight: true
        clip: true
        activeFocusOnTab: true
        boundsBehavior: Flickable.StopAtBounds
        currentIndex: -1
        model: card.feed.notifications
        Accessible.role: Accessible.List
        Accessible.name: card.title

        onMovementEnded: list.follows = list.atYBeginning
        onCountChanged: {
            if (list.follows)
                list.positionViewAtBeginning();
        }
        onActiveFocusChanged: {
            list.currentIndex = list.activeFocus && list.count > 0 ? 0 : -1;
            list.follows = list.atYBeginning;
        }
        onCurrentIndexChanged: {
            if (list.activeFocus)
                list.follows = list.currentIndex <= 0;
        }
        Keys.onReturnPressed: card.feed.markAsRead(list.currentId)
        Keys.onEnterPressed: card.feed.markAsRead(list.currentId)
        Keys.onSpacePressed: card.feed.markAsRead(list.currentId)
        Keys.onDeletePressed: card.feed.remove(list.currentId)

        ScrollBar.vertical: ScrollBar {
            onPressedChanged: list.follows = list.atYBeginning
        }

        delegate: NotificationDelegate {
            required property int index

            width: ListView.view.width
            isCurrent: list.activeFocus && list.currentIndex === index
            ListView.onAdd: appear()
            onRead: card.feed.markAsRead(notificationId)
            onRemoved: card.feed.remove(notificationId)
        }

        EmptyState {
            anchors.centerIn: parent
            width: Math.min(parent.width - 2 * Theme.huge, 320)
            visible: list.count === 0
        }
    }
}
