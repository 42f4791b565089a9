import { HIDDEN_VERB } from '../../../domain/verbs.js'
import type { Links } from '../../store.js'
import type { AppCatalog, Collection } from '../catalog.js'
import { addLink, type EntityRow } from '../entity-row.js'
import { indexKeys, missingPaths } from '../index-keys.js'
import { INDEX_ROW } from '../index-rows.js'
import { isIn, rowsAs } from '../sql.js'
import { objectOf, type Specimen } from './entity-page.js'
import type { Patient } from './patient.js'
import { uniqueValues } from './unique-values.js'
import { wrongWords } from './words.js'

/** What the entities of a page need, to agree with their documents and connections. */
export interface Needs {
  /** Their documents are sound, but do not begin with the uuid. */
  form: EntityRow[]
  /** Their index rows and words are to be written anew. */
  index: Set<EntityRow>
  /** Unique values that are to be held for these entities. */
  owners: { path: number; key: Buffer; id: number }[]
  links: { id: number; links: Links | null }[]
  /** The collection lacks a path for a unique property. */
  uniquePaths: Set<string>
}

/** Rows that one statement asks for. */
const ROWS = 2000
const KEY_ROW = INDEX_ROW.slice(0, 3)

/** Whether what is derived from entities is there. What is there beyond that, only counting tells. */
export class EntityChecks {
  readonly #patient: Patient
  readonly #catalog: AppCatalog
  /** How many rows that must be there are there, by path. */
  readonly present: Map<number, number>

  constructor(patient: Patient, catalog: AppCatalog, present = new Map<number, number>()) {
    this.#patient = patient
    this.#catalog = catalog
    this.present = present
  }

  /** @param isRebuilt false while the index is being built, when neither it nor the words can be judged */
  async page(collection: Collection, specimens: readonly Specimen[], isRebuilt: boolean): Promise<Needs> {
    const { findings } = this.#patient
    const needs: Needs = { form: [], index: new Set(), owners: [], links: [], uniquePaths: new Set() }
    for (const { uuid, entity, fault } of specimens) {
      if (fault !== null) findings.add(fault, nameOf(collection, uuid))
      if (fault === 'document_form') needs.form.push(entity!)
    }
    const entities = specimens.flatMap(({ entity }) => (entity === null ? [] : [entity]))
    if (entities.length === 0) return needs
    if (isRebuilt) await this.#index(collection, entities, needs)
    await this.#uniques(collection, entities, needs)
    await this.#links(collection, entities, needs)
    return needs
  }

