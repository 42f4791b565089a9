import type { Engine } from '../../engine/engine.js'
import { Remembered, type RememberedOptions } from '../../engine/remembered.js'
import { MANAGEMENT } from './types.js'

export type ClientCollection = 'organizations' | 'applications'

/** Remembers of organizations and applications since when their clients' tokens are good; `forget` after changing it. */
export class ClientSource {
  readonly #engine: Engine
  readonly #known: Remembered<number>

  constructor({ engine, ...age }: { engine: Engine } & RememberedOptions) {
    this.#engine = engine
    this.#known = new Remembered(age)
  }

  forget(): void {
    this.#known.forget()
  }

  /** Tokens issued before this (UTC milliseconds) are revoked; `null` where there is no such client any more. */
  tokensSince(collection: ClientCollection, uuid: string): Promise<number | null> {
    return this.#known.get(uuid, () => this.#read(collection, uuid))
  }

  async #read(collection: ClientCollection, uuid: string): Promise<number | null> {
    const owner = await this.#engine.store.get(MANAGEMENT.id, collection, uuid)
    if (owner === null || owner.object['deleted'] !== undefined) return null
    return Number((await this.#engine.store.dictionary(owner, 'tokens')).get('since') ?? 0)
  }
}
