import type { Caller } from '../../api/caller.js'
import { documentText } from '../../domain/document.js'
import type { Conditions } from '../../domain/entity-tag.js'
import { NO_CONDITIONS } from '../../domain/entity-tag.js'
import { isSameName } from '../../domain/permission.js'
import type { Filter } from '../../domain/query/ast.js'
import { isUuid } from '../../domain/uuid.js'
import type { Sight } from '../../engine/visible.js'
import type { StoredEntity } from '../../storage/store.js'
import type { CollectionCall, CollectionResult } from './call.js'

/** What a caller sees of the entities that a right lets him reach. */
export const sightOf = ({ hidden = null }: Caller, within: Filter | null = null): Sight => ({
  within,
  hidden,
})

/** An entity as a caller sees it: without the properties that are hidden from him. */
export const seen = ({ hidden }: Caller, entity: StoredEntity): StoredEntity => {
  const own = hidden?.get(entity.collection)
  if (own === undefined) return entity
  const object = own.without(entity.object)
  if (object === entity.object) return entity
  const { app, id, collection, uuid, links } = entity
  return { app, id, collection, uuid, links, object, doc: documentText(object) }
}

/**
 * What a reference found, unless it found it by a property that is hidden from the caller: then there is nothing of
 * that name for him. `aliases` are the properties of the collection that references are compared with.
 */
export const knownBy = <E extends StoredEntity | null>(
  { hidden }: Caller,
  aliases: readonly string[],
  ref: string,
  entity: E,
): E | null => {
  const own = entity === null ? undefined : hidden?.get(entity.collection)
  if (entity === null || own === undefined || isUuid(ref)) return entity
  const isName = (alias: string) => !own.hides(alias) && isSameName(String(entity.object[alias] ?? ''), ref)
  return aliases.some(isName) ? entity : null
}

/** A result as the caller sees it: whatever leaves this folder goes through here. */
export const shownTo = (caller: Caller, result: CollectionResult): CollectionResult =>
  caller.hidden == null
    ? result
    : { ...result, entities: result.entities.map((entity) => seen(caller, entity)) }

/** What a write is conditional on: entity tags are of what the caller sees, or they would tell of what he does not. */
export const conditionsOf = ({ caller, conditions = NO_CONDITIONS }: CollectionCall): Conditions =>
  caller.hidden == null || conditions === NO_CONDITIONS
    ? conditions
    : { ...conditions, seen: (entity) => seen(caller, entity as StoredEntity) }
