import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import type { ApiReply, ApiRequest } from '@entigrid/core'
import { type Engine, type ServerOptions, startServer } from '@entigrid/server'

type Answer = (request: ApiRequest) => ApiReply | Promise<ApiReply>

const echo: Answer = (request) => ({ status: 200, body: JSON.stringify(request) })

/** The engine's four methods without an engine: it records what reaches it, and answers as the test says. */
export class RecordingEngine implements Engine {
  readonly version = '1.2.3'
  readonly requests: ApiRequest[] = []
  /** When set, the database is out of reach. */
  failure: Error | undefined
  readonly #answer: Answer

  constructor(answer: Answer = echo) {
    this.#answer = answer
  }

  async handle(request: ApiRequest): Promise<ApiReply> {
    this.requests.push(request)
    return this.#answer(request)
  }

  async ready(): Promise<void> {
    if (this.failure !== undefined) throw this.failure
  }

  async close(): Promise<void> {}
}

export interface LogLine {
  message: string
  [field: string]: unknown
}

/** A server on a free port, with what its engine received and what it logged. */
export const openHttp = async (answer?: Answer, options: ServerOptions = {}) => {
  const engine = new RecordingEngine(answer)
  const lines: LogLine[] = []
  const write = (fields: object, message: string) => void lines.push({ ...fields, message })
  const log = { info: write, warn: write, error: write }
  const server = await startServer(engine, { port: 0, log, ...options })
  return {
    engine,
    lines,
    url: server.url,
    port: server.port,
    close: () => server.close(),
    request: (path: string, init?: RequestInit) => request(server.url + path, init),
    [Symbol.asyncDispose]: () => server.close(),
  }
}

interface RequestInit {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

export interface Response {
  status: number
  headers: IncomingHttpHeaders
  bytes: Buffer
  text: string
  // Bodies are compared with toEqual and toMatchObject, which check them whole.
  json: ReturnType<typeof JSON.parse>
}

/** One request on a connection of its own, with nothing added to it and nothing undone in the reply. */
export const request = (
  url: string,
  { method = 'GET', headers, body }: RequestInit = {},
): Promise<Response> =>
  new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      url,
      { method, headers: framed(headers, body), agent: false },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const text = bytes.toString()
          resolve({
            status: incoming.statusCode!,
            headers: incoming.headers,
            bytes,
            text,
            get json() {
              return JSON.parse(text)
            },
          })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })

/** Node's client gives the body of a DELETE no length by itself. */
const framed = (headers: Record<string, string> = {}, body?: string | Buffer) =>
  body === undefined || 'transfer-encoding' in headers
    ? headers
    : { 'content-length': String(Buffer.byteLength(body)), ...headers }

/** Sends raw text and resolves with all that comes back until the connection ends. */
export const exchange = (port: number, text: string, { halfClose = false } = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk
    })
    socket.on('error', reject)
    socket.on('end', () => {
      socket.end()
      resolve(received)
    })
    socket.write(text)
    if (halfClose) socket.end()
  })
