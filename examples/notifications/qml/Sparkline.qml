// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Shapes
import NotificationsExample

// The last values as a line, newest at the right.
Item {
    id: line

    property var values: []
    property int capacity: 2
    property color ink: Theme.accent
    readonly property real lowest: Math.min(...values)
    readonly property real highest: Math.max(...values)

    function points(): list<point> {
        const room = line.height - 4;
        const range = Math.max(0.01, line.highest - line.lowest);
        const step = line.width / (line.capacity - 1);
        const begin = line.width - step * (line.values.length - 1);
        return line.values.map((value, i) => Qt.point(begin + i * step, 2 + room - room * (value - line.lowest) / range));
    }

    Shape {
        anchors.fill: parent
        visible: line.values.length > 1
        layer.enabled: true
        layer.samples: 4

        ShapePath {
            strokeColor: line.ink
            strokeWidth: 1.5
            fillColor: "transparent"
            joinStyle: ShapePath.RoundJoin

            PathPolyline {
                path: line.points()
            }
        }
    }
}
