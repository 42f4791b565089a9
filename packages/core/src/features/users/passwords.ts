import { AppError, illegalArgument } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import {
  checkPassword,
  type HashCost,
  hashPassword,
  type KeptToken,
  type PasswordPolicy,
  type SignInRecords,
  verifyAgainstNothing,
  verifyPassword,
} from '../auth/index.js'
import { MailTokens } from '../mail/index.js'

const CREDENTIALS = 'credentials'
const PASSWORD = 'password'
const CHANGED = 'passwordChanged'

export interface PasswordsOptions {
  policy: PasswordPolicy
  cost?: HashCost | undefined
  records: SignInRecords
}

export interface PasswordChange {
  oldPassword: string | null
  newPassword: string
  /** The token that its owner goes on with. */
  kept?: KeptToken | null
  /** Checks the old password where tries are counted. */
  verify?: (oldPassword: string) => Promise<boolean>
}

/** Passwords of users and administrators: hashed, and kept beside the entity, never in it. */
export class Passwords {
  readonly #policy: PasswordPolicy
  readonly #cost: HashCost | undefined
  readonly #records: SignInRecords

  constructor({ policy, cost, records }: PasswordsOptions) {
    this.#records = records
    this.#policy = policy
    this.#cost = cost
  }

  /**
   * Hashes the password of a new user's body; the result stores it. A body without one makes a user who
   * cannot sign in. @throws {AppError} `illegal_argument`, `error_password_policy_violation`.
   */
  async secure(body: JsonObject): Promise<((edits: Edits, user: StoredEntity) => void) | null> {
    const { password } = body
    if (password === undefined || password === null || password === '') return null
    if (typeof password !== 'string') throw illegalArgument('The password must be a string', 'password')
    checkPassword(password, this.#policy)
    const hash = await hashPassword(password, this.#cost)
    return (edits, user) => {
      edits.tx.setEntry(user, CREDENTIALS, PASSWORD, hash)
      edits.tx.setEntry(user, CREDENTIALS, CHANGED, String(edits.now))
    }
  }

  /** When the password was last set, in UTC milliseconds. */
  async changedAt(engine: Engine, user: StoredEntity): Promise<number | null> {
    const at = (await engine.store.dictionary(user, CREDENTIALS)).get(CHANGED)
    return at === undefined ? null : Number(at)
  }

  /** Whether this is the user's password. A missing user takes as long as a wrong password. */
  async verify(engine: Engine, user: StoredEntity | null, password: string): Promise<boolean> {
    const stored =
      user === null ? undefined : (await engine.store.dictionary(user, CREDENTIALS)).get(PASSWORD)
    return stored === undefined
      ? verifyAgainstNothing(password, this.#cost)
      : verifyPassword(stored, password)
  }

  /**
   * Changes a password. Tokens issued before are revoked and sign-ins ended, but for the token `kept` and its sign-in.
   * Without `oldPassword` nothing is checked: only administrators come here so.
   * @throws {AppError} `illegal_argument` for an empty password, `auth_invalid_username_or_password`,
   * `error_password_policy_violation`, what `verify` throws.
   */
  async change(engine: Engine, principal: string, user: StoredEntity, change: PasswordChange): Promise<void> {
    await engine.transact(user.app, principal, await this.changing(engine, user, change))
  }

  /** The same, for a transaction that changes more; a missing user is refused like a wrong old password. */
  async changing(
    engine: Engine,
    user: StoredEntity | null,
    {
      oldPassword,
      newPassword,
      kept = null,
      verify = (password) => this.verify(engine, user, password),
    }: PasswordChange,
  ): Promise<(edits: Edits) => void> {
    const isRight = oldPassword === null || (await verify(oldPassword))
    if (!isRight || user === null) {
      throw new AppError(
        'auth_invalid_username_or_password',
        'Unable to authenticate due to username or password being incorrect',
      )
    }
    const store = await this.secure({ password: newPassword })
    if (store === null) throw illegalArgument('The new password must not be empty', 'newpassword')
    return (edits) => {
      const current = edits.get('users', user.uuid)
      store(edits, current)
      MailTokens.drop(edits, current, 'resetpw')
      this.#records.revokeAll(edits, current, kept)
    }
  }
}
