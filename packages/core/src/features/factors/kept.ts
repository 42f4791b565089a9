import type { Edits } from '../../engine/edits.js'
import type { StoredEntity } from '../../storage/store.js'

/** Beside a user; it goes with him. */
export const FACTORS = 'factors'
const TOTP = 'totp'
const CHALLENGE = 'challenge'
const PASSKEY = 'passkey:'
const RECOVERY = 'recovery:'
const SPENT = 'spent:'

/** The secret that an authenticator app shares with us. Times are UTC milliseconds. */
export interface KeptTotp {
  /** The secret, sealed. */
  sealed: string
  created: number
  /** Whether a code has proven that the app has it; before that it asks nothing of anybody. */
  confirmed: boolean
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

  isSpent(nonce: string): boolean {
    return this.#entries.has(SPENT + nonce)
  }

  /** Whether signing in takes more than a password. */
  get areThere(): boolean {
    return this.totp?.confirmed === true || this.#keys(PASSKEY).length > 0
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

  /** When the user's tokens were last revoked all at once, as by a new password; UTC milliseconds. */
  get tokensSince(): number {
    return Number(this.#edits.tx.dictionary(this.#user, 'tokens').get('since') ?? 0)
  }

  setTotp(totp: KeptTotp | null): void {
    this.#set(TOTP, totp)
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

  /** Puts these in the place of all there are. */
  setRecoveryCodes(hashes: readonly string[]): void {
    for (const key of this.#keys(RECOVERY)) this.#set(key, null)
    for (const hash of hashes) this.#set(RECOVERY + hash, this.now)
  }

  removeRecoveryCode(hash: string): void {
    this.#set(RECOVERY + hash, null)
  }

  /** Notes that something good for once, until `expires`, was used. Returns `false` when it was used before. */
  spend(nonce: string, expires: number): boolean {
    if (this.kept.isSpent(nonce)) return false
    for (const key of this.#keys(SPENT)) if (this.#expiry(key) < this.now) this.#set(key, null)
    this.#set(SPENT + nonce, expires)
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
