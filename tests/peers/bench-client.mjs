// SPDX-License-Identifier: MIT
// npm's ws as a peer of scripts/bench: receives what the load server sends, and prints one line of JSON, as
// everwire-bench's own tasks do.
//   node bench-client.mjs --task '/receive?kind=text&size=256&count=1000' NAME WS_PORT WSS_PORT
import { WebSocket } from 'ws'

const [, path, , port] = process.argv.slice(2)
const query = new URLSearchParams(path.split('?')[1])
const isText = query.get('kind') === 'text'
const size = Number(query.get('size'))
const count = Number(query.get('count'))
const warm = Math.max(1, Math.floor(count / 10))

const handlers = {
  ai_response: (event) => event.content.length > 0 && event.timestamp.length > 0,
}

let received = 0
let start

function finish(result) {
  console.log(JSON.stringify(result))
  process.exit(result.error === undefined ? 0 : 1)
}

function isGood(data) {
  if (!isText) return data.length === size
  const event = JSON.parse(data)
  return handlers[event.type]?.(event) ?? false
}

function now() {
  const { user, system } = process.cpuUsage()
  return { wall: performance.now() / 1e3, cpu: (user + system) / 1e6 }
}

const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: false })
ws.on('message', (data) => {
  if (!isGood(data)) finish({ error: `message ${received} is not what was sent` })
  received += 1
  if (received === warm) {
    start = now()
  } else if (received === count) {
    const end = now()
    const measured = count - warm
    finish({ rate: measured / (end.wall - start.wall), cpu: ((end.cpu - start.cpu) * 1e6) / measured })
  }
})
ws.on('error', (error) => finish({ error: error.message }))
ws.on('close', (code) => finish({ error: `closed with ${code} after ${received} messages` }))
