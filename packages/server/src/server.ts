import { createServer, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { AppError, errorReply, limitsOf } from '@entigrid/core'
import type { Engine } from './engine.js'
import { createHandler, type HandlerOptions } from './handler.js'

export interface ServerOptions extends HandlerOptions {
  host?: string | undefined
  /** 0 takes any free port. */
  port?: number | undefined
  /** Milliseconds that running requests get to finish when the server closes. */
  grace?: number | undefined
  timeouts?: Partial<Timeouts> | undefined
}

/** Milliseconds. */
export interface Timeouts {
  /** What a client may take to send the head of a request. */
  headers: number
  /** What it may take to send all of it. */
  request: number
  /** How long an idle connection is kept. */
  keepAlive: number
  /** How often connections are checked for the first two. */
  check: number
}

export interface RunningServer {
  readonly host: string
  readonly port: number
  /** Where this machine reaches it. */
  readonly url: string
  /** Takes no more requests, lets the running ones finish, then cuts what is left. The engine stays open. */
  close(): Promise<void>
}

/** Idle connections live longer than the 60 s of common load balancers, so that they close them, not we. */
const TIMEOUTS: Timeouts = { headers: 15_000, request: 60_000, keepAlive: 65_000, check: 5_000 }
/** Bytes of request line and headers. Above the longest URL, so that a longer one gets its own error. */
const MAX_HEADER_SIZE = 49_152

/** Serves the engine on a port of its own. Rejects with the error of `listen` when the port cannot be had. */
export const startServer = async (engine: Engine, options: ServerOptions = {}): Promise<RunningServer> => {
  const { host = '127.0.0.1', port = 8080, grace = 10_000 } = options
  let closing = false
  const handle = createHandler(engine, { ...options, closing: () => closing })
  const timeouts = { ...TIMEOUTS, ...options.timeouts }
  const server = createServer({
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    connectionsCheckingInterval: timeouts.check,
    maxHeaderSize: MAX_HEADER_SIZE,
  })
  // A client that has said all it has to say still gets its reply.
  Object.assign(server, { httpAllowHalfOpen: true })
  const running = new WeakMap<Duplex, ServerResponse>()
  const accept: RequestListener = (req, res) => {
    running.set(req.socket, res)
    handle(req, res)
  }
  server.on('request', accept)
  server.on('checkExpectation', accept)
  server.on(
    'checkContinue',
    continueUnlessTooLarge(accept, limitsOf({ ...engine.limits, ...options.limits }).body),
  )
  server.on('clientError', (error, socket) => answerInvalidHttp(error, socket, running.get(socket)))
  server.on('connect', (_, socket) => refuse(socket, new AppError('not_allowed', 'CONNECT is not supported')))
  await listening(server, host, port)
  // Such as too many open files: the connection is lost, the server is not.
  server.on('error', (err) => options.log?.error({ err }, 'connection not accepted'))
  const address = server.address() as AddressInfo
  return {
    host,
    port: address.port,
    url: urlOf(host, address.port),
    close: () => {
      closing = true
      return closed(server, grace)
    },
  }
}

const continueUnlessTooLarge =
  (accept: RequestListener, limit: number): RequestListener =>
  (req, res) => {
    // The client waits for our word before it sends a large body: spare it the upload of one we refuse.
    if (!(Number(req.headers['content-length']) > limit)) res.writeContinue()
    accept(req, res)
  }

const listening = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })

const closed = (server: Server, grace: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), grace)
    server.close(() => {
      clearTimeout(timer)
      resolve()
    })
  })

/** A wildcard address is reached through the loopback one. */
const urlOf = (host: string, port: number): string => {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/**
 * What is not HTTP, too long or too slow gets a JSON error, too; but nothing may be written into a reply that
 * has begun, or before the reply to an earlier, complete request of the same connection.
 */
const answerInvalidHttp = (error: NodeJS.ErrnoException, socket: Duplex, running?: ServerResponse): void => {
  const busy = running !== undefined && !running.writableFinished && !running.destroyed
  if (error.code === 'ECONNRESET' || !socket.writable || (busy && running.headersSent)) socket.destroy()
  else if (busy && running.req.complete) running.once('finish', () => socket.destroy())
  else refuse(socket, clientErrorOf(error))
}

const clientErrorOf = ({ code }: NodeJS.ErrnoException): AppError => {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new AppError('request_header_too_large', `URL and headers exceed ${MAX_HEADER_SIZE} bytes`)
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new AppError('request_timeout', 'The request did not arrive in time')
  return new AppError('invalid_request', 'The request is not valid HTTP/1.1')
}

const refuse = (socket: Duplex, error: AppError): void => {
  socket.on('error', () => socket.destroy())
  const now = Date.now()
  const { status, body } = errorReply(error, now, now)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    'Access-Control-Allow-Origin: *',
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => (socket as Socket).destroySoon())
}
