// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Layouts
import NotificationsExample

// A titled surface; what is inside goes below the title.
Rectangle {
    id: card

    required property string title
    property alias action: corner.data
    default property alias content: body.data
    property int padding: 0

    implicitHeight: column.implicitHeight
    radius: Theme.radius
    color: Theme.surface
    border.width: 1
    border.color: Theme.border

    ColumnLayout {
        id: column

        anchors.fill: parent
        anchors.margins: 1
        spacing: 0

        RowLayout {
            Layout.fillWidth: true
            Layout.leftMargin: Theme.wide
            Layout.rightMargin: Math.max(card.padding, Theme.small)
            Layout.topMargin: Theme.small
            Layout.bottomMargin: Theme.tight
            spacing: Theme.small

            PlainText {
                Layout.fillWidth: true
                text: card.title
                color: Theme.muted
                elide: Text.ElideRight
                font.pixelSize: Theme.smallSize
                font.weight: Font.DemiBold
                Accessible.role: Accessible.Heading
                Accessible.name: text
            }
            RowLayout {
                id: corner

                Layout.minimumHeight: Theme.controlHeight
            }
        }
        ColumnLayout {
            id: body

            Layout.fillWidth: true
            Layout.fillHeight: true
            Layout.leftMargin: card.padding
            Layout.rightMargin: card.padding
            Layout.bottomMargin: card.padding
            spacing: Theme.small
        }
    }
}
