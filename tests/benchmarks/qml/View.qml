// SPDX-License-Identifier: MIT
// A list that follows its end.
import QtQuick
import QtQuick.Window

Window {
    id: root

    required property var model
    required property Component row

    width: 600
    height: 800
    visible: true

    ListView {
        anchors.fill: parent
        model: root.model
        delegate: root.row
        onCountChanged: positionViewAtEnd()
    }
}
