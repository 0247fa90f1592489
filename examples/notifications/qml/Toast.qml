// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import NotificationsExample

// Slides in for a notification of now, and away when it has been there for a while and nobody is at it.
Control {
    id: toast

    property string notificationId
    property string title
    property string message
    property bool isShown: false
    property bool isHeld: false // by the keyboard

    signal read(id: string)

    // Not for what was missed meanwhile: that is in the list.
    function offer(notification: var): void {
        if (Date.now() - Date.parse(notification.timestamp) > 60000)
            return;
        toast.notificationId = notification.id;
        toast.title = notification.title;
        toast.message = notification.message;
        toast.isShown = true;
        patience.restart();
    }

    function dismiss(): void {
        toast.isShown = false;
    }

    padding: Theme.normal
    leftPadding: Theme.wide
    visible: opacity > 0
    opacity: isShown ? 1 : 0
    hoverEnabled: true
    Accessible.role: Accessible.AlertMessage
    Accessible.name: title + ". " + message

    transform: Translate {
        x: toast.isShown ? 0 : toast.width / 3

        Behavior on x {
            NumberAnimation {
                duration: 250
                easing.type: Easing.OutCubic
            }
        }
    }

    Behavior on opacity {
        NumberAnimation {
            duration: 200
        }
    }

    TapHandler {
        onTapped: {
            toast.read(toast.notificationId);
            toast.dismiss();
        }
    }
    Timer {
        id: patience

        interval: 5000
        running: toast.isShown && !toast.hovered && !toast.isHeld
        onTriggered: toast.dismiss()
    }

    contentItem: RowLayout {
        spacing: Theme.normal

        Glyph {
            Layout.alignment: Qt.AlignTop
            Layout.topMargin: 1
            name: Glyph.Bell
            color: Theme.accentText
        }
        ColumnLayout {
            Layout.fillWidth: true
            spacing: 2

            PlainText {
                Layout.fillWidth: true
                text: toast.title
                wrapMode: Text.Wrap
                maximumLineCount: 2
                elide: Text.ElideRight
                font.weight: Font.DemiBold
            }
            PlainText {
                Layout.fillWidth: true
                visible: text !== ""
                text: toast.message
                color: Theme.muted
                wrapMode: Text.Wrap
                maximumLineCount: 3
                elide: Text.ElideRight
                font.pixelSize: Theme.bodySize
            }
        }
        AppButton {
            Layout.alignment: Qt.AlignTop
            flat: true
            glyph: Glyph.Close
            ink: Theme.muted
            hint: qsTr("Dismiss (Esc)")
            onVisualFocusChanged: toast.isHeld = visualFocus
            onClicked: toast.dismiss()
        }
    }

    background: Item {
        // A shadow without a shader, which the software renderer has none of.
        Repeater {
            model: 6

            Rectangle {
                required property int index

                anchors.fill: parent
                anchors.margins: -1.5 * index
                anchors.topMargin: -index
                anchors.bottomMargin: -2.5 * index
                radius: Theme.radius + 1.5 * index
                color: Theme.dark ? "#1c000000" : "#07101830"
            }
        }
        Rectangle {
            anchors.fill: parent
            radius: Theme.radius
            color: Theme.floating
            border.width: 1
            border.color: Theme.border
        }
    }
}
