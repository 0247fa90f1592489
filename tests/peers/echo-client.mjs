// SPDX-License-Identifier: MIT
// npm's ws as the client of tests/conformance: connects to the URL it is given, sends back whatever comes, and does so
// again until nobody listens there any more.
import { WebSocket } from 'ws'

const url = process.argv[2]
const options = {
  perMessageDeflate: { clientMaxWindowBits: true },
  maxPayload: 64 * 1024 * 1024,
  maxFragments: 0, // as many as the server likes: case 9.3.1 has 65536
}

function connect() {
  const ws = new WebSocket(url, options)
  let refused = false
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }))
  // What a case does wrong is an error as well; the next one is played then.
  ws.on('error', (error) => { refused = error.code === 'ECONNREFUSED' })
  ws.on('close', () => { if (!refused) setImmediate(connect) })
}

connect()
