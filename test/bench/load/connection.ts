import { connect, type Socket } from 'node:net'
import type { Request } from '../target.js'

export interface Reply {
  status: number
  body: Buffer
}

const HEAD_END = '\r\n\r\n'
const LAST_CHUNK = '\r\n0\r\n\r\n'

/** One keep-alive connection with one request in flight. Much cheaper than `node:http`, so that the load is not what is measured. */
export class Connection {
  readonly #socket: Socket
  readonly #host: string
  #received: Buffer[] = []
  #length = 0
  /** Bytes of the whole reply: 0 while its head is not there, Infinity while it comes in chunks. */
  #expected = 0
  #settle: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | null = null

  private constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('The server closed the connection')))
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url)
    const socket = connect(Number(port), hostname)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new Connection(socket, host)
  }

  send({ method, path, headers, body }: Request): Promise<Reply> {
    let head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\n`
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`
    if (body !== undefined) {
      head += `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
    }
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#socket.write(head + '\r\n' + (body ?? ''))
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#length += chunk.length
    if (this.#expected === 0) this.#readHead()
    if (this.#expected === 0) return
    const complete = this.#expected === Infinity ? this.#endsInLastChunk() : this.#length >= this.#expected
    if (complete) this.#finish()
  }

  #readHead(): void {
    const received = this.#whole()
    const end = received.indexOf(HEAD_END)
    if (end === -1) return
    const head = received.toString('latin1', 0, end).toLowerCase()
    const length = /\ncontent-length: *(\d+)/.exec(head)
    if (length !== null) this.#expected = end + HEAD_END.length + Number(length[1])
    else if (head.includes('\ntransfer-encoding: chunked')) this.#expected = Infinity
    else this.#expected = end + HEAD_END.length
  }

  /** JSON has no bare line breaks within strings, so the marker cannot be part of a body. */
  #endsInLastChunk(): boolean {
    const last = this.#received.at(-1)!
    const tail = last.length >= LAST_CHUNK.length ? last : this.#whole()
    return tail.toString('latin1', tail.length - LAST_CHUNK.length) === LAST_CHUNK
  }

  #finish(): void {
    const received = this.#whole()
    const start = received.indexOf(HEAD_END) + HEAD_END.length
    const chunked = this.#expected === Infinity
    this.#received = []
    this.#length = 0
    this.#expected = 0
    const settle = this.#settle
    this.#settle = null
    const body = received.subarray(start)
    settle?.resolve({
      status: Number(received.toString('latin1', 9, 12)),
      body: chunked ? joinChunks(body) : body,
    })
  }

  #whole(): Buffer {
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)]
    return this.#received[0]!
  }

  #fail(error: Error): void {
    this.#settle?.reject(error)
    this.#settle = null
  }
}

const joinChunks = (body: Buffer): Buffer => {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const line = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.toString('latin1', at, line), 16)
    if (!(size > 0)) return Buffer.concat(parts)
    parts.push(body.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
