import { decodeCell, distance } from '../../domain/geo.js'
import type { Filter, SortKey } from '../../domain/query/ast.js'
import { type Access, accessFor } from './access.js'
import type { Collection, Path } from './catalog.js'
import type { Position } from './cursor.js'
import type { EntityRow } from './entity-row.js'
import { comparePositions } from './positions.js'
import type { Scans } from './scans.js'

export type Within = Extract<Filter, { kind: 'within' }>

/** An entity, and where it stands in the listing's order. */
export interface Placed {
  row: EntityRow
  position: Position
}

export interface RingSearchOptions {
  scans: Scans
  collection: Collection
  circle: Within
  path: Path
  /** Sort keys behind the distance. */
  sort: readonly SortKey[]
  after: Position | null
  limit: number
  /** Index rows to look at before `onTooMany`. */
  maxExamined: number
  onTooMany: (examined: number) => void
  /** Reads entities and gives those that match the whole filter. */
  read: (ids: readonly number[]) => Promise<EntityRow[]>
  place: (row: EntityRow) => Placed
}

/** A geographic cell is at most this far (metres) from the coordinates it stands for. */
const CELL_ERROR = 1
const FIRST_RING = 1000
const LEAST_CHUNK = 32

/**
 * The nearest entities of a circle. Rings of growing size are searched until enough are found, so that a page
 * near the centre does not read the whole circle.
 */
export class RingSearch {
  readonly #options: RingSearchOptions
  readonly #seen = new Map<number, Placed | null>()
  readonly #compare: (a: Position, b: Position) => number

  constructor(options: RingSearchOptions) {
    this.#options = options
    this.#compare = comparePositions(options.sort)
  }

  /** More than `limit` entities behind `after`, or all there are; nearest first up to the errors of their cells. */
  async run(): Promise<Placed[]> {
    const { circle, after, limit } = this.#options
    const start = after?.distance ?? 0
    let radius = Math.min(circle.radius, Math.max(FIRST_RING, start * 2))
    for (;;) {
      const found = await this.#within(radius, start)
      if (found.length > limit || radius >= circle.radius) return found
      radius = Math.min(circle.radius, radius * 4)
    }
  }

  async #within(radius: number, start: number): Promise<Placed[]> {
    const { scans, collection, circle, path, limit, maxExamined, onTooMany } = this.#options
    const ring = accessFor(collection, { ...circle, radius }) as Extract<Access, { kind: 'range' }>
    const cells = await scans.cells(path, ring.intervals, maxExamined + 1)
    if (cells.length > maxExamined) onTooMany(cells.length)
    const near = nearestCells(cells, circle)
      .filter(({ metres }) => metres >= start - CELL_ERROR && metres <= radius + CELL_ERROR)
      .sort((a, b) => a.metres - b.metres)
    const found: Placed[] = []
    for (let at = 0; at < near.length; ) {
      const chunk = near.slice(at, at + Math.max(limit + 1, LEAST_CHUNK)).map(({ eid }) => eid)
      await this.#read(chunk)
      found.push(...chunk.flatMap((id) => this.#wanted(id, radius)))
      at += chunk.length
      // What comes later is at least this far away, less the error of its cell.
      const horizon = (near[at]?.metres ?? Number.POSITIVE_INFINITY) - CELL_ERROR
      if (found.filter(({ position }) => position.distance! < horizon).length > limit) return found
    }
    return found
  }

  #wanted(id: number, radius: number): Placed[] {
    const { after } = this.#options
    const placed = this.#seen.get(id)
    if (placed == null || placed.position.distance! > radius) return []
    return after === null || this.#compare(placed.position, after) > 0 ? [placed] : []
  }

  async #read(ids: readonly number[]): Promise<void> {
    const unseen = ids.filter((id) => !this.#seen.has(id))
    if (unseen.length === 0) return
    for (const id of unseen) this.#seen.set(id, null)
    for (const row of await this.#options.read(unseen)) this.#seen.set(row.id, this.#options.place(row))
  }
}

/** An entity with several places counts by the nearest. */
const nearestCells = (
  cells: readonly { eid: number; key: Buffer }[],
  { latitude, longitude }: Within,
): { eid: number; metres: number }[] => {
  const nearest = new Map<number, number>()
  for (const { eid, key } of cells) {
    const cell = decodeCell(key)
    const metres = distance(cell.latitude, cell.longitude, latitude, longitude)
    if (metres < (nearest.get(eid) ?? Number.POSITIVE_INFINITY)) nearest.set(eid, metres)
  }
  return [...nearest].map(([eid, metres]) => ({ eid, metres }))
}
