import { createHash } from 'node:crypto'
import type { Application } from '../../api/caller.js'
import { GUEST, principalLabel } from '../../api/principal.js'
import type { ApiReply } from '../../api/request.js'
import { type Call, fieldsOf } from '../../api/route.js'
import { param } from '../../api/url.js'
import { AppError, DuplicateError } from '../../domain/errors.js'
import type { Json, JsonObject } from '../../domain/json.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Grant, GrantRequest, Tokens } from '../auth/index.js'
import {
  type Codes,
  checkOnce,
  goBack,
  newOneTimeText,
  type OneTimeTexts,
  type Redirects,
  ReturnedError,
  readChallenge,
  readReturn,
  redirect,
  sendingBack,
} from '../authorize/index.js'
import type { Confirm, Identities, Linked } from './identities.js'
import type { Issuers } from './issuers.js'
import { notConfigured, type Providers } from './providers.js'
import type { Profile, Provider } from './types.js'

export interface ProviderSignInOptions {
  engine: Engine
  providers: Providers
  issuers: Issuers
  identities: Identities
  redirects: Redirects
  codes: Codes
  /** What is kept of browsers that are at a provider. */
  states: OneTimeTexts
  tokens: Tokens
  /** Scheme, host and path that browsers reach us by; they come back to nothing else. */
  publicUrl: string | undefined
  /** What notes, in a transaction, that a user's e-mail address was proved to be his. */
  confirming: (app: Application) => Promise<Confirm>
  /** Called once an account has another owner. */
  takenOver: (user: StoredEntity) => Promise<void>
}

/** What is kept of a browser that is at a provider. */
interface Journey {
  provider: string
  redirectUri: string
  /** The program's own. */
  state: string | null
  challenge: string
  nonce: string
  verifier: string
}

const ID_TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$/
const MAX_ID_TOKEN = 16_384
const NONCE = /^[\x21-\x7e]{1,500}$/
const TRIES = 3

/** Signing in to an application with an account that somebody has elsewhere. */
export class ProviderSignIn {
  readonly #options: ProviderSignInOptions

  constructor(options: ProviderSignInOptions) {
    this.#options = options
  }

  /** Where a provider sends browsers back to; `null` while nobody has said how browsers reach us. */
  callbackOf(app: Application, name: string): string | null {
    const publicUrl = this.#options.publicUrl
    return publicUrl === undefined ? null : `${publicUrl}/${app.name}/auth/${name}/callback`
  }

  /** Sends a browser to the provider. @throws {AppError} which a page shows. */
  async start(call: Call, app: Application, name: string): Promise<ApiReply> {
    const { engine, issuers, redirects, states } = this.#options
    checkOnce(call)
    const fields = fieldsOf(call)
    const to = readReturn(fields, await redirects.of(app.uuid))
    const provider = await this.#provider(app, name)
    const callback = this.#callback(app, provider)
    return sendingBack(call, to, async () => {
      const secrets = { nonce: newOneTimeText(), verifier: newOneTimeText() }
      const journey: Journey = {
        ...secrets,
        provider: provider.name,
        redirectUri: to.redirectUri,
        state: to.state ?? null,
        challenge: readChallenge(fields),
      }
      const state = newOneTimeText()
      await engine.transact(app.id, null, (edits) => states.keep(edits, state, { ...journey }))
      const url = await returning(() => issuers.begin(provider, callback, { ...secrets, state }))
      return redirect(call, url.href)
    })
  }

  /** Takes a browser that comes from the provider back to where it began. @throws {AppError} which a page shows. */
  async finish(call: Call, app: Application, name: string): Promise<ApiReply> {
    const { engine, redirects, states } = this.#options
    const state = param(call.params, 'state')
    const kept = await engine.transact(app.id, null, (edits) => states.take(edits, state))
    const journey = kept as Journey | null
    if (journey === null || journey.provider !== name.toLowerCase())
      throw new AppError('invalid_request', 'This took too long, or was done before: begin again')
    const provider = await this.#provider(app, name)
    const to = readReturn(goal(journey), await redirects.of(app.uuid))
    return sendingBack(call, to, async () => {
      const error = param(call.params, 'error')
      if (error !== undefined) throw refused(error)
      const profile = await this.#profileOf(call, app, provider, { ...journey, state: state! })
      return goBack(call, to, { code: await this.#codeFor(app, provider, profile, journey) })
    })
  }

  /**
   * Signs in somebody whose device has got an ID token, `{"id_token", "nonce"}`. A token is good once.
   * @throws {AppError} `invalid_request` for what is no such token, and when the provider cannot be asked;
   * `auth_unverified_oath`, `expired_token`, `invalid_grant`.
   */
  async withToken(app: Application, name: string, request: GrantRequest): Promise<Grant> {
    const { issuers, tokens } = this.#options
    const { id_token: idToken, nonce } = request.fields
    if (!isIdToken(idToken)) throw new AppError('invalid_request', 'id_token must be an ID token')
    if (typeof nonce !== 'string' || !NONCE.test(nonce))
      throw new AppError('invalid_request', 'nonce must be the text that the ID token was asked for with')
    tokens.checkLifetime(request.app, request.asked)
    const provider = await this.#provider(app, name)
    const { profile, expires } = await issuers.verify(provider, idToken, nonce)
    const { user, revoked } = await this.#link(app, provider, profile, (edits, linked) => {
      useUp(edits, idToken, expires)
      return { user: linked, revoked: tokens.lastRevokedWithin(edits, linked) }
    })
    const { asked, fields } = request
    return tokens.signIn(user, request.app, { ...asked, how: provider.name, revoked, fields })
  }

