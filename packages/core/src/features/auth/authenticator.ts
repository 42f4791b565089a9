import type { Application, Caller } from '../../api/caller.js'
import { isLoopback, networkIn } from '../../api/network.js'
import { GUEST, type Principal, principalLabel } from '../../api/principal.js'
import type { ApiRequest } from '../../api/request.js'
import { type Params, param } from '../../api/url.js'
import { AppError, unauthorized } from '../../domain/errors.js'
import { isJsonObject } from '../../domain/json.js'
import type { StoredEntity } from '../../storage/store.js'
import type { GrantsSource } from '../roles/index.js'
import { type Claims, corrupt, expired, type TokenKeeper } from './claims.js'

/** What authentication asks of administrators and clients. */
export interface Accounts {
  admin(uuid: string): Promise<AdminState | null>
  /** Since when (UTC milliseconds) tokens of a client are good; `null` where there is none any more. */
  clientSince(collection: 'organizations' | 'applications', uuid: string): Promise<number | null>
  /** The organization or application with these client credentials. */
  client(id: string, secret: string): Promise<StoredEntity | null>
  /** Told of wrong client credentials. @throws {AppError} `too_many_requests` */
  clientFailed(network: string | undefined): Promise<void>
  /**
   * The administrator with this name and password, when it is a system administrator's.
   * @throws {AppError} `too_many_requests`
   */
  sysadmin(username: string, password: string, network: string | undefined): Promise<string | null>
}

/** An administrator as authentication needs him. */
export interface AdminState {
  uuid: string
  username: string
  activated: boolean
  disabled: boolean
  isSysadmin: boolean
  organizations: ReadonlySet<string>
  tokensSince: number
  /** Of a token that stays good although it was issued before that. */
  tokenKept: string | undefined
  revokedTokens: ReadonlySet<string>
}

export interface AuthenticatorOptions {
  tokens: TokenKeeper
  accounts: Accounts
  grants: GrantsSource
  /** Whether a token is good for setting up a second factor, and for nothing else; `null` for any other. */
  enrols?: ((token: string, app: Application | null) => Promise<boolean> | null) | undefined
  /** System administrators are let in from the machine of the server alone. */
  localSysadmins?: boolean | undefined
  /** UTC milliseconds. */
  clock: () => number
}

const NOBODY: ReadonlySet<string> = new Set()
// Whatever follows is credentials, also what cannot be right: it must not pass for none.
const BEARER = /^bearer +(\S.*)$/i
const BASIC = /^basic +(\S.*)$/i

