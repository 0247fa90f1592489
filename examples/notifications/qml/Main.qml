// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Everwire
import NotificationsExample

ApplicationWindow {
    id: window

    // The backend is this program's own.
    required property bool canCutLine
    readonly property alias feed: feed
    readonly property alias percent: assessment.percent
    readonly property alias price: price.price
    readonly property alias toastIsShown: toast.isShown
    readonly property bool isWide: width >= 760

    signal lineCut

    function setThemeMode(mode: string): void {
        Theme.mode = mode;
    }

    function retry(): void {
        for (const connection of [feed.connection, assessment.connection, price.connection]) {
            if (!connection.isConnected)
                connection.reconnect();
        }
    }

    width: 980
    height: 680
    minimumWidth: 380
    minimumHeight: 560
    visible: true
    title: feed.unreadCount > 0 ? qsTr("Notifications (%1)").arg(feed.unreadCount) : qsTr("Notifications")
    color: Theme.window
    palette {
        window: Theme.window
        windowText: Theme.text
        base: Theme.surface
        text: Theme.text
        button: Theme.surface
        buttonText: Theme.text
        mid: Theme.outline
        dark: Theme.muted
        highlight: Theme.accent
        toolTipBase: Theme.floating
        toolTipText: Theme.text
    }

    NotificationFeed {
        id: feed

        onNotificationReceived: notification => {
            toast.offer(notification);
            header.bell.ring();
        }
    }

    header: Header {
        id: header

        feed: feed
        bell.onClicked: inbox.toTop()
    }

    ColumnLayout {
        anchors.fill: parent
        spacing: 0

        TroubleBanner {
            Layout.fillWidth: true
            connection: feed.connection
            onRetry: window.retry()
        }
        GridLayout {
            Layout.fillWidth: true
            Layout.fillHeight: true
            Layout.margins: Theme.wide
            columns: window.isWide ? 2 : 1
            columnSpacing: Theme.wide
            rowSpacing: Theme.normal

            NotificationList {
                id: inbox

                Layout.fillWidth: true
                Layout.fillHeight: true
                feed: feed
            }
            ColumnLayout {
                id: side

                Layout.fillWidth: !window.isWide
                Layout.preferredWidth: 300
                Layout.alignment: Qt.AlignTop
                spacing: Theme.normal

                AssessmentCard {
                    id: assessment

                    Layout.fillWidth: true
                }
                PriceCard {
                    id: price

                    Layout.fillWidth: true
                    isCompact: !window.isWide
                }
                AppButton {
                    Layout.fillWidth: true
                    visible: window.canCutLine && window.isWide
                    glyph: Glyph.Cut
                    text: qsTr("Cut the line")
                    hint: qsTr("Ends every connection, as a lost network does (Ctrl+K)")
                    onClicked: window.lineCut()
                }
            }
        }
    }

    Toast {
        id: toast

        anchors.right: parent.right
        anchors.bottom: parent.bottom
        anchors.margins: Theme.wide
        width: window.isWide ? side.width : parent.width - 2 * Theme.wide
        onRead: id => feed.markAsRead(id)
    }

    Shortcut {
        sequence: "Ctrl+N"
        onActivated: inbox.toTop()
    }
    Shortcut {
        sequence: "Ctrl+M"
        onActivated: feed.markAllAsRead()
    }
    Shortcut {
        sequence: "Ctrl+R"
        onActivated: window.retry()
    }
    Shortcut {
        sequence: "Ctrl+D"
        onActivated: Theme.toggle()
    }
    Shortcut {
        sequence: "Ctrl+K"
        enabled: window.canCutLine
        onActivated: window.lineCut()
    }
    Shortcut {
        sequence: "Escape"
        enabled: toast.isShown
        onActivated: toast.dismiss()
    }
}
