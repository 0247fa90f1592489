// SPDX-License-Identifier: MIT
// An echo server of npm's ws, for tests/interop. Environment: EVERWIRE_DEFLATE is JSON, the option
// perMessageDeflate of ws. "close CODE REASON" closes, "drop" destroys the TCP connection.
import { WebSocketServer } from 'ws'

const wss = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: JSON.parse(process.env.EVERWIRE_DEFLATE ?? 'false'),
})

wss.on('listening', () => process.stdout.write(`listening on ws://127.0.0.1:${wss.address().port}\n`))

wss.on('connection', (ws) => {
  ws.on('message', (data, isBinary) => {
    const text = isBinary ? '' : data.toString()
    const command = /^close (\d+) (.*)$/.exec(text)
    if (command) {
      ws.close(Number(command[1]), command[2])
    } else if (text === 'drop') {
      ws.terminate()
    } else {
      ws.send(data, { binary: isBinary })
    }
  })
  ws.on('error', (err) => process.stdout.write(`error ${err.message}\n`))
  ws.on('close', (code, reason) => process.stdout.write(`closed ${code} ${reason}\n`))
})

// Whoever started this server holds its standard input; when that closes, nobody is left to serve.
process.stdin.on('end', () => process.exit(0))
process.stdin.on('error', () => process.exit(0))
process.stdin.resume()
