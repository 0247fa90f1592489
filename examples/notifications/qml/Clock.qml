// SPDX-License-Identifier: MIT
pragma Singleton
import QtQuick

// How long ago something was, in words that keep up with the time.
QtObject {
    id: clock

    property date now: new Date()
    readonly property Timer tick: Timer {
        interval: 10000
        running: true
        repeat: true
        onTriggered: clock.now = new Date()
    }

    function ago(time: date): string {
        const minutes = Math.floor((clock.now.getTime() - time.getTime()) / 60000);
        const hours = Math.floor(minutes / 60);
        if (minutes < 1)
            return qsTr("just now");
        if (minutes < 60)
            return qsTr("%1 min ago").arg(minutes);
        if (hours < 24)
            return qsTr("%1 h ago").arg(hours);
        return hours < 48 ? qsTr("yesterday") : time.toLocaleDateString(Qt.locale(), Locale.ShortFormat);
    }
}
