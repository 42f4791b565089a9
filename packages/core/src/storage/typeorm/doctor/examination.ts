import type { Catalogs, Collection } from '../catalog.js'
import type { SqlConnection, SqlDatabase } from '../connection.js'
import { faultsIn } from '../sqlite/inspect-file.js'
import { type Contradiction, contradictions, unreadableLines } from './change-log.js'
import { EntityChecks } from './entity-checks.js'
import { PAGE, readPage } from './entity-page.js'
import type { Findings } from './findings.js'
import { leftovers, type Rows } from './leftovers.js'
import { ownerless } from './ownerless.js'
import { type OnProgress, Patient, type UniqueProperties } from './patient.js'
import { readSequences, type Sequence } from './sequences.js'

/** A collection, by where it is. */
export interface Place {
  app: number
  collectionId: number
}

/** What an examination found, for whoever mends it. */
export interface Diagnosis {
  /** Collections with entities that something is wrong with. */
  collections: Place[]
  /** Collections whose index is not built to the end; no fault, as queries do without it. */
  unfinished: Place[]
  leftovers: Rows[]
  counts: (Place & { counted: number; kept: number })[]
  contradictions: Contradiction[]
  sequences: Sequence[]
  /** Whether everything could be read. */
  complete: boolean
}

export interface ExaminationOptions {
  database: SqlDatabase
  catalogs: Catalogs
  findings: Findings
  uniqueProperties: UniqueProperties
  onProgress: OnProgress
}

interface Group extends Place {
  n: number
}

/**
 * Checks what must be true of a database at any time. Everything is read from one snapshot, so that others may
 * go on writing meanwhile and what they are doing is never taken for a fault. Memory does not grow with the data.
 */
export class Examination {
  readonly #database: SqlDatabase
  readonly #catalogs: Catalogs
  readonly #findings: Findings
  readonly #uniqueProperties: UniqueProperties
  readonly #onProgress: OnProgress
  /** Rows that must be there and are, by path. */
  readonly #present = new Map<number, number>()
  #diagnosis: Diagnosis = nothing()

  constructor({ database, catalogs, findings, uniqueProperties, onProgress }: ExaminationOptions) {
    this.#database = database
    this.#catalogs = catalogs
    this.#findings = findings
    this.#uniqueProperties = uniqueProperties
    this.#onProgress = onProgress
  }

