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
  madeUpPassword,
  NOBODY,
  type PasswordPolicy,
  type SignInRecords,
  verifyAgainstNothing,
  verifyPassword,
} from '../auth/index.js'
import { MailTokens } from '../mail/index.js'
import { dropPins } from './pins.js'

const CREDENTIALS = 'credentials'
const PASSWORD = 'password'
const CHANGED = 'passwordChanged'
/** Hashes of the passwords before, the latest first, as JSON. */
const HISTORY = 'history'

export interface PasswordsOptions {
  /** What new passwords in an application must have. */
  policy: (app: number) => PasswordPolicy
  /** How many passwords before the present one somebody must not take again. */
  history: (user: StoredEntity) => Promise<number>
  cost?: HashCost | undefined
  records: SignInRecords
}

export interface PasswordChange {
  oldPassword: string | null
  newPassword: string
  /** The token that its owner goes on with. */
  kept?: KeptToken | null
  /** It may be one that was used before: the operator's own. */
  mayRepeat?: boolean
  /** Checks the old password where tries are counted. */
  verify?: (oldPassword: string) => Promise<boolean>
}

/** Passwords of users and administrators: hashed, and kept beside the entity, never in it. */
export class Passwords {
  readonly #policy: PasswordsOptions['policy']
  readonly #history: PasswordsOptions['history']
  readonly #cost: HashCost | undefined
  readonly #records: SignInRecords

  constructor({ policy, history, cost, records }: PasswordsOptions) {
    this.#records = records
    this.#policy = policy
    this.#history = history
    this.#cost = cost
  }

  /**
   * Hashes the password of the body of a new user of an application; the result stores it. A body without one makes a user who
   * cannot sign in. @throws {AppError} `illegal_argument`, `error_password_policy_violation`.
   */
  async secure(body: JsonObject, app: number): Promise<((edits: Edits, user: StoredEntity) => void) | null> {
    const { password } = body
    if (password === undefined || password === null || password === '') return null
    if (typeof password !== 'string') throw illegalArgument('The password must be a string', 'password')
    checkPassword(password, this.#policy(app))
    const hash = await hashPassword(password, this.#cost)
    return (edits, user) => {
      edits.tx.setEntry(user, CREDENTIALS, PASSWORD, hash)
      edits.tx.setEntry(user, CREDENTIALS, CHANGED, String(edits.now))
    }
  }

  /** A random password that an application's policy accepts. */
  madeUp(app: number): string {
    return madeUpPassword(this.#policy(app))
  }

  /** When the password was last set, in UTC milliseconds. */
  async changedAt(engine: Engine, user: StoredEntity): Promise<number | null> {
    const at = (await engine.store.dictionary(user, CREDENTIALS)).get(CHANGED)
    return at === undefined ? null : Number(at)
  }

  /** Whether this is the user's password. A missing user takes as long as a wrong password. */
  async verify(engine: Engine, user: StoredEntity | null, password: string): Promise<boolean> {
    const stored = (await engine.store.dictionary(user ?? NOBODY, CREDENTIALS)).get(PASSWORD)
    return stored === undefined
      ? verifyAgainstNothing(password, this.#cost)
      : verifyPassword(stored, password)
  }

  /**
   * Changes a password. Tokens issued before are revoked and sign-ins ended, but for the token `kept` and its sign-in.
   * Without `oldPassword` nothing is checked: only administrators come here so.
   * @throws {AppError} `illegal_argument` for an empty password, `auth_invalid_username_or_password`,
   * `error_password_policy_violation`, `recently_used_password`, what `verify` throws.
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
      mayRepeat = false,
      kept = null,
      verify = (password) => this.verify(engine, user, password),
    }: PasswordChange,
  ): Promise<(edits: Edits) => void> {
    // Read before the old password is looked at, which takes a while: another change may come between.
    const shown = (await engine.store.dictionary(user ?? NOBODY, CREDENTIALS)).get(PASSWORD)
    const isRight = oldPassword === null || (await verify(oldPassword))
    if (!isRight || user === null) throw wrongPassword()
    const store = await this.secure({ password: newPassword }, user.app)
    if (store === null) throw illegalArgument('The new password must not be empty', 'newpassword')
    const remembered = await this.#history(user)
    if (remembered > 0 && !mayRepeat) await this.#checkUnused(engine, user, newPassword, remembered)
    return (edits) => {
      const current = edits.get('users', user.uuid)
      const credentials = edits.tx.dictionary(current, CREDENTIALS)
      if (oldPassword !== null && credentials.get(PASSWORD) !== shown) throw wrongPassword()
      const used = usedIn(credentials).slice(0, remembered)
      edits.tx.setEntry(current, CREDENTIALS, HISTORY, used.length === 0 ? null : JSON.stringify(used))
      store(edits, current)
      MailTokens.drop(edits, current, 'resetpw')
      dropPins(edits, current)
      this.#records.revokeAll(edits, current, kept)
    }
  }

  /** @throws {AppError} `recently_used_password` for the present password and as many before it. */
  async #checkUnused(
    engine: Engine,
    user: StoredEntity,
    password: string,
    remembered: number,
  ): Promise<void> {
    const used = usedIn(await engine.store.dictionary(user, CREDENTIALS))
    // One after the other: each takes its share of memory.
    for (const hash of used.slice(0, remembered + 1))
      if (await verifyPassword(hash, password))
        throw new AppError('recently_used_password', 'This password was used recently; choose another')
  }
}

const wrongPassword = (): AppError =>
  new AppError(
    'auth_invalid_username_or_password',
    'Unable to authenticate due to username or password being incorrect',
  )

/** Hashes of the present password and those before it, as far as they were kept. */
const usedIn = (credentials: ReadonlyMap<string, string>): string[] => {
  const present = credentials.get(PASSWORD)
  const before = JSON.parse(credentials.get(HISTORY) ?? '[]') as string[]
  return present === undefined ? before : [present, ...before]
}
