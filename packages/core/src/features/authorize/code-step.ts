import type { StoredEntity } from '../../storage/store.js'
import type { TokenApplication } from '../auth/index.js'
import type { SecondSteps } from '../factors/index.js'

const DIGITS = /^[\d\s]+$/

/** The second step of a sign-in, as far as a page without scripts can ask for it: a code, of whichever kind. */
export class CodeStep {
  readonly #steps: SecondSteps

  constructor(steps: SecondSteps) {
    this.#steps = steps
  }

  /** Whether the user has codes that he must be asked for. */
  async isAsked(user: StoredEntity, app: TokenApplication | null): Promise<boolean> {
    const required = await this.#steps.required(user, app)
    return required.step === 'factor' && required.factors.some((factor) => factor !== 'passkey')
  }

  /** Takes a code of an authenticator app, or a recovery code. @throws {AppError} `invalid_grant`, `too_many_requests` */
  prove(
    user: StoredEntity,
    app: TokenApplication | null,
    code: string,
    network: string | undefined,
  ): Promise<void> {
    const kind = DIGITS.test(code) ? 'totp' : 'recovery'
    return this.#steps.proveCode(user, app, { kind, code }, network)
  }
}