  async #provider(app: Application, name: string): Promise<Provider> {
    const provider = await this.#options.providers.find(app, name)
    if (provider === null) throw notConfigured(name.slice(0, 40))
    return provider
  }

  #callback(app: Application, { name }: Provider): string {
    const callback = this.callbackOf(app, name)
    if (callback !== null) return callback
    throw new AppError('not_implemented', 'Browsers cannot come back: the server has no publicUrl')
  }

  /** The address that the browser came back to is ours to say, whatever host it asked. */
  #profileOf(
    { request }: Call,
    app: Application,
    provider: Provider,
    secrets: Journey & { state: string },
  ): Promise<Profile> {
    const returned = new URL(this.#callback(app, provider))
    returned.search = request.search
    return returning(() => this.#options.issuers.finish(provider, returned, secrets))
  }

  async #codeFor(
    app: Application,
    provider: Provider,
    profile: Profile,
    { redirectUri, challenge }: Journey,
  ): Promise<string> {
    const { codes, tokens } = this.#options
    const meaning = { how: provider.name, isComplete: false, redirectUri, challenge, clientId: null }
    const code = newOneTimeText()
    await returning(() =>
      this.#link(app, provider, profile, (edits, user) => {
        const revoked = tokens.lastRevokedWithin(edits, user)
        codes.keep(edits, code, { ...meaning, user: user.uuid, revoked })
      }),
    )
    return code
  }

  /** Finds or makes the user, and does `work` in the same transaction. */
  async #link<T>(
    app: Application,
    provider: Provider,
    profile: Profile,
    work: (edits: Edits, user: StoredEntity) => T,
  ): Promise<T> {
    const { engine, identities, confirming, takenOver } = this.#options
    const confirm = await confirming(app)
    // Whoever is made is made by a guest: where these may not register, neither may he.
    const { linked, result } = await whenTaken(() => {
      const salt = newOneTimeText()
      return engine.transact(app.id, principalLabel(GUEST), (edits): { linked: Linked; result: T } => {
        const linked = identities.link(edits, { app, provider, confirm, salt }, profile)
        return { linked, result: work(edits, linked.user) }
      })
    })
    if (linked.isTakenOver) await takenOver(linked.user)
    return result
  }
}

const isIdToken = (value: Json | undefined): value is string =>
  typeof value === 'string' && value.length <= MAX_ID_TOKEN && ID_TOKEN.test(value)

/** @throws {AppError} `invalid_grant` when the token was used before. */
const useUp = (edits: Edits, idToken: string, expires: number): void => {
  const key = `once idtoken ${createHash('sha256').update(idToken).digest('base64url')}`
  if (edits.tx.reply(key) !== null) throw new AppError('invalid_grant', 'The ID token was used before')
  // It is good for a moment longer: clocks differ.
  const kept = Math.min(Math.ceil(expires) + 60_000, Number.MAX_SAFE_INTEGER)
  edits.tx.keepReply(key, 'used', kept)
}

const goal = ({ redirectUri, state }: Journey): JsonObject =>
  state === null ? { redirect_uri: redirectUri } : { redirect_uri: redirectUri, state }

const refused = (error: string): ReturnedError =>
  error === 'access_denied'
    ? new ReturnedError('access_denied', 'The provider was not allowed to tell who you are')
    : new ReturnedError('server_error', 'The provider could not tell who you are')

/** What went wrong with a provider is told to the program that sent the browser. @throws {ReturnedError} */
const returning = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const isOurs = error.code === 'invalid_request' || error.status >= 500
    const code = isOurs ? 'temporarily_unavailable' : 'access_denied'
    throw new ReturnedError(code, error.message, { cause: error })
  }
}

/** Tries again when somebody else has taken a name meanwhile, such as the same person in another window. */
const whenTaken = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let left = TRIES; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof DuplicateError) || left <= 1) throw error
    }
  }
}
