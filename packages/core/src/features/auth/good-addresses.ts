import { createHmac } from 'node:crypto'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { NOBODY } from './nobody.js'
import { deriveKey } from './secret-box.js'

export interface GoodAddressesOptions {
  engine: Engine
  secret: Buffer
  /** UTC milliseconds. */
  clock: () => number
}

interface Visit {
  user: StoredEntity | null
  network: string | undefined
}

const DICTIONARY = 'addresses'
/** Addresses of one account, the latest. */
const KEPT = 10
/** How old (milliseconds) an entry may be before it is written again. */
const FRESH = 86_400_000

/**
 * Networks that the owner of an account has signed in from: strangers' failures do not keep him out there. They are
 * kept beside the user, as keyed hashes that tell nobody where he was.
 */
export class GoodAddresses {
  readonly #options: GoodAddressesOptions
  readonly #key: Buffer

  constructor(options: GoodAddressesOptions) {
    this.#options = options
    this.#key = deriveKey(options.secret, 'addresses')
  }

  async isGood({ user, network }: Visit): Promise<boolean> {
    if (network === undefined) return false
    const account = user ?? NOBODY
    const known = await this.#options.engine.store.dictionary(account, DICTIONARY)
    return known.has(this.#hash(account, network))
  }

  /** Never rejects: nobody is kept from signing in because it could not be noted. */
  async remember({ user, network }: Visit): Promise<void> {
    if (user === null || network === undefined) return
    const { engine, clock } = this.#options
    const hash = this.#hash(user, network)
    try {
      const at = (await engine.store.dictionary(user, DICTIONARY)).get(hash)
      if (at !== undefined && clock() - Number(at) < FRESH) return
      await engine.transact(user.app, null, (edits) => {
        const current = edits.get(user.collection, user.uuid)
        const others = [...edits.tx.dictionary(current, DICTIONARY)].filter(([key]) => key !== hash)
        others.sort(([, x], [, y]) => Number(y) - Number(x))
        for (const [key] of others.slice(KEPT - 1)) edits.tx.setEntry(current, DICTIONARY, key, null)
        edits.tx.setEntry(current, DICTIONARY, hash, String(edits.now))
      })
    } catch {
      // The next time will do.
    }
  }

  #hash({ uuid }: StoredEntity, network: string): string {
    return createHmac('sha256', this.#key).update(`${uuid} ${network}`).digest('base64url')
  }
}
