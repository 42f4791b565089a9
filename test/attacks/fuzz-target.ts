import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { examine, openEngine } from '@entigrid/core'
import { type DATABASES, openTestDatabase } from '@entigrid/core/testing'
import { startServer } from '@entigrid/server'
import type { FuzzCase } from './fuzz-cases.js'

/** Requests that are under way at a time. */
export const AT_A_TIME = 8

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export type Tokens = Record<FuzzCase['as'], string | undefined>

/** A server with a few entities in its sandbox, which is open to everybody. */
export class Target implements AsyncDisposable {
  readonly errors: unknown[]
  readonly #agent = new Agent({ keepAlive: true, maxSockets: AT_A_TIME })
  readonly #port: number
  readonly #close: () => Promise<unknown[]>
  #closed: Promise<unknown[]> | undefined
  #admin: string | undefined

  private constructor(errors: unknown[], port: number, close: () => Promise<unknown[]>) {
    this.errors = errors
    this.#port = port
    this.#close = close
  }

  static async open(database: (typeof DATABASES)[number]): Promise<Target> {
    const place = await openTestDatabase(database)
    const errors: unknown[] = []
    const silent = () => undefined
    const log = {
      info: silent,
      warn: silent,
      error: (fields: object, message: string) => void errors.push([message, fields]),
    }
    const engine = await openEngine({
      database: place.url,
      ...place.options,
      secret: 'a secret that only tests know, long enough',
      passwordCost: { memoryCost: 1024, timeCost: 1, parallelism: 1 },
      rates: { address: 0, principal: 0 },
      log,
    })
    await engine.bootstrap({ username: 'owner', password: PASSWORD, organization: 'test' })
    const server = await startServer(engine, { port: 0, log })
    return new Target(errors, server.port, async () => {
      await server.close()
      await engine.close()
      const { findings } = await examine(place.url, place.options)
      await place.remove()
      return findings as unknown[]
    })
  }

  /** What the cases talk about, and the tokens of those who ask. */
  async seed(): Promise<Tokens> {
    // Signing in once is enough; cases fail at it so often that nobody at this address may any more.
    this.#admin ??= (
      await this.#json('POST', '/management/token', {
        grant_type: 'password',
        username: 'owner',
        password: PASSWORD,
      })
    ).access_token
    const admin = this.#admin
    const put = (path: string, body: object) => this.#json('PUT', `/test/sandbox/${path}`, body, admin)
    await put('dogs/rex', { a: 1, b: { c: 'x' }, list: [1, 2], location: { lat: 52.5, lon: 13.4 } })
    await put('dogs/fido', { a: 'x' })
    await put('groups/staff', {})
    for (const name of ['guest', 'default']) {
      await put(`roles/${name}`, {})
      await put(`roles/${name}/permissions`, { permission: 'get,put,post,delete:/**' })
    }
    const { entities } = await this.#json('GET', `/test/sandbox/users?ql=username='ann'`, undefined, admin)
    if (entities.length === 0) await this.#json('POST', '/test/sandbox/users', { username: 'ann' }, admin)
    await put('users/ann', { activated: true, disabled: false })
    const user = (await this.#json('GET', '/test/sandbox/users/ann/token', undefined, admin)).access_token
    return { guest: undefined, user, admin }
  }

  async #json(method: string, target: string, body?: object, token?: string) {
    const { status, text } = (await this.#request(
      method,
      target,
      token === undefined ? {} : { authorization: `Bearer ${token}` },
      body === undefined ? null : Buffer.from(JSON.stringify(body)),
      null,
    )) ?? { status: 0, text: '' }
    if (status !== 200) throw new Error(`${method} ${target}: ${status} ${text}`)
    return JSON.parse(text)
  }

  /** `null` when we hung up ourselves. */
  send({ method, target, headers, body, cutAt, as }: FuzzCase, tokens: Tokens): Promise<Reply | null> {
    const token = tokens[as]
    const all = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...Object.fromEntries(headers),
    }
    return this.#request(method, target, all, body, cutAt)
  }

  #request(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: Buffer | null,
    cutAt: number | null,
  ): Promise<Reply | null> {
    return new Promise((resolve, reject) => {
      const length = body === null ? {} : { 'content-length': String(body.length) }
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          agent: this.#agent,
          method,
          path,
          headers: { ...headers, ...length },
        },
        (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', reject)
          incoming.on('end', () => {
            const bytes = Buffer.concat(chunks)
            const text = (
              incoming.headers['content-encoding'] === 'gzip' && bytes.length > 0 ? gunzipSync(bytes) : bytes
            ).toString()
            resolve({ status: incoming.statusCode!, headers: incoming.headers, text })
          })
        },
      )
      outgoing.on('error', (error) => (cutAt === null ? reject(error) : resolve(null)))
      if (cutAt === null) return void outgoing.end(body ?? undefined)
      outgoing.write(body!.subarray(0, cutAt), () => {
        outgoing.destroy()
        resolve(null)
      })
    })
  }

  /** Sends text as it is, ends, and resolves with all that came back. */
  exchange(text: string): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true })
      let received = ''
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1')
      })
      // A reset is a fair answer to rubbish.
      socket.on('error', () => undefined)
      socket.on('end', () => socket.end())
      socket.on('close', () => resolve(received))
      socket.end(Buffer.from(text, 'latin1'))
    })
  }

  /** Ends the server and resolves with what is wrong in its database. */
  close(): Promise<unknown[]> {
    this.#agent.destroy()
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

const PASSWORD = 'a password for tests'
