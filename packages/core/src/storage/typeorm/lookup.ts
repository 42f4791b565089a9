import type { Lookup, Store, StoredEntity } from '../store.js'

type Read = () => Promise<StoredEntity | null>

/** Thrown inside a function that looks up what has not been read yet. */
class Unread {
  constructor(readonly reads: ReadonlyMap<string, Read>) {}
}

/** Look-ups outside a transaction. What has been found once stays the same for the function's next run. */
class RememberingLookup implements Lookup {
  readonly #store: Store
  readonly #app: number
  #known: Map<string, StoredEntity | null> | undefined

  constructor(store: Store, app: number) {
    this.#store = store
    this.#app = app
  }

  get(collection: string, uuid: string): StoredEntity | null {
    const entity = this.getAny(uuid)
    return entity?.collection === collection ? entity : null
  }

  getAny(uuid: string): StoredEntity | null {
    return this.#recall(`uuid:${uuid}`, () => this.#store.getAny(this.#app, uuid))
  }

  find(collection: string, property: string, value: string): StoredEntity | null {
    const key = JSON.stringify([collection, property, value])
    return this.#recall(key, () => this.#store.find(this.#app, collection, property, value))
  }

  each<T, R>(items: readonly T[], work: (item: T, index: number) => R): R[] {
    const results: R[] = []
    const reads = new Map<string, Read>()
    for (const [index, item] of items.entries()) {
      try {
        results.push(work(item, index))
      } catch (error) {
        if (error instanceof Unread) for (const [key, read] of error.reads) reads.set(key, read)
        else if (reads.size === 0) throw error
      }
    }
    if (reads.size > 0) throw new Unread(reads)
    return results
  }

  async read(reads: ReadonlyMap<string, Read>): Promise<void> {
    const known = this.#known ?? new Map<string, StoredEntity | null>()
    this.#known = known
    await Promise.all([...reads].map(async ([key, read]) => known.set(key, await read())))
  }

  #recall(key: string, read: Read): StoredEntity | null {
    const known = this.#known?.get(key)
    if (known === undefined) throw new Unread(new Map([[key, read]]))
    return known
  }
}

/** A pure function asks for something new in every round, and paths and rights ask for a few things only. */
const MAX_ROUNDS = 1000

/** Runs `work` again until everything that it looks up has been read: often that is nothing, and nothing is waited for. */
export const lookingUp = <T>(store: Store, app: number, work: (lookup: Lookup) => T): T | Promise<T> => {
  const lookup = new RememberingLookup(store, app)
  try {
    return work(lookup)
  } catch (error) {
    if (error instanceof Unread) return readAndRun(lookup, error, work)
    throw error
  }
}

const readAndRun = async <T>(
  lookup: RememberingLookup,
  unread: Unread,
  work: (lookup: Lookup) => T,
): Promise<T> => {
  let { reads } = unread
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await lookup.read(reads)
    try {
      return work(lookup)
    } catch (error) {
      if (!(error instanceof Unread)) throw error
      reads = error.reads
    }
  }
  throw new Error('A function asked for more reads than it may')
}
