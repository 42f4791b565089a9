import type { Call, CallOptions, Envelope } from './call.js'
import { segment } from './entity.js'
import { AuthenticationError, EntigridError, NotFoundError, PermissionError } from './errors.js'
import { Factors } from './factors.js'
import type { PasskeyRequestOptions, UsePasskey } from './passkeys.js'
import {
  type SecondFactor,
  SecondFactorEnrolmentRequired,
  SecondFactorRequired,
  type SecondStepBody,
} from './second-factor.js'
import type { Session } from './session.js'

/** What the tokens of a sign-in are like. */
export interface Lasting {
  /** Milliseconds the token lives; at most, and by default, what the application allows. */
  ttl?: number
  /** Stays signed in: asks for a refresh token, with which the client has its access token renewed. */
  refresh?: boolean
}

export type SignInOptions = Lasting & CallOptions

export interface SignIn extends Lasting {
  /** Username or e-mail address. */
  username: string
  password: string
  /** A code of his authenticator app, where it is asked for at once. */
  code?: string
}

/** Somebody who is signed in somewhere. Times are UTC milliseconds. */
export interface ActiveSignIn {
  id: string
  /** What he proved who he is with: `password`, `passkey`, the name of a provider; `password+totp` for both. */
  how: string
  created: number
  /** When its tokens were last renewed. */
  used: number
  /** What the program called itself, such as the name of a browser. */
  device?: string
  /** The network it came from. */
  address?: string
  /** Whether it is that of this client. */
  current: boolean
}

export interface LeaveOptions extends CallOptions {
  /** Ends all sign-ins, on every device. */
  everywhere?: boolean
}

/** Signing in to an application or the management plane as a `U`, and what belongs to whoever is signed in. */
export class Entrance<U> {
  readonly #session: Session
  readonly #home: string
  readonly factors: Factors

  constructor(session: Session, home: string) {
    this.#session = session
    this.#home = home
    this.factors = new Factors(session, `${home}/users/me`)
  }

  /** @throws {SecondFactorRequired} {SecondFactorEnrolmentRequired} {AuthenticationError} */
  async enter(proof: object, { ttl, refresh, ...options }: SignInOptions = {}, path?: string): Promise<U> {
    try {
      const { user } = await this.#session.signIn({ ...proof, ttl, refresh }, options, path)
      return user as U
    } catch (error) {
      throw this.#secondStepOf(error)
    }
  }

  async enterWithPasskey(use: UsePasskey, options: SignInOptions = {}): Promise<U> {
    const { ttl: _, refresh: __, ...asking } = options
    const path = `${this.#home}/auth/passkey/options`
    const call: Call = { ...asking, method: 'POST', path, bearer: '' }
    const asked = await this.#session.send<{ options: PasskeyRequestOptions; token: string }>(call)
    // People take their time, which is not that of a call.
    const response = await use(asked.options)
    return this.enter({ grant_type: 'passkey', token: asked.token, response }, options)
  }

  /** Ends the sign-in, or with `everywhere` all that there are. The tokens are forgotten in any case. */
  async leave({ everywhere = false, ...options }: LeaveOptions = {}): Promise<void> {
    const { token, refreshToken = token } = this.#session.tokens
    try {
      if (everywhere) await this.#own('PUT', '/revoketokens', options)
      else if (refreshToken !== undefined)
        await this.#own('POST', '/revoketoken', { ...options, body: { token: refreshToken } })
    } catch (error) {
      // One that is over already needs no end.
      if (everywhere || !isRefusal(error)) throw error
    } finally {
      this.#session.useTokens()
    }
  }

  async signIns(options?: CallOptions): Promise<ActiveSignIn[]> {
    return (await this.#own('GET', '/signins', options)).data as ActiveSignIn[]
  }

  async end(id: string, options?: CallOptions): Promise<void> {
    await this.#own('DELETE', `/signins/${segment(id)}`, { ...options, repeatable: true })
  }

  async changePassword(oldPassword: string, newPassword: string, options?: CallOptions): Promise<void> {
    const body = { oldpassword: oldPassword, newpassword: newPassword }
    await this.#own('PUT', '/password', { ...options, body })
  }

  async requestPasswordReset(
    email: string,
    captcha: string | undefined,
    options?: CallOptions,
  ): Promise<void> {
    const body = { email, recaptcha_response: captcha }
    const path = `${this.#home}/users/resetpw`
    await this.#session.send({ ...options, method: 'POST', path, body, bearer: '' })
  }

  async resetPassword(user: string, token: string, password: string, options?: CallOptions): Promise<void> {
    const body = { token, password1: password, password2: password }
    const path = `${this.#home}/users/${segment(user)}/resetpw`
    await this.#session.send({ ...options, method: 'POST', path, body, bearer: '' })
  }

  #own(method: Call['method'], path: string, rest: Partial<Call> = {}): Promise<Envelope> {
    return this.#session.send({ ...rest, method, path: `${this.#home}/users/me${path}` })
  }

  #secondStepOf(error: unknown): unknown {
    if (!(error instanceof EntigridError)) return error
    const { second_factor_token: token, passkey } = (error.body ?? {}) as Partial<SecondStepBody>
    if (token === undefined) return error
    if (error.code === 'second_factor_enrolment_required')
      return new SecondFactorEnrolmentRequired(
        error,
        new Factors(this.#session, `${this.#home}/users/me`, token),
      )
    return new SecondFactorRequired<U>(error, async (factor, options) => {
      const proof = await proofOf(factor, passkey!)
      return this.enter({ grant_type: 'second_factor', second_factor_token: token, ...proof }, options)
    })
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof AuthenticationError || error instanceof PermissionError || error instanceof NotFoundError

const proofOf = async (factor: SecondFactor, passkey: PasskeyRequestOptions): Promise<object> => {
  if ('passkey' in factor) return { passkey: await factor.passkey(passkey) }
  return 'code' in factor ? { code: factor.code } : { recovery_code: factor.recoveryCode }
}
