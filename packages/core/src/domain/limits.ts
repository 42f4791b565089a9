import { AppError } from './errors.js'

/** One bound on what a request may ask for. */
export interface LimitRule {
  /** What holds unless it is configured. */
  readonly fallback: number
  /** What it may be set to at most, so that nothing recurses or allocates without bound. */
  readonly most: number
  /** What it counts. */
  readonly unit: string
  /** What is counted, for people. */
  readonly meaning: string
}

const rule = (fallback: number, most: number, unit: string, meaning: string): LimitRule => ({
  fallback,
  most,
  unit,
  meaning,
})

const BYTES = 268_435_456

/** Every bound that a caller can meet, checked before any work is done, in every way of asking. */
export const LIMITS = {
  /** Bytes, both as sent and after gzip is undone. */
  body: rule(1_048_576, BYTES, 'bytes', 'A request body, both as sent and after gzip is undone'),
  /** Levels. Documents are walked recursively. */
  depth: rule(64, 100, 'levels', 'Arrays and objects within each other, in a body and in an entity'),
  /** UTF-16 units. The server's own bound on a request head, 48 KiB, lies above it. */
  url: rule(16_384, 40_960, 'characters', 'Path and query string together'),
  pathSegments: rule(24, 1000, 'segments', 'A path, each word between slashes'),
  pathSteps: rule(8, 100, 'steps', 'Connections that one path follows'),
  /** Larger pages are cut, not refused. */
  pageSize: rule(1000, 10_000, 'entities', 'One page; a `limit` above it counts as this'),
  batchEntities: rule(1000, 100_000, 'entities', 'An array of entities in one POST'),
  batchOperations: rule(100, 10_000, 'operations', 'One `_batch`'),
  bulkEntities: rule(
    1000,
    10_000,
    'entities',
    'Changed by one PUT or PATCH with a query, the first that match',
  ),
  /** Bytes of the stored JSON text, without `metadata`. */
  entitySize: rule(2_097_152, BYTES, 'bytes', 'One entity as it is stored'),
  nameLength: rule(1000, 10_000, 'characters', 'The `name` of an entity'),
  /** UTF-16 units. With `direct`, whose uuids take 37 each, four times as much. */
  queryLength: rule(16_384, BYTES, 'characters', 'A query; four times as many in one with `direct`'),
  queryDepth: rule(64, 500, 'levels', 'Parentheses within parentheses in a query'),
  queryTerms: rule(512, 10_000, 'terms', 'Comparisons, `within` and words of `contains` in a query'),
  sortKeys: rule(16, 100, 'properties', 'After `order by`'),
  selectedProperties: rule(256, 10_000, 'properties', 'After `select`'),
  directEntities: rule(1000, 10_000, 'entities', 'After `direct`'),
  examined: rule(100_000, 100_000_000, 'entities', 'Looked at to answer one query'),
} as const satisfies Record<string, LimitRule>

export type LimitName = keyof typeof LIMITS

/** A value for each row of the table, in its unit. */
export type Limits = { readonly [Name in LimitName]: number }

export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[]

export const DEFAULT_LIMITS: Limits = Object.fromEntries(
  LIMIT_NAMES.map((name) => [name, LIMITS[name].fallback]),
) as Limits

/** What is wrong with a limit's value, or `null`. */
export const limitProblem = (name: LimitName, value: number): string | null => {
  const { most } = LIMITS[name]
  return Number.isSafeInteger(value) && value >= 1 && value <= most
    ? null
    : `a whole number from 1 to ${most}`
}

/** The given limits over the fallbacks. @throws {Error} for a value that cannot be one, and for an unknown name. */
export const limitsOf = (given: Partial<Limits> = {}): Limits => {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(LIMITS, name)) throw new Error(`There is no limit "${name}"`)
    const problem = value === undefined ? null : limitProblem(name as LimitName, value)
    if (problem !== null) throw new Error(`The limit "${name}" must be ${problem}, not ${value}`)
  }
  const set = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...DEFAULT_LIMITS, ...Object.fromEntries(set) }
}

/** @throws {AppError} `payload_too_large` if a document's text takes more than `limit` bytes in UTF-8. */
export const checkSize = (doc: string, limit: number): void => {
  // A UTF-16 unit takes three bytes at most: nearly every document is spared the count.
  if (doc.length * 3 > limit && Buffer.byteLength(doc) > limit)
    throw new AppError('payload_too_large', `The entity would take more than ${limit} bytes`)
}

export const tooLong = (limit: number): AppError =>
  new AppError('uri_too_long', `The URL is longer than ${limit} characters`)
