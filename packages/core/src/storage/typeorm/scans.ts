import type { Access, KeyInterval } from './access.js'
import type { Path } from './catalog.js'
import type { SqlConnection } from './connection.js'
import { ENTITY_COLUMNS, type EntityColumns } from './entity-row.js'
import { ftsQuery, idScans, tsQuery, union, unions } from './id-scans.js'
import { all, bindUuid, type Dialect, entitiesById, isIn, join, type Sql } from './sql.js'

export interface IndexedRow extends EntityColumns {
  /** Key of the index row that led here. */
  k: Buffer
}

export interface EdgeRow extends EntityColumns {
  seq: number
}

/** Connections of some entities, in one direction, of the given verbs. */
export interface EdgeSet {
  entities: number[]
  direction: 'out' | 'in'
  verbs: number[]
  /** Only those whose far end is in this collection. */
  collection: number | null
}

/** Condition on `x.eid`: what a scan finds must satisfy it too. */
export type Probe = Sql

const MAX_ID = Number.MAX_SAFE_INTEGER
/** Entities and verbs are scanned one by one, each only as far as the page needs, up to so many scans. */
const MAX_EDGE_SCANS = 50

/** The statements that listings are made of, for one application on one connection. */
export class Scans {
  readonly #connection: SqlConnection
  readonly #dialect: Dialect
  readonly app: number

  constructor(connection: SqlConnection, dialect: Dialect, app: number) {
    this.#connection = connection
    this.#dialect = dialect
    this.app = app
  }

