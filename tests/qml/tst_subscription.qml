// SPDX-License-Identifier: MIT
import QtQuick
import QtTest
import Everwire
import EverwireTests

TestCase {
    id: test
    name: "Subscription"

    readonly property Connection connection: WebSocketProvider.connection("subscription")
    readonly property Connection otherConnection: WebSocketProvider.connection("subscription-other")

    TestServer { id: server }
    TestServer { id: otherServer }

    SignalSpy { id: received; target: test.connection; signalName: "messageReceived" }

    component Listener: Subscription {
        property var heard: []
        connection: WebSocketProvider.connection("subscription")
        event: "chat"
    }

    Component {
        id: listening
        Listener { onReceived: payload => heard.push(payload.n) }
    }

    Component {
        id: joining
        Listener {
            property string all: ""
            onReceived: payload => all += payload.content
        }
    }

    Component {
        id: throwing
        Listener { onReceived: { throw new Error("boom") } }
    }

    Component {
        id: destroyingItself
        Listener {
            id: self
            onReceived: payload => {
                heard.push(payload.n)
                self.destroy()
            }
        }
    }

    Component {
        id: showing
        Text {
            property alias subscription: sub
            text: sub.latest?.content ?? "nothing"
            Listener { id: sub }
        }
    }

    Component {
        id: choosing
        Listener {
            property string text: latest ? JSON.stringify(latest) : ""
            fields: ["content", "n", "content", "__proto__", "a \"b\""]
            onReceived: payload => heard.push(payload)
        }
    }

    component Page: Item {
        id: page
        property var heard: []
        signal done
        Listener {
            delivery: Subscription.Latest
            onReceived: payload => {
                page.heard.push(payload.n)
                page.done()
            }
        }
    }

    Loader {
        id: loader
        active: false
        sourceComponent: Page { }
    }

    Connections {
        target: loader.item
        function onDone() { loader.active = false }
    }

    function init() {
        WebSocketProvider.token = "good"
        verify(WebSocketProvider.configure("subscription", { url: server.url, initialReconnectDelay: 10 }))
        verify(WebSocketProvider.configure("subscription-other", { url: otherServer.url }))
        received.clear()
    }

    function open(connection) {
        connection.open()
        tryCompare(connection, "isConnected", true)
    }

    // Both untyped: QML knows the types better than qmllint does.
    function create(component, properties) { return createTemporaryObject(component, test, properties ?? {}) }
    function loaded() { return loader.item }

    // An object that is gone turns a property to null.
    property QtObject doomed
    function destroyNow(object) {
        doomed = object
        object.destroy()
        tryCompare(test, "doomed", null)
    }

    function cleanup() {
        for (const one of [connection, otherConnection]) {
            one.close()
            tryCompare(one, "state", Connection.Disconnected)
        }
    }

    function test_m4_subscriptionEndsWithItsElement() {
        const sub = create(listening)
        const heard = sub.heard
        open(connection)
        server.sendMany("chat", 3)
        tryCompare(heard, "length", 3)
        destroyNow(sub)
        server.sendMany("chat", 1)
        tryCompare(received, "count", 4)
        compare(heard, [1, 2, 3])
    }

    function test_fieldsAreAllThatIsThere() {
        const sub = create(choosing)
        open(connection)
        server.sendText('{"type":"chat","content":"x"}') // may be made before the fields are known, or after
        server.sendText('{"type":"chat","content":"Zoë","n":[1,{"a":null}],"other":1,"a \\"b\\"":true}')
        tryCompare(sub.heard, "length", 2)
        compare(sub.heard[0].content, "x")
        compare(sub.heard[1].content, "Zoë")
        compare(sub.heard[1].n, [1, { a: null }])
        compare(sub.heard[1]['a "b"'], true)
        compare(sub.heard[1].other, undefined)
        compare(Object.keys(sub.heard[1]).length, 4)
        compare(sub.latest.content, "Zoë")
        sub.fields = ["other"]
        compare(sub.text, '{"other":1}')
        server.sendText('{"type":"chat","other":2}')
        tryCompare(sub.heard, "length", 3)
        compare(sub.heard[2].other, 2)
        sub.fields = []
        compare(sub.latest.type, "chat")
        server.sendText('{"type":"chat","other":3}')
        tryCompare(sub.heard, "length", 4)
        compare(sub.heard[3].type, "chat")
    }

    function test_fieldsOfTheLatest() {
        const sub = create(choosing, { delivery: Subscription.Latest })
        open(connection)
        for (let i = 1; i <= 50; ++i)
            server.sendText(`{"type":"chat","n":${i},"other":1}`)
        tryVerify(() => sub.latest?.n === 50)
        compare(sub.latest.other, undefined)
        sub.delivery = Subscription.Each
        server.sendText('{"type":"chat","n":51,"other":1}')
        tryVerify(() => sub.latest.n === 51)
        compare(sub.latest.other, undefined)
    }

    function test_m4_survivesReconnects() {
        const sub = create(listening)
        open(connection)
        const before = server.connectionsSoFar()
        ignoreWarning(/subscription - /)
        server.drop()
        tryVerify(() => server.connectionsSoFar() === before + 1 && test.connection.isConnected)
        server.sendMany("chat", 1)
        tryCompare(sub.heard, "length", 1)
    }

    function test_changingTheEvent() {
        const sub = create(listening)
        open(connection)
        server.sendMany("chat", 1)
        tryCompare(sub.heard, "length", 1)
        sub.event = "news"
        compare(sub.latest, undefined)
        server.sendMany("chat", 5)
        server.sendMany("news", 1)
        tryCompare(sub.heard, "length", 2)
        sub.event = "*"
        server.sendMany("chat", 1)
        server.sendMany("any", 1)
        tryCompare(sub.heard, "length", 4)
    }

    function test_changingTheConnection() {
        const sub = create(listening)
        open(connection)
        open(otherConnection)
        sub.connection = otherConnection
        server.sendMany("chat", 3)
        tryCompare(received, "count", 3)
        otherServer.sendMany("chat", 1)
        tryCompare(sub.heard, "length", 1)
        sub.connection = null
        compare(sub.latest, undefined)
        sub.connection = connection
        server.sendMany("chat", 1)
        tryCompare(sub.heard, "length", 2)
    }

    function test_enabled() {
        const sub = create(listening, { enabled: false })
        open(connection)
        server.sendMany("chat", 2)
        tryCompare(received, "count", 2)
        compare(sub.heard, [])
        sub.enabled = true
        server.sendMany("chat", 1)
        tryCompare(sub.heard, "length", 1)
        sub.enabled = false
        compare(sub.latest.n, 1) // what was received stays true
    }

    function test_latestIsBindable() {
        const text = create(showing)
        compare(text.text, "nothing")
        open(connection)
        server.sendText('{"type":"chat","content":"Hello!"}')
        tryCompare(text, "text", "Hello!")
        server.sendText('{"type":"chat"}')
        tryCompare(text, "text", "nothing")
        verify(text.subscription.latest !== undefined)
    }

    function test_latestAndReceivedAreTheSameValue() {
        const sub = create(listening)
        let same = false
        sub.received.connect(payload => { same = payload === sub.latest })
        open(connection)
        server.sendMany("chat", 1)
        tryVerify(() => same)
    }

    function test_m3_binaryMessages() {
        const sub = create(listening, { event: "binaryMessage" })
        open(connection)
        server.sendBinary(Uint8Array.from([1, 2, 255]).buffer)
        tryVerify(() => sub.latest?.byteLength === 3)
    }

    function test_m5_lifecycleEvents() {
        const states = create(listening, { event: "stateChange" })
        const connected = create(listening, { event: "connected" })
        open(connection)
        compare(states.heard.length, 3)
        compare(connected.latest.sessionId, "sess_1")
    }

    function test_m6_aHandlerThatThrowsAffectsNoOther() {
        create(throwing)
        const sub = create(listening)
        open(connection)
        ignoreWarning(/tst_subscription\.qml:\d+: Error: boom/)
        server.sendMany("chat", 1)
        tryCompare(sub.heard, "length", 1)
    }

    function test_deliveryEach() {
        const sub = create(listening)
        open(connection)
        server.sendMany("chat", 1000)
        tryCompare(sub.heard, "length", 1000)
        compare(sub.heard, Array.from({ length: 1000 }, (_, i) => i + 1))
    }

    function test_deliveryConflates_data() {
        return [
            { tag: "Latest", delivery: Subscription.Latest, window: 16 },
            { tag: "Sampled", delivery: Subscription.Sampled, window: 50 }
        ]
    }

    function test_deliveryConflates(data) {
        const sub = create(listening, { delivery: data.delivery, interval: data.window })
        open(connection)
        const start = Date.now()
        server.sendMany("chat", 2000)
        tryVerify(() => sub.heard[sub.heard.length - 1] === 2000)
        const windows = (Date.now() - start) / data.window
        verify(sub.heard.length <= windows + 2, sub.heard.length + " deliveries in " + windows + " windows")
        compare(sub.heard[0], 1) // the first of a burst at once
        compare(sub.heard, sub.heard.slice().sort((a, b) => a - b))
        compare(sub.latest.n, 2000)
    }

    function test_deliveryBackToEach() {
        const sub = create(listening, { delivery: Subscription.Sampled, interval: 100000 })
        open(connection)
        server.sendMany("chat", 3)
        tryCompare(received, "count", 3)
        compare(sub.heard, [1])
        sub.delivery = Subscription.Each
        compare(sub.heard, [1, 3]) // what waited
        server.sendMany("chat", 2)
        tryCompare(sub.heard, "length", 4)
    }

    function test_o5_destroyedInItsOwnHandler() {
        const heard = create(destroyingItself).heard
        open(connection)
        server.sendMany("chat", 1)
        tryCompare(heard, "length", 1)
        server.sendMany("chat", 1)
        tryCompare(received, "count", 2)
        compare(heard, [1])
    }

    function test_o5_unloadedInItsOwnHandler() {
        loader.active = true
        const heard = loaded().heard
        open(connection)
        server.sendMany("chat", 3)
        tryCompare(received, "count", 3)
        compare(heard, [1])
        compare(loader.item, null)
    }

    // A JavaScript server has cut an emoji, and JSON.parse takes both halves.
    function test_m1_halvesOfAnEmoji_data() {
        return [{ tag: "payload", fields: [] }, { tag: "fields", fields: ["content"] }]
    }

    function test_m1_halvesOfAnEmoji(data) {
        const listener = create(joining, { fields: data.fields })
        open(connection)
        server.sendText("{\"type\":\"chat\",\"content\":\"half \\ud83d\"}")
        server.sendText("{\"type\":\"chat\",\"content\":\"\\ude00 rest\"}")
        tryCompare(listener, "all", "half \ud83d\ude00 rest")
    }

    function test_c3_anIntervalThatIsNone_data() {
        return [{ tag: "infinite", value: Infinity }, { tag: "NaN", value: NaN }, { tag: "negative", value: -1 },
                { tag: "huge", value: 1e300 }]
    }

    function test_c3_anIntervalThatIsNone(data) {
        const listener = create(listening, { interval: 50 })
        ignoreWarning(/interval: .* is not between 0 and 2147483647 ms/)
        listener.interval = data.value
        compare(listener.interval, 50)
        listener.interval = 16.7
        compare(listener.interval, 16)
    }
}
