// SPDX-License-Identifier: MIT
import QtQuick
import QtTest
import Everwire
import EverwireTests

TestCase {
    id: test
    name: "TokenProvider"

    readonly property Connection connection: WebSocketProvider.connection("tokens")
    property var request
    property int asked: 0

    TestServer { id: server }

    TokenProvider {
        id: now
        onTokenRequested: request => request.resolve("jwt-" + ++test.asked)
    }
    TokenProvider {
        id: later
        onTokenRequested: request => { ++test.asked; test.request = request }
    }
    TokenProvider {
        id: never
        onTokenRequested: request => { ++test.asked }
    }
    TokenProvider {
        id: throwing
        onTokenRequested: request => { throw new Error("no luck") }
    }
    TokenProvider {
        id: none
        onTokenRequested: request => request.resolveNone("you have signed out")
    }
    TokenProvider { id: empty }
    Component { id: component; TokenProvider { onTokenRequested: request => { test.asked = 1 } } }
    HttpTokenProvider {
        id: http
        url: "http://example.com/token"
        headers: ({ Authorization: "Bearer refresh" })
        tokenPath: "data.jwt"
        retries: 0
    }

    function init() {
        verify(WebSocketProvider.configure("tokens", { url: server.url, initialReconnectDelay: 60000, tokenTimeout: 60000 }))
        request = undefined
        asked = 0
    }

    function cleanup() {
        connection.tokenProvider = null
        WebSocketProvider.tokenProvider = null
        connection.close()
        tryCompare(connection, "state", Connection.Disconnected)
    }

    function test_c3_aTimeoutThatIsNone_data() {
        return [{ tag: "infinite", value: Infinity }, { tag: "NaN", value: NaN }, { tag: "negative", value: -1 },
                { tag: "zero", value: 0 }, { tag: "huge", value: 1e300 }]
    }

    function test_c3_aTimeoutThatIsNone(data) {
        http.timeout = 5000
        ignoreWarning(/HttpTokenProvider's timeout is 1 to 2147483647 ms/)
        http.timeout = data.value
        compare(http.timeout, 5000)
        http.timeout = 8000
    }

    function test_a1_resolvedAtOnce() {
        WebSocketProvider.tokenProvider = now
        compare(WebSocketProvider.tokenProvider, now)
        connection.open()
        tryCompare(connection, "isConnected", true)
        connection.reconnect()
        tryVerify(() => asked === 2)
        tryCompare(connection, "isConnected", true)
    }

    function test_a1_theConnectionsOwnGoesFirst() {
        WebSocketProvider.tokenProvider = none
        connection.tokenProvider = now
        connection.open()
        tryCompare(connection, "isConnected", true)
    }

    function test_a1_resolvedLaterAndOnce() {
        connection.tokenProvider = later
        connection.open()
        tryVerify(() => request !== undefined)
        compare(request.wantsFresh, false)
        compare(connection.state, Connection.Connecting)
        Promise.resolve("jwt").then(jwt => {
            request.resolve(jwt)
            request.reject("too late")
        })
        tryCompare(connection, "isConnected", true)
    }

    function test_a4_rejected() {
        connection.tokenProvider = later
        connection.open()
        tryVerify(() => request !== undefined)
        request.reject("no network")
        tryCompare(connection, "state", Connection.Reconnecting)
        compare(connection.errorCode, ConnectionError.TokenFailed)
        compare(connection.error, "No token could be had: no network")
    }

    function test_a4_none() {
        connection.tokenProvider = none
        connection.open()
        tryCompare(connection, "state", Connection.Error)
        compare(connection.errorCode, ConnectionError.NoToken)
        verify(connection.error.includes("you have signed out"))
    }

    function test_a4_noHandler() {
        connection.tokenProvider = empty
        connection.open()
        tryCompare(connection, "state", Connection.Reconnecting)
        verify(connection.error.includes("no onTokenRequested"))
    }

    function test_a4_forgotten() {
        connection.tokenProvider = never
        connection.open()
        tryVerify(() => asked === 1)
        tryVerify(() => { gc(); return connection.state === Connection.Reconnecting })
        verify(connection.error.includes("without an answer"))
    }

    function test_m6_aHandlerThatThrows() {
        ignoreWarning(/no luck/)
        connection.tokenProvider = throwing
        connection.open()
        tryVerify(() => { gc(); return connection.state === Connection.Reconnecting })
    }

    function test_a4_theElementIsGone() {
        const provider = component.createObject(test)
        connection.tokenProvider = provider
        connection.open()
        tryVerify(() => asked === 1)
        provider.destroy()
        tryCompare(connection, "state", Connection.Reconnecting)
        compare(connection.tokenProvider, null)
    }

    function test_a8_http() {
        compare(http.headers, {}) // rule A7
        connection.tokenProvider = http
        connection.open()
        tryCompare(connection, "state", Connection.Reconnecting)
        verify(connection.error.includes("unencrypted"))
    }
}
