import type { Engine } from '../../engine/engine.js'
import { MANAGEMENT } from './types.js'

const MAX_KEPT = 10_000

export type ClientCollection = 'organizations' | 'applications'

/** Remembers of organizations and applications since when their clients' tokens are good; `forget` after changing it. */
export class ClientSource {
  readonly #engine: Engine
  readonly #clock: () => number
  readonly #maxAge: number
  #kept = new Map<string, { since: number | null; readAt: number }>()

  /** `maxAge`: how long what was read stays good, in milliseconds. */
  constructor({ engine, clock, maxAge }: { engine: Engine; clock: () => number; maxAge: number }) {
    this.#engine = engine
    this.#clock = clock
    this.#maxAge = maxAge
  }

  forget(): void {
    this.#kept = new Map()
  }

  /** Tokens issued before this (UTC milliseconds) are revoked; `null` where there is no such client any more. */
  async tokensSince(collection: ClientCollection, uuid: string): Promise<number | null> {
    const known = this.#kept.get(uuid)
    const now = this.#clock()
    if (known !== undefined && now - known.readAt < this.#maxAge) return known.since
    const kept = this.#kept
    const since = await this.#read(collection, uuid)
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(uuid, { since, readAt: now })
    return since
  }

  async #read(collection: ClientCollection, uuid: string): Promise<number | null> {
    const owner = await this.#engine.store.get(MANAGEMENT.id, collection, uuid)
    if (owner === null || owner.object['deleted'] !== undefined) return null
    return Number((await this.#engine.store.dictionary(owner, 'tokens')).get('since') ?? 0)
  }
}
