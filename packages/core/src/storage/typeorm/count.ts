import type { Filter } from '../../domain/query/ast.js'
import { both } from '../../domain/query/combine.js'
import { matches } from '../../domain/query/evaluate.js'
import type { StoredEntity } from '../store.js'
import { type Access, accessFor, intersected } from './access.js'
import type { Collection } from './catalog.js'
import { EntityRow } from './entity-row.js'
import { type IdSet, idsOf } from './id-scans.js'
import { conjunctsOf, FEW, tooBroad } from './listing.js'
import type { EdgeSet, Scans } from './scans.js'
import type { Sql } from './sql.js'

/** Index rows that cost about as much as one entity that is looked at. */
export const ROWS_PER_ENTITY = 20
const BATCH = 512

export interface CountOptions {
  scans: Scans
  /** `null` when the far ends of `edges` may be of any collection. */
  collection: Collection | null
  edges: EdgeSet | null
  filter: Filter | null
  /** Only entities that match this, too; where it finds few, those alone are looked at. */
  within: Filter | null
  /** Of the matches, only these count. */
  isCounted: ((entity: StoredEntity) => boolean) | null
  collectionName: (id: number) => string
  /** Entities that one count may look at, or `ROWS_PER_ENTITY` times as many rows of an index. */
  maxExamined: number
  /** Told about counts that looked at far more entities than they found. */
  onSlow: (examined: number) => void
}

/** What a count chooses from: what the smallest scan there is finds, narrowed by others. */
interface Candidates extends IdSet {
  /** Rows of `from`. */
  rows: number
  /** Whether the index alone decides, so that every candidate is a match. */
  exact: boolean
}

/** One count: of index rows where those decide, of documents, read in batches, where they do not. */
export class CountRun {
  readonly #options: CountOptions
  readonly #scans: Scans
  /** What an entity must satisfy: an access for each condition, `null` where only documents tell. */
  readonly #wanted: (Access | null)[]
  /** What it must not satisfy. An access that is not exact finds too much to leave all of that out. */
  readonly #unwanted: (Access | null)[]
  readonly #filter: Filter | null
  /** Finds what is within reach of the asker. */
  readonly #reach: Access | null
  /** Index rows that may be looked at. */
  readonly #most: number

