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

  signOut(): void {
    this.#session.useToken(undefined)
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
const appsOf = (organization: string) => `${orgOf(organization)}/apps`
