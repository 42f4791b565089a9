import { AppError } from '../../domain/errors.js'
import { encodeKey } from '../../domain/keys.js'
import type { Filter, SortKey } from '../../domain/query/ast.js'
import { both } from '../../domain/query/combine.js'
import { distanceTo, matches } from '../../domain/query/evaluate.js'
import type { Listing, ListRequest } from '../store.js'
import { type Access, accessFor, intersected, isProbe, type KeyInterval } from './access.js'
import { type Collection, pathKey } from './catalog.js'
import { compositeFor } from './composite.js'
import { type Position, readCursor, writeCursor } from './cursor.js'
import { EntityRow } from './entity-row.js'
import { comparePositions, sortKeyOf } from './positions.js'
import { type Placed, RingSearch, type Within } from './rings.js'
import type { EdgeSet, Probe, Scans } from './scans.js'
import { type BatchSize, positionOf, ScanExhausted, type Stream, Streams } from './streams.js'

/** Filters that find at most this many entities may be answered by reading them all. */
const GATHER = 1000
/** What somebody may reach at all is always read whole where it is no more than this. */
export const FEW = GATHER
const LEAST_GATHER = 100
/** An ordered scan that looked at so many index rows without filling the page gives way to reading all matches. */
const PATIENCE = 20_000
const LARGEST_BATCH = 512

export interface ListOptions {
  scans: Scans
  /** `null` when the far ends of `edges` may be of any collection. */
  collection: Collection | null
  edges: EdgeSet | null
  request: ListRequest
  collectionName: (id: number) => string
  /** Entities that one listing may look at. */
  maxExamined: number
  /** Told about listings that looked at far more entities than they returned. */
  onSlow: (examined: number) => void
}

/** One listing: chooses how to find the entities, checks them against the filter, and cuts the page. */
export class ListingRun {
  readonly #options: ListOptions
  readonly #scans: Scans
  readonly #filter: Filter | null
  readonly #isListed: ListRequest['isListed']
  readonly #sort: SortKey[]
  readonly #limit: number
  readonly #after: Position | null
  readonly #conjuncts: Filter[]
  /** The circle whose centre distances are measured from. */
  readonly #circle: Within | null
  readonly #size: BatchSize
  #examined = 0

  constructor(options: ListOptions) {
    this.#options = options
    const { scans, request } = options
    this.#scans = scans
    this.#filter = both(request.filter, request.within ?? null)
    this.#isListed = request.isListed
    this.#circle = findWithin(request.filter)
    this.#sort = request.sort
    this.#limit = request.limit
    this.#after = request.cursor === null ? null : readCursor(request, request.cursor)
    this.#conjuncts = conjunctsOf(this.#filter)
    this.#size = { rows: request.limit + 1 }
  }

