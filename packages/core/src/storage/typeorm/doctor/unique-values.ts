import type { JsonObject } from '../../../domain/json.js'
import { uniqueKey } from '../../../domain/unique-key.js'
import { type Collection, type Path, pathKey } from '../catalog.js'

/** The unique values of a document. `path` is undefined where the collection has none for the property. */
export const uniqueValues = (
  collection: Collection,
  object: JsonObject,
  properties: readonly string[],
): { property: string; path: Path | undefined; key: Buffer }[] =>
  properties.flatMap((property) => {
    const value = object[property]
    if (typeof value !== 'string') return []
    return [{ property, path: collection.paths.get(pathKey('unique', property)), key: uniqueKey(value) }]
  })
