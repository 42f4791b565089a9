import type { Caller } from '../../api/caller.js'
import { isSameName, type PathSegments, type Self } from '../../domain/permission.js'
import type { StoredEntity } from '../../storage/store.js'
import type { CollectionPath } from './path.js'

/** The entities of a path, in order, as far as they are known: the root's and each hop's. */
export type KnownEntities = readonly (StoredEntity | null)[]

const ALL = ['all']

/**
 * A path as permission strings see it: collections in the plural, each entity by its uuid and its names and
 * as `me` where it is the caller; the type of a connection's far end may be left out. What leads on from many
 * entities takes a right to all of them: a wildcard in their place, or `all`.
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
  else if (path.hops.length > 0) segments.push(ALL)
  for (const [i, { word, verb, sub, collection, ref, direction }] of path.hops.entries()) {
    segments.push([word])
    if (direction === 'in' && sub === null && verb !== null) segments.push([verb])
    if (collection !== null) segments.push([collection, ''])
    if (ref !== null) segments.push(spellings(collection, ref, known[i + 1] ?? null, caller, aliases))
    else if (i < path.hops.length - 1) segments.push(ALL)
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
  caller: Caller,
  aliases: (collection: string) => readonly string[],
): string[] => {
  const self = caller.principal.kind === 'user' ? caller.self : null
  const names = new Set([ref])
  if (entity !== null) {
    names.add(entity.uuid)
    for (const property of aliases(entity.collection)) {
      const name = entity.object[property]
      if (typeof name === 'string') names.add(name)
    }
  }
  if (self === null || (entity?.collection ?? collection) !== 'users') return [...names]
  const isCaller = entity === null ? isNameOf(self, ref) : entity.uuid === self.uuid
  // Another user's e-mail address may be the caller's username; it is no name for the caller.
  if (!isCaller) return [...names].filter((name) => !isNameOf(self, name))
  return [...new Set([...names, 'me', self.uuid, self.username])]
}

const isNameOf = ({ uuid, username }: Self, name: string): boolean =>
  isSameName(name, 'me') || isSameName(name, uuid) || isSameName(name, username)
