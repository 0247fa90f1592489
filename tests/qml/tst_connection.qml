// SPDX-License-Identifier: MIT
import QtQuick
import QtTest
import Everwire
import EverwireTests

TestCase {
    id: test
    name: "Connection"
    when: windowShown
    width: 200
    height: 200
    visible: true

    readonly property Connection connection: WebSocketProvider.connection("connection")

    // Bindings, and what each of their values was.
    readonly property bool inStep: connection.isConnected === (connection.state === Connection.Connected)
                                   && (connection.sessionInfo.sessionId !== "") === connection.isConnected
    property var inStepValues: []
    onInStepChanged: inStepValues.push(inStep)
    readonly property string summary: connection.state + " " + connection.isConnected + " "
                                      + connection.sessionInfo.sessionId
    property var summaries: []
    onSummaryChanged: summaries.push(summary)
    readonly property int retryIn: connection.nextRetryIn
    property var retries: []
    onRetryInChanged: retries.push(retryIn)

    TestServer { id: server }

    SignalSpy { id: states; target: test.connection; signalName: "stateChanged" }
    SignalSpy { id: connected; target: test.connection; signalName: "connected" }
    SignalSpy { id: messages; target: test.connection; signalName: "messageReceived" }
    SignalSpy { id: binaries; target: test.connection; signalName: "binaryMessageReceived" }
    SignalSpy { id: errors; target: test.connection; signalName: "errorOccurred" }
    SignalSpy { id: rejected; target: test.connection; signalName: "messageRejected" }

    component MessageRow: Item {
        required property string messageId
        required property string type
        required property string connectionType
        required property var payload
        required property date timestamp
        required property int direction
        required property bool isBinary
        width: 10
        height: 10
    }

    ListView {
        id: list
        anchors.fill: parent
        model: test.connection.messages
        delegate: MessageRow { }
    }

    function init() {
        WebSocketProvider.token = "good"
        verify(WebSocketProvider.configure("connection", { url: server.url, initialReconnectDelay: 10 }))
        server.clear()
        connection.messages.clear()
        test.inStepValues = []
        test.summaries = []
        test.retries = []
        for (const spy of [states, connected, messages, binaries, errors, rejected])
            spy.clear()
    }

    function open() {
        connection.open()
        tryCompare(connection, "isConnected", true)
    }

    function cleanup() {
        connection.close()
        tryCompare(connection, "state", Connection.Disconnected)
    }

    function test_s1_bindingsFollow() {
        open()
        compare(states.signalArguments.map(a => a[0]),
                [Connection.Connecting, Connection.Authenticating, Connection.Connected])
        compare(summaries, ["1 false ", "2 false ", "3 true sess_1"])
        compare(String(connection.url), server.url)
        compare(connected.count, 1)
        compare(connected.signalArguments[0][0].userId, "user_1")
        compare(connection.sessionInfo.timestamp, "2026-01-28T10:00:00Z")
    }

    function test_s6_noBindingSeesHalfATransition() {
        open()
        server.drop()
        tryCompare(states, "count", 7) // … Reconnecting, Connecting, Authenticating, Connected
        compare(connection.state, Connection.Connected)
        connection.close()
        tryCompare(connection, "state", Connection.Disconnected)
        compare(inStep, true)
        compare(inStepValues, [])
    }

    function test_s2_nextRetryInCountsDown() {
        verify(WebSocketProvider.configure("connection", {
            url: "ws://127.0.0.1:1/", initialReconnectDelay: 700, reconnectJitter: 0
        }))
        ignoreWarning(/connection - /)
        connection.open()
        tryCompare(connection, "state", Connection.Reconnecting)
        compare(connection.reconnectAttempt, 1)
        compare(retries[0], 700)
        tryVerify(() => test.retries.length >= 3)
        verify(retries[1] < retries[0] && retries[2] < retries[1])
        connection.close()
        compare(connection.nextRetryIn, 0)
    }

    function test_o4_withoutAUrl() {
        ignoreWarning(/There is no URL for "connection-o4"/)
        const other = WebSocketProvider.connection("connection-o4")
        other.open()
        compare(other.state, Connection.Error)
        compare(other.errorCode, ConnectionError.NotConfigured)
        verify(other.error.includes("CONNECTION_O4_WS_URL"))
        other.close()
    }

    function test_c1_openWithAnObject() {
        const other = WebSocketProvider.connection("connection-c1")
        other.open({ url: server.url, authentication: ConnectionConfig.Authentication.FirstMessage })
        tryCompare(other, "isConnected", true)
        other.close()
        tryCompare(other, "state", Connection.Disconnected)
    }

    function test_c3_openWithAnImpossibleObject() {
        const other = WebSocketProvider.connection("connection-c3")
        ignoreWarning(/closeTimeout/)
        other.open({ url: server.url, closeTimeout: -1 })
        compare(other.state, Connection.Error)
        compare(other.errorCode, ConnectionError.InvalidConfiguration)
        other.close()
    }

    function test_c5_reconnectWithAnObject() {
        const other = WebSocketProvider.connection("connection-c5")
        verify(WebSocketProvider.configure("connection-c5", { url: server.url }))
        ignoreWarning(/connection-c5 - /)
        other.open({ url: "ws://127.0.0.1:1/", initialReconnectDelay: 3600000, maxReconnectDelay: 3600000 })
        tryCompare(other, "state", Connection.Reconnecting)
        other.reconnect({}) // takes it back
        tryCompare(other, "isConnected", true)
        ignoreWarning(/connection-c5 - open\(\) with another configuration does nothing .* call reconnect\(\)/)
        other.open({ url: server.url, maxQueuedMessages: 7 })
        other.reconnect({ url: server.url, maxQueuedMessages: 7 })
        tryVerify(() => other.isConnected && other.configuration().maxQueuedMessages === 7)
        other.close()
        tryCompare(other, "state", Connection.Disconnected)
    }

    // What becomes of a promise.
    property var reply
    property var failure
    function ask(promise) {
        test.reply = undefined
        test.failure = undefined
        promise.then(reply => { test.reply = reply }, error => { test.failure = error })
    }
    function lastMessage() { return JSON.parse(server.messages()[server.messages().length - 1]) }

    function test_q12_aNumberIsAnId() {
        open()
        ask(connection.request({ type: "get", request_id: 5 }))
        tryVerify(() => server.messages().length === 1)
        compare(lastMessage().request_id, 5)
        server.sendText('{"request_id":"5","n":1}')
        server.sendText('{"request_id":5.0,"n":2}')
        tryVerify(() => test.reply !== undefined)
        compare(reply.n, 2)
        ask(connection.request({ type: "get", request_id: undefined }))
        tryVerify(() => server.messages().length === 2)
        compare(typeof lastMessage().request_id, "string")
        ask(connection.request({ type: "get", request_id: { n: 1 } }))
        tryVerify(() => test.failure !== undefined)
        verify(failure.message.includes("request_id"))
    }

    function test_q13_theServersErrorIsTold() {
        open()
        ask(connection.request({ type: "get", request_id: 1 }))
        tryVerify(() => server.messages().length === 1)
        server.sendText('{"request_id":1,"error":{"code":-32601,"message":"no such method","data":{"n":3}}}')
        tryVerify(() => test.failure !== undefined)
        compare(failure.code, ConnectionError.RequestFailed)
        compare(failure.message, "The server replied: no such method")
        compare(failure.serverCode, -32601)
        compare(failure.serverMessage, "no such method")
        compare(failure.serverObject.error.data.n, 3)
        ask(connection.request({ type: "get", request_id: 2 }))
        tryVerify(() => server.messages().length === 2)
        server.sendText('{"type":"error","request_id":2,"payload":{"error":"too late","code":"late"}}')
        tryVerify(() => test.failure !== undefined)
        compare(failure.serverCode, "late")
        compare(failure.serverMessage, "too late")
        ask(connection.request({ type: "get" }, 10))
        tryVerify(() => test.failure !== undefined)
        compare(failure.code, ConnectionError.RequestTimeout)
        compare(failure.serverCode, undefined)
        compare(failure.serverMessage, "")
    }

    function test_q14_timeouts_data() {
        return [
            { tag: "infinite", timeout: Infinity, waits: true },
            { tag: "huge", timeout: 1e300, waits: true },
            { tag: "more than 31 bits", timeout: 2147483648, waits: true },
            { tag: "a string of digits", timeout: "5000", waits: true },
            { tag: "undefined", timeout: undefined, waits: true }, // as if it were left out
            { tag: "zero", timeout: 0, waits: false, says: "leaves no time" },
            { tag: "negative", timeout: -Infinity, waits: false, says: "leaves no time" },
            { tag: "no number", timeout: NaN, waits: false, says: "timeout is not a number" },
            { tag: "words", timeout: "soon", waits: false, says: "timeout is not a number" }
        ]
    }

    function test_q14_timeouts(data) {
        open()
        ask(connection.request({ type: "get", request_id: data.tag }, data.timeout))
        if (data.waits) {
            tryVerify(() => server.messages().length === 1)
            server.sendText(JSON.stringify({ request_id: data.tag }))
            tryVerify(() => test.reply !== undefined)
            return
        }
        tryVerify(() => test.failure !== undefined)
        verify(failure.message.includes(data.says), failure.message)
        compare(server.messages().length, 0)
    }

    function test_errorsAreValues() {
        verify(WebSocketProvider.configure("connection", { url: "ws://127.0.0.1:1/", reconnect: false }))
        ignoreWarning(/connection - /)
        connection.open()
        tryCompare(connection, "state", Connection.Error)
        compare(errors.count, 1)
        const error = errors.signalArguments[0][0]
        compare(error.code, ConnectionError.ConnectionRefused)
        compare(error.isFinal, true)
        compare(error.message, connection.error)
        compare(connection.errorCode, ConnectionError.ConnectionRefused)
    }

    function test_q1_everyKindOfSend() {
        open()
        const bytes = Uint8Array.from([65, 66, 67]).buffer
        compare(connection.send("text"), true)
        compare(connection.send(bytes), true)
        compare(connection.sendJson({ type: "x", n: 1 }), true)
        compare(connection.sendJson({ type: "h", list: [1, "zwei", null, { deep: true }] }, bytes), true)
        tryVerify(() => server.messages().length === 5)
        const got = server.messages()
        compare(got[0], "text")
        compare(got[1], "ABC")
        compare(JSON.parse(got[2]), { type: "x", n: 1 })
        compare(JSON.parse(got[3]), { type: "h", list: [1, "zwei", null, { deep: true }] })
        compare(got[4], "ABC")
    }

    function test_q2_refusedWhileDisconnected() {
        ignoreWarning(/was not accepted/)
        compare(connection.send("text"), false)
        compare(rejected.count, 1)
    }

    function test_q5_sendJsonWithoutAType() {
        open()
        ignoreWarning(/non-empty string/)
        compare(connection.sendJson({ n: 1 }), false)
    }

    function test_m1_messagesAreValues() {
        open()
        server.sendText('{"type":"chat","content":"Grüße","n":1.5,"list":[1,2]}')
        tryCompare(messages, "count", 1)
        const message = messages.signalArguments[0][0]
        compare(message.type, "chat")
        compare(message.payload, { type: "chat", content: "Grüße", n: 1.5, list: [1, 2] })
        compare(message.direction, Message.Incoming)
        compare(message.isBinary, false)
        verify(message.messageId !== "")
        verify(Math.abs(Date.now() - message.timestamp.getTime()) < 60000)
    }

    function test_m3_binaryIsAnArrayBuffer() {
        open()
        server.sendBinary(Uint8Array.from([1, 2, 255]).buffer)
        tryCompare(binaries, "count", 1)
        const bytes = new Uint8Array(binaries.signalArguments[0][0])
        compare(Array.from(bytes), [1, 2, 255])
    }

    // Nothing else watches this one's history, and nobody hears its messages.
    readonly property Connection unwatched: WebSocketProvider.connection("unwatched")

    Component {
        id: counter
        Item {
            required property Connection connection
            readonly property int count: connection.messages.count
            property int seen: -1
            onCountChanged: seen = count
        }
    }

    function test_m7_aBindingToTheCountFollowsIt() {
        verify(WebSocketProvider.configure("unwatched", { url: server.url }))
        unwatched.open()
        tryCompare(unwatched, "isConnected", true)
        server.sendText('{"type":"n"}')
        tryCompare(unwatched.messages, "count", 1)
        server.sendText('{"type":"n"}')
        tryCompare(unwatched.messages, "count", 2)
        const item = createTemporaryObject(counter, test, { connection: unwatched })
        compare(item.count, 2)
        server.sendText('{"type":"n"}')
        tryCompare(item, "seen", 3)
        unwatched.send("4")
        tryCompare(item, "seen", 4)
        unwatched.close()
    }

    Component {
        id: listener
        Connections {
            property int heard: 0
            function onMessageReceived() { ++heard }
        }
    }

    // Of a batch, too, of which nobody else hears the rest.
    function test_m1_connectionsMadeInAHandlerHearTheNext() {
        open()
        let made = null
        const unsubscribe = connection.subscribe("begin", () => { made = createTemporaryObject(listener, test, { target: connection }) })
        server.sendText('{"type":"begin"}')
        for (let i = 0; i < 50; ++i)
            server.sendText('{"type":"unheard"}')
        tryVerify(() => made !== null && made.heard === 50)
        unsubscribe()
    }

    function test_m7_messagesIsAModel() {
        open()
        connection.sendJson({ type: "question", n: 1 })
        tryVerify(() => server.messages().length === 1)
        server.sendText('{"type":"answer","n":2}')
        server.sendBinary(Uint8Array.from([1, 2, 255]).buffer)
        tryCompare(list, "count", 3)
        tryVerify(() => list.itemAtIndex(2) !== null)
        const [question, answer, binary] = [0, 1, 2].map(row => list.itemAtIndex(row))
        compare([question.type, question.direction, question.payload.n], ["question", Message.Outgoing, 1])
        compare([answer.type, answer.direction, answer.payload.n], ["answer", Message.Incoming, 2])
        compare([binary.isBinary, binary.payload.byteLength], [true, 3])
        compare(answer.connectionType, "connection")
        verify(answer.messageId !== question.messageId)
        compare(connection.messages.at(1).type, "answer")
        compare(connection.messages.at(1).payload.n, 2)
        connection.messages.clear()
        compare(list.count, 0)
    }
}