  async #index(collection: Collection, entities: readonly EntityRow[], needs: Needs): Promise<void> {
    const { findings, connection, dialect } = this.#patient
    const { app } = collection
    const rows: unknown[][] = []
    const words = new Map<number, string>()
    const byId = new Map(entities.map((entity) => [entity.id, entity]))
    for (const entity of entities) {
      const name = nameOf(collection, entity.uuid)
      const keys = indexKeys(collection, entity.object)
      for (const [path, key] of keys.rows.values()) rows.push([app, path.id, key, entity.id])
      words.set(entity.id, keys.words)
      for (const { kind, def } of missingPaths(collection, entity.object)) {
        findings.add('path_missing', `${kind} ${def} of ${name}`)
        needs.index.add(entity)
      }
      for (const { def } of keys.newlyMulti) {
        findings.add('path_multi', `${def} of ${name}`)
        needs.index.add(entity)
      }
    }
    const paths = new Map([...collection.paths.values()].map((path) => [path.id, path]))
    for (const { path_id, eid } of await this.#missing(rows)) {
      const path = paths.get(path_id)!
      // A composite that is being built has only some of its rows.
      if (!path.ready) continue
      const entity = byId.get(eid)!
      findings.add('index_missing', `${path.def} of ${nameOf(collection, entity.uuid)}`)
      needs.index.add(entity)
    }
    for (const id of await wrongWords(connection, dialect, app, words)) {
      findings.add('words_wrong', nameOf(collection, byId.get(id)!.uuid))
      needs.index.add(byId.get(id)!)
    }
  }

  /** Those of the index rows that are not there; the others are counted. */
  async #missing(rows: readonly unknown[][]): Promise<{ path_id: number; eid: number }[]> {
    const missing: { path_id: number; eid: number }[] = []
    for (let at = 0; at < rows.length; at += ROWS) {
      const some = rows.slice(at, at + ROWS)
      const v = rowsAs(this.#patient.dialect, INDEX_ROW, some)
      const found = await this.#patient.all<{ path_id: number; key: Buffer; eid: number }>(
        `SELECT DISTINCT v.path_id, v.key, v.eid FROM ${v.text} WHERE NOT EXISTS (SELECT 1 FROM entity_index i
          WHERE i.app_id = v.app_id AND i.path_id = v.path_id AND i.key = v.key AND i.eid = v.eid)`,
        v.values,
      )
      for (const row of some) this.#count(row[1] as number, 1)
      for (const { path_id } of found) this.#count(path_id, -1)
      missing.push(...found)
    }
    return missing
  }

  #count(path: number, n: number): void {
    this.present.set(path, (this.present.get(path) ?? 0) + n)
  }

  async #uniques(collection: Collection, entities: readonly EntityRow[], needs: Needs): Promise<void> {
    const { findings, dialect, uniqueProperties } = this.#patient
    const { app } = collection
    const wanted: { entity: EntityRow; property: string; path: number; key: Buffer }[] = []
    for (const entity of entities) {
      const values = uniqueValues(collection, entity.object, uniqueProperties(collection.name))
      for (const { property, path, key } of values) {
        if (path !== undefined) wanted.push({ entity, property, path: path.id, key })
        else {
          findings.add('path_missing', `unique ${property} of ${nameOf(collection, entity.uuid)}`)
          needs.uniquePaths.add(property)
        }
      }
    }
    if (wanted.length === 0) return
    const v = rowsAs(
      dialect,
      KEY_ROW,
      wanted.map(({ path, key }) => [app, path, key]),
    )
    const rows = await this.#patient.all<{ path_id: number; k: Buffer; eid: number }>(
      `SELECT DISTINCT v.path_id, v.key AS k, u.eid FROM ${v.text} CROSS JOIN entity_unique u
        WHERE u.app_id = v.app_id AND u.path_id = v.path_id AND u.key = v.key`,
      v.values,
    )
    const owners = new Map(rows.map(({ path_id, k, eid }) => [`${path_id}:${k.toString('latin1')}`, eid]))
    for (const { entity, property, path, key } of wanted) {
      const owner = owners.get(`${path}:${key.toString('latin1')}`)
      if (owner === entity.id) {
        this.#count(path, 1)
        continue
      }
      const name = `${property} of ${nameOf(collection, entity.uuid)}`
      const rival = owner === undefined ? null : await this.#holder(collection, owner, path, key)
      if (rival !== null) findings.add('unique_contested', `${name} and of ${rival}`)
      else findings.add(owner === undefined ? 'unique_missing' : 'unique_wrong', name)
      // The older one keeps what both have.
      if (rival === null || entity.id < owner!) needs.owners.push({ path, key, id: entity.id })
    }
  }

  /** The uuid of an entity of the collection, if it has the unique value. */
  async #holder(collection: Collection, id: number, path: number, key: Buffer): Promise<string | null> {
    const { app, name } = collection
    const [row] = await this.#patient.all<{ doc: string }>(
      'SELECT doc FROM entity WHERE app_id = ? AND coll_id = ? AND id = ?',
      [app, collection.id, id],
    )
    const object = row === undefined ? null : objectOf(row.doc)
    if (object === null) return null
    const values = uniqueValues(collection, object, this.#patient.uniqueProperties(name))
    const holds = values.some((value) => value.path?.id === path && value.key.equals(key))
    return holds ? String(object['uuid']) : null
  }

  async #links(collection: Collection, entities: readonly EntityRow[], needs: Needs): Promise<void> {
    const out = await this.#verbs(collection.app, 'src', entities)
    const into = await this.#verbs(collection.app, 'tgt', entities)
    for (const { id, uuid, links } of entities) {
      let wanted: Links | null = null
      for (const verb of out.get(id) ?? []) wanted = addLink(wanted, 'out', verb)
      for (const verb of into.get(id) ?? []) wanted = addLink(wanted, 'in', verb)
      if (same(links?.out, wanted?.out) && same(links?.in, wanted?.in)) continue
      this.#patient.findings.add('links_wrong', nameOf(collection, uuid))
      needs.links.push({ id, links: wanted })
    }
  }

  /** The visible verbs of the entities' connections. */
  async #verbs(
    app: number,
    end: 'src' | 'tgt',
    entities: readonly EntityRow[],
  ): Promise<Map<number, string[]>> {
    const ids = isIn(
      this.#patient.dialect,
      end,
      'bigint',
      entities.map(({ id }) => id),
    )
    const rows = await this.#patient.all<{ id: number; verb_id: number }>(
      `SELECT DISTINCT ${end} AS id, verb_id FROM edge WHERE app_id = ? AND ${ids.text}`,
      [app, ...ids.values],
    )
    const verbs = new Map<number, string[]>()
    for (const { id, verb_id } of rows) {
      const verb = this.#catalog.verbNames.get(verb_id)
      if (verb === undefined || verb.startsWith(HIDDEN_VERB)) continue
      verbs.set(id, [...(verbs.get(id) ?? []), verb])
    }
    return verbs
  }
}

const same = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.every((verb, i) => verb === b[i])

export const nameOf = ({ app, name }: Collection, uuid: string): string =>
  `${name}/${uuid} (application ${app})`
