import { createHmac, randomInt } from 'node:crypto'
import { illegalArgument } from '../../domain/errors.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import {
  deriveKey,
  type HashCost,
  hashPassword,
  verifyAgainstNothing,
  verifyPassword,
} from '../auth/index.js'

export interface PinsOptions {
  engine: Engine
  secret: Buffer
  /** Characters of a pin that a user chooses, at least. */
  minLength: number
  cost?: HashCost | undefined
  /** UTC milliseconds. */
  clock: () => number
}

const DICTIONARY = 'pins'
/** The pin that a user chose: it stays until it is replaced, or the password is. */
const CHOSEN = 'chosen'
/** A pin that was mailed: good once, and not for long. */
const MAILED = 'mailed'
const MAX_LENGTH = 64
const DIGITS = 6
/** Fifteen minutes, in milliseconds. */
const LIFETIME = 900_000

interface MailedPin {
  hash: string
  /** UTC milliseconds. */
  expires: number
}

type Store = (edits: Edits, user: StoredEntity) => void

/**
 * Pins of app users, with which they sign in instead of a password. They are short: what is kept is a hash under the
 * installation's secret, so that a copy of the database does not tell them, and tries are counted.
 */
export class Pins {
  readonly #options: PinsOptions
  readonly #key: Buffer

  constructor(options: PinsOptions) {
    this.#options = options
    this.#key = deriveKey(options.secret, 'pins')
  }

  /** Hashes a pin that was chosen; the result stores it. @throws {AppError} `illegal_argument` */
  async secure(pin: unknown): Promise<Store> {
    const { minLength, cost } = this.#options
    const text = typeof pin === 'number' ? String(pin) : pin
    if (typeof text !== 'string' || text.length < minLength || text.length > MAX_LENGTH)
      throw illegalArgument(`A pin has ${minLength} to ${MAX_LENGTH} characters`, 'pin')
    const hash = await hashPassword(this.#keyed(text), cost)
    return (edits, user) => edits.tx.setEntry(user, DICTIONARY, CHOSEN, hash)
  }

  /** Makes a pin to be mailed, in place of the one before; the result stores it. */
  async make(): Promise<{ pin: string; store: Store }> {
    const pin = String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0')
    const hash = await hashPassword(this.#keyed(pin), this.#options.cost)
    return {
      pin,
      store: (edits, user) => {
        const mailed: MailedPin = { hash, expires: edits.now + LIFETIME }
        edits.tx.setEntry(user, DICTIONARY, MAILED, JSON.stringify(mailed))
      },
    }
  }

  /** Whether it is the user's pin, in the same time for a missing user. One that was mailed is used up. */
  async verify(user: StoredEntity | null, pin: string): Promise<boolean> {
    const known =
      user === null
        ? new Map<string, string>()
        : await this.#options.engine.store.dictionary(user, DICTIONARY)
    const mailed = known.get(MAILED)
    const text = this.#keyed(pin)
    const [isChosen, isMailed] = await Promise.all([
      this.#matches(known.get(CHOSEN), text),
      this.#matches(this.#goodHash(mailed), text),
    ])
    if (isChosen || user === null) return isChosen
    return isMailed && this.#consume(user, mailed!)
  }

  #goodHash(mailed: string | undefined): string | undefined {
    if (mailed === undefined) return undefined
    const { hash, expires } = JSON.parse(mailed) as MailedPin
    return expires > this.#options.clock() ? hash : undefined
  }

  #matches(hash: string | undefined, text: string): Promise<boolean> {
    return hash === undefined ? verifyAgainstNothing(text, this.#options.cost) : verifyPassword(hash, text)
  }

  #consume({ app, uuid }: StoredEntity, mailed: string): Promise<boolean> {
    return this.#options.engine.transact(app, `user:${uuid}`, (edits) => {
      const user = edits.find('users', uuid)
      if (user === null || edits.tx.dictionary(user, DICTIONARY).get(MAILED) !== mailed) return false
      edits.tx.setEntry(user, DICTIONARY, MAILED, null)
      return true
    })
  }

  #keyed(pin: string): string {
    return createHmac('sha256', this.#key).update(pin.normalize('NFKC')).digest('base64url')
  }
}

/** Ends a pin that was mailed to an address that is about to change. */
export const dropMailedPin = (edits: Edits, user: StoredEntity): void =>
  edits.tx.setEntry(user, DICTIONARY, MAILED, null)

/** Ends the pins of a user whose password changes: whoever had the old one may have chosen them. */
export const dropPins = (edits: Edits, user: StoredEntity): void => {
  for (const key of edits.tx.dictionary(user, DICTIONARY).keys())
    edits.tx.setEntry(user, DICTIONARY, key, null)
}
