import type { Call, CallOptions, Envelope, RequestOptions } from './call.js'
import { segment } from './entity.js'
import { Session, type SessionOptions, type Target } from './session.js'

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
export const createAdminClient = (options: Target & SessionOptions): AdminClient =>
  new AdminClient(new Session(options))

export class AdminClient {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  get token(): string | undefined {
    return this.#session.token
  }

  set token(token: string | undefined) {
    this.#session.useToken(token)
  }

  /** When the token of the last sign-in expires, in UTC milliseconds. */
  get tokenExpiresAt(): number | undefined {
    return this.#session.expiresAt
  }

  /** @throws {AuthenticationError} `invalid_grant` if the credentials are wrong or the account is not active. */
  async signIn(username: string, password: string, options?: CallOptions): Promise<Administrator> {
    const credentials = { grant_type: 'password', username, password }
    return (await this.#session.signIn('/management/token', credentials, options)).user as Administrator
  }

  /** Forgets the token; `everywhere` also ends all tokens that the administrator has, on any device. */
  async signOut({
    everywhere = false,
    ...options
  }: CallOptions & { everywhere?: boolean } = {}): Promise<void> {
    try {
      if (everywhere) await this.request('PUT', '/users/me/revoketokens', options)
    } finally {
      this.#session.useToken(undefined)
    }
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
  async changePassword(oldPassword: string, newPassword: string, options?: CallOptions): Promise<void> {
    const body = { oldpassword: oldPassword, newpassword: newPassword }
    await this.request('PUT', '/users/me/password', { ...options, body })
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
