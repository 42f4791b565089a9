import type { SortKey } from '../../domain/query/ast.js'
import type { KeyInterval } from './access.js'
import type { Collection, Path } from './catalog.js'
import { pathKey } from './catalog.js'
import type { Position } from './cursor.js'
import { EntityRow } from './entity-row.js'
import { comparePositions, sortKeyOf } from './positions.js'
import type { Probe, Scans } from './scans.js'

/** Candidates in the order of a listing, in batches. The reader stops when its page is full. */
export type Stream = AsyncGenerator<EntityRow[]>

/** How many rows the next statement should ask for; streams read it before each, the reader raises it. */
export interface BatchSize {
  rows: number
}

/** Thrown by an ordered scan that found too little in what it may look at. */
export class ScanExhausted extends Error {}

/** Index rows that one statement with probes looks at, at most. */
const SCAN_WINDOW = 5000
/** Groups of equal first keys up to this size are sorted in memory. */
const SORTED_GROUP = 2000
const ZERO = Buffer.from([0])
const LAST = Buffer.from([0xff])

interface GroupWalk {
  path: Path
  interval: KeyInterval
  descending: boolean
  probes: readonly Probe[]
  /** All entities of one key, in order. */
  inside: (key: Buffer) => Stream
  /** Puts the entities of one key, given newest first, in order. */
  arrange?: (rows: EntityRow[], key: Buffer) => EntityRow[]
  /** Index rows to look at before giving up with `ScanExhausted`. */
  patience?: number
}

export interface StreamOptions {
  scans: Scans
  collection: Collection
  size: BatchSize
}

/** Streams over one collection, in creation order or by properties. */
export class Streams {
  readonly #scans: Scans
  readonly #collection: Collection
  readonly #size: BatchSize

  constructor({ scans, collection, size }: StreamOptions) {
    this.#scans = scans
    this.#collection = collection
    this.#size = size
  }

