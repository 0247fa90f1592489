// SPDX-License-Identifier: MIT
import QtQuick
import Everwire
import VoiceSimulation

// One turn: the user's voice, or the partner's words with what the coach says to them.
Column {
    id: turn

    required property string partner
    required property bool isOnline
    required property int who
    required property string content
    required property date timestamp
    required property bool isFinal
    required property real seconds
    required property var levels
    required property string caption
    required property var measures
    required property int outage
    required property string arrival
    required property string coaching
    required property var findings
    readonly property bool isMine: who === TurnModel.User
    readonly property real widest: Math.min(width * 0.86, 640)

    spacing: Theme.tight

    Text {
        textFormat: Text.PlainText
        anchors.right: turn.isMine ? parent.right : undefined
        leftPadding: Theme.tight
        rightPadding: Theme.tight
        text: qsTr("%1, %2").arg(turn.isMine ? qsTr("You") : turn.partner).arg(Qt.formatTime(turn.timestamp, "HH:mm"))
        color: Theme.muted
        font.pixelSize: Theme.smallSize
    }
    VoiceBubble {
        anchors.right: parent.right
        visible: turn.isMine
        width: turn.widest
        seconds: turn.seconds
        levels: turn.levels
        words: turn.content !== "" ? turn.content : turn.caption
        measures: turn.measures
        outage: turn.outage
        arrival: turn.arrival
        isFinal: turn.isFinal
        isOnline: turn.isOnline
    }
    AnswerBubble {
        visible: !turn.isMine
        widest: turn.widest
        text: turn.content
        isFinal: turn.isFinal
    }
    Item {
        visible: card.visible
        width: 1
        height: Theme.tight
    }
    FeedbackCard {
        id: card

        visible: turn.coaching !== ""
        width: turn.widest
        text: turn.coaching
        isGood: turn.findings.length === 1 && turn.findings[0] === "good"
    }
}
