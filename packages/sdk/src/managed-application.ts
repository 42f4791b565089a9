import type { Call, CallOptions, Envelope } from './call.js'
import { segment } from './entity.js'
import type { Session } from './session.js'

/** The identity of a program. Its secret is shown in full: keep it. */
export interface Credentials {
  clientId: string
  clientSecret: string
}

/** An application with what is set of it; further properties are its own. */
export interface Application {
  uuid: string
  /** `acme/shop` */
  name: string
  organizationName: string
  applicationName: string
  /** Milliseconds that tokens live; 0 for ever. */
  accesstokenttl?: number
  [property: string]: unknown
}

/** Where users of an application may sign in with OpenID Connect. */
export interface ProviderSettings {
  /** Such as `https://accounts.google.com`. */
  issuer: string
  clientId: string
  clientSecret?: string
  /** Beside `openid`; by default `email` and `profile`. */
  scopes?: string[]
  /** Whether who has no account gets one. Default true. */
  signUp?: boolean
}

export interface Provider extends Required<Omit<ProviderSettings, 'clientSecret'>> {
  name: string
  hasSecret: boolean
  /** What the provider must know as where browsers come back to; `null` while the server does not know its own address. */
  callback: string | null
}

/** An application as those who administer it see it. */
export class ManagedApplication {
  readonly #session: Session
  readonly #managed: string
  readonly #path: string
  readonly #name: string

  constructor(session: Session, organization: string, name: string) {
    this.#session = session
    this.#name = name
    this.#path = `/${segment(organization)}/${segment(name)}`
    this.#managed = `/management/orgs/${segment(organization)}/apps/${segment(name)}`
  }

  get(options?: CallOptions): Promise<Application> {
    return this.#session.one({ ...options, method: 'GET', path: this.#managed })
  }

  /** Sets properties, such as `accesstokenttl` or `enforce2fa`; `null` removes one. */
  update(properties: Record<string, unknown>, options?: CallOptions): Promise<Application> {
    return this.#session.one({ ...options, method: 'PUT', path: this.#path, body: properties })
  }

  /** Hides it and frees its name; `restoreApplication` brings it back. Resolves with its uuid. */
  async delete(options?: CallOptions): Promise<string> {
    const query = { confirm_application_identifier: this.#name }
    const reply = await this.#send('DELETE', this.#managed, { ...options, query })
    return reply['application'] as string
  }

  credentials(options?: CallOptions): Promise<Credentials> {
    return readCredentials(this.#session, 'GET', this.#managed, options)
  }

  /** Makes a new secret, and ends the old one at once. */
  renewCredentials(options?: CallOptions): Promise<Credentials> {
    return readCredentials(this.#session, 'POST', this.#managed, options)
  }

  async providers(options?: CallOptions): Promise<Provider[]> {
    return (await this.#send('GET', `${this.#path}/auth/providers`, options)).data as Provider[]
  }

  /** Adds or replaces a provider. */
  async setProvider(name: string, settings: ProviderSettings, options?: CallOptions): Promise<Provider> {
    const reply = await this.#send('PUT', this.#provider(name), { ...options, body: settings })
    return reply.data as Provider
  }

  async removeProvider(name: string, options?: CallOptions): Promise<Provider> {
    return (await this.#send('DELETE', this.#provider(name), options)).data as Provider
  }

  /** The addresses that browsers go back to after signing in elsewhere. */
  redirectUris(options?: CallOptions): Promise<string[]> {
    return this.#redirects('GET', options)
  }

  /** Replaces them all. */
  setRedirectUris(redirectUris: string[], options?: CallOptions): Promise<string[]> {
    return this.#redirects('PUT', { ...options, body: { redirectUris } })
  }

  async #redirects(method: 'GET' | 'PUT', call?: Partial<Call>): Promise<string[]> {
    const { data } = await this.#send(method, `${this.#path}/auth/redirects`, call)
    return (data as { redirectUris: string[] }).redirectUris
  }

  #provider(name: string): string {
    return `${this.#path}/auth/providers/${segment(name)}`
  }

  #send(method: Call['method'], path: string, call?: Partial<Call>): Promise<Envelope> {
    return this.#session.send({ ...call, method, path })
  }
}

/** Those of an organization or application, or new ones by POST. */
export const readCredentials = async (
  session: Session,
  method: 'GET' | 'POST',
  owner: string,
  options?: CallOptions,
): Promise<Credentials> => {
  const reply = await session.send({ ...options, method, path: `${owner}/credentials` })
  const { client_id, client_secret } = reply['credentials'] as { client_id: string; client_secret: string }
  return { clientId: client_id, clientSecret: client_secret }
}