  async *newest(before: number | null, probes: readonly Probe[]): Stream {
    yield* this.#descend(before, (last, limit) =>
      this.#scans.newest(this.#collection.id, last, probes, limit),
    )
  }

  async *run(path: Path, key: Buffer, before: number | null, probes: readonly Probe[]): Stream {
    yield* this.#descend(before, (last, limit) => this.#scans.run(path, key, last, probes, limit))
  }

  async *withWords(access: Parameters<Scans['withWords']>[0], before: number | null): Stream {
    yield* this.#descend(before, (last, limit) => this.#scans.withWords(access, last, limit))
  }

  /** By properties; entities without the first property follow those with it. */
  async *sorted(
    sort: readonly SortKey[],
    after: Position | null,
    probes: readonly Probe[],
    bounds?: KeyInterval,
    patience = Number.POSITIVE_INFINITY,
  ): Stream {
    const [first, ...rest] = sort
    if (first === undefined) return yield* this.newest(after?.id ?? null, probes)
    const path = this.#collection.paths.get(pathKey('value', first.path))
    const tail = after === null ? null : { ...after, keys: after.keys.slice(1) }
    if (path !== undefined && (after === null || after.keys[0] != null)) {
      yield* this.#withProperty(
        path,
        sort,
        after,
        probes,
        bounds ?? { from: Buffer.alloc(0), to: LAST },
        patience,
      )
    }
    if (bounds !== undefined) return
    // Without a path nobody has the property as far as the index knows, whatever the documents say.
    const missingTail = path === undefined || after?.keys[0] == null ? tail : null
    if (path !== undefined && missingTail === null && (await this.#everyEntityHas(path))) return
    for await (const batch of this.sorted(rest, missingTail, probes)) {
      yield path === undefined ? batch : batch.filter(({ object }) => sortKeyOf(object, first) === null)
    }
  }

  /** Along a composite path, whose keys hold the whole order; `prefix` are the equal components before it. */
  async *composite(
    path: Path,
    prefix: Buffer,
    after: Buffer | null,
    afterId: number,
    probes: readonly Probe[],
  ): Stream {
    if (after !== null) yield* this.run(path, after, afterId, probes)
    const from = after === null ? prefix : Buffer.concat([after, ZERO])
    const interval = { from, to: Buffer.concat([prefix, LAST]) }
    const inside = (key: Buffer): Stream => this.run(path, key, null, probes)
    yield* this.#groups({ path, interval, descending: false, probes, inside })
  }

  async *#withProperty(
    path: Path,
    sort: readonly SortKey[],
    after: Position | null,
    probes: readonly Probe[],
    bounds: KeyInterval,
    patience: number,
  ): Stream {
    const [first, ...rest] = sort as [SortKey, ...SortKey[]]
    const honest = (rows: EntityRow[], key: Buffer): EntityRow[] =>
      path.multi ? rows.filter(({ object }) => sortKeyOf(object, first)?.equals(key) ?? false) : rows
    const group = async function* (this: Streams, key: Buffer, tail: Position | null): Stream {
      for await (const batch of this.#group(path, key, rest, tail, probes)) yield honest(batch, key)
    }.bind(this)
    let interval = bounds
    const key = after?.keys[0] ?? null
    if (key !== null) {
      yield* group(key, { ...after!, keys: after!.keys.slice(1) })
      interval = first.descending ? { ...bounds, to: key } : { ...bounds, from: Buffer.concat([key, ZERO]) }
    }
    const arrange = (rows: EntityRow[], k: Buffer): EntityRow[] => {
      const kept = honest(rows, k)
      return rest.length === 0 ? kept : sortRows(kept, rest)
    }
    yield* this.#groups({
      path,
      interval,
      descending: first.descending,
      probes,
      inside: (k) => group(k, null),
      arrange,
      patience,
    })
  }

  /**
   * Walks the keys of a path. Groups of one key that lie whole in a batch are given in the right order by
   * `arrange`; the one at the batch's end may be longer and is read by `inside`.
   */
  async *#groups({
    path,
    interval,
    descending,
    probes,
    inside,
    arrange = (rows) => rows,
    patience = Number.POSITIVE_INFINITY,
  }: GroupWalk): Stream {
    let { from, to } = interval
    let looked = 0
    while (Buffer.compare(from, to) < 0) {
      const limit = this.#size.rows
      const window = probes.length === 0 ? null : SCAN_WINDOW
      const { rows, end: windowEnd } = await this.#scans.ordered(
        path,
        { from, to },
        descending,
        probes,
        limit,
        window,
      )
      if (windowEnd !== null) {
        looked += SCAN_WINDOW
        if (looked > patience) throw new ScanExhausted()
      }
      // A window that ended early may have cut its last key's group in two, like a full batch does.
      const whole = rows.length < limit && windowEnd === null
      const lastKey = windowEnd !== null && rows.length < limit ? windowEnd : rows.at(-1)?.k
      if (lastKey === undefined) return
      const cut = rows.findIndex(({ k }) => k.equals(lastKey))
      const end = whole || cut === -1 ? rows.length : cut
      const batch: EntityRow[] = []
      for (let at = 0; at < end; ) {
        const key = rows[at]!.k
        let stop = at + 1
        while (stop < end && rows[stop]!.k.equals(key)) stop++
        const group = rows.slice(at, stop).map((row) => this.#row(row))
        batch.push(...arrange(descending ? group : group.reverse(), key))
        at = stop
      }
      if (batch.length > 0) yield batch
      if (whole) return
      yield* inside(lastKey)
      if (descending) to = lastKey
      else from = Buffer.concat([lastKey, ZERO])
    }
  }

  /** All entities with one key of a path, in the order of `rest`. */
  async *#group(
    path: Path,
    key: Buffer,
    rest: readonly SortKey[],
    after: Position | null,
    probes: readonly Probe[],
  ): Stream {
    if (rest.length === 0) return yield* this.run(path, key, after?.id ?? null, probes)
    const access = { kind: 'equal', path, key, exact: true } as const
    if ((await this.#scans.estimate(access, SORTED_GROUP + 1)) > SORTED_GROUP) {
      return yield* this.sorted(rest, after, [...probes, this.#scans.probe(access)])
    }
    const rows = (await this.#scans.run(path, key, null, probes, SORTED_GROUP + 1)).map((row) =>
      this.#row(row),
    )
    const sorted = sortRows(rows, rest)
    if (after === null) return yield sorted
    const compare = comparePositions(rest)
    yield sorted.filter((row) => compare(positionOf(row, rest), after) > 0)
  }

  async *#descend(
    before: number | null,
    read: (before: number | null, limit: number) => ReturnType<Scans['newest']>,
  ): Stream {
    let last = before
    for (;;) {
      const limit = this.#size.rows
      const rows = await read(last, limit)
      if (rows.length > 0) yield rows.map((row) => this.#row(row))
      if (rows.length < limit) return
      last = rows.at(-1)!.id
    }
  }

  async #everyEntityHas(path: Path): Promise<boolean> {
    return !path.multi && (await this.#scans.covers(path, this.#collection.id))
  }

  #row(row: Parameters<typeof EntityRow.of>[2]): EntityRow {
    return EntityRow.of(this.#scans.app, this.#collection.name, row)
  }
}

export const positionOf = (
  row: EntityRow,
  sort: readonly SortKey[],
  distance: number | null = null,
): Position => ({
  keys: sort.map((key) => sortKeyOf(row.object, key)),
  distance,
  id: row.id,
})

export const sortRows = (rows: readonly EntityRow[], sort: readonly SortKey[]): EntityRow[] => {
  const compare = comparePositions(sort)
  const placed = rows.map((row) => ({ row, position: positionOf(row, sort) }))
  return placed.sort((a, b) => compare(a.position, b.position)).map(({ row }) => row)
}