  byIds(ids: readonly number[]): Promise<EntityColumns[]> {
    const { text, values } = entitiesById(this.#dialect, this.app, ids)
    return this.#all({ text: `SELECT ${ENTITY_COLUMNS} FROM entity e WHERE ${text}`, values })
  }

  byUuid(uuid: string): Promise<EntityColumns[]> {
    return this.#all({
      text: `SELECT ${ENTITY_COLUMNS} FROM entity e WHERE e.app_id = ? AND e.uuid = ?`,
      values: [this.app, bindUuid(this.#dialect, uuid)],
    })
  }

  /** Entities of a collection, newest first, with ids below `before`. */
  newest(
    collection: number,
    before: number | null,
    probes: readonly Probe[],
    limit: number,
  ): Promise<EntityColumns[]> {
    const conditions = join(['x.app_id = ? AND x.coll_id = ? AND x.id < ?', ...probes.map(onId)], ' AND ')
    return this.#all({
      text: `SELECT x.id, x.coll_id, x.doc, x.links FROM entity x WHERE ${conditions.text} ORDER BY x.id DESC LIMIT ?`,
      values: [this.app, collection, before ?? MAX_ID, ...conditions.values, limit],
    })
  }

  /** Entities with one key in the index, newest first. */
  run(
    path: Path,
    key: Buffer,
    before: number | null,
    probes: readonly Probe[],
    limit: number,
  ): Promise<EntityColumns[]> {
    const conditions = join(
      ['x.app_id = ? AND x.path_id = ? AND x.key = ? AND x.eid < ?', ...probes],
      ' AND ',
    )
    return this.#all(
      this.#joined(
        `SELECT x.eid FROM entity_index x WHERE ${conditions.text} ORDER BY x.eid DESC LIMIT ?`,
        'x.eid',
        'DESC',
        [this.app, path.id, key, before ?? MAX_ID, ...conditions.values, limit],
      ),
    )
  }

  /**
   * Entities in the order of their keys; equal keys oldest first when ascending, newest first when descending.
   * With a `window`, at most that many index rows are looked at; `end` is the key where that stopped the scan
   * short of `limit`, else null.
   */
  async ordered(
    path: Path,
    { from, to }: KeyInterval,
    descending: boolean,
    probes: readonly Probe[],
    limit: number,
    window: number | null,
  ): Promise<{ rows: IndexedRow[]; end: Buffer | null }> {
    const way = descending ? 'DESC' : 'ASC'
    const order = `ORDER BY x.key ${way}, x.eid ${way}`
    const range = 'x.app_id = ? AND x.path_id = ? AND x.key >= ? AND x.key < ?'
    const values = [this.app, path.id, from, to]
    if (window === null) {
      const conditions = join([range, ...probes], ' AND ')
      const inner = `SELECT x.key AS k, x.eid FROM entity_index x WHERE ${conditions.text} ${order} LIMIT ?`
      const sql = this.#joined(inner, 'x.k, x.eid', way, [...values, ...conditions.values, limit], 'x.k, ')
      return { rows: await this.#all<IndexedRow>(sql), end: null }
    }
    const looked = `SELECT x.key, x.eid FROM entity_index x WHERE ${range} ${order} LIMIT ?`
    const conditions = join([...probes], ' AND ')
    const inner = `SELECT x.key AS k, x.eid FROM (${looked}) x WHERE ${conditions.text} ${order} LIMIT ?`
    const rows = await this.#all<IndexedRow>(
      this.#joined(inner, 'x.k, x.eid', way, [...values, window, ...conditions.values, limit], 'x.k, '),
    )
    if (rows.length === limit) return { rows, end: null }
    const [last] = await this.#all<{ k: Buffer }>({
      text: `SELECT x.key AS k FROM entity_index x WHERE ${range} ${order} LIMIT 1 OFFSET ?`,
      values: [...values, window - 1],
    })
    return { rows, end: last?.k ?? null }
  }

  /** Entities with some of these words (tokens), newest first. */
  withWords(
    access: Extract<Access, { kind: 'words' }>,
    before: number | null,
    limit: number,
  ): Promise<EntityColumns[]> {
    if (this.#dialect === 'postgres') {
      const inner = `SELECT w.eid FROM entity_words w WHERE w.app_id = ? AND w.words @@ ?::tsquery AND w.eid < ? ORDER BY w.eid DESC LIMIT ?`
      return this.#all(
        this.#joined(inner, 'x.eid', 'DESC', [this.app, tsQuery(access), before ?? MAX_ID, limit]),
      )
    }
    const inner = `SELECT rowid AS eid FROM entity_words WHERE entity_words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?`
    return this.#all(this.#joined(inner, 'x.eid', 'DESC', [ftsQuery(access), before ?? MAX_ID, limit]))
  }

  /** Far ends of connections, latest connected first, with positions below `before`. */
  connected(edges: EdgeSet, before: number | null, limit: number): Promise<EdgeRow[]> {
    const { entities, verbs } = edges
    if (entities.length * verbs.length > MAX_EDGE_SCANS)
      return this.#all(this.#edgeScan(edges, edges, before, limit))
    const scans = entities.flatMap((entity) =>
      verbs.map((verb) => this.#edgeScan(edges, { entities: [entity], verbs: [verb] }, before, limit)),
    )
    if (scans.length === 1) return this.#all(scans[0]!)
    const union = join(
      scans.map(({ text, values }) => ({ text: `SELECT * FROM (${text}) u`, values })),
      ' UNION ALL ',
    )
    return this.#all({ text: `${union.text} ORDER BY seq DESC LIMIT ?`, values: [...union.values, limit] })
  }

  /** Scans some of the edges of a set for what has its latest connection of all the set there. */
  #edgeScan(
    edges: EdgeSet,
    some: Pick<EdgeSet, 'entities' | 'verbs'>,
    before: number | null,
    limit: number,
  ): Sql {
    const { near, far } = ends(edges)
    const conditions: Sql[] = [
      { text: 'g.app_id = ?', values: [this.app] },
      this.#oneOf(`g.${near}`, some.entities),
      this.#oneOf('g.verb_id', some.verbs),
      { text: 'g.seq < ?', values: [before ?? MAX_ID] },
    ]
    if (edges.collection !== null) conditions.push({ text: 'e.coll_id = ?', values: [edges.collection] })
    if (edges.entities.length * edges.verbs.length > 1) {
      const others = join(
        [this.#oneOf(`h.${near}`, edges.entities), this.#oneOf('h.verb_id', edges.verbs)],
        ' AND ',
      )
      const text = `NOT EXISTS (SELECT 1 FROM edge h
        WHERE h.app_id = g.app_id AND h.${far} = g.${far} AND ${others.text} AND h.seq > g.seq)`
      conditions.push({ text, values: others.values })
    }
    const { text, values } = join(conditions, ' AND ')
    return {
      text: `SELECT g.seq, ${ENTITY_COLUMNS} FROM edge g CROSS JOIN entity e
        WHERE e.app_id = g.app_id AND e.id = g.${far} AND ${text} ORDER BY g.seq DESC LIMIT ?`,
      values: [...values, limit],
    }
  }

  /** For each of these far ends that is connected, the entity with the latest connection to it. */
  async sourcesOf(edges: EdgeSet, fars: readonly number[]): Promise<Map<number, number>> {
    const { near, far } = ends(edges)
    const sets = [
      this.#oneOf(near, edges.entities),
      this.#oneOf('verb_id', edges.verbs),
      this.#oneOf(far, fars),
    ]
    const { text, values } = join(sets, ' AND ')
    const rows = await this.#all<{ near: number; far: number }>({
      text: `SELECT ${near} AS near, ${far} AS far FROM edge WHERE app_id = ? AND ${text} ORDER BY seq`,
      values: [this.app, ...values],
    })
    return new Map(rows.map((row) => [row.far, row.near]))
  }

  #oneOf(column: string, numbers: readonly number[]): Sql {
    return numbers.length === 1
      ? { text: `${column} = ?`, values: [numbers[0]] }
      : isIn(this.#dialect, column, 'bigint', numbers)
  }

  /** Ids that an access finds, from at most `limit` rows of each of its scans; some may come twice. */
  idsFound(access: Access, limit: number): Sql {
    return union(idScans(this.#dialect, this.app, access, limit))
  }

  /** Ids of a collection's entities. */
  idsIn(collection: number): Sql {
    return {
      text: 'SELECT id AS eid FROM entity WHERE app_id = ? AND coll_id = ?',
      values: [this.app, collection],
    }
  }

  /** Ids of far ends of connections; some may come twice. */
  idsConnected(edges: EdgeSet): Sql {
    const { near, far } = ends(edges)
    const sets = [this.#oneOf(near, edges.entities), this.#oneOf('verb_id', edges.verbs)]
    const { text, values } = join(sets, ' AND ')
    return {
      text: `SELECT ${far} AS eid FROM edge WHERE app_id = ? AND ${text}`,
      values: [this.app, ...values],
    }
  }

  /** How many ids a statement finds, each counted once. */
  async countOf({ text, values }: Sql): Promise<number> {
    const rows = await this.#all<{ n: number }>({ text: `SELECT count(*) AS n FROM (${text}) c`, values })
    return rows[0]!.n
  }

  /** At most `limit` of the ids that a statement finds. */
  async someOf({ text, values }: Sql, limit: number): Promise<number[]> {
    const rows = await this.#all<{ eid: number }>({
      text: `SELECT eid FROM (${text}) c LIMIT ?`,
      values: [...values, limit],
    })
    return rows.map(({ eid }) => eid)
  }

  /** Ids found by an access, at most `limit`, in no particular order. */
  async ids(access: Access, limit: number): Promise<Set<number>> {
    const found = new Set<number>()
    for (const sql of unions(idScans(this.#dialect, this.app, access, limit))) {
      for (const { eid } of await this.#all<{ eid: number }>(sql)) found.add(eid)
      if (found.size >= limit) break
    }
    return found
  }

  /** Like `ids`, of geographic cells: with the key of each. */
  async cells(
    path: Path,
    intervals: readonly KeyInterval[],
    limit: number,
  ): Promise<{ eid: number; key: Buffer }[]> {
    const scans = intervals.map(({ from, to }) => ({
      text: 'SELECT eid, key FROM entity_index WHERE app_id = ? AND path_id = ? AND key >= ? AND key < ? LIMIT ?',
      values: [this.app, path.id, from, to, limit],
    }))
    const found: { eid: number; key: Buffer }[] = []
    for (const sql of unions(scans)) found.push(...(await this.#all<{ eid: number; key: Buffer }>(sql)))
    return found
  }

  /** How many index rows an access has, counted up to `cap`. */
  async estimate(access: Access, cap: number): Promise<number> {
    if (access.kind === 'nothing') return 0
    if (access.kind === 'uuid') return 1
    let total = 0
    for (const { text, values } of unions(idScans(this.#dialect, this.app, access, cap))) {
      const rows = await this.#all<{ n: number }>({ text: `SELECT count(*) AS n FROM (${text}) c`, values })
      total += rows[0]!.n
      if (total >= cap) break
    }
    return Math.min(total, cap)
  }

  async edgeEstimate(edges: EdgeSet, cap: number): Promise<number> {
    const { near } = ends(edges)
    const { text, values } = join(
      [this.#oneOf(near, edges.entities), this.#oneOf('verb_id', edges.verbs)],
      ' AND ',
    )
    const rows = await this.#all<{ n: number }>({
      text: `SELECT count(*) AS n FROM (SELECT 1 FROM edge WHERE app_id = ? AND ${text} LIMIT ?) c`,
      values: [this.app, ...values, cap],
    })
    return rows[0]!.n
  }

  /** Whether the index has a row of a path for every entity; all of them must have one value at most. */
  async covers(path: Path, collection: number): Promise<boolean> {
    // Two statements would count at two moments.
    const rows = await this.#all<{ n: number; total: number | null }>({
      text: `SELECT (SELECT count(*) FROM entity_index WHERE app_id = ? AND path_id = ?) AS n,
        (SELECT sum(n) FROM collection_count WHERE app_id = ? AND coll_id = ?) AS total`,
      values: [this.app, path.id, this.app, collection],
    })
    return rows[0]!.n >= Number(rows[0]!.total ?? 0)
  }

  async collectionSize(collection: number): Promise<number> {
    const rows = await this.#all<{ n: number | null }>({
      text: 'SELECT sum(n) AS n FROM collection_count WHERE app_id = ? AND coll_id = ?',
      values: [this.app, collection],
    })
    return Number(rows[0]!.n ?? 0)
  }

  /** An access as a condition on `x.eid`. */
  probe(access: Access): Probe {
    if (access.kind === 'or') {
      const items = join(
        access.items.map((item) => this.probe(item)),
        ' OR ',
      )
      return { text: `(${items.text})`, values: items.values }
    }
    if (access.kind !== 'equal') throw new Error(`A ${access.kind} access cannot be a probe`)
    const text = `EXISTS (SELECT 1 FROM entity_index p WHERE p.app_id = ? AND p.path_id = ? AND p.key = ? AND p.eid = x.eid${this.#fence})`
    return { text, values: [this.app, access.path.id, access.key] }
  }

  collectionProbe(collection: number): Probe {
    const text = `EXISTS (SELECT 1 FROM entity p WHERE p.app_id = ? AND p.coll_id = ? AND p.id = x.eid${this.#fence})`
    return { text, values: [this.app, collection] }
  }

  edgeProbe(edges: EdgeSet): Probe {
    const { near, far } = ends(edges)
    const sets = join(
      [this.#oneOf(`g.${near}`, edges.entities), this.#oneOf('g.verb_id', edges.verbs)],
      ' AND ',
    )
    const text = `EXISTS (SELECT 1 FROM edge g WHERE g.app_id = ? AND ${sets.text} AND g.${far} = x.eid${this.#fence})`
    return { text, values: [this.app, ...sets.values] }
  }

  /** Keeps PostgreSQL from turning a probe into a join over the whole index. */
  get #fence(): string {
    return this.#dialect === 'postgres' ? ' OFFSET 0' : ''
  }

  /** A limited scan of ids joined with the entities, in the scan's order. */
  #joined(inner: string, order: string, way: string, values: unknown[], extra = ''): Sql {
    const columns = `${extra}${ENTITY_COLUMNS}`
    // SQLite keeps the order of the inner scan in a nested loop; PostgreSQL promises nothing without asking.
    const outer =
      this.#dialect === 'postgres'
        ? `ORDER BY ${order
            .split(', ')
            .map((column) => `${column} ${way}`)
            .join(', ')}`
        : ''
    const text = `SELECT ${columns} FROM (${inner}) x CROSS JOIN entity e WHERE e.app_id = ? AND e.id = x.eid ${outer}`
    return { text, values: [...values, this.app] }
  }

  #all<Row>(sql: Sql): Promise<Row[]> {
    return all<Row>(this.#connection, this.#dialect, sql)
  }
}

/** Probes speak of `x.eid`; in a scan of entities themselves the id is `x.id`. */
const onId = ({ text, values }: Probe): Sql => ({ text: text.replaceAll('x.eid', 'x.id'), values })

const ends = ({ direction }: EdgeSet): { near: string; far: string } =>
  direction === 'out' ? { near: 'src', far: 'tgt' } : { near: 'tgt', far: 'src' }
