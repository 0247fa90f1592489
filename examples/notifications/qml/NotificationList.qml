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
        highlightFollowsCurrentItem: activeFocus && !follows
        model: card.feed.notifications
        Accessible.role: Accessible.List
        Accessible.name: card.title

        onMovementEnded: list.follows = list.atYBeginning
        onCountChanged: {
            if (list.follows)
                list.positionViewAtBeginning();
        }
        onActiveFocusChanged: {
            if (list.activeFocus && list.currentIndex < 0 && list.count > 0)
                list.currentIndex = 0;
        }
        onCurrentIndexChanged: list.follows = list.currentIndex <= 0
        Keys.onReturnPressed: card.feed.markAsRead(list.currentId)
        Keys.onEnterPressed: card.feed.markAsRead(list.currentId)
        Keys.onSpacePressed: card.feed.markAsRead(list.currentId)
        Keys.onDeletePressed: card.feed.remove(list.currentId)

        ScrollBar.vertical: ScrollBar {
            onPressedChanged: list.follows = list.atYBeginning
        }

        add: Transition {
            NumberAnimation {
                property: "opacity"
                from: 0
                to: 1
                duration: 200
            }
        }
        displaced: Transition {
            NumberAnimation {
                property: "y"
                duration: 200
                easing.type: Easing.OutCubic
            }
            // What was still appearing.
            NumberAnimation {
                property: "opacity"
                to: 1
                duration: 200
            }
        }

        delegate: NotificationDelegate {
            required property int index

            width: ListView.view.width
            isCurrent: list.activeFocus && list.currentIndex === index
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
