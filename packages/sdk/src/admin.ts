import type { Call, CallOptions, Envelope, RequestOptions } from './call.js'
import { segment } from './entity.js'
import { type ActiveSignIn, Entrance, type LeaveOptions, type SignInOptions } from './entrance.js'
import { Factors } from './factors.js'
import type { UsePasskey } from './passkeys.js'
import { Session, type SessionOptions, type Target } from './session.js'
import type { Tokens } from './tokens.js'

/** Who signs in to manage organizations. */
export interface Administrator {
  uuid: string
  username: string
  name: string
  email: string
  activated: boolean
}

export interface NewOrganization {
  organization: string
  username: string
  email: string
  name?: string
  password: string
}

/** What an administrator changes of his account; further properties are his own. */
export interface AdministratorChanges {
  username?: string
  email?: string
  name?: string
  [property: string]: unknown
}

export interface Organization {
  uuid: string
  name: string
}

/** The identity of a program. Its secret is shown in full: keep it. */
export interface Credentials {
  clientId: string
  clientSecret: string
}

/** A client of the management plane: organizations and their applications. */
export const createAdminClient = (options: Target & SessionOptions): AdminClient => new AdminClient(options)

export class AdminClient {
  readonly #session: Session
  readonly #entrance: Entrance<Administrator>

  constructor(options: Target & SessionOptions) {
    this.#session = new Session(options, '/management')
    this.#entrance = new Entrance(this.#session, '/management')
  }

  get token(): string | undefined {
    return this.#session.tokens.token
  }

  set token(token: string | undefined) {
    this.tokens = token === undefined ? {} : { token }
  }

  /** When the token of the last sign-in expires, in UTC milliseconds. */
  get tokenExpiresAt(): number | undefined {
    return this.#session.tokens.expiresAt
  }

  /** All that a sign-in leaves behind. */
  get tokens(): Partial<Tokens> {
    return this.#session.tokens
  }

  set tokens(tokens: Partial<Tokens>) {
    this.#session.useTokens(tokens)
  }

  /**
   * @throws {AuthenticationError} `invalid_grant` if the credentials are wrong or the account is not active.
   * @throws {SecondFactorRequired} to go on with. {SecondFactorEnrolmentRequired} where he must set up one.
   */
  signIn(
    username: string,
    password: string,
    { code, ...options }: SignInOptions & { code?: string } = {},
  ): Promise<Administrator> {
    return this.#entrance.enter({ grant_type: 'password', username, password, code }, options)
  }

  signInWithPasskey(use: UsePasskey, options?: SignInOptions): Promise<Administrator> {
    return this.#entrance.enterWithPasskey(use, options)
  }

  /** Ends the sign-in on the server, with `everywhere` all that he has, and forgets the tokens in any case. */
  signOut(options?: LeaveOptions): Promise<void> {
    return this.#entrance.leave(options)
  }

  /** Where he is signed in. */
  signIns(options?: CallOptions): Promise<ActiveSignIn[]> {
    return this.#entrance.signIns(options)
  }

  endSignIn(id: string, options?: CallOptions): Promise<void> {
    return this.#entrance.end(id, options)
  }

  /** The second factors of whoever is signed in. */
  get factors(): Factors {
    return this.#entrance.factors
  }

