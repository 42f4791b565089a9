import { illegalArgument } from './errors.js'
import { isJsonObject, type Json, type JsonObject } from './json.js'
import { fold } from './text.js'

/** What makes an entity an entity cannot be hidden. */
const SHOWN = new Set(['uuid', 'type', 'metadata'])
const MAX_HIDDEN = 100
const MAX_LENGTH = 256

/** Properties that users and guests of an application must not learn of, by collection; absent where none are hidden. */
export type HiddenProperties = ReadonlyMap<string, Hidden>

/** Property paths, and everything inside them, that are hidden in one collection. */
export class Hidden {
  readonly #paths: readonly string[]

  /** `paths` as the setting has them. */
  constructor(paths: readonly string[]) {
    this.#paths = paths.map(fold)
  }

  /** Whether a property at a dotted path is hidden, or part of what is. */
  hides(path: string): boolean {
    const folded = fold(path)
    return this.#paths.some((hidden) => folded === hidden || folded.startsWith(`${hidden}.`))
  }

  /** Whether a property at a dotted path is hidden, or anything in it is. */
  touches(path: string): boolean {
    const inside = `${fold(path)}.`
    return this.hides(path) || this.#paths.some((hidden) => hidden.startsWith(inside))
  }

  /** A copy without what is hidden, or the object itself where it has nothing of it. */
  without(object: JsonObject): JsonObject {
    return this.#strip(object, '') as JsonObject
  }

  #strip(value: Json, prefix: string): Json {
    if (Array.isArray(value)) {
      const stripped = value.map((item) => this.#strip(item, prefix))
      return stripped.every((item, i) => item === value[i]) ? value : stripped
    }
    if (!isJsonObject(value)) return value
    const entries = Object.entries(value)
    const kept = entries
      .filter(([key]) => !this.hides(prefix + key))
      .map(([key, inner]): [string, Json] => [key, this.#strip(inner, `${prefix}${key}.`)])
    const isWhole = kept.length === entries.length && kept.every(([key, inner]) => inner === value[key])
    return isWhole ? value : Object.fromEntries(kept)
  }
}

/** The setting `hidden` of a collection. @throws {AppError} `illegal_argument` */
export const readHidden = (value: unknown): string[] => {
  const isPath = (item: unknown): item is string =>
    typeof item === 'string' && item !== '' && item.length <= MAX_LENGTH && !SHOWN.has(fold(item))
  if (Array.isArray(value) && value.length <= MAX_HIDDEN && value.every(isPath)) return value as string[]
  throw illegalArgument(
    `"hidden" is a list of at most ${MAX_HIDDEN} names of properties, without uuid, type and metadata`,
    'hidden',
  )
}

/** What the settings of an application's collections hide; `null` where that is nothing. */
export const hiddenIn = (
  settings: ReadonlyMap<string, { hidden?: readonly string[] } | null>,
): HiddenProperties | null => {
  const hidden = [...settings].flatMap(([collection, own]): [string, Hidden][] =>
    own?.hidden === undefined || own.hidden.length === 0 ? [] : [[collection, new Hidden(own.hidden)]],
  )
  return hidden.length === 0 ? null : new Map(hidden)
}
