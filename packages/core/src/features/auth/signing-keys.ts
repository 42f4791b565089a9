import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { JsonObject } from '../../domain/json.js'
import { newUuid } from '../../domain/uuid.js'
import type { Engine } from '../../engine/engine.js'
import { MAX_TTL } from './lifetimes.js'
import type { SecretBox } from './secret-box.js'

export type KeyAlgorithm = 'ES256' | 'RS256'

/** A key that tokens are verified with. */
export interface PublicKey {
  readonly kid: string
  /** The one algorithm that it is for, whatever a token says. */
  readonly algorithm: KeyAlgorithm
  readonly key: KeyObject
}

/** The key that signs, with its private part. */
export interface SigningKey {
  readonly kid: string
  readonly algorithm: KeyAlgorithm
  readonly key: KeyObject
}

/** As it is stored. Times are UTC milliseconds. */
interface StoredKey {
  kid: string
  algorithm: KeyAlgorithm
  publicKey: JsonWebKey
  /** PKCS #8, sealed; absent once the key has a successor. */
  privateKey?: string
  created: number
  /** When a successor took its place. */
  retired?: number
  /** The longest lifetime of a token that it signed, in milliseconds; `null` for no end. */
  longest: number | null
}

export interface SigningKeysOptions {
  engine: Engine
  /** Number of the application that keeps them. */
  home: number
  box: SecretBox
  /** What new keys are for. */
  algorithm: KeyAlgorithm
  /** UTC milliseconds. */
  clock: () => number
}

interface Read {
  at: number
  stored: readonly StoredKey[]
  byKid: ReadonlyMap<string, PublicKey>
  signing: SigningKey | null
}

const COLLECTION = 'signingkeys'
const NAME = 'keys'
/** Beside that entity. */
const KEYS = 'keys'
/** How old (milliseconds) what was read may be: others rotate keys, too. */
const MAX_AGE = 1000
/** For how long others may go on signing with a key that has a successor. */
const LAG = 60_000
const generate = promisify(generateKeyPair)

/**
 * Keys that sign access tokens: the public parts are for everybody, so that others can verify tokens without asking us.
 * A key that has a successor stays until the last token that it signed is over.
 */
export class SigningKeys {
  readonly #options: SigningKeysOptions
  #read: Read | null = null
  #reading: Promise<Read> | null = null

  constructor(options: SigningKeysOptions) {
    this.#options = options
  }

  /** The key that signs a token which lives so long (milliseconds, `null` for no end); it is made when there is none. */
  async current(ttl: number | null): Promise<SigningKey> {
    const { stored, signing } = this.#fresh() ?? (await this.#load())
    if (signing === null) {
      await this.#rotate({ unless: true })
      return this.current(ttl)
    }
    const longest = stored.find(({ kid }) => kid === signing.kid)?.longest ?? null
    if (longest !== null && (ttl === null || ttl > longest)) await this.#lengthen(signing.kid, ttl)
    return signing
  }

  /** The key with this id, at once when the keys were read a moment ago; `null` if there is none any more. */
  find(kid: string): PublicKey | null | Promise<PublicKey | null> {
    const known = this.#fresh()?.byKid.get(kid)
    // A key that nobody knew a moment ago may be another process's newest.
    return known ?? this.#load().then(({ byKid }) => byKid.get(kid) ?? null)
  }

  /** JSON Web Key Set (RFC 7517) of all keys that tokens may be verified with. */
  async published(): Promise<JsonObject> {
    const { stored } = this.#fresh() ?? (await this.#load())
    return {
      keys: stored.map(({ kid, algorithm, publicKey }) => ({
        ...(publicKey as JsonObject),
        kid,
        alg: algorithm,
        use: 'sig',
      })),
    }
  }

  /**
   * Makes a new key, which signs from now on, and returns its id. The others verify until their tokens are over, or,
   * with `forgetting`, no longer: then all tokens that they signed are refused.
   */
  rotate({ forgetting = false }: { forgetting?: boolean } = {}): Promise<string> {
    return this.#rotate({ forgetting })
  }

