import { illegalArgument } from '../../domain/errors.js'
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.js'
import type { StoredEntity } from '../../storage/store.js'

/** Characters of a text that may be referred to: names and uuids, not documents. */
const MAX_TEXT = 1000
/** Half of a surrogate pair, which has no form in UTF-8. */
const HALF = /\p{Cs}/u

/** What later operations of a batch may take from the results of earlier ones: strings, numbers and booleans. */
export class References {
  readonly #results = new Map<string, StoredEntity>()

  set(id: string, entity: StoredEntity): void {
    this.#results.set(id, entity)
  }

  /**
   * A path with its segments `$id` and `$id.property` replaced; `%24` is a literal dollar.
   * @throws {AppError} `illegal_argument` where there is no such result or property.
   */
  path(path: string): string {
    return path
      .split('/')
      .map((part) => (part.startsWith('$') ? this.#segment(part.slice(1)) : part))
      .join('/')
  }

  #segment(reference: string): string {
    const text = String(this.#value(reference))
    if (!HALF.test(text)) return encodeURIComponent(text)
    throw illegalArgument(`${JSON.stringify(reference)} refers to half a character, which no path can have`)
  }

  /** A body with its `{"$ref": "id.property"}` replaced, at any depth. @throws like `path` */
  body(body: Json): Json {
    if (Array.isArray(body)) return body.map((item) => this.body(item))
    if (!isJsonObject(body)) return body
    const entries = Object.entries(body)
    if (entries.length === 1 && entries[0]![0] === '$ref') return this.#value(entries[0]![1])
    return Object.fromEntries(entries.map(([key, value]) => [key, this.body(value)]))
  }

  #value(reference: Json): string | number | boolean {
    const [id = '', ...steps] = typeof reference === 'string' ? reference.split('.') : []
    const entity = this.#results.get(id)
    if (entity === undefined)
      throw illegalArgument(
        `No operation before this one has a result with the id ${JSON.stringify(reference)}`,
      )
    let value: Json | undefined = steps.length === 0 ? entity.uuid : entity.object
    for (const step of steps) value = propertyOf(value, step)
    if (typeof value === 'number' || typeof value === 'boolean') return value
    if (typeof value === 'string' && value.length <= MAX_TEXT) return value
    throw illegalArgument(
      `${JSON.stringify(reference)} refers to no string (of at most ${MAX_TEXT} characters), number or boolean`,
    )
  }
}

/** What JSON shows of a value: own and enumerable, so that an array has no `length`. */
const propertyOf = (value: Json | undefined, name: string): Json | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.prototype.propertyIsEnumerable.call(value, name) ? (value as JsonObject)[name] : undefined
}
