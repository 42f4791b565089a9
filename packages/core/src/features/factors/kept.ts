import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Ticket } from './tickets.js'

/** Beside a user; it goes with him. */
export const FACTORS = 'factors'
const TOTP = 'totp'
const PENDING = 'pending'
const CHALLENGE = 'challenge'
const PASSKEY = 'passkey:'
const RECOVERY = 'recovery:'
const SPENT = 'spent:'
/** How much longer (milliseconds) than it is good a ticket is remembered: another process may have a slower clock. */
const GRACE = 3_600_000

/** A secret that an authenticator app was offered: it asks nothing of anybody until a code proves that the app has it. */
export interface PendingTotp {
  sealed: string
  /** UTC milliseconds. */
  created: number
}

/** A secret that an authenticator app shares with us. */
export interface KeptTotp extends PendingTotp {
  /** Of the latest code that was used; it and those before it are over. */
  step: number
}

export interface KeptPasskey {
  /** The credential's, base64url. */
  id: string
  name: string
  /** COSE, base64url. */
  publicKey: string
  /** Of signatures, by the authenticator; 0 for one that does not count. */
  counter: number
  transports: string[]
  created: number
  used: number | null
}

/** What a browser must sign to add a passkey, and until when. */
export interface KeptChallenge {
  challenge: string
  expires: number
}

/** The factors of one user, as they are stored. */
export class KeptFactors {
  readonly #entries: ReadonlyMap<string, string>

  constructor(entries: ReadonlyMap<string, string>) {
    this.#entries = entries
  }

  get totp(): KeptTotp | null {
    return this.#parsed(TOTP)
  }

  get pending(): PendingTotp | null {
    return this.#parsed(PENDING)
  }

  get challenge(): KeptChallenge | null {
    return this.#parsed(CHALLENGE)
  }

  /** The first that was added comes first. */
  get passkeys(): KeptPasskey[] {
    return this.#keys(PASSKEY)
      .map((id) => this.passkey(id)!)
      .sort((a, b) => a.created - b.created)
  }

  passkey(id: string): KeptPasskey | null {
    const kept = this.#parsed<Omit<KeptPasskey, 'id'>>(PASSKEY + id)
    return kept === null ? null : { id, ...kept }
  }

  /** How many recovery codes are left. */
  get recoveryCodes(): number {
    return this.#keys(RECOVERY).length
  }

  hasRecoveryCode(hash: string): boolean {
    return this.#entries.has(RECOVERY + hash)
  }

  /** Whether signing in takes more than a password. */
  get areThere(): boolean {
    return this.#entries.has(TOTP) || this.#keys(PASSKEY).length > 0
  }

  #parsed<T>(key: string): T | null {
    const text = this.#entries.get(key)
    return text === undefined ? null : (JSON.parse(text) as T)
  }

  #keys(prefix: string): string[] {
    return [...this.#entries.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length))
  }
}

/** Whether signing in takes somebody more than a password. */
export const hasFactor = async (engine: Engine, user: StoredEntity): Promise<boolean> =>
  new KeptFactors(await engine.store.dictionary(user, FACTORS)).areThere

/** The same within a transaction, which sees what it has changed. */
export class FactorEdits {
  readonly #edits: Edits
  readonly #user: StoredEntity

  /** @throws {AppError} `service_resource_not_found` when the user is gone. */
  constructor(edits: Edits, { uuid }: StoredEntity) {
    this.#edits = edits
    this.#user = edits.get('users', uuid)
  }

  get now(): number {
    return this.#edits.now
  }

  get kept(): KeptFactors {
    return new KeptFactors(this.#edits.tx.dictionary(this.#user, FACTORS))
  }

  setTotp(totp: KeptTotp | null): void {
    this.#set(TOTP, totp)
  }

  setPending(pending: PendingTotp | null): void {
    this.#set(PENDING, pending)
  }

  setChallenge(challenge: KeptChallenge | null): void {
    this.#set(CHALLENGE, challenge)
  }

  setPasskey({ id, ...kept }: KeptPasskey): void {
    this.#set(PASSKEY + id, kept)
  }

  removePasskey(id: string): void {
    this.#set(PASSKEY + id, null)
  }

  /** Removes everything but what was used once, which must not become good again. */
  removeAll(): void {
    for (const key of this.#keys('')) if (!key.startsWith(SPENT)) this.#set(key, null)
  }

  /** Puts these in the place of all there are. */
  setRecoveryCodes(hashes: readonly string[]): void {
    for (const key of this.#keys(RECOVERY)) this.#set(key, null)
    for (const hash of hashes) this.#set(RECOVERY + hash, this.now)
  }

  removeRecoveryCode(hash: string): void {
    this.#set(RECOVERY + hash, null)
  }

  /** Whether a ticket was not taken before, and the user's tokens not revoked since it was made. */
  isGood({ nonce, asked }: Ticket): boolean {
    const revoked = this.#edits.tx.dictionary(this.#user, 'tokens').get('since') ?? null
    const isFresh = asked === null || (asked.revoked ?? null) === revoked
    return isFresh && !this.#edits.tx.dictionary(this.#user, FACTORS).has(SPENT + nonce)
  }

  /** Takes a ticket; `false` when it is not good. */
  take(ticket: Ticket): boolean {
    if (!this.isGood(ticket)) return false
    for (const key of this.#keys(SPENT)) if (this.#expiry(key) < this.now) this.#set(key, null)
    this.#set(SPENT + ticket.nonce, ticket.expires + GRACE)
    return true
  }

  #expiry(key: string): number {
    return Number(this.#edits.tx.dictionary(this.#user, FACTORS).get(key))
  }

  #keys(prefix: string): string[] {
    return [...this.#edits.tx.dictionary(this.#user, FACTORS).keys()].filter((key) => key.startsWith(prefix))
  }

  #set(key: string, value: object | number | null): void {
    this.#edits.tx.setEntry(this.#user, FACTORS, key, value === null ? null : JSON.stringify(value))
  }
}