  constructor(options: CountOptions) {
    this.#options = options
    this.#scans = options.scans
    const { collection, filter, within, maxExamined } = options
    const access = (item: Filter): Access | null => (collection === null ? null : accessFor(collection, item))
    this.#filter = both(filter, within)
    this.#reach = within === null ? null : access(within)
    const conjuncts = conjunctsOf(this.#filter)
    this.#wanted = intersected(conjuncts.filter(({ kind }) => kind !== 'not').map(access))
    this.#unwanted = conjuncts
      .flatMap((conjunct) => (conjunct.kind === 'not' ? [access(conjunct.item)] : []))
      .map((found) => (found?.exact === true ? found : null))
      .filter((found) => found?.kind !== 'nothing')
    this.#most = maxExamined * ROWS_PER_ENTITY
  }

  /** @throws {AppError} `query_too_broad` */
  async run(): Promise<number> {
    if (this.#reach?.kind === 'nothing') return 0
    const { collection, edges, isCounted } = this.#options
    const few = edges === null ? await this.#fewWithin() : null
    if (few !== null) return this.#checked(few)
    if (edges === null && isCounted === null && this.#wanted.length === 0 && !this.#unwanted.includes(null)) {
      const size = await this.#scans.collectionSize(collection!.id)
      return this.#unwanted.length === 0 ? size : size - (await this.#found(this.#unwanted as Access[]))
    }
    if (this.#wanted.some((access) => access?.kind === 'nothing')) return 0
    const found = await this.#candidates()
    if (found.rows > this.#most) throw tooBroad(this.#options.maxExamined)
    return found.exact && isCounted === null ? this.#counted(found) : this.#checked(found)
  }

  /** What is within reach, where that is little. */
  async #fewWithin(): Promise<Candidates | null> {
    if (this.#reach === null) return null
    const rows = await this.#scans.estimate(this.#reach, FEW + 1)
    return rows > FEW ? null : this.#startingFrom(this.#reach, rows)
  }

  /** How many entities any of some exact accesses find. */
  async #found(accesses: Access[]): Promise<number> {
    const access: Access = accesses.length === 1 ? accesses[0]! : { kind: 'or', items: accesses, exact: true }
    const found = this.#startingFrom(access, await this.#scans.estimate(access, this.#most + 1))
    if (found.rows > this.#most) throw tooBroad(this.#options.maxExamined)
    return this.#counted(found)
  }

  async #counted(found: Candidates): Promise<number> {
    const { rows, distinct, where, also, without } = found
    // The scan's rows have been counted already.
    if (distinct && where.length + also.length + without.length === 0) return rows
    return this.#scans.countOf(idsOf(found))
  }

  async #checked(found: Candidates): Promise<number> {
    const { maxExamined, isCounted, collection, onSlow } = this.#options
    const filter = this.#filter
    const ids = await this.#scans.someOf(idsOf(found), maxExamined + 1)
    if (ids.length > maxExamined) {
      onSlow(ids.length)
      throw tooBroad(maxExamined)
    }
    ids.sort((a, b) => a - b)
    let count = 0
    for (let at = 0; at < ids.length; at += BATCH) {
      for (const row of await this.#scans.byIds(ids.slice(at, at + BATCH))) {
        if (collection !== null && row.coll_id !== collection.id) continue
        const entity = EntityRow.of(this.#scans.app, this.#options.collectionName(row.coll_id), row)
        if ((filter === null || matches(filter, entity.object)) && (isCounted?.(entity) ?? true)) count++
      }
    }
    if (ids.length > 1000 && ids.length > 20 * (count + 1)) onSlow(ids.length)
    return count
  }

  async #candidates(): Promise<Candidates> {
    const { edges, collection } = this.#options
    const first = edges === null ? await this.#rarest(this.#wanted.filter((access) => access !== null)) : null
    const found =
      edges !== null
        ? await this.#connected(edges)
        : first !== null
          ? this.#startingFrom(first.access, first.rows)
          : await this.#all(collection!)
    for (const access of this.#wanted) {
      if (access !== null && access === first?.access) continue
      const used = access !== null && (await this.#narrow(found, access, 'also'))
      found.exact &&= used && access.exact
    }
    for (const access of this.#unwanted) {
      const used = access !== null && (await this.#narrow(found, access, 'without'))
      found.exact &&= used
    }
    return found
  }

  async #connected(edges: EdgeSet): Promise<Candidates> {
    const rows = await this.#scans.edgeEstimate(edges, this.#most + 1)
    const distinct = edges.entities.length * edges.verbs.length === 1
    const where = edges.collection === null ? [] : [this.#scans.collectionProbe(edges.collection)]
    return { ...candidates(this.#scans.idsConnected(edges), rows, distinct), where }
  }

  async #all({ id }: Collection): Promise<Candidates> {
    const rows = await this.#scans.collectionSize(id)
    return candidates(this.#scans.idsIn(id), rows, true)
  }

  #startingFrom(access: Access, rows: number): Candidates {
    const from = this.#scans.idsFound(access, this.#most)
    return { ...candidates(from, rows, isDistinct(access)), exact: access.exact }
  }

  /** Leaves fewer candidates by another access, unless looking at these is cheaper; returns whether it did. */
  async #narrow(found: Candidates, access: Access, how: 'also' | 'without'): Promise<boolean> {
    if (access.kind === 'equal') {
      const probe = this.#scans.probe(access)
      found.where.push(how === 'also' ? probe : { ...probe, text: `NOT ${probe.text}` })
      return true
    }
    const worth = Math.min(this.#most, found.rows * ROWS_PER_ENTITY)
    if ((await this.#scans.estimate(access, worth + 1)) > worth) return false
    found[how].push(this.#scans.idsFound(access, worth))
    return true
  }

  /** The access with the fewest rows. */
  async #rarest(accesses: readonly Access[]): Promise<{ access: Access; rows: number } | null> {
    let best: { access: Access; rows: number } | null = null
    for (const access of accesses) {
      const rows = await this.#scans.estimate(access, best?.rows ?? this.#most + 1)
      if (best === null || rows < best.rows) best = { access, rows }
    }
    return best
  }
}

const candidates = (from: Sql, rows: number, distinct: boolean): Candidates => ({
  from,
  rows,
  distinct,
  where: [],
  also: [],
  without: [],
  exact: true,
})

/** Whether a scan finds no entity twice. */
const isDistinct = (access: Access): boolean =>
  access.kind === 'equal' ||
  access.kind === 'words' ||
  (access.kind === 'range' && !access.path.multi && access.intervals.length === 1)
