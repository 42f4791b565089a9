export type Value = string | number | boolean
export type Operator = '=' | '<' | '<=' | '>' | '>='

/** A property, or a dotted path into one. */
export type Path<P> = (keyof P & string) | `${keyof P & string}.${string}`

/** What a property can be compared with. Of an array, each element is. */
export type ValueAt<P, K> = K extends keyof P ? Scalar<P[K]> : Value
type Scalar<T> = T extends readonly (infer E)[] ? Extract<E, Value> : Extract<T, Value>

/** The wire's parameters of a listing. */
export interface RawQuery {
  /** Query text, such as `select * where age > 2 order by name`. */
  ql?: string
  /** Entities per page, at most 1,000. */
  limit?: number
  /** Where the page before ended. */
  cursor?: string
  /** Asks for the number of all matches, the page's `total`. */
  count?: 'total'
}

/** Conditions that hold together, unless they stand in `anyOf`. */
export interface Filter<P> {
  readonly conditions: readonly string[]
  where<K extends Path<P>>(path: K, operator: Operator, value: ValueAt<P, K>): Filter<P>
  contains(path: Path<P>, words: string): Filter<P>
  within(path: Path<P>, metres: number, latitude: number, longitude: number): Filter<P>
  anyOf(group: Group<P>): Filter<P>
  allOf(group: Group<P>): Filter<P>
  not(group: Group<P>): Filter<P>
}
export type Group<P> = (group: Filter<P>) => Filter<P>

interface Parts {
  selected: readonly string[]
  conditions: readonly string[]
  order: readonly string[]
  limit?: number
  cursor?: string
  count?: 'total'
}

/**
 * Writes query text, with every value escaped. A query never changes: each method returns a new one.
 * `P` are the properties it may name, `R` is what it finds.
 * All methods throw a `TypeError` for what cannot be written in the language, such as NaN or a path with blanks.
 */
export class Query<P, R> implements Filter<P> {
  readonly #parts: Parts

  constructor(parts: Parts = { selected: [], conditions: [], order: [] }) {
    this.#parts = parts
  }

  get conditions(): readonly string[] {
    return this.#parts.conditions
  }

  /**
   * Text is compared without regard to case, and in the value of `=` each `*` stands for any characters.
   * An entity without the property is not found.
   */
  where<K extends Path<P>>(path: K, operator: Operator, value: ValueAt<P, K>): Query<P, R> {
    if (!OPERATORS.includes(operator)) throw new TypeError(`Not an operator: ${operator}`)
    return this.#and(`${checkedPath(path)} ${operator} ${literal(value)}`)
  }

  /** Finds text in which any of the words occurs; `*` may end a word. */
  contains(path: Path<P>, words: string): Query<P, R> {
    return this.#and(`${checkedPath(path)} contains ${literal(String(words))}`)
  }

  /** Finds places, objects with `latitude` and `longitude` in degrees, by their distance from one. */
  within(path: Path<P>, metres: number, latitude: number, longitude: number): Query<P, R> {
    const [distance, north, east] = [metres, latitude, longitude].map(numberLiteral)
    return this.#and(`${checkedPath(path)} within ${distance} of ${north},${east}`)
  }

  /** At least one condition of the group holds. */
  anyOf(group: Group<P>): Query<P, R> {
    return this.#and(`(${conditionsOf(group).join(' or ')})`)
  }

  /** All conditions of the group hold; of use inside `anyOf`. */
  allOf(group: Group<P>): Query<P, R> {
    return this.#and(`(${conditionsOf(group).join(' and ')})`)
  }

  /** Not all conditions of the group hold. Finds entities that lack the property, too. */
  not(group: Group<P>): Query<P, R> {
    return this.#and(`not (${conditionsOf(group).join(' and ')})`)
  }

  /** Only these properties, beside `uuid`, `type` and `metadata`. */
  select<K extends keyof P & string>(...paths: K[]): Query<P, Selected<P, R, K>> {
    return new Query({ ...this.#parts, selected: paths.map(checkedPath) })
  }

  /** Called again, it sorts what the earlier orders leave equal. Entities without the property come last. */
  orderBy(path: Path<P>, direction: 'asc' | 'desc' = 'asc'): Query<P, R> {
    if (direction !== 'asc' && direction !== 'desc') throw new TypeError(`Not a direction: ${direction}`)
    return this.#with({ order: [...this.#parts.order, `${checkedPath(path)} ${direction}`] })
  }

  /** Entities per page, at most 1,000. */
  limit(limit: number): Query<P, R> {
    if (!Number.isSafeInteger(limit) || limit < 1) throw new TypeError(`Not a limit: ${limit}`)
    return this.#with({ limit })
  }

  cursor(cursor: string | undefined): Query<P, R> {
    return this.#with({ cursor })
  }

  /** Asks for the number of all matches, the page's `total`. */
  withTotal(): Query<P, R> {
    return this.#with({ count: 'total' })
  }

  get ql(): string {
    const { selected, conditions, order } = this.#parts
    return [
      `select ${selected.join(', ') || '*'}`,
      conditions.length > 0 && `where ${conditions.join(' and ')}`,
      order.length > 0 && `order by ${order.join(', ')}`,
    ]
      .filter(Boolean)
      .join(' ')
  }

  raw(): RawQuery {
    const { limit, cursor, count } = this.#parts
    return { ql: this.ql, limit, cursor, count }
  }

  #and(condition: string): Query<P, R> {
    return this.#with({ conditions: [...this.conditions, condition] })
  }

  #with(parts: Partial<Parts>): Query<P, R> {
    return new Query({ ...this.#parts, ...parts })
  }
}

type Selected<P, R, K extends keyof P> = Pick<P, K> & Pick<R, keyof R & ('uuid' | 'type' | 'metadata')>

/** A query: built here, ready made, or as the wire has it. */
export type QueryInput<P, E, R> = ((query: Query<P, E>) => Query<P, R>) | Query<P, R> | RawQuery

export const rawQuery = <P, E, R>(input: QueryInput<P, E, R> | undefined): RawQuery => {
  if (typeof input === 'function') return input(new Query()).raw()
  return input instanceof Query ? input.raw() : { ...input }
}

const OPERATORS: readonly string[] = ['=', '<', '<=', '>', '>='] satisfies Operator[]

const checkedPath = (path: string): string => {
  if (!/^[A-Za-z_][\w.-]*$/.test(path)) throw new TypeError(`Not a property that can be queried: ${path}`)
  return path
}

const conditionsOf = <P>(group: Group<P>): readonly string[] => {
  const { conditions } = group(new Query<P, never>())
  // Leaving it out would find, or delete, everything.
  if (conditions.length === 0) throw new TypeError('A group needs at least one condition')
  return conditions
}

const literal = (value: Value): string => {
  if (typeof value === 'string') return stringLiteral(value)
  if (typeof value === 'number') return numberLiteral(value)
  if (typeof value === 'boolean') return String(value)
  throw new TypeError(`Not a value to compare with: ${value}`)
}

/** Query text is percent-decoded twice on its way, so that a percent sign must not appear in it. */
const stringLiteral = (value: string): string =>
  `'${value.replace(/['\\]/g, '\\$&').replaceAll('%', '\\u0025')}'`

const numberLiteral = (value: number): string => {
  if (!Number.isFinite(value)) throw new TypeError(`Not a number: ${value}`)
  return String(value).replace('e+', 'e')
}
