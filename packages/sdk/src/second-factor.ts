import type { CallOptions } from './call.js'
import { EntigridError } from './errors.js'
import type { Factors } from './factors.js'
import type { PasskeyRequestOptions, UsePasskey } from './passkeys.js'

export type Factor = 'totp' | 'recovery' | 'passkey'

/** A second proof of who somebody is: a code of his app, one of his recovery codes, or one of his passkeys. */
export type SecondFactor = { code: string } | { recoveryCode: string } | { passkey: UsePasskey }

/** The body of the refusal of a sign-in that takes a second step. */
export interface SecondStepBody {
  /** Good for ten minutes, and for nothing else. */
  second_factor_token: string
  factors?: Factor[]
  passkey?: PasskeyRequestOptions
}

/** The password was right, and a second factor is needed. `complete` goes on. */
export class SecondFactorRequired<U = unknown> extends EntigridError {
  override readonly name = 'SecondFactorRequired'
  /** Which of them he has. */
  readonly factors: readonly Factor[]
  readonly #complete: (factor: SecondFactor, options?: CallOptions) => Promise<U>

  constructor(error: EntigridError, complete: (factor: SecondFactor, options?: CallOptions) => Promise<U>) {
    super(error)
    this.factors = (error.body as SecondStepBody).factors ?? []
    this.#complete = complete
  }

  /**
   * Signs in, as the call that was refused would have done. May be tried again with another code.
   * @throws {AuthenticationError} `invalid_grant` for a wrong one, or after ten minutes.
   */
  complete(factor: SecondFactor, options?: CallOptions): Promise<U> {
    return this.#complete(factor, options)
  }
}

/** The password was right, and a second factor must be set up before anything else: with `factors`, which then signs in. */
export class SecondFactorEnrolmentRequired extends EntigridError {
  override readonly name = 'SecondFactorEnrolmentRequired'

  constructor(
    error: EntigridError,
    /** Those of whom it is about; `addTotp` and `confirmTotp`, or `addPasskey`. */
    readonly factors: Factors,
  ) {
    super(error)
  }
}
