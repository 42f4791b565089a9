import { AppError, illegalArgument } from './errors.js'
import { normaliseLocations } from './geo.js'
import { isJsonObject, type Json, type JsonObject } from './json.js'
import { mergePatch } from './merge-patch.js'
import { applyOperator, isOperator } from './operators.js'
import { isUuid } from './uuid.js'

/** An entity as callers see it; `metadata` is added when it leaves. */
export interface Entity extends JsonObject {
  uuid: string
  type: string
  /** UTC milliseconds. */
  created: number
  /** UTC milliseconds. */
  modified: number
}

/** What is special about the entities of one collection. */
export interface PropertyRules {
  /** Must be there, and stay. */
  required: readonly string[]
  /** Keep their first value. */
  immutable: readonly string[]
  /** Are taken from a body only by other means, and never stored. */
  withheld: readonly string[]
  /** JSON types of properties that are not free, by name in lower case. */
  typed: Readonly<Record<string, PropertyType>>
  /** The one form in which a text is stored and looked up, by property in lower case. */
  spelled: Readonly<Record<string, (text: string) => string>>
  /** Characters of `name` at most. */
  nameLength: number
}

export type PropertyType = 'string' | 'number' | 'boolean' | 'object'

/** Set by the engine alone; in a body they are ignored. */
const SYSTEM = new Set(['uuid', 'type', 'created', 'modified', 'metadata', 'membership', 'connection'])

/** How a body is laid over what is there: whole properties (Usergrid's PUT), or deep (JSON merge patch). */
export type MergeMode = 'replace' | 'patch'

/**
 * Body properties laid over those of an entity: property names ignore case and keep their first spelling;
 * `null` and, unless it is a patch, the empty string remove a property (Usergrid, data rules for PUT and POST).
 * @throws {AppError} `required_property_not_found`, `property_type_conversion`, `illegal_argument`.
 */
export const mergeProperties = (
  type: string,
  rules: PropertyRules,
  before: JsonObject | null,
  body: JsonObject,
  mode: MergeMode = 'replace',
): Map<string, Json> => {
  const lay = mode === 'patch' ? mergePatch : replaced
  const merged = new Map<string, Json>()
  const spellings = new Map<string, string>()
  for (const [key, value] of Object.entries(before ?? {})) {
    merged.set(key, value)
    spellings.set(key.toLowerCase(), key)
  }
  for (const [key, value] of Object.entries(body)) {
    const lower = key.toLowerCase()
    if (SYSTEM.has(lower) || rules.withheld.includes(lower)) continue
    const spelling = spellings.get(lower) ?? (hasMeaning(rules, lower) ? lower : key)
    if (before !== null && rules.immutable.includes(lower) && merged.has(spelling)) continue
    spellings.set(lower, spelling)
    const after = lay(spelling, merged.get(spelling), value)
    if (after === undefined) merged.delete(spelling)
    else if (after !== merged.get(spelling))
      merged.set(spelling, spelledOut(rules, lower, checked(type, rules, lower, after)))
  }
  for (const property of rules.required) {
    if (merged.has(property)) continue
    throw new AppError(
      'required_property_not_found',
      `Entity ${type} requires a property named ${property}`,
      {
        fields: [{ field: property, message: 'is required' }],
      },
    )
  }
  return merged
}

const replaced = (field: string, before: Json | undefined, value: Json): Json | undefined => {
  if (value === null || value === '') return undefined
  return isOperator(value) ? applyOperator(field, before, value) : value
}

const spelledOut = ({ spelled }: PropertyRules, property: string, value: Json): Json =>
  typeof value === 'string' && Object.hasOwn(spelled, property) ? spelled[property]!(value) : value

/** Properties that something looks at are stored under one spelling. */
const hasMeaning = ({ typed, required }: PropertyRules, lower: string): boolean =>
  lower === 'name' || Object.hasOwn(typed, lower) || required.includes(lower)

const checked = (type: string, rules: PropertyRules, property: string, value: Json): Json => {
  if (property === 'name') return checkedName(value, rules.nameLength)
  const wanted = Object.hasOwn(rules.typed, property) ? rules.typed[property] : undefined
  if (wanted === undefined) return value
  const converted = convert(value, wanted)
  if (converted !== undefined) return converted
  throw new AppError(
    'property_type_conversion',
    `Property "${property}" of ${type} must be of type ${wanted}`,
    {
      fields: [{ field: property, message: `must be of type ${wanted}` }],
    },
  )
}

/** The value as the type that is wanted, or `undefined` when it says nothing of that kind. */
const convert = (value: Json, wanted: PropertyType): Json | undefined => {
  if (isJsonObject(value)) return wanted === 'object' ? value : undefined
  if (typeof value === wanted && !Array.isArray(value)) return value
  if (wanted === 'string') return typeof value === 'number' ? String(value) : undefined
  if (typeof value !== 'string') return undefined
  if (wanted === 'boolean') return value === 'true' || (value === 'false' ? false : undefined)
  return wanted === 'number' && value.trim() !== '' && Number.isFinite(Number(value))
    ? Number(value)
    : undefined
}

const checkedName = (value: Json, most: number): string => {
  const name = typeof value === 'number' ? String(value) : value
  if (typeof name !== 'string') throw illegalArgument('The name of an entity must be a string', 'name')
  if (name === '') throw illegalArgument('The name of an entity must not be empty', 'name')
  if (name.length > most) throw illegalArgument(`A name has at most ${most} characters`, 'name')
  // A reference is tried as a uuid first, so such an entity could not be found by its name.
  if (isUuid(name)) throw illegalArgument('A name must not look like a uuid', 'name')
  return name
}

export interface EntityHead {
  uuid: string
  type: string
  created: number
  modified: number
}

/** A whole entity: its system properties and `name` first, locations in their one form. */
export const buildEntity = (
  { uuid, type, created, modified }: EntityHead,
  properties: Map<string, Json>,
): Entity => {
  const name = properties.get('name')
  const rest = [...properties].filter(([key]) => !SYSTEM.has(key.toLowerCase()) && key !== 'name')
  const entries: [string, Json][] = [
    ['uuid', uuid],
    ['type', type],
    ...(name === undefined ? [] : ([['name', name]] as [string, Json][])),
    ['created', created],
    ['modified', modified],
    ...rest,
  ]
  return normaliseLocations(Object.fromEntries(entries)) as Entity
}
