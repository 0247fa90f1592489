// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import NotificationsExample

ColumnLayout {
    spacing: Theme.small

    Rectangle {
        Layout.alignment: Qt.AlignHCenter
        implicitWidth: 56
        implicitHeight: 56
        radius: 28
        color: Theme.accentSoft

        Glyph {
            anchors.centerIn: parent
            width: 26
            height: 26
            name: Glyph.Bell
            color: Theme.accentText
        }
    }
    PlainText {
        Layout.fillWidth: true
        text: qsTr("Nothing new")
        horizontalAlignment: Text.AlignHCenter
        font.pixelSize: Theme.titleSize
        font.weight: Font.DemiBold
    }
    PlainText {
        Layout.fillWidth: true
        text: qsTr("What happens in your team appears here, as it happens.")
        color: Theme.muted
        horizontalAlignment: Text.AlignHCenter
        wrapMode: Text.Wrap
    }
}
