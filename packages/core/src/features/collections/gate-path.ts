import type { Caller } from '../../api/caller.js'
import type { PathSegments } from '../../domain/permission.js'
import type { StoredEntity } from '../../storage/store.js'
import type { CollectionPath } from './path.js'

/** The entities of a path, in order, as far as they are known: the root's and each hop's. */
export type KnownEntities = readonly (StoredEntity | null)[]

/**
 * A path as permission strings see it: collections in the plural, each entity by its uuid and its names and
 * as `me` where it is the caller; the type of a connection's far end may be left out.
 */
export const gatePath = (
  path: CollectionPath,
  caller: Caller,
  aliases: (collection: string) => readonly string[],
  known: KnownEntities = [],
): PathSegments => {
  const segments: string[][] = [[path.collection]]
  if (path.ref !== null)
    segments.push(spellings(path.collection, path.ref, known[0] ?? null, caller, aliases))
  for (const [i, { word, verb, sub, collection, ref, direction }] of path.hops.entries()) {
    segments.push([word])
    if (direction === 'in' && sub === null && verb !== null) segments.push([verb])
    if (collection !== null) segments.push([collection, ''])
    if (ref !== null) segments.push(spellings(collection, ref, known[i + 1] ?? null, caller, aliases))
  }
  return segments
}

/** The path of an entity in its own collection. */
export const ownPath = (
  entity: StoredEntity,
  caller: Caller,
  aliases: (collection: string) => readonly string[],
): PathSegments => [[entity.collection], spellingsOf(entity, caller, aliases)]

/** How an entity may be written in a path: its uuid, its names, and `me` where it is the caller. */
export const spellingsOf = (
  entity: StoredEntity,
  caller: Caller,
  aliases: (collection: string) => readonly string[],
): string[] => spellings(entity.collection, entity.uuid, entity, caller, aliases)

const spellings = (
  collection: string | null,
  ref: string,
  entity: StoredEntity | null,
  { self, principal }: Caller,
  aliases: (collection: string) => readonly string[],
): string[] => {
  const names = new Set([ref])
  if (entity !== null) {
    names.add(entity.uuid)
    for (const property of aliases(entity.collection)) {
      const name = entity.object[property]
      if (typeof name === 'string') names.add(name)
    }
  }
  const isCaller =
    collection === 'users' &&
    principal.kind === 'user' &&
    self !== null &&
    [...names].some((name) => isSelf(name, self))
  if (isCaller) for (const name of ['me', self.uuid, self.username]) names.add(name)
  return [...names]
}

const isSelf = (name: string, { uuid, username }: { uuid: string; username: string }): boolean => {
  const lower = name.toLowerCase()
  return lower === 'me' || lower === uuid || lower === username.toLowerCase()
}