  async run(): Promise<Diagnosis> {
    this.#diagnosis = nothing()
    this.#present.clear()
    let isOver = false
    try {
      await this.#database.snapshot(async (connection) => {
        await this.#checks(connection)
        isOver = true
      })
    } catch (error) {
      // SQLite does not even end a transaction well that has met a damaged page.
      if (!isOver) throw error
    }
    return this.#diagnosis
  }

  async #checks(connection: SqlConnection): Promise<void> {
    const patient = new Patient(connection, this.#catalogs, this.#findings, this.#uniqueProperties)
    await this.#attempt('file', () => this.#file(connection))
    await this.#attempt('sequences', () => this.#sequences(connection))
    await this.#attempt('entities', () => this.#entities(patient))
    // Rows that are left over are found by counting, which needs all of the entities.
    if (this.#diagnosis.complete) await this.#attempt('index', () => this.#leftovers(patient))
    await this.#attempt('connections', () => this.#ownerless(patient))
    await this.#attempt('change log', () => this.#changeLog(patient))
  }

  /** A damaged part of a SQLite file does not keep the others from being looked at. */
  async #attempt(step: string, work: () => Promise<void>): Promise<void> {
    try {
      this.#onProgress({ step, done: 0, total: 0 })
      await work()
    } catch (error) {
      if (this.#database.dialect === 'postgres' || this.#database.classify(error) !== 'unavailable')
        throw error
      this.#diagnosis.complete = false
      this.#findings.add('unreadable', `${step}: ${(error as Error).message}`)
    }
  }

  /** PostgreSQL looks after its files itself. */
  async #file(connection: SqlConnection): Promise<void> {
    if (this.#database.dialect === 'postgres') return
    try {
      // On a connection that has read the full-text index before, SQLite's check goes by what that was like then, and
      // takes what others have written since for damage; reading it anew is what makes it look again.
      await connection.all('SELECT rowid FROM entity_words LIMIT 1')
      for (const fault of await faultsIn(connection, 100)) this.#findings.add('file', fault)
    } catch (error) {
      this.#findings.add('file', (error as Error).message)
      throw error
    }
  }

  async #sequences(connection: SqlConnection): Promise<void> {
    for (const sequence of await readSequences(connection, this.#database.dialect)) {
      if (sequence.given >= sequence.used) continue
      this.#findings.add('sequence_behind', `${sequence.name}: ${sequence.used} is used`)
      this.#diagnosis.sequences.push(sequence)
    }
  }

  async #entities(patient: Patient): Promise<void> {
    const rows = await patient.all<{ app_id: number; coll_id: number; n: number }>(
      'SELECT app_id, coll_id, count(*) AS n FROM entity GROUP BY app_id, coll_id ORDER BY app_id, coll_id',
    )
    const groups = rows.map(({ app_id, coll_id, n }): Group => ({ app: app_id, collectionId: coll_id, n }))
    const total = groups.reduce((sum, { n }) => sum + n, 0)
    let done = 0
    for (const group of groups) {
      const collection = (await patient.catalog(group.app)).byId.get(group.collectionId)
      if (collection === undefined) {
        const example = `${group.n} of collection ${group.collectionId} (application ${group.app})`
        this.#findings.add('collection', example, group.n)
        done += group.n
      } else {
        await this.#collection(patient, collection, (n) => {
          done += n
          this.#onProgress({ step: 'entities', done, total })
        })
      }
    }
    await this.#counts(patient, groups)
  }

  async #collection(patient: Patient, collection: Collection, onPage: (n: number) => void): Promise<void> {
    const checks = new EntityChecks(patient, await patient.catalog(collection.app), this.#present)
    const place = { app: collection.app, collectionId: collection.id }
    const isRebuilt = isBuilt(collection)
    if (!isRebuilt || [...collection.paths.values()].some(({ ready }) => !ready))
      this.#diagnosis.unfinished.push(place)
    let isSound = true
    for (let after = -1; ; ) {
      const page = await readPage(patient.connection, patient.dialect, collection, after)
      const { form, index, owners, links, uniquePaths } = await checks.page(collection, page, isRebuilt)
      if (form.length + index.size + owners.length + links.length + uniquePaths.size > 0) isSound = false
      onPage(page.length)
      if (page.length < PAGE) break
      after = page.at(-1)!.id
    }
    if (!isSound) this.#diagnosis.collections.push(place)
  }

  async #counts(patient: Patient, groups: readonly Group[]): Promise<void> {
    const rows = await patient.all<{ app_id: number; coll_id: number; n: number }>(
      'SELECT app_id, coll_id, sum(n) AS n FROM collection_count GROUP BY app_id, coll_id',
    )
    const kept = new Map(rows.map(({ app_id, coll_id, n }) => [`${app_id}:${coll_id}`, n]))
    const counted = new Map(groups.map((group) => [`${group.app}:${group.collectionId}`, group.n]))
    for (const slot of new Set([...kept.keys(), ...counted.keys()])) {
      const [is, was] = [counted.get(slot) ?? 0, kept.get(slot) ?? 0]
      if (is === was) continue
      const [app, collectionId] = slot.split(':').map(Number) as [number, number]
      this.#findings.add('count_wrong', `collection ${collectionId} (application ${app}): ${was}, not ${is}`)
      this.#diagnosis.counts.push({ app, collectionId, counted: is, kept: was })
    }
  }

  /** Where there are more rows than documents give, they are looked at one by one. */
  async #leftovers(patient: Patient): Promise<void> {
    for (const table of ['entity_index', 'entity_unique'] as const) {
      const rows = await patient.all<{ app_id: number; path_id: number; n: number }>(
        `SELECT app_id, path_id, count(*) AS n FROM ${table} GROUP BY app_id, path_id ORDER BY app_id, path_id`,
      )
      for (const { app_id: app, path_id: path, n } of rows) {
        if (n === (this.#present.get(path) ?? 0)) continue
        await this.#lookAt(patient, { table, app, path })
      }
    }
  }

  async #lookAt(patient: Patient, rows: Rows): Promise<void> {
    const { app, path, table } = rows
    const catalog = await patient.catalog(app)
    const collection = [...catalog.byId.values()].find(({ paths }) =>
      [...paths.values()].some(({ id }) => id === path),
    )
    if (collection !== undefined && table === 'entity_index' && !isBuilt(collection)) return
    const def = [...(collection?.paths.values() ?? [])].find(({ id }) => id === path)?.def ?? `path ${path}`
    const { connection, dialect, uniqueProperties } = patient
    let count = 0
    for (let after: Parameters<typeof leftovers>[5] = null; ; ) {
      const { found, next } = await leftovers(connection, dialect, catalog, uniqueProperties, rows, after)
      count += found.length
      for (const { eid } of found) {
        const example = `${def} of ${collection?.name ?? 'no collection'}, entity ${eid} (application ${app})`
        this.#findings.add(table === 'entity_index' ? 'index_extra' : 'unique_extra', example)
      }
      if (next === null) break
      after = next
    }
    if (count > 0) this.#diagnosis.leftovers.push(rows)
  }

  async #ownerless(patient: Patient): Promise<void> {
    for (const { kind, table, name, where } of ownerless(patient.dialect)) {
      const [{ n } = { n: 0 }] = await patient.all<{ n: number }>(
        `SELECT count(*) AS n FROM ${table} t WHERE ${where}`,
      )
      if (n === 0) continue
      const rows = await patient.all<{ name: string }>(
        `SELECT ${name} AS name FROM ${table} t WHERE ${where} LIMIT 5`,
      )
      this.#findings.add(kind, rows[0]!.name, n - rows.length + 1)
      for (const row of rows.slice(1)) this.#findings.add(kind, row.name)
    }
  }

  async #changeLog(patient: Patient): Promise<void> {
    const { connection, dialect } = patient
    this.#diagnosis.contradictions = await contradictions(connection, dialect)
    for (const { app, uuid, exists } of this.#diagnosis.contradictions) {
      const truth = exists ? 'is there, though removed' : 'is not there, though never removed'
      this.#findings.add('change_wrong', `${uuid} ${truth} (application ${app})`)
    }
    const lines = await unreadableLines(connection, dialect, (app) => patient.catalog(app))
    for (const { app, collectionId, kind, verbId, count } of lines) {
      const example = `${kind} in collection ${collectionId}, verb ${verbId} (application ${app})`
      this.#findings.add('change_unreadable', example, count)
    }
  }
}

/** Settings are stored before the index follows them. */
export const isBuilt = ({ building, settings }: Collection): boolean => {
  const { lastUpdated, lastReindexed } = settings ?? {}
  return !building && (lastUpdated === undefined || Number(lastReindexed ?? -1) >= Number(lastUpdated))
}

const nothing = (): Diagnosis => ({
  collections: [],
  unfinished: [],
  leftovers: [],
  counts: [],
  contradictions: [],
  sequences: [],
  complete: true,
})
