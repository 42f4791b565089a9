import { documentText } from '../../domain/document.js'
import type { JsonObject } from '../../domain/json.js'
import type { Links, StoredEntity } from '../store.js'

/** Columns that `EntityRow.of` needs. */
export const ENTITY_COLUMNS = 'e.id, e.coll_id, e.doc, e.links'

export interface EntityColumns {
  id: number
  coll_id: number
  doc: string
  links: string | null
}

/** Every stored document begins with `{"uuid":"` and the uuid. */
const UUID_AT = 9
const UUID_END = UUID_AT + 36

export class EntityRow implements StoredEntity {
  #object: JsonObject | undefined
  constructor(
    readonly app: number,
    readonly id: number,
    readonly collection: string,
    readonly doc: string,
    readonly links: Links | null,
    object?: JsonObject,
  ) {
    this.#object = object
  }

  static of(app: number, collection: string, row: EntityColumns): EntityRow {
    return new EntityRow(app, row.id, collection, row.doc, row.links === null ? null : JSON.parse(row.links))
  }

  get uuid(): string {
    return this.doc.slice(UUID_AT, UUID_END)
  }

  get object(): JsonObject {
    this.#object ??= JSON.parse(this.doc) as JsonObject
    return this.#object
  }

  withLinks(links: Links | null): EntityRow {
    return new EntityRow(this.app, this.id, this.collection, this.doc, links, this.#object)
  }

  withObject(object: JsonObject): EntityRow {
    return new EntityRow(this.app, this.id, this.collection, documentText(object), this.links, object)
  }
}

/** `links` with a verb added, or the same value when it is there already. */
export const addLink = (links: Links | null, direction: 'out' | 'in', verb: string): Links => {
  const verbs = links?.[direction]
  if (links !== null && verbs?.includes(verb)) return links
  return { ...links, [direction]: [...(verbs ?? []), verb].sort() }
}

export const removeLink = (links: Links | null, direction: 'out' | 'in', verb: string): Links | null => {
  const verbs = (links?.[direction] ?? []).filter((name) => name !== verb)
  const { [direction]: _, ...others } = links ?? {}
  const rest: Links = verbs.length > 0 ? { ...others, [direction]: verbs } : others
  return rest.out === undefined && rest.in === undefined ? null : rest
}
