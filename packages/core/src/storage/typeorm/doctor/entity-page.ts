import { isJsonObject, type JsonObject } from '../../../domain/json.js'
import { isUuid } from '../../../domain/uuid.js'
import type { Links } from '../../store.js'
import type { Collection } from '../catalog.js'
import type { SqlConnection } from '../connection.js'
import { EntityRow } from '../entity-row.js'
import { all, type Dialect, uuidText } from '../sql.js'

/** Entities read at a time. */
export const PAGE = 200

/** A stored entity that may be damaged. */
export interface Specimen {
  id: number
  /** Of the column. */
  uuid: string
  /** With the links as they are stored; `null` when the document cannot be used. */
  entity: EntityRow | null
  /** What is wrong with the document, if anything is. */
  fault: 'document' | 'document_form' | null
}

interface Columns {
  id: number
  uuid: Buffer | string
  doc: string
  links: string | null
}

/** Entities of a collection with ids above `after`, oldest first; to be changed only when `lock`ed. */
export const readPage = async (
  connection: SqlConnection,
  dialect: Dialect,
  collection: Pick<Collection, 'app' | 'id' | 'name'>,
  after: number,
  { lock = false } = {},
): Promise<Specimen[]> => {
  const { app, id, name } = collection
  const rows = await all<Columns>(connection, dialect, {
    text: `SELECT e.id, e.uuid, e.doc, e.links FROM entity e WHERE e.app_id = ? AND e.coll_id = ? AND e.id > ?
      ORDER BY e.id LIMIT ? ${lock && dialect === 'postgres' ? 'FOR UPDATE' : ''}`,
    values: [app, id, after, PAGE],
  })
  return rows.map((row) => specimenOf(app, name, row))
}

export const specimenOf = (app: number, collection: string, row: Columns): Specimen => {
  const { id, doc, links } = row
  const uuid = uuidText(row.uuid)
  const object = objectOf(doc)
  if (object === null || object['uuid'] !== uuid || !isUuid(uuid))
    return { id, uuid, entity: null, fault: 'document' }
  const entity = new EntityRow(app, id, collection, doc, linksOf(links), object)
  return {
    id,
    uuid,
    entity,
    fault: entity.uuid === uuid && doc.startsWith('{"uuid":"') ? null : 'document_form',
  }
}

/** `null` for a text that is no JSON object. */
export const objectOf = (text: string): JsonObject | null => {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}

/** Links that cannot be read become some that no entity has. */
const linksOf = (text: string | null): Links | null =>
  text === null ? null : ((objectOf(text) ?? { out: [''] }) as Links)