/**
 * Finds out who is asking (identity rules 2.6): a token in the query, then in the header, then client
 * credentials, then Basic. Bad credentials are an error even where a guest would be let in.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions

  constructor(options: AuthenticatorOptions) {
    this.#options = options
  }

  /** @throws {AppError} 401 with `auth_unverified_oath`, `expired_token`, `auth_invalid`, `invalid_client` and others. */
  async authenticate(request: ApiRequest, params: Params, app: Application | null): Promise<Caller> {
    if (request.principal !== undefined) return this.callerFor(request.principal, app)
    const caller = await this.#identify(request, params, app)
    const isNear = request.address === undefined || isLoopback(request.address)
    if (this.#options.localSysadmins === true && caller.principal.kind === 'sysadmin' && !isNear)
      throw unauthorized('System administrators are let in from the machine of the server only')
    return caller
  }

  async #identify(request: ApiRequest, params: Params, app: Application | null): Promise<Caller> {
    const given = (name: string): string | undefined => param(params, name) ?? formField(request, name)
    const token = given('access_token') || BEARER.exec(request.authorization ?? '')?.[1]
    if (token !== undefined) return this.#byToken(token, app)
    const id = given('client_id')
    const secret = given('client_secret')
    if (id !== undefined && secret !== undefined) {
      const client = await this.#options.accounts.client(id, secret)
      if (client === null) {
        await this.#options.accounts.clientFailed(networkIn(request))
        throw new AppError('invalid_client', 'Unable to authenticate (OAuth)')
      }
      return this.#clientCaller(client)
    }
    const basic = BASIC.exec(request.authorization ?? '')?.[1]
    if (basic !== undefined) return this.#byBasic(basic, networkIn(request))
    return this.callerFor(GUEST, app)
  }

  async callerFor(principal: Principal, app: Application | null, token?: string): Promise<Caller> {
    const caller = {
      principal,
      label: principalLabel(principal),
      organizations: NOBODY,
      self: null,
      grants: null,
      token,
    }
    switch (principal.kind) {
      case 'guest': {
        if (app === null) return caller
        const { grants } = this.#options
        return { ...caller, grants: await grants.forGuests(app.id), hidden: await grants.hidden(app.id) }
      }
      case 'user':
        return app === null || principal.app !== app.uuid
          ? caller
          : this.#userCaller(principal.uuid, app, null, token)
      case 'admin':
        return this.#adminCaller(principal.uuid, null, token)
      default:
        return caller
    }
  }

  async #byToken(token: string, app: Application | null): Promise<Caller> {
    const enrols = this.#options.enrols?.(token, app) ?? null
    if (enrols !== null) {
      if (!(await enrols)) throw expired()
      // With no rights at all, not even a guest's.
      return this.callerFor(GUEST, null, token)
    }
    const claims = await this.#options.tokens.verify(token, this.#options.clock())
    const { owner } = claims
    switch (owner.kind) {
      case 'user':
        if (app === null || owner.app !== app.uuid)
          return this.callerFor({ ...owner, username: '' }, app, token)
        return this.#userCaller(owner.uuid, app, claims, token)
      case 'admin':
        return this.#adminCaller(owner.uuid, claims, token)
      case 'organization':
        await this.#checkClient('organizations', owner.organization, claims)
        return this.callerFor(owner, app, token)
      case 'application':
        await this.#checkClient('applications', owner.app, claims)
        return this.callerFor(owner, app, token)
      default:
        return this.callerFor(owner, app, token)
    }
  }

  async #checkClient(
    collection: 'organizations' | 'applications',
    uuid: string,
    { issuedAt }: Claims,
  ): Promise<void> {
    const since = await this.#options.accounts.clientSince(collection, uuid)
    if (since === null) throw corrupt()
    if (issuedAt < since) throw new AppError('auth_invalid', 'Unable to authenticate')
  }

  async #byBasic(encoded: string, network: string | undefined): Promise<Caller> {
    const [name = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
    const secret = rest.join(':')
    const client = await this.#options.accounts.client(name, secret)
    if (client !== null) return this.#clientCaller(client)
    const sysadmin = await this.#options.accounts.sysadmin(name, secret, network)
    if (sysadmin === null)
      throw new AppError('auth_invalid_credentials', 'Unable to authenticate due to bad credentials')
    return this.#adminCaller(sysadmin, null)
  }

  async #userCaller(uuid: string, app: Application, claims: Claims | null, token?: string): Promise<Caller> {
    const user = await this.#options.grants.forUser(app.id, uuid)
    checkState(user, claims)
    const actor = claims?.actor ?? null
    if (claims !== null && actor !== null) await this.#checkActor(actor, app, claims)
    const principal: Principal = { kind: 'user', app: app.uuid, uuid, username: user.username }
    const self = { uuid, username: user.username }
    return {
      principal,
      label: actor === null ? `user:${uuid}` : `user:${uuid} by ${actor}`,
      organizations: NOBODY,
      self,
      grants: user.grants,
      hidden: await this.#options.grants.hidden(app.id),
      token,
    }
  }

  /** A token that somebody had made for a user is no better than his own would be. */
  async #checkActor(actor: string, app: Application, claims: Claims): Promise<void> {
    const [, kind, uuid = ''] = /^(admin|organization|application):(.+)$/.exec(actor) ?? []
    if (kind === 'organization') return this.#checkClient('organizations', uuid, claims)
    if (kind === 'application') return this.#checkClient('applications', uuid, claims)
    if (kind !== 'admin') return
    const admin = await this.#options.accounts.admin(uuid)
    const isGood =
      admin?.activated === true &&
      !admin.disabled &&
      claims.issuedAt >= admin.tokensSince &&
      (admin.isSysadmin || admin.organizations.has(app.organization))
    if (!isGood) throw new AppError('auth_invalid', 'Unable to authenticate')
  }

  async #adminCaller(uuid: string, claims: Claims | null, token?: string): Promise<Caller> {
    const admin = await this.#options.accounts.admin(uuid)
    checkState(admin, claims)
    const { username, organizations, isSysadmin } = admin
    const principal: Principal = isSysadmin ? { kind: 'sysadmin' } : { kind: 'admin', uuid, username }
    return { principal, label: `admin:${uuid}`, organizations, self: { uuid, username }, grants: null, token }
  }

  #clientCaller(client: StoredEntity): Promise<Caller> {
    const { collection, uuid } = client
    return this.callerFor(
      collection === 'organizations'
        ? { kind: 'organization', organization: uuid }
        : { kind: 'application', app: uuid },
      null,
    )
  }
}

/** Credentials may be in a form; those in a JSON body are for the token endpoint alone. */
const formField = ({ form, body }: ApiRequest, name: string): string | undefined => {
  const value = form === true && isJsonObject(body) ? body[name] : undefined
  return typeof value === 'string' ? value : undefined
}

interface AccountState {
  activated: boolean
  disabled: boolean
  tokensSince: number
  tokenKept: string | undefined
  revokedTokens: ReadonlySet<string>
}

function checkState<A extends AccountState>(account: A | null, claims: Claims | null): asserts account is A {
  if (account === null) throw corrupt()
  if (account.disabled) throw new AppError('authentication', 'Disabled identity')
  if (!account.activated) throw new AppError('authentication', 'Unactivated identity')
  if (claims === null) return
  const { id, issuedAt, signIn } = claims
  const isOld = issuedAt < account.tokensSince && id !== account.tokenKept
  const { revokedTokens } = account
  if (isOld || revokedTokens.has(id) || (signIn !== null && revokedTokens.has(signIn))) {
    throw new AppError('auth_invalid', 'Unable to authenticate')
  }
}
