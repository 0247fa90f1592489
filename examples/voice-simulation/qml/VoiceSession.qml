// SPDX-License-Identifier: MIT
import QtQuick
import Everwire
import VoiceSimulation

// Everything behind the window: one session with its connection, the user's turn, and what is measured.
Item {
    id: voice

    property string scenarioId: Catalog.scenarios[0].id
    property string roleId: Catalog.scenarios[0].roles[0].id
    // Chosen by the user: "microphone" or a recording's path.
    property string source: turn.microphoneAvailable ? "microphone" : Catalog.recordings(scenarioId)[0].source

    readonly property var scenario: Catalog.scenario(scenarioId)
    readonly property var role: scenario.roles.find(entry => entry.id === voice.roleId) ?? scenario.roles[0]
    // The number of the goal that is next, from 0.
    readonly property int goal: {
        const reached = scenario.beats.findIndex(beat => beat.id === conversation.beat);
        return Math.max(0, reached) + (conversation.beatIsDone ? 1 : 0);
    }
    readonly property alias session: session
    readonly property Connection connection: session.connection
    readonly property alias turn: turn
    readonly property alias conversation: conversation
    readonly property alias roundTrip: roundTrip

    property bool running: false
    property bool awaitingAnswer: false
    property bool answerIsLate: false
    property bool wasConnected: false // since the session was started
    readonly property bool mayTalk: running && (turn.active || (!awaitingAnswer && connection.state !== Connection.Error))

    // What stands between the user and the conversation, in words; empty when nothing does.
    readonly property string trouble: turn.error !== "" ? turn.error : session.error !== "" ? session.error : answerIsLate ? qsTr("No answer for 30 seconds. You can speak again, or end the session.") : ""

    function start(): void {
        session.sessionId = ""; // a new one
        session.scenario = voice.scenarioId;
        session.role = voice.roleId;
        voice.running = true;
        voice.wasConnected = false;
        session.start();
    }

    function stop(): void {
        turn.cancel();
        voice.setAwaiting(false);
        voice.running = false;
        session.stop();
    }

    function talk(): void {
        if (!voice.mayTalk || turn.active)
            return;
        if (voice.source === "microphone")
            turn.record();
        else
            turn.play(voice.source);
    }

    // The server of scripts/demo drops the line when it is asked; with any other this side breaks it.
    function cutLine(): void {
        voice.connection.sendJson({
            "type": "fault",
            "kind": "drop"
        });
        uncut.restart();
    }

    function setAwaiting(awaiting: bool): void {
        voice.awaitingAnswer = awaiting;
        voice.answerIsLate = false;
        if (awaiting && voice.connection.isConnected)
            patience.restart();
        else
            patience.stop();
    }

    // Speech is two messages every 100 ms: 30 s of it may wait for a line that is gone.
    Component.onCompleted: WebSocketProvider.configure("simulation", {
        "maxQueuedMessages": 600
    })
    onScenarioIdChanged: {
        voice.roleId = Catalog.firstRole(voice.scenarioId);
        if (voice.source !== "microphone")
            voice.source = Catalog.recordings(voice.scenarioId)[0].source;
    }

    SimulationSession {
        id: session

        onAiResponse: (content, isFinal, message) => {
            if (!isFinal)
                return;
            if (message.feedback)
                conversation.setFeedback(message.feedback);
            voice.setAwaiting(false);
        }
        onAudioProcessed: (turnNumber, audioUrl, status) => conversation.setArrival(status)
    }

    // The other form of feedback: a status of its own.
    Subscription {
        connection: voice.connection
        event: "status"
        onReceived: status => {
            if (status.state === "feedback")
                conversation.setCoaching(status.message);
        }
    }

    VoiceTurn {
        id: turn

        session: session
        onChunkSent: (seconds, level) => conversation.addSpeech(seconds, level, Catalog.wordsOf(voice.source))
        onCompleted: voice.setAwaiting(true)
    }

    ConversationModel {
        id: conversation

        turns: session.turns
    }

    RoundTrip {
        id: roundTrip

        connection: voice.connection
    }

    Timer {
        id: patience

        interval: 30000
        onTriggered: {
            voice.awaitingAnswer = false;
            voice.answerIsLate = true;
        }
    }

    Timer {
        id: uncut

        interval: 1000
        onTriggered: voice.connection.reconnect()
    }

    Connections {
        id: outage

        property double since: 0

        target: voice.connection

        function onIsConnectedChanged(): void {
            const now = Date.now();
            uncut.stop();
            voice.wasConnected = voice.wasConnected || voice.connection.isConnected;
            voice.setAwaiting(voice.awaitingAnswer); // patience is for a server that has the turn
            if (!voice.connection.isConnected && voice.running && (turn.active || voice.awaitingAnswer))
                outage.since = now;
            else if (outage.since > 0)
                conversation.addOutage(now - outage.since);
            if (voice.connection.isConnected || !voice.running)
                outage.since = 0;
        }
    }
}
