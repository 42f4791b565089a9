import type { Call, CallOptions, Envelope, RequestOptions } from './call.js'
import { segment } from './entity.js'
import { type ActiveSignIn, Entrance, type LeaveOptions, type SignInOptions } from './entrance.js'
import { Factors } from './factors.js'
import { type Credentials, ManagedApplication, readCredentials } from './managed-application.js'
import type {
  Administrator,
  AdministratorChanges,
  NewAdministrator,
  NewOrganization,
  Organization,
  OrganizationSettings,
  PageOptions,
  WholeOrganization,
} from './organizations.js'
import type { UsePasskey } from './passkeys.js'
import { Session, type SessionOptions, type Target } from './session.js'
import type { Tokens } from './tokens.js'

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

  /** Makes an account, and adds it. With an address that there is already, `addMember` is the way. */
  async createMember(
    organization: string,
    account: NewAdministrator,
    options?: CallOptions,
  ): Promise<Administrator> {
    const reply = await this.request('POST', membersOf(organization), { ...options, body: account })
    return (reply.data as { user: Administrator }).user
  }

  async organization(name: string, options?: CallOptions): Promise<WholeOrganization> {
    return (await this.request('GET', orgOf(name), options))['organization'] as WholeOrganization
  }

  /** Merges `properties`, of which `""` removes one, and `settings` into what is there. */
  async updateOrganization(
    name: string,
    changes: { properties?: Record<string, unknown>; settings?: OrganizationSettings },
    options?: CallOptions,
  ): Promise<WholeOrganization> {
    const reply = await this.request('PUT', orgOf(name), { ...options, body: changes })
    return reply['organization'] as WholeOrganization
  }

  /** Creates an organization, its first administrator, and an application named `sandbox`. */
  async createOrganization(
    organization: NewOrganization,
    options?: CallOptions,
  ): Promise<{ owner: Administrator; organization: Organization }> {
    const reply = await this.request('POST', '/orgs', { ...options, body: organization })
    return reply.data as { owner: Administrator; organization: Organization }
  }

  /** Creates an organization of whoever is signed in, without an application. */
  async createOwnOrganization(organization: string, options?: CallOptions): Promise<Organization> {
    const reply = await this.request('POST', '/users/me/orgs', { ...options, body: { organization } })
    return reply.data as Organization
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

  /** Those that `restoreApplication` can bring back, by the names that they had. */
  async deletedApplications(organization: string, options?: CallOptions): Promise<Record<string, string>> {
    const reply = await this.request('GET', appsOf(organization), { ...options, query: { deleted: 'true' } })
    return reply.data as Record<string, string>
  }

  /**
   * Brings a deleted application back, with a new client secret.
   * @throws {ConflictError} `conflict` if another one has its name by now.
   */
  async restoreApplication(organization: string, uuid: string, options?: CallOptions): Promise<void> {
    await this.request('PUT', `${appsOf(organization)}/${segment(uuid)}`, options)
  }

  /** One application, to read, change and delete. Makes no request. */
  application(organization: string, name: string): ManagedApplication {
    return new ManagedApplication(this.#session, organization, name)
  }

  /** Credentials of an organization, or of one of its applications. */
  credentials(organization: string, application?: string, options?: CallOptions): Promise<Credentials> {
    if (application !== undefined) return this.application(organization, application).credentials(options)
    return readCredentials(this.#session, 'GET', `/management${orgOf(organization)}`, options)
  }

  /** Makes a new client secret of an organization, and ends the old one at once. */
  renewCredentials(organization: string, options?: CallOptions): Promise<Credentials> {
    return readCredentials(this.#session, 'POST', `/management${orgOf(organization)}`, options)
  }

  // What system administrators do

  /** One page of all organizations, the newest first. */
  async allOrganizations({ limit, cursor, ...options }: PageOptions = {}): Promise<{
    organizations: (Organization & Pick<WholeOrganization, 'applications'>)[]
    cursor?: string
  }> {
    return this.request('GET', '/orgs', { ...options, query: { limit, cursor } })
  }

  /** One page of all administrators, the newest first. */
  async administrators({ limit, cursor, ...options }: PageOptions = {}): Promise<{
    administrators: Administrator[]
    cursor?: string
  }> {
    const reply = await this.request('GET', '/users', { ...options, query: { limit, cursor } })
    const administrators = reply.data as Administrator[]
    return reply.cursor === undefined ? { administrators } : { administrators, cursor: reply.cursor }
  }

  /** Texts that an organization's tools keep, such as addresses of their own pages, with defaults for the others. */
  async configuration(organization: string, options?: CallOptions): Promise<Record<string, string>> {
    return this.#configuration('GET', organization, options)
  }

  /** Changes some of them, of which `''` removes one, and resolves with all. */
  async configure(
    organization: string,
    changes: Record<string, string>,
    options?: CallOptions,
  ): Promise<Record<string, string>> {
    return this.#configuration('PUT', organization, { ...options, body: changes })
  }

  async #configuration(
    method: 'GET' | 'PUT',
    organization: string,
    options?: RequestOptions,
  ): Promise<Record<string, string>> {
    const reply = await this.request(method, `${orgOf(organization)}/config`, options)
    return reply['configuration'] as Record<string, string>
  }

  /** Makes an administrator of no organization. Anybody may, while the server is open to that. */
  async createAdministrator(account: NewAdministrator, options?: CallOptions): Promise<Administrator> {
    const reply = await this.request('POST', '/users', { ...options, body: account })
    return (reply.data as { user: Administrator }).user
  }

  /** By username, e-mail address or uuid. */
  async administrator(ref: string, options?: CallOptions): Promise<Administrator> {
    const path = `/users/${segment(ref)}`
    return (await this.request('GET', path, { ...options, query: { shallow: 'true' } })).data as Administrator
  }

  /** Also decides whether he may sign in: `{ disabled: true }`. */
  async updateAdministrator(
    ref: string,
    changes: AdministratorChanges & { activated?: boolean; confirmed?: boolean; disabled?: boolean },
    options?: CallOptions,
  ): Promise<Administrator> {
    const reply = await this.request('PUT', `/users/${segment(ref)}`, { ...options, body: changes })
    return reply.data as Administrator
  }

  /** Any other request below `/management`. */
  request<T = Envelope>(method: Call['method'], path: string, options?: RequestOptions): Promise<T> {
    return this.#session.send<T>({ ...options, method, path: `/management${path}` })
  }
}

const orgOf = (organization: string) => `/orgs/${segment(organization)}`
const membersOf = (organization: string) => `${orgOf(organization)}/users`
const appsOf = (organization: string) => `${orgOf(organization)}/apps`
