// SPDX-License-Identifier: MIT
// A backend as the web client's guide shows it under "Backend Implementation": npm's ws and jsonwebtoken,
// the token in the first message. What it prints and what it can be asked to do is in README.md.
import { randomUUID } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { WebSocketServer } from 'ws'

const JWT_SECRET = process.env.EVERWIRE_JWT_SECRET
const AUTH_TIMEOUT = Number(process.env.EVERWIRE_AUTH_TIMEOUT ?? 5000)

if (!JWT_SECRET) {
  console.error('guide-server: EVERWIRE_JWT_SECRET is not set; set it to the secret that signs the tokens')
  process.exit(2)
}

const report = (connection, event, fields = {}) =>
  process.stdout.write(JSON.stringify({ event, connection, ...fields }) + '\n')

const generateSessionId = () => `sess_${randomUUID()}`

// Never the token: neither here nor in what is printed.
function authenticate(ws, connection, message) {
  try {
    const decoded = jwt.verify(message.token, JWT_SECRET, { algorithms: ['HS256'] })
    report(connection, 'auth', { ok: true, userId: decoded.sub })
    ws.send(JSON.stringify({
      type: 'auth_success',
      session_id: generateSessionId(),
      user_id: decoded.sub,
      timestamp: new Date().toISOString(),
    }))
    return true
  } catch (err) {
    report(connection, 'auth', { ok: false, error: err.message })
    ws.send(JSON.stringify({ type: 'auth_error', error: 'Invalid token' }))
    ws.close(4001, 'Authentication failed')
    return false
  }
}

function handleMessage(ws, message) {
  switch (message?.type) {
    case 'echo':
      ws.send(JSON.stringify(message))
      break
    case 'close':
      ws.close(message.code, message.reason)
      break
    case 'terminate':
      ws.terminate()
      break
  }
}

function parse(data) {
  try {
    return { message: JSON.parse(data) }
  } catch (err) {
    return { error: err.message }
  }
}

const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
let connections = 0

wss.on('listening', () => process.stdout.write(`listening on ws://127.0.0.1:${wss.address().port}\n`))

wss.on('connection', (ws, request) => {
  const connection = ++connections
  let authenticated = false
  report(connection, 'connection', { url: request.url })

  const authTimeout = setTimeout(() => {
    if (!authenticated) {
      ws.close(4002, 'Authentication timeout')
    }
  }, AUTH_TIMEOUT)

  ws.on('message', (data, isBinary) => {
    if (isBinary && authenticated) {
      report(connection, 'binary', { size: data.length })
      return
    }
    const { message, error } = parse(data)

    if (!authenticated) {
      if (message?.type === 'auth') {
        authenticated = authenticate(ws, connection, message)
        if (authenticated) {
          clearTimeout(authTimeout)
        }
      } else {
        report(connection, 'auth', { ok: false, error: 'Authentication required' })
        ws.close(4001, 'Authentication required')
      }
      return
    }

    if (error) {
      report(connection, 'unparsable', { text: data.toString(), error })
      return
    }
    report(connection, 'message', { message })
    try {
      handleMessage(ws, message)
    } catch (err) {
      report(connection, 'error', { error: err.message })
    }
  })

  ws.on('error', (err) => report(connection, 'error', { error: err.message }))
  ws.on('close', (code, reason) => {
    clearTimeout(authTimeout)
    report(connection, 'close', { code, reason: reason.toString() })
  })
})

// Whoever started this server holds its standard input; when that closes, nobody is left to serve.
process.stdin.on('end', () => process.exit(0))
process.stdin.on('error', () => process.exit(0))
process.stdin.resume()
