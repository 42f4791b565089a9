import type { CollectionSettings } from '../store.js'
import type { EntityRow } from './entity-row.js'
import type { IdSource } from './id-source.js'
import type { Need } from './needs.js'

/** Thrown inside a transaction function when something must be read first. */
export class Missing {
  readonly needs: readonly Need[]
  constructor(...needs: Need[]) {
    this.needs = needs
  }
}

/** What was stored when the transaction first read it, and what it is now. */
export interface Entry {
  app: number
  collectionId: number
  original: EntityRow | null
  current: EntityRow | null
}

export interface UniqueEntry {
  app: number
  path: number
  key: Buffer
  original: number | null
  current: number | null
}

/** `original` and `current` are the connection's position, or null when there is no connection. */
export interface EdgeEntry {
  app: number
  src: number
  verbId: number
  tgt: number
  original: number | null
  current: number | null
}

export interface DictionaryEntry {
  app: number
  id: number
  name: string
  original: ReadonlyMap<string, string>
  current: ReadonlyMap<string, string>
}

export interface ReplyEntry {
  app: number
  key: string
  /** Whether a row was there, be it expired or not. */
  wasThere: boolean
  value: string | null
  /** UTC milliseconds. */
  expires: number
  isNew: boolean
}

export interface LogLine {
  app: number
  collectionId: number
  uuid: string
  kind: string
  verbId: number | null
  target: string | null
  principal: string | null
  at: number
}

export interface SettingsEntry {
  app: number
  collection: string
  settings: CollectionSettings | null
}

/**
 * Everything a group of transactions has read and means to write. Each transaction of the group sees the
 * writes of those before it; one that fails is undone without touching the others.
 */
export class WriteState {
  readonly rows = new Map<number, Entry>()
  readonly byUuid = new Map<string, number | null>()
  readonly uniques = new Map<string, UniqueEntry>()
  readonly edges = new Map<string, EdgeEntry>()
  /** Ids of what is connected to an entity, by its id and the verb's, as it was stored. */
  readonly sources = new Map<string, readonly number[]>()
  readonly dictionaries = new Map<string, DictionaryEntry>()
  readonly replies = new Map<string, ReplyEntry>()
  readonly settings = new Map<string, SettingsEntry>()
  readonly lines: LogLine[] = []
  readonly #ids: IdSource
  readonly #nextEdgeTime: () => number
  #undo: (() => void)[] = []

  constructor(ids: IdSource, nextEdgeTime: () => number) {
    this.#ids = ids
    this.#nextEdgeTime = nextEdgeTime
  }

  /** Writes into one of the maps above so that it can be undone. */
  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const had = map.has(key)
    const before = map.get(key) as V
    map.set(key, value)
    this.#undo.push(() => {
      if (had) map.set(key, before)
      else map.delete(key)
    })
  }

  log(line: LogLine): void {
    this.lines.push(line)
    this.#undo.push(() => this.lines.pop())
  }

  takeId(): number {
    const id = this.#ids.take()
    if (id === undefined) throw new Missing({ kind: 'ids' })
    this.#undo.push(() => this.#ids.giveBack(id))
    return id
  }

  takeEdgeTime(): number {
    return this.#nextEdgeTime()
  }

  /** Keeps what was written since the last `keep`. */
  keep(): void {
    this.#undo = []
  }

  /** A place to `undo` to. */
  mark(): number {
    return this.#undo.length
  }

  /** Takes back what was written since `mark`, or since the last `keep`. */
  undo(mark = 0): void {
    for (const step of this.#undo.splice(mark).reverse()) step()
  }
}
