// SPDX-License-Identifier: MIT
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import VoiceSimulation

// The turns. Stays at the end until the user scrolls away from it.
Item {
    id: conversation

    required property VoiceSession voice
    readonly property alias count: list.count
    readonly property string partner: voice.role.name

    ColumnLayout {
        anchors.fill: parent
        spacing: 0

        ListView {
            id: list

            property bool follows: true
            readonly property real highest: originY - topMargin
            readonly property real lowest: Math.max(highest, originY + contentHeight + bottomMargin - height)
            readonly property real turnWidth: width - leftMargin - rightMargin

            function toEnd(): void {
                list.follows = true;
                list.contentY = list.lowest;
            }

            function keepEnd(): void {
                if (list.follows && !list.moving && !bar.pressed)
                    soon.restart();
            }

            function scrollBy(distance: real): void {
                list.contentY = Math.max(list.highest, Math.min(list.lowest, list.contentY + distance));
                list.follows = list.contentY >= list.lowest - 1;
            }

            Layout.fillWidth: true
            Layout.fillHeight: true
            clip: true
            activeFocusOnTab: true
            boundsBehavior: Flickable.StopAtBounds
            cacheBuffer: 10000 // all heights are known, so that the end is where it seems
            leftMargin: Theme.wide
            rightMargin: Theme.wide
            topMargin: Theme.wide
            bottomMargin: Theme.wide
            spacing: Theme.normal
            model: conversation.voice.conversation
            Accessible.role: Accessible.List
            Accessible.name: qsTr("Conversation")

            onMovementEnded: list.follows = list.atYEnd
            onContentHeightChanged: list.keepEnd()
            onHeightChanged: list.keepEnd()
            onCountChanged: list.keepEnd()

            Keys.onPressed: event => {
                const distances = {
                    [Qt.Key_Up]: -60,
                    [Qt.Key_Down]: 60,
                    [Qt.Key_PageUp]: -list.height * 0.8,
                    [Qt.Key_PageDown]: list.height * 0.8,
                    [Qt.Key_Home]: -list.contentHeight,
                    [Qt.Key_End]: list.contentHeight
                };
                event.accepted = event.key in distances;
                if (event.accepted)
                    list.scrollBy(distances[event.key]);
            }

            // Once for all that a frame changes.
            Timer {
                id: soon

                interval: 0
                onTriggered: list.toEnd()
            }

            ScrollBar.vertical: ScrollBar {
                id: bar

                // What a drag of it leaves behind, as movementEnded is for a flick.
                onPressedChanged: list.follows = list.contentY >= list.lowest - 1
            }

            delegate: TurnDelegate {
                partner: conversation.partner
                isOnline: conversation.voice.connection.isConnected
                width: list.turnWidth
            }
        }
        // Between the end of the user's turn and the answer's first words.
        TypingBubble {
            Layout.leftMargin: Theme.wide
            Layout.bottomMargin: Theme.normal
            visible: conversation.voice.awaitingAnswer && conversation.voice.connection.isConnected && conversation.voice.session.status !== "speaking"
            partner: conversation.partner
        }
    }
    // Who speaks wants to see it.
    Connections {
        target: conversation.voice.turn

        function onActiveChanged(): void {
            if (conversation.voice.turn.active)
                list.toEnd();
        }
    }
    FocusRing {
        anchors.margins: 2
        shown: list.activeFocus
    }
    AppButton {
        anchors.horizontalCenter: parent.horizontalCenter
        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.small
        visible: !list.follows
        glyph: Glyph.Chevron
        text: qsTr("Latest")
        onClicked: list.toEnd()
    }
}
