import type { Call, CallOptions, Envelope } from './call.js'
import { segment } from './entity.js'
import type { MakePasskey, PasskeyCreationOptions } from './passkeys.js'
import type { Session } from './session.js'
import { type TokenReply, tokensIn } from './tokens.js'

/** What somebody can prove who he is with, beside his password. Times are UTC milliseconds. */
export interface FactorList {
  totp: { confirmed: boolean; created: number } | null
  passkeys: Passkey[]
  /** How many are left. */
  recoveryCodes: number
}

export interface Passkey {
  id: string
  name: string
  created: number
  used: number | null
}

/** Shown once, as text that people keep. */
export interface RecoveryCodes {
  recoveryCodes: string[]
}

/** Changes of factors take the password, or a sign-in of the last ten minutes. */
export interface Proven extends CallOptions {
  password?: string
}

/** The second factors of one user or administrator. */
export class Factors {
  readonly #session: Session
  readonly #path: string
  readonly #bearer: string | undefined

  /** `path` is that of whom they belong to. `bearer` is a token that counts for nothing else. */
  constructor(session: Session, path: string, bearer?: string) {
    this.#session = session
    this.#path = `${path}/factors`
    this.#bearer = bearer
  }

  list(options?: CallOptions): Promise<FactorList> {
    return this.#send('GET', '', options)
  }

  /** Offers a secret to an authenticator app; show `uri` as a QR code. It counts once a code of it was confirmed. */
  addTotp(options?: Proven): Promise<{ secret: string; uri: string }> {
    return this.#send('POST', '/totp', options)
  }

  /**
   * Confirms with a code that the app has the secret. In an enrolment this also signs in.
   * @throws {ValidationError} for a wrong code.
   */
  confirmTotp(code: string, options?: CallOptions): Promise<RecoveryCodes> {
    return this.#enrolled('/totp/confirm', { code }, options)
  }

  removeTotp(options?: Proven): Promise<FactorList> {
    return this.#send('DELETE', '/totp', options)
  }

  /** Ten new ones, in place of those that are left. */
  async newRecoveryCodes(options?: Proven): Promise<string[]> {
    return (await this.#send<RecoveryCodes>('POST', '/recovery-codes', options)).recoveryCodes
  }

  /** Has a passkey made. In an enrolment this also signs in. Recovery codes come with the first factor. */
  async addPasskey(
    name: string,
    make: MakePasskey,
    { password, ...options }: Proven = {},
  ): Promise<Passkey & Partial<RecoveryCodes>> {
    const asked = await this.#send<PasskeyCreationOptions>('POST', '/passkeys/options', {
      ...options,
      password,
    })
    // People take their time, which is not that of a call.
    const response = await make(asked)
    return this.#enrolled('/passkeys', { name, response }, options)
  }

  removePasskey(id: string, options?: Proven): Promise<FactorList> {
    return this.#send('DELETE', `/passkeys/${segment(id)}`, options)
  }

  /** Removes them all: for administrators, of somebody who has lost his. */
  removeAll(options?: Proven): Promise<FactorList> {
    return this.#send('DELETE', '', options)
  }

  async #enrolled<T>(path: string, body: object, options?: CallOptions): Promise<T> {
    const { signIn, ...made } = await this.#send<T & { signIn?: TokenReply }>('POST', path, options, body)
    if (signIn !== undefined) this.#session.useTokens(tokensIn(signIn))
    return made as T
  }

  async #send<T>(
    method: Call['method'],
    path: string,
    { password, ...options }: Proven = {},
    body: object | undefined = password === undefined ? undefined : { password },
  ): Promise<T> {
    const call: Call = { ...options, method, path: this.#path + path, body }
    if (this.#bearer !== undefined) call.bearer = this.#bearer
    return (await this.#session.send<Envelope>(call)).data as T
  }
}
