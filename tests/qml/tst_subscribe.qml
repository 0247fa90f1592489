// SPDX-License-Identifier: MIT
import QtQuick
import QtTest
import Everwire
import EverwireTests

TestCase {
    id: test
    name: "Subscribe"

    readonly property Connection connection: WebSocketProvider.connection("subscribe")
    property var ends: []

    TestServer { id: server }

    SignalSpy { id: received; target: test.connection; signalName: "messageReceived" }

    function init() {
        WebSocketProvider.token = "good"
        verify(WebSocketProvider.configure("subscribe",
                                           { url: server.url, initialReconnectDelay: 10, authTimeout: 100 }))
        server.setSilent(false)
        received.clear()
    }

    function open() {
        connection.open()
        tryCompare(connection, "isConnected", true)
    }

    // Subscribes until the end of the test function; returns the list of what is heard.
    function listen(event) {
        const heard = []
        ends.push(connection.subscribe(event, payload => { heard.push(payload) }))
        return heard
    }

    function cleanup() {
        ends.forEach(end => end())
        ends = []
        connection.close()
        tryCompare(connection, "state", Connection.Disconnected)
    }

    function test_m1_inTheOrderOfTheWire() {
        const chat = listen("chat")
        const all = listen("*")
        open()
        server.sendMany("chat", 200)
        server.sendMany("other", 1)
        tryCompare(all, "length", 201)
        compare(chat.map(payload => payload.n), Array.from({ length: 200 }, (_, i) => i + 1))
        compare(all[200], { type: "other", n: 1 })
    }

    function test_m3_binaryMessageIsAnArrayBuffer() {
        const heard = listen("binaryMessage")
        const all = listen("*")
        open()
        server.sendBinary(Uint8Array.from([1, 2, 255]).buffer)
        tryCompare(heard, "length", 1)
        verify(heard[0] instanceof ArrayBuffer)
        compare(Array.from(new Uint8Array(heard[0])), [1, 2, 255])
        compare(all, [])
    }

    function test_m4_functionEndsTheSubscription() {
        const heard = []
        const end = connection.subscribe("chat", payload => { heard.push(payload.n) })
        compare(typeof end, "function")
        open()
        server.sendMany("chat", 3)
        tryCompare(heard, "length", 3)
        end()
        end() // no harm
        server.sendMany("chat", 2)
        tryCompare(received, "count", 5)
        compare(heard, [1, 2, 3])
        Qt.callLater(end)
        const later = []
        Qt.callLater(() => { later.push(end()) })
        tryCompare(later, "length", 1)
    }

    function test_m4_beforeOpenAndAcrossReconnectsAndClose() {
        const heard = listen("chat")
        open()
        server.sendMany("chat", 1)
        tryCompare(heard, "length", 1)
        const before = server.connectionsSoFar()
        ignoreWarning(/subscribe - /)
        server.drop()
        tryVerify(() => server.connectionsSoFar() === before + 1 && test.connection.isConnected)
        server.sendMany("chat", 1)
        tryCompare(heard, "length", 2)
        connection.close()
        tryCompare(connection, "state", Connection.Disconnected)
        open()
        server.sendMany("chat", 1)
        tryCompare(heard, "length", 3)
    }

    function test_m5_lifecycleEvents() {
        const states = listen("stateChange")
        const connected = listen("connected")
        const disconnected = listen("disconnected")
        const reconnecting = listen("reconnecting")
        const errors = listen("error")
        open()
        compare(states.length, 3)
        compare(states[2].toLowerCase(), "connected")
        compare(connected, [{ sessionId: "sess_1", userId: "user_1", timestamp: "2026-01-28T10:00:00Z" }])
        ignoreWarning(/subscribe - /)
        server.drop()
        tryCompare(reconnecting, "length", 1)
        compare(reconnecting[0].attempt, 1)
        compare(disconnected[0].code, 1006)
        compare(errors[0].code, ConnectionError.ConnectionLost)
        compare(errors[0].isFinal, false)
    }

    function test_m5_authenticationTimeoutHasNoPayload() {
        server.setSilent(true)
        const timeouts = listen("authenticationTimeout")
        ignoreWarning(/subscribe - /)
        connection.open()
        tryCompare(timeouts, "length", 1)
        compare(timeouts[0], undefined)
    }

    function test_m5_parseError() {
        const errors = listen("parseError")
        open()
        server.sendText("{no json")
        tryCompare(errors, "length", 1)
        compare(errors[0].text, "{no json")
        verify(errors[0].reason !== "")
    }

    function test_m6_aHandlerThatThrowsAffectsNoOther() {
        const before = listen("chat")
        ends.push(connection.subscribe("chat", () => { throw new Error("boom") }))
        const after = listen("chat")
        open()
        ignoreWarning(/tst_subscribe\.qml:\d+: .*"chat".*boom/)
        server.sendMany("chat", 1)
        tryCompare(after, "length", 1)
        compare(before.length, 1)
    }

    function test_m6_whatIsThrownNeedNotBeAnError() {
        ends.push(connection.subscribe("chat", () => { throw "a string" }))
        ends.push(connection.subscribe("chat", () => new Error("returned, not thrown")))
        const after = listen("chat")
        open()
        ignoreWarning(/"chat".*a string/)
        server.sendMany("chat", 1)
        tryCompare(after, "length", 1)
    }

    function test_o5_endingInsideTheHandler() {
        const heard = []
        const end = connection.subscribe("chat", payload => {
            heard.push(payload.n)
            end()
        })
        const all = listen("chat")
        open()
        server.sendMany("chat", 3)
        tryCompare(all, "length", 3)
        compare(heard, [1])
    }

    function test_o5_closingAndReopeningInsideTheHandler() {
        const states = []
        let reopen = true
        ends.push(connection.subscribe("chat", () => {
            test.connection.close()
            if (reopen)
                test.connection.open()
            reopen = false
        }))
        const before = server.connectionsSoFar()
        open()
        server.sendMany("chat", 1)
        tryVerify(() => server.connectionsSoFar() === before + 2 && test.connection.isConnected)
    }

    function test_nothingToSubscribe() {
        ignoreWarning(/needs an event's name and a function/)
        compare(connection.subscribe("chat", null), undefined)
        ignoreWarning(/needs an event's name and a function/)
        compare(connection.subscribe("", () => {}), undefined)
    }

    function test_everyKindOfFunction() {
        const heard = []
        function plain(payload) { heard.push(payload.n) }
        const bound = function (payload) { this.push(payload.n) }.bind(heard)
        for (const one of [plain, bound, payload => { heard.push(payload.n) }])
            ends.push(connection.subscribe("chat", one))
        open()
        server.sendMany("chat", 1)
        tryCompare(heard, "length", 3)
    }
}
