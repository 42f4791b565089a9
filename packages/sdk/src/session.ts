import type { Call, CallOptions, Envelope, Reply } from './call.js'
import { type Deadline, openDeadline } from './deadline.js'
import { isRefused, withTag } from './entity-tag.js'
import { AuthenticationError, errorOfReply, RateLimitError, unexpectedReply } from './errors.js'
import { inProcess } from './in-process.js'
import { type RetryOptions, sleep, waitBeforeRetry } from './retry.js'
import { type OnTokenChange, TokenKeeper, type TokenReply, type Tokens, tokensIn } from './tokens.js'
import { type Engine, overHttp, type Transport, type WireReply, type WireRequest } from './transport.js'

/** Where the engine is: behind a URL or in this process. */
export type Target =
  | {
      /** Where the server is mounted, such as `https://api.example.org`; in browsers also a path. */
      url: string
      /** In place of the platform's `fetch`. */
      fetch?: typeof fetch
      engine?: undefined
    }
  | {
      engine: Engine
      /** Put before paths in replies. Default `http://localhost`. */
      baseUrl?: string
      url?: undefined
    }

export interface SessionOptions {
  /** Milliseconds for a whole call, repeats and waits included. Default 30,000; `Infinity` waits forever. */
  timeout?: number
  retry?: RetryOptions
  /** Tokens from an earlier sign-in. */
  token?: string
  refreshToken?: string
  /** Used, as HTTP Basic, while there is no token. Secrets do not belong in browsers. */
  clientId?: string
  clientSecret?: string
  onTokenChange?: OnTokenChange
}

/** Who the client is, and how its calls are sent. */
export class Session {
  readonly #transport: Transport
  readonly #timeout: number
  readonly #retry: Required<RetryOptions>
  readonly #basic: string | undefined
  readonly #tokenPath: string
  readonly #tokens: TokenKeeper
  /** What paths follow in addresses. */
  readonly baseUrl: string

  /** `home` is the path of whom it signs in to: `/management`, or an application. */
  constructor(
    {
      timeout = 30_000,
      retry,
      token,
      refreshToken,
      clientId,
      clientSecret,
      onTokenChange,
      ...target
    }: Target & SessionOptions,
    home: string,
  ) {
    this.baseUrl = (
      target.engine === undefined ? target.url : (target.baseUrl ?? 'http://localhost')
    ).replace(/\/+$/, '')
    this.#transport =
      target.engine === undefined
        ? overHttp(this.baseUrl, target.fetch)
        : inProcess(target.engine, this.baseUrl)
    this.#timeout = timeout
    this.#retry = { limit: 2, sleep, random: Math.random, ...retry }
    this.#basic = clientId === undefined ? undefined : `Basic ${btoa(`${clientId}:${clientSecret}`)}`
    this.#tokenPath = `${home}/token`
    const kept = { ...(token && { token }), ...(refreshToken && { refreshToken }) }
    this.#tokens = new TokenKeeper(kept, (refreshToken) => this.#exchange(refreshToken), onTokenChange)
  }

  get tokens(): Partial<Tokens> {
    return this.#tokens.kept
  }

  useTokens(tokens: Partial<Tokens> = {}): void {
    this.#tokens.use(tokens)
  }

  /**
   * Signs in with whatever proves who somebody is, and keeps the tokens. `path` is the token endpoint unless told.
   * @throws {AuthenticationError} `invalid_grant` if it does not.
   */
  async signIn(proof: object, options?: CallOptions, path = this.#tokenPath): Promise<TokenReply> {
    const call: Call = { ...options, method: 'POST', path, body: proof, bearer: '' }
    const reply = await this.#tokenReply(call)
    this.useTokens(tokensIn(reply))
    return reply
  }

