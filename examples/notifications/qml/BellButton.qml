// SPDX-License-Identifier: MIT
import QtQuick
import NotificationsExample

// How many are unread; rings when there is one more.
AppButton {
    id: bell

    required property int unread

    function ring(): void {
        (bell.contentItem as BellPicture).ring();
    }

    flat: true
    implicitWidth: 44
    implicitHeight: 44
    hint: unread === 0 ? qsTr("Nothing unread") : qsTr("%1 unread: go to the newest (Ctrl+N)").arg(unread)

    contentItem: BellPicture {
        unread: bell.unread
    }
}
