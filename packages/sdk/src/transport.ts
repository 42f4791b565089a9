import { ConnectionError } from './errors.js'
import type { Json } from './json.js'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Values of the headers `If-Match`, `If-None-Match` and `Idempotency-Key`. */
export interface Safeguards {
  ifMatch?: string
  ifNoneMatch?: string
  idempotencyKey?: string
}

/** One request, freed from the way it travels. */
export interface WireRequest extends Safeguards {
  method: Method
  /** Percent-encoded, beginning with a slash. */
  path: string
  /** Without the leading `?`; empty when there are no parameters. */
  search: string
  authorization?: string
  /** Must survive JSON: what does not is dropped, as `JSON.stringify` does. */
  body?: unknown
  signal: AbortSignal
}

export interface WireReply {
  status: number
  text: string
  header(name: string): string | undefined
}

/** The way to an engine. Rejects with the reason of the signal once that is aborted. */
export type Transport = (request: WireRequest) => Promise<WireReply>

/** @throws {ConnectionError} `connection_failed` when no complete reply was received. */
export const overHttp =
  (url: string, send: typeof fetch = fetch): Transport =>
  async ({ method, path, search, body, signal, ...named }) => {
    const headers: Record<string, string> = { accept: 'application/json' }
    for (const [name, header] of HEADERS) {
      const value = named[name]
      if (value !== undefined) headers[header] = value
    }
    if (body !== undefined) headers['content-type'] = 'application/json'
    try {
      const target = url + path + (search && `?${search}`)
      const reply = await send(target, { method, headers, body: JSON.stringify(body), signal })
      const text = await reply.text()
      return { status: reply.status, text, header: (name) => reply.headers.get(name) ?? undefined }
    } catch (cause) {
      signal.throwIfAborted()
      throw new ConnectionError({ code: 'connection_failed', message: `No reply from ${url}`, cause })
    }
  }

const HEADERS = [
  ['authorization', 'authorization'],
  ['ifMatch', 'if-match'],
  ['ifNoneMatch', 'if-none-match'],
  ['idempotencyKey', 'idempotency-key'],
] as const

/** What the engine is asked. A copy of its own shape, so that this package needs nothing of it. */
export interface EngineRequest extends Safeguards {
  method: Method
  path: string
  search: string
  authorization?: string
  body?: Json
  baseUrl: string
  signal?: AbortSignal
}

export interface EngineReply {
  status: number
  body: string
  headers?: Record<string, string>
}

/** What is needed of an engine to be its client without a network. */
export interface Engine {
  handle(request: EngineRequest): Promise<EngineReply>
}
