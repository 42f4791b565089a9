import { isJsonObject, type Json, type JsonObject } from '../json.js'
import { fold } from '../text.js'
import type { Projection } from './ast.js'

/** Clients need these to make sense of an entity, so every result has them. */
const IMPLICIT = ['uuid', 'type', 'metadata']

/**
 * An entity with `uuid`, `type`, `metadata` and those of the chosen properties that exist. Nested ones stay
 * nested, in their stored spelling and order; renamed ones follow at the top, as an array when their path
 * leads through one. A rename never replaces an implicit property.
 */
export const project = (doc: JsonObject, projection: Projection): JsonObject => {
  const kept = projection.filter(({ source, name }) => source === name).map(({ source }) => source)
  const renamed = projection.filter(({ source, name }) => source !== name && !IMPLICIT.includes(name))
  const renames = renamed.flatMap(({ source, name }): [string, Json][] => {
    const value = valueAt(doc, source)
    return value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries([...Object.entries(narrow(doc, [...IMPLICIT, ...kept])), ...renames])
}

/** The parts of an object at these paths. */
const narrow = (object: JsonObject, paths: readonly string[]): JsonObject => {
  const entries = Object.entries(object).flatMap(([key, value]): [string, Json][] => {
    const name = fold(key)
    if (paths.includes(name)) return [[key, value]]
    const inside = paths.flatMap((path) => pathInside(path, name) ?? [])
    const part = inside.length === 0 ? undefined : narrowValue(value, inside)
    return part === undefined ? [] : [[key, part]]
  })
  return Object.fromEntries(entries)
}

const narrowValue = (value: Json, paths: readonly string[]): Json | undefined => {
  if (Array.isArray(value)) {
    const parts = value.filter(isJsonObject).map((element) => narrow(element, paths))
    const present = parts.filter(isNotEmpty)
    return present.length === 0 ? undefined : present
  }
  if (!isJsonObject(value)) return undefined
  const part = narrow(value, paths)
  return isNotEmpty(part) ? part : undefined
}

const isNotEmpty = (object: JsonObject): boolean => Object.keys(object).length > 0

/** What is left of a path inside the property `name`, or `null` if the path does not lead into it. */
const pathInside = (path: string, name: string): string | null =>
  path.startsWith(name) && path[name.length] === '.' ? path.slice(name.length + 1) : null

const valueAt = (object: JsonObject, path: string): Json | undefined => {
  for (const [key, value] of Object.entries(object)) {
    const name = fold(key)
    if (name === path) return value
    const inside = pathInside(path, name)
    const found = inside === null ? undefined : valueInside(value, inside)
    if (found !== undefined) return found
  }
  return undefined
}

const valueInside = (value: Json, path: string): Json | undefined => {
  if (!Array.isArray(value)) return isJsonObject(value) ? valueAt(value, path) : undefined
  const found = value.filter(isJsonObject).flatMap((element) => {
    const inside = valueAt(element, path)
    return inside === undefined ? [] : [inside]
  })
  return found.length === 0 ? undefined : found
}
