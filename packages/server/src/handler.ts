import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type ApiReply,
  AppError,
  errorReply,
  type Limits,
  limitsOf,
  type Method,
  tooLong,
} from '@entigrid/core'
import { addressOf } from './address.js'
import { baseUrlOf } from './base-url.js'
import { METHODS, preflightHeaders } from './cors.js'
import type { Engine } from './engine.js'
import { jsonpCallback } from './jsonp.js'
import type { Log } from './log.js'
import { Probes } from './probes.js'
import { adoptBody, type Body, ClientGone, readBody } from './read-body.js'
import { requestIdOf } from './request-id.js'
import { send } from './send.js'

export interface HandlerOptions {
  /** The URL that clients reach us by, mount path included. By default it is told from each request. */
  publicUrl?: string | undefined
  /**
   * Believe `X-Forwarded-Proto` and `X-Forwarded-Host`, and that the last address of `X-Forwarded-For` is the
   * client's. Only behind a proxy that always sets them.
   */
  trustProxy?: boolean | undefined
  /** Of these, `body`, `depth` and `url` are checked here; by default they are the engine's. */
  limits?: Partial<Limits> | undefined
  /** Gets one line per request, and the text of errors that callers must not see. */
  log?: Log | undefined
  /** UTC milliseconds. */
  clock?: (() => number) | undefined
  /** Whether the server is shutting down; connections are then not kept alive. */
  closing?: (() => boolean) | undefined
}

/** Where the handler sits in a larger server. */
export interface Mounting {
  /** The path it is mounted at, without a trailing slash; cut from `req.url` already. */
  path: string
  /** A body that was read and parsed before the request came here. */
  body?: unknown
}

export type Handler = (req: IncomingMessage, res: ServerResponse, mounting?: Mounting) => void

interface Target {
  path: string
  search: string
}

const WRITES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const ROOT: Mounting = { path: '' }

/** Answers requests of `node:http`. It reads the body, replies and logs; it never throws and never calls on. */
export const createHandler = (engine: Engine, options: HandlerOptions = {}): Handler => {
  const http = new HttpDoor(engine, options)
  return (req, res, mounting = ROOT) => void http.serve(req, res, mounting)
}

class HttpDoor {
  readonly #engine: Engine
  readonly #options: HandlerOptions
  readonly #limits: Limits
  readonly #publicUrl: string | undefined
  readonly #now: () => number
  readonly #probes: Probes
  #isProxyTold = false

  constructor(engine: Engine, options: HandlerOptions) {
    this.#engine = engine
    this.#options = options
    this.#limits = limitsOf({ ...engine.limits, ...options.limits })
    this.#publicUrl = options.publicUrl?.replace(/\/+$/, '')
    this.#now = options.clock ?? Date.now
    this.#probes = new Probes(engine, this.#now())
  }

  async serve(req: IncomingMessage, res: ServerResponse, mounting: Mounting): Promise<void> {
    const startedAt = this.#now()
    const requestId = requestIdOf(req)
    const target = targetOf(req.url)
    const report = (error: unknown, errorId = '') =>
      this.#options.log?.error({ requestId, errorId, err: error }, 'internal error')
    let callback: string | undefined
    let reply: ApiReply
    try {
      if (target.path.length + target.search.length > this.#limits.url) throw tooLong(this.#limits.url)
      callback = jsonpCallback(target.search)
      reply = await this.#answer(req, target, mounting, startedAt)
    } catch (error) {
      if (error instanceof ClientGone) return this.#logRequest(req, target, requestId, startedAt, 'aborted')
      reply = errorReply(error, startedAt, this.#now(), report)
    }
    const last = reply.status === 413 || this.#options.closing?.() === true
    try {
      await send(req, res, reply, { requestId, callback, last })
    } catch (error) {
      report(error)
      res.destroy()
    }
    this.#logRequest(req, target, requestId, startedAt, res.destroyed ? 'aborted' : res.statusCode)
  }

  async #answer(
    req: IncomingMessage,
    target: Target,
    mounting: Mounting,
    startedAt: number,
  ): Promise<ApiReply> {
    const { method } = req
    if (method === 'OPTIONS') return { status: 200, body: '{}', headers: preflightHeaders(req) }
    const reads = method === 'GET' || method === 'HEAD'
    if (!reads && !WRITES.has(method ?? '')) return this.#refuse(method, startedAt)
    const baseUrl = this.#publicUrl ?? baseUrlOf(req, mounting.path, this.#options.trustProxy === true)
    if (reads) {
      if (target.path === '/') return { status: 307, body: '{}', headers: { Location: `${baseUrl}/status` } }
      const probe = this.#probes.find(target.path)
      if (probe !== undefined) return probe(startedAt, this.#now)
    }
    const body = reads ? undefined : await this.#body(req, target.path, mounting)
    return this.#engine.handle({
      // HEAD is GET without the body, so that its headers are those of GET.
      method: reads ? 'GET' : (method as Method),
      path: target.path,
      search: target.search,
      authorization: req.headers.authorization,
      ifMatch: req.headers['if-match'],
      ifNoneMatch: req.headers['if-none-match'],
      idempotencyKey: headerText(req.headers['idempotency-key']),
      body: body?.json,
      form: body?.form === true,
      baseUrl,
      address: this.#address(req),
      userAgent: req.headers['user-agent'],
    })
  }

  /** Tells once of a proxy that seems to stand in front and is not trusted. */
  #address(req: IncomingMessage): string {
    const { trustProxy = false, log } = this.#options
    if (!trustProxy && !this.#isProxyTold && req.headers['x-forwarded-for'] !== undefined) {
      this.#isProxyTold = true
      const message =
        'a request came with X-Forwarded-For: if there is a proxy in front, trust it (trustProxy), or all its clients ' +
        'count as one address, in rates and in failed sign-ins'
      log?.warn({ from: req.socket.remoteAddress }, message)
    }
    return addressOf(req, trustProxy)
  }

  #body(req: IncomingMessage, path: string, { body }: Mounting): Body | Promise<Body> {
    return body === undefined ? readBody(req, path, this.#limits) : adoptBody(req, body, path, this.#limits)
  }

  #refuse(method: string | undefined, startedAt: number): ApiReply {
    const error = new AppError('not_allowed', `The method ${method} is not supported`)
    return { ...errorReply(error, startedAt, this.#now()), headers: { Allow: METHODS } }
  }

  /** The query string stays out of the log: it may hold tokens and passwords. */
  #logRequest(
    req: IncomingMessage,
    { path }: Target,
    requestId: string,
    startedAt: number,
    status: number | 'aborted',
  ) {
    this.#options.log?.info(
      { requestId, method: req.method, path, status, duration: this.#now() - startedAt },
      'request',
    )
  }
}

/** A header that is sent twice is joined, as Node does with those it knows (RFC 9110, 5.3). */
const headerText = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value

/** Splits a request target at its first `?`. Proxies send whole URLs; what precedes the path is dropped. */
const targetOf = (url = '/'): Target => {
  const target = url.startsWith('/') ? url : url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*|^\*$/i, '')
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  return { path: path === '' ? '/' : path, search: mark === -1 ? '' : target.slice(mark + 1) }
}