  /** Lost replies are sent again by the server for a few seconds. */
  #exchange(refresh_token: string): Promise<TokenReply> {
    const body = { grant_type: 'refresh_token', refresh_token }
    return this.#tokenReply({ method: 'POST', path: this.#tokenPath, body, bearer: '', repeatable: true })
  }

  async #tokenReply(call: Call): Promise<TokenReply> {
    const reply = await this.send<TokenReply>(call)
    if (typeof reply.access_token !== 'string') throw unexpectedReply(200)
    return reply
  }

  /** Sends a call, again if that is safe and the failure temporary, and resolves with the reply's body. */
  async send<T = Envelope>(call: Call): Promise<T> {
    return (await this.reply<T>(call)).body
  }

  /** Sends a call whose reply has one entity. */
  async one<T>(call: Call): Promise<T> {
    const [entity] = (await this.send<Envelope<T>>(call)).entities ?? []
    if (entity === undefined) throw unexpectedReply(200)
    return entity
  }

  async reply<T>({ timeout = this.#timeout, signal, ...call }: Call): Promise<Reply<T>> {
    const deadline = openDeadline(timeout, signal)
    try {
      return await this.#attempt<T>(call, deadline)
    } finally {
      deadline.close()
    }
  }

  /** Lets several calls have the time of one: each is made with the options that `rest` returns. */
  async within<T>(
    { timeout = this.#timeout, signal }: CallOptions,
    work: (rest: () => CallOptions) => Promise<T>,
  ): Promise<T> {
    const deadline = openDeadline(timeout, signal)
    try {
      return await work(() => ({ signal: deadline.signal, timeout: Math.ceil(deadline.left()) }))
    } finally {
      deadline.close()
    }
  }

  async #attempt<T>(call: Call, { signal, left }: Deadline): Promise<Reply<T>> {
    const { limit, random, sleep } = this.#retry
    const isRepeatable = call.repeatable ?? (call.method === 'GET' || call.idempotencyKey !== undefined)
    /** The failure since which it is not known whether the request was carried out. */
    let doubt: unknown
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      try {
        return await this.#authorized<T>(call, signal)
      } catch (error) {
        signal.throwIfAborted()
        // The condition may have failed because the attempt before was carried out: that is no conflict.
        if (doubt !== undefined && isRefused(error)) throw doubt
        const isTurnedAway = error instanceof RateLimitError
        const wait =
          attempt < limit && (isRepeatable || isTurnedAway)
            ? waitBeforeRetry(error, attempt, random)
            : undefined
        if (wait === undefined || wait > left()) throw error
        // With an idempotency key, it would be answered as it was the first time.
        if (!isTurnedAway && call.idempotencyKey === undefined) doubt = error
        await sleep(wait, signal)
      }
    }
  }

  /** One exchange; a second one, with another token, where the first shows that the token is not good any more. */
  async #authorized<T>(call: Call, signal: AbortSignal): Promise<Reply<T>> {
    const isOurs = call.bearer === undefined
    if (isOurs && this.#tokens.areOver) await this.#tokens.renew(signal)
    const { token } = this.tokens
    try {
      return await this.#once(call, signal)
    } catch (error) {
      const isOver = error instanceof AuthenticationError && TOKEN_IS_OVER.test(error.code)
      if (!isOurs || !isOver || this.tokens.refreshToken === undefined) throw error
      // Another call may have seen it before.
      if (this.tokens.token === token) await this.#tokens.renew(signal)
      return this.#once(call, signal)
    }
  }

  async #once<T>(call: Call, signal: AbortSignal): Promise<Reply<T>> {
    return replyOf<T>(await this.#transport(this.#request(call, signal)))
  }

  #request({ query = {}, bearer = this.tokens.token, ...call }: Call, signal: AbortSignal): WireRequest {
    const authorization = bearer === undefined ? this.#basic : bearer && `Bearer ${bearer}`
    const { method, path, body, ifMatch, ifNoneMatch, idempotencyKey } = call
    return {
      method,
      path,
      search: searchOf(query),
      authorization: authorization || undefined,
      ifMatch,
      ifNoneMatch,
      idempotencyKey,
      body,
      signal,
    }
  }
}

/** Expired, revoked, or signed with a key that was given up: for each of these there may be another one. */
const TOKEN_IS_OVER = /^(expired_token|auth_invalid|auth_unverified_oath)$/

/** Blanks become `%20`: a `+` is read differently by the query language and by forms. */
const searchOf = (query: Record<string, string | number | undefined>): string =>
  Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&')

const replyOf = <T>({ status, text, header }: WireReply): Reply<T> => {
  if (status === 304) return { status, body: undefined as T }
  const requestId = header('x-request-id')
  const body = parsed(text)
  if (status >= 400)
    throw errorOfReply(status, body, { retryAfter: header('retry-after'), requestId, now: Date.now() })
  if (typeof body !== 'object' || body === null) throw unexpectedReply(status, requestId)
  withTag((body as Envelope).entities?.[0], header('etag'))
  return { status, body: body as T }
}

/** `undefined` for what is not JSON. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