  /** Those of another administrator, which system administrators may see and remove. */
  factorsOf(ref: string): Factors {
    return new Factors(this.#session, `/management/users/${segment(ref)}`)
  }

  /** Has a mail with a link sent, to choose a new password by; resolves also where nobody has that address. */
  requestPasswordReset(
    email: string,
    { captcha, ...options }: CallOptions & { captcha?: string } = {},
  ): Promise<void> {
    return this.#entrance.requestPasswordReset(email, captcha, options)
  }

  /** Sets a new password with the uuid and token of such a link. @throws {ValidationError} */
  resetPassword(user: string, token: string, password: string, options?: CallOptions): Promise<void> {
    return this.#entrance.resetPassword(user, token, password, options)
  }

  /** The administrator who is signed in. */
  async me(options?: CallOptions): Promise<Administrator> {
    const reply = await this.request('GET', '/users/me', { ...options, query: { shallow: 'true' } })
    return reply.data as Administrator
  }

  /** Changes the account of whoever is signed in. */
  async update(changes: AdministratorChanges, options?: CallOptions): Promise<Administrator> {
    return (await this.request('PUT', '/users/me', { ...options, body: changes })).data as Administrator
  }

  /**
   * Ends all other tokens of the administrator.
   * @throws {AuthenticationError} `auth_invalid_username_or_password` if the old password is wrong.
   */
  changePassword(oldPassword: string, newPassword: string, options?: CallOptions): Promise<void> {
    return this.#entrance.changePassword(oldPassword, newPassword, options)
  }

  /** Uuids, by name, of the organizations of whoever is signed in. */
  async organizations(options?: CallOptions): Promise<Record<string, string>> {
    return (await this.request('GET', '/users/me/orgs', options)).data as Record<string, string>
  }

  async members(organization: string, options?: CallOptions): Promise<Administrator[]> {
    return (await this.request('GET', membersOf(organization), options)).data as Administrator[]
  }

  /** Adds an administrator by username, e-mail address or uuid; adding a member again changes nothing. */
  async addMember(organization: string, ref: string, options?: CallOptions): Promise<Administrator> {
    return this.#member('PUT', organization, ref, options)
  }

  /** Removes a member, who may be `me`. @throws {ValidationError} `unable_to_leave_organization` for the last one. */
  async removeMember(organization: string, ref: string, options?: CallOptions): Promise<Administrator> {
    return this.#member('DELETE', organization, ref, options)
  }

  async #member(
    method: 'PUT' | 'DELETE',
    organization: string,
    ref: string,
    options?: CallOptions,
  ): Promise<Administrator> {
    const reply = await this.request(method, `${membersOf(organization)}/${segment(ref)}`, options)
    return (reply.data as { user: Administrator }).user
  }

  /** Creates an organization, its first administrator, and an application named `sandbox`. */
  async createOrganization(
    organization: NewOrganization,
    options?: CallOptions,
  ): Promise<{ owner: Administrator; organization: Organization }> {
    const reply = await this.request('POST', '/orgs', { ...options, body: organization })
    return reply.data as { owner: Administrator; organization: Organization }
  }

  /** Resolves with the uuid of the new application. */
  async createApplication(organization: string, name: string, options?: CallOptions): Promise<string> {
    const reply = await this.request('POST', appsOf(organization), { ...options, body: { name } })
    return reply['application'] as string
  }

  /** Uuids by full name: `{ 'acme/sandbox': '...' }`. */
  async applications(organization: string, options?: CallOptions): Promise<Record<string, string>> {
    return (await this.request('GET', appsOf(organization), options)).data as Record<string, string>
  }

  /** Credentials of an organization, or of one of its applications. */
  async credentials(organization: string, application?: string, options?: CallOptions): Promise<Credentials> {
    const owner =
      application === undefined ? orgOf(organization) : `${appsOf(organization)}/${segment(application)}`
    const reply = await this.request('GET', `${owner}/credentials`, options)
    const { client_id, client_secret } = reply['credentials'] as { client_id: string; client_secret: string }
    return { clientId: client_id, clientSecret: client_secret }
  }

  /** Any other request below `/management`. */
  request<T = Envelope>(method: Call['method'], path: string, options?: RequestOptions): Promise<T> {
    return this.#session.send<T>({ ...options, method, path: `/management${path}` })
  }
}

const orgOf = (organization: string) => `/orgs/${segment(organization)}`
const membersOf = (organization: string) => `${orgOf(organization)}/users`
const appsOf = (organization: string) => `${orgOf(organization)}/apps`