  /** With `unless`, makes none where another process was quicker. */
  async #rotate({ unless = false, forgetting = false }): Promise<string> {
    const made = await this.#generate()
    const { engine, home, clock } = this.#options
    const kid = await engine.transact(home, null, (edits) => {
      const owner = edits.find(COLLECTION, NAME) ?? edits.create(COLLECTION, { name: NAME })
      const known = parse(edits.tx.dictionary(owner, KEYS))
      const signing = known.find((key) => this.#opened(key) !== null)
      if (unless && signing !== undefined) return signing.kid
      for (const key of known) {
        const isGone = forgetting || isOver(key, clock())
        edits.tx.setEntry(owner, KEYS, key.kid, isGone ? null : JSON.stringify(retire(key, clock())))
      }
      edits.tx.setEntry(owner, KEYS, made.kid, JSON.stringify(made))
      return made.kid
    })
    this.#read = null
    return kid
  }

  /** Lets a key stay for tokens of this lifetime, before the first of them is signed. */
  async #lengthen(kid: string, ttl: number | null): Promise<void> {
    const { engine, home } = this.#options
    await engine.transact(home, null, (edits) => {
      const owner = edits.get(COLLECTION, NAME)
      const key = parse(edits.tx.dictionary(owner, KEYS)).find((known) => known.kid === kid)
      if (key === undefined) return
      const longest = key.longest === null || ttl === null ? null : Math.max(key.longest, ttl)
      edits.tx.setEntry(owner, KEYS, kid, JSON.stringify({ ...key, longest }))
    })
    this.#read = null
  }

  async #generate(): Promise<StoredKey> {
    const { algorithm, box, clock } = this.#options
    const { publicKey, privateKey } =
      algorithm === 'ES256'
        ? await generate('ec', { namedCurve: 'P-256' })
        : await generate('rsa', { modulusLength: 2048 })
    return {
      kid: newUuid(),
      algorithm,
      publicKey: publicKey.export({ format: 'jwk' }),
      privateKey: box.seal(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()),
      created: clock(),
      longest: MAX_TTL,
    }
  }

  /** What signs; `null` for a key of before, for another algorithm, or sealed with another secret. */
  #opened({ algorithm, privateKey }: StoredKey): KeyObject | null {
    if (privateKey === undefined || algorithm !== this.#options.algorithm) return null
    try {
      return createPrivateKey(this.#options.box.open(privateKey))
    } catch {
      return null
    }
  }

  #fresh(): Read | null {
    const read = this.#read
    return read !== null && this.#options.clock() - read.at < MAX_AGE ? read : null
  }

  /** Once for all that ask at the same time. */
  #load(): Promise<Read> {
    this.#reading ??= this.#readStored().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #readStored(): Promise<Read> {
    const { engine, home, clock } = this.#options
    const at = clock()
    const owner = await engine.store.find(home, COLLECTION, 'name', NAME)
    const all = owner === null ? [] : parse(await engine.store.dictionary(owner, KEYS))
    const stored = all.filter((key) => !isOver(key, at))
    const known = this.#read
    const byKid = new Map(stored.map((key) => [key.kid, known?.byKid.get(key.kid) ?? publicKeyOf(key)]))
    this.#read = { at, stored, byKid, signing: this.#signingOf(stored) }
    return this.#read
  }

  #signingOf(stored: readonly StoredKey[]): SigningKey | null {
    for (const key of stored) {
      const { kid, algorithm } = key
      if (kid === this.#read?.signing?.kid) return this.#read.signing
      const opened = this.#opened(key)
      if (opened !== null) return { kid, algorithm, key: opened }
    }
    return null
  }
}

/** The newest first, as their ids are in order of time. */
const parse = (dictionary: ReadonlyMap<string, string>): StoredKey[] =>
  [...dictionary.values()]
    .map((text) => JSON.parse(text) as StoredKey)
    .sort((one, other) => (one.kid < other.kid ? 1 : -1))

const retire = ({ privateKey, ...key }: StoredKey, now: number): StoredKey => ({ retired: now, ...key })

const isOver = ({ retired, longest }: StoredKey, now: number): boolean =>
  retired !== undefined && longest !== null && retired + longest + LAG <= now

const publicKeyOf = ({ kid, algorithm, publicKey }: StoredKey): PublicKey => ({
  kid,
  algorithm,
  key: createPublicKey({ key: publicKey, format: 'jwk' }),
})
