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
        id: list
        anchors.fill: parent
        model: root.model
        delegate: root.row
        reuseItems: true
        cacheBuffer: 0
        header: Text { text: "Messages" } // the first text of a process loads its fonts, and is not what is measured
    }

    Connections {
        target: root.model
        function onRowsInserted() { list.positionViewAtEnd() }
    }
}