  async run(): Promise<Listing> {
    const listing = await this.#find()
    const { edges } = this.#options
    if (edges === null || edges.entities.length === 1 || listing.items.length === 0) return listing
    const sources = await this.#scans.sourcesOf(
      edges,
      listing.items.map(({ id }) => id),
    )
    return { ...listing, sources: listing.items.map(({ id }) => sources.get(id) ?? null) }
  }

  async #find(): Promise<Listing> {
    const few = await this.#fewWithin()
    if (few !== null) return few
    if (this.#circle !== null && (this.#sort.length === 0 || this.#sort[0]!.path === this.#circle.path)) {
      return this.#page(await this.#byDistance(this.#circle), this.#sort[0]?.descending ?? false)
    }
    const circle = this.#circle
    if (circle !== null && this.#sort.some(({ path }) => path === circle.path))
      return this.#byDistanceToo(circle)
    const { edges, collection } = this.#options
    if (edges !== null) return this.#overEdges(edges)
    const accesses = this.#accesses(collection!)
    if (accesses.some((access) => access?.kind === 'nothing')) return this.#page([])
    if (this.#sort.length === 0) return this.#inCreationOrder(collection!, accesses)
    return this.#inSortedOrder(collection!, accesses, [])
  }

  /** The listing, where the asker may reach few entities at all: these are read, whatever the query says. */
  async #fewWithin(): Promise<Listing | null> {
    const { collection, edges, request } = this.#options
    if (edges !== null || collection === null || request.within == null) return null
    const circle = this.#circle
    if (circle !== null && (this.#sort.length === 0 || this.#sort.some(({ path }) => path === circle.path)))
      return null
    const access = accessFor(collection, request.within)
    if (access === null) return null
    const isFew = access.kind === 'nothing' || (await this.#scans.estimate(access, FEW + 1)) <= FEW
    if (!isFew) return null
    return this.#page(access.kind === 'nothing' ? [] : await this.#gather(access))
  }

  // Orders

  async #inCreationOrder(collection: Collection, accesses: (Access | null)[]): Promise<Listing> {
    const before = this.#after?.id ?? null
    const streams = this.#streams(collection)
    const equals = accesses.filter(
      (access): access is Extract<Access, { kind: 'equal' }> => access?.kind === 'equal',
    )
    const driver = await this.#rarest(equals)
    if (driver !== undefined) {
      const probes = accesses.filter(
        (access): access is Access => access !== null && access !== driver && isProbe(access),
      )
      const exact = this.#isExact(accesses, [driver, ...probes])
      return this.#take(streams.run(driver.path, driver.key, before, this.#probes(probes)), exact)
    }
    const small = await this.#smallest(accesses)
    if (small !== null) return this.#page(await this.#gather(small))
    const words = accesses.find((access) => access?.kind === 'words')
    if (words !== undefined) return this.#take(streams.withWords(words as never, before), false)
    const probes = accesses.filter((access): access is Access => access !== null && isProbe(access))
    return this.#take(streams.newest(before, this.#probes(probes)), this.#isExact(accesses, probes))
  }

  async #inSortedOrder(
    collection: Collection,
    accesses: (Access | null)[],
    extra: Probe[],
  ): Promise<Listing> {
    if (!this.#sort.every(({ path }) => hasOrder(collection, path)))
      return this.#sortedInMemory(collection, extra)
    // The last key of a batch is read again, as its group may go on: one more row spares that.
    this.#size.rows = this.#limit + 2
    const composite = extra.length === 0 ? compositeFor(collection, accesses, this.#sort) : null
    const streams = this.#streams(collection)
    if (composite !== null) {
      const after = this.#after === null ? null : composite.keyAt(this.#after)
      const others = accesses.filter(
        (access): access is Access => access !== null && !composite.covers.includes(access),
      )
      const probes = others.filter(isProbe)
      const stream = streams.composite(
        composite.path,
        composite.prefix,
        after,
        this.#after?.id ?? 0,
        this.#probes(probes),
      )
      return this.#take(stream, this.#isExact(accesses, [...composite.covers, ...probes]))
    }
    const first = this.#sort[0]!.path
    const onFirst = (access: Access | null): access is Extract<Access, { kind: 'range' }> =>
      access?.kind === 'range' &&
      access.path.kind === 'value' &&
      access.path.def === first &&
      !access.path.multi
    const range = accesses.find(onFirst)
    // All that a range of the first sort key finds is in order already, so only other accesses are worth gathering.
    const others = accesses.filter((access) => access !== range)
    const small =
      others.length === 0 ? null : await this.#smallest(others, await this.#gatherLimit(collection, others))
    if (small !== null) return this.#page(await this.#gather(small))
    const probes = others.filter((access): access is Access => access !== null && isProbe(access))
    const sorted = {
      probes: [...this.#probes(probes), ...extra],
      bounds: range === undefined ? undefined : boundsOf(range.intervals),
    }
    const exact = this.#isExact(accesses, range === undefined ? probes : [...probes, range])
    const patience = others.length > 0 ? PATIENCE : Number.POSITIVE_INFINITY
    try {
      return await this.#take(
        streams.sorted(this.#sort, this.#after, sorted.probes, sorted.bounds, patience),
        exact,
      )
    } catch (error) {
      if (!(error instanceof ScanExhausted)) throw error
      const few = await this.#smallest(others, PATIENCE)
      if (few !== null) return this.#page(await this.#gather(few, PATIENCE))
      this.#size.rows = this.#limit + 2
      return this.#take(streams.sorted(this.#sort, this.#after, sorted.probes, sorted.bounds), exact)
    }
  }

  /** While an index is being built, the documents alone tell the order. */
  async #sortedInMemory(collection: Collection, probes: Probe[]): Promise<Listing> {
    const found: Placed[] = []
    for await (const batch of this.#streams(collection).newest(null, probes)) {
      if (this.#takesAll) this.#examine(batch.length)
      for (const row of this.#matching(batch)) found.push({ row, position: positionOf(row, this.#sort) })
      this.#grow()
    }
    return this.#page(found)
  }

  /**
   * Reading m matches costs about as much as an ordered scan that probes limit * N / m index rows, so both cost
   * the same near the square root of limit * N; measured, a quarter of that is a good bound. Where nothing can be
   * probed the scan has to read documents as gathering does.
   */
  async #gatherLimit(collection: Collection, accesses: readonly (Access | null)[]): Promise<number> {
    const size = await this.#scans.collectionSize(collection.id)
    const share = accesses.some((access) => access !== null && isProbe(access)) ? 4 : 1
    return Math.min(GATHER, Math.max(LEAST_GATHER, Math.sqrt(this.#limit * size) / share))
  }

  async #overEdges(edges: EdgeSet): Promise<Listing> {
    const { collection } = this.#options
    if (this.#sort.length === 0) return this.#latestConnected(edges)
    if (collection !== null && (await this.#scans.edgeEstimate(edges, GATHER + 1)) > GATHER) {
      const accesses = this.#accesses(collection)
      if (accesses.some((access) => access?.kind === 'nothing')) return this.#page([])
      return this.#inSortedOrder(collection, accesses, [this.#scans.edgeProbe(edges)])
    }
    const found = await this.#everyConnected(edges)
    return this.#page(found.map((row) => ({ row, position: positionOf(row, this.#sort) })))
  }

  async #latestConnected(edges: EdgeSet): Promise<Listing> {
    const found: { row: EntityRow; position: Position }[] = []
    let before = this.#after?.id ?? null
    for (;;) {
      const limit = this.#size.rows
      const rows = await this.#scans.connected(edges, before, limit)
      for (const { seq, ...columns } of rows) {
        const [row] = this.#matching([this.#row(columns)])
        if (row !== undefined) found.push({ row, position: { keys: [], distance: null, id: seq } })
      }
      if (rows.length < limit || found.length > this.#limit) return this.#cut(found)
      before = rows.at(-1)!.seq
      this.#grow()
    }
  }

  /** Entities of a circle with their distances. */
  async #byDistance(circle: Within): Promise<Placed[]> {
    const { edges, collection } = this.#options
    const place = (row: EntityRow): Placed => {
      const metres = distanceTo(row.object, circle.path, circle.latitude, circle.longitude)
      return { row, position: positionOf(row, this.#sort.slice(1), metres) }
    }
    if (edges !== null || collection === null) return (await this.#everyConnected(edges!)).map(place)
    const access = this.#conjuncts.includes(circle) ? accessFor(collection, circle) : null
    if (access?.kind === 'nothing') return []
    if (access?.kind === 'range' && !access.path.multi && !(this.#sort[0]?.descending ?? false)) {
      return new RingSearch({
        scans: this.#scans,
        collection,
        circle,
        path: access.path,
        sort: this.#sort.slice(1),
        after: this.#after,
        limit: this.#limit,
        maxExamined: this.#options.maxExamined,
        onTooMany: (examined) => this.#examine(examined),
        read: async (ids) => this.#matching((await this.#scans.byIds(ids)).map((row) => this.#row(row))),
        place,
      }).run()
    }
    return (await this.#everyMatch(collection, access)).map(place)
  }

  /** Distances stand among the keys where the place is not what is sorted by first. */
  async #byDistanceToo(circle: Within): Promise<Listing> {
    const { edges, collection } = this.#options
    const rows =
      edges === null ? await this.#everyMatch(collection!, null) : await this.#everyConnected(edges)
    const keysOf = (row: EntityRow) => {
      const metres = distanceTo(row.object, circle.path, circle.latitude, circle.longitude)
      const far = metres === null ? null : encodeKey(metres)
      return this.#sort.map((key) => (key.path === circle.path ? far : sortKeyOf(row.object, key)))
    }
    return this.#page(
      rows.map((row) => ({ row, position: { keys: keysOf(row), distance: null, id: row.id } })),
    )
  }

  async #everyConnected(edges: EdgeSet): Promise<EntityRow[]> {
    const found: EntityRow[] = []
    let before: number | null = null
    for (;;) {
      const rows = await this.#scans.connected(edges, before, LARGEST_BATCH)
      if (this.#takesAll) this.#examine(rows.length)
      found.push(...this.#matching(rows.map((row) => this.#row(row))))
      if (rows.length < LARGEST_BATCH) return found
      before = rows.at(-1)!.seq
    }
  }

  async #everyMatch(collection: Collection, access: Access | null): Promise<EntityRow[]> {
    const small = access ?? (await this.#smallest(this.#accesses(collection)))
    if (small !== null) return (await this.#gather(small, this.#options.maxExamined)).map(({ row }) => row)
    const rows: EntityRow[] = []
    for await (const batch of this.#streams(collection).newest(null, [])) {
      rows.push(...this.#matching(batch))
      this.#grow()
    }
    return rows
  }

  // Finding and checking

  #accesses(collection: Collection): (Access | null)[] {
    return intersected(this.#conjuncts.map((conjunct) => accessFor(collection, conjunct)))
  }

  async #rarest<A extends Access>(accesses: A[]): Promise<A | undefined> {
    if (accesses.length < 2) return accesses[0]
    let best: { access: A; rows: number } | undefined
    for (const access of accesses) {
      const rows = await this.#scans.estimate(access, best?.rows ?? GATHER)
      if (best === undefined || rows < best.rows) best = { access, rows }
    }
    return best?.access
  }

  /** The access that finds the fewest, if those are few enough to read them all. */
  async #smallest(accesses: readonly (Access | null)[], limit = GATHER): Promise<Access | null> {
    let best: Access | null = null
    let bestRows = Math.floor(limit) + 1
    for (const access of accesses) {
      if (access === null) continue
      const rows = await this.#scans.estimate(access, bestRows)
      if (rows < bestRows) [best, bestRows] = [access, rows]
    }
    return best
  }

  async #gather(access: Access, limit = GATHER): Promise<Placed[]> {
    const ids = [...(await this.#scans.ids(access, limit + 1))]
    if (ids.length > limit) this.#examine(limit + 1)
    const found: Placed[] = []
    for (let at = 0; at < ids.length; at += LARGEST_BATCH) {
      const rows = await this.#scans.byIds(ids.slice(at, at + LARGEST_BATCH))
      const own = rows.filter(({ coll_id }) => coll_id === this.#options.collection?.id)
      for (const row of this.#matching(own.map((columns) => this.#row(columns)))) {
        found.push({ row, position: positionOf(row, this.#sort) })
      }
    }
    return found
  }

  /** Reads a stream that is in order until the page and one more are found. */
  async #take(stream: Stream, exact: boolean): Promise<Listing> {
    if (!exact) this.#size.rows = Math.min(LARGEST_BATCH, Math.max(64, this.#size.rows))
    const found: EntityRow[] = []
    for await (const batch of stream) {
      found.push(...(exact ? batch : this.#matching(batch)))
      if (found.length > this.#limit) break
      this.#grow()
    }
    return this.#cut(
      found.map((row, i) => ({ row, position: i === this.#limit - 1 ? positionOf(row, this.#sort) : null })),
    )
  }

  /** Whether there is nothing to check about an entity. */
  get #takesAll(): boolean {
    return this.#filter === null && this.#isListed === undefined
  }

  #matching(rows: EntityRow[]): EntityRow[] {
    if (this.#takesAll) return rows
    this.#examine(rows.length)
    const [filter, isListed] = [this.#filter, this.#isListed]
    return rows.filter((row) => (filter === null || matches(filter, row.object)) && (isListed?.(row) ?? true))
  }

  #examine(rows: number): void {
    this.#examined += rows
    const { maxExamined, onSlow } = this.#options
    if (this.#examined <= maxExamined) return
    onSlow(this.#examined)
    throw tooBroad(maxExamined)
  }

  // Pages

  /** Sorts what was found, and drops what the pages before held. */
  #page(found: Placed[], farFirst = false): Listing {
    const compare = comparePositions(this.#sortsByDistance ? this.#sort.slice(1) : this.#sort, farFirst)
    const after = this.#after
    const rest = after === null ? found : found.filter(({ position }) => compare(position, after) > 0)
    return this.#cut(rest.sort((a, b) => compare(a.position, b.position)))
  }

  get #sortsByDistance(): boolean {
    return this.#circle !== null && (this.#sort.length === 0 || this.#sort[0]!.path === this.#circle.path)
  }

  #cut(found: readonly { row: EntityRow; position: Position | null }[]): Listing {
    const page = found.slice(0, this.#limit)
    if (this.#examined > 1000 && this.#examined > 20 * (page.length + 1)) this.#options.onSlow(this.#examined)
    const last = page.at(-1)
    const more = found.length > this.#limit && last !== undefined
    const circle = this.#circle
    return {
      items: page.map(({ row }) => row),
      distances:
        circle === null
          ? null
          : page.map(({ row }) => distanceTo(row.object, circle.path, circle.latitude, circle.longitude)),
      cursor: more ? writeCursor(this.#options.request, last.position!) : null,
    }
  }

  #isExact(accesses: readonly (Access | null)[], used: readonly Access[]): boolean {
    return (
      this.#isListed === undefined &&
      accesses.every((access) => access?.exact === true && used.includes(access))
    )
  }

  #probes(accesses: readonly Access[]): Probe[] {
    return accesses.map((access) => this.#scans.probe(access))
  }

  #streams(collection: Collection): Streams {
    return new Streams({ scans: this.#scans, collection, size: this.#size })
  }

  #grow(): void {
    this.#size.rows = Math.min(LARGEST_BATCH, this.#size.rows * 2)
  }

  #row(columns: Parameters<typeof EntityRow.of>[2]): EntityRow {
    return EntityRow.of(this.#scans.app, this.#options.collectionName(columns.coll_id), columns)
  }
}

export const tooBroad = (maxExamined: number): AppError =>
  new AppError(
    'query_too_broad',
    `The query would look at more than ${maxExamined} entities; narrow it with a comparison (=, <, >) on another property`,
  )

export const conjunctsOf = (filter: Filter | null): Filter[] =>
  filter === null ? [] : filter.kind === 'and' ? filter.items : [filter]

const findWithin = (filter: Filter | null): Within | null => {
  if (filter === null) return null
  if (filter.kind === 'within') return filter.byDocument === true ? null : filter
  if (filter.kind === 'not') return findWithin(filter.item)
  if (filter.kind !== 'and' && filter.kind !== 'or') return null
  for (const item of filter.items) {
    const found = findWithin(item)
    if (found !== null) return found
  }
  return null
}

/** Whether the index can sort by a property: it knows all its values, or that there are none. */
const hasOrder = (collection: Collection, path: string): boolean =>
  collection.paths.get(pathKey('value', path))?.ready ?? !collection.building

const boundsOf = (intervals: readonly KeyInterval[]): KeyInterval | undefined => intervals[0]
