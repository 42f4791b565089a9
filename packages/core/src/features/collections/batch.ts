import type { Application, Caller } from '../../api/caller.js'
import { parsePath, type Segment } from '../../api/url.js'
import { type Conditions, readConditions } from '../../domain/entity-tag.js'
import { AppError, illegalArgument } from '../../domain/errors.js'
import type { Json } from '../../domain/json.js'
import { isJsonObject } from '../../domain/json.js'
import type { Limits } from '../../domain/limits.js'
import type { Edits } from '../../engine/edits.js'
import type { CollectionCall, CollectionResult, WriteVerb } from './call.js'
import type { PathReader } from './path.js'
import { References } from './references.js'
import { shownTo } from './sight.js'
import type { Writes } from './writes.js'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** One operation of a batch, as it comes. */
export interface BatchOperation {
  /** By which later operations refer to its result. */
  id?: string
  method: (typeof METHODS)[number]
  /** Below the application, percent-encoded, without a query string. `$id` stands for an earlier result's uuid. */
  path: string
  /** `{"$ref": "id.property"}` stands for a value of an earlier result. */
  body?: Json
  ifMatch?: string
  ifNoneMatch?: string
}

export interface OperationResult extends CollectionResult {
  id?: string
}

export interface BatchOptions {
  writes: Writes
  paths: PathReader
  app: Application
  caller: Caller
}

/** Carries out the operations of a batch, within a transaction. */
export class BatchRun {
  readonly #options: BatchOptions

  constructor(options: BatchOptions) {
    this.#options = options
  }

  /** @throws {AppError} of the first operation that fails, with its place as `operation`. */
  run(edits: Edits, operations: readonly BatchOperation[]): OperationResult[] {
    const references = new References()
    return edits.each(operations, (operation, index) => {
      try {
        const result = shownTo(this.#options.caller, this.#run(edits, operation, references))
        const entity = result.entities[0]
        if (operation.id !== undefined && entity !== undefined) references.set(operation.id, entity)
        return operation.id === undefined ? result : { ...result, id: operation.id }
      } catch (error) {
        throw error instanceof AppError ? atOperation(error, index) : error
      }
    })
  }

  #run(edits: Edits, operation: BatchOperation, references: References): CollectionResult {
    const { writes, paths, app, caller } = this.#options
    const segments = segmentsOf(references.path(operation.path), edits.limits)
    const call: CollectionCall = {
      app,
      caller,
      path: paths.read(edits, segments),
      params: new Map(),
      body: operation.body === undefined ? undefined : references.body(operation.body),
      conditions: conditionsOf(operation),
    }
    const verb = operation.method.toLowerCase() as Lowercase<BatchOperation['method']>
    return verb === 'get' ? writes.read(edits, call) : writes.run(edits, verb satisfies WriteVerb, call)
  }
}

/** @throws {AppError} `illegal_argument` for queries, which a batch does not carry out. */
const segmentsOf = (path: string, { pathSegments }: Limits): Segment[] => {
  const segments = parsePath(path, pathSegments)
  if (path.includes('?') || segments.some(({ query }) => query !== null))
    throw illegalArgument('Within a batch, a path names single entities and has no query')
  const [first, second] = segments
  if (first === undefined) throw illegalArgument('Within a batch, a path begins with a collection')
  // What begins so is a command of the collection or the application.
  if (first.text.startsWith('_') || second?.text.startsWith('_'))
    throw illegalArgument(`"${first.text}/${second?.text ?? ''}" cannot be part of a batch`)
  return segments
}

const conditionsOf = ({ ifMatch, ifNoneMatch }: BatchOperation): Conditions =>
  readConditions({ ifMatch, ifNoneMatch })

const atOperation = (error: AppError, operation: number): AppError => {
  const { code, message, fields, status, retryAfter, cause } = error
  return new AppError(code, message, {
    status,
    operation,
    cause,
    ...(fields === undefined ? {} : { fields }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}

/**
 * The operations of a request body: `{"operations": [...]}`.
 * @throws {AppError} `illegal_argument` with the place of what is wrong.
 */
export const readOperations = (
  body: Json | undefined,
  { batchOperations, batchEntities }: Limits,
): BatchOperation[] => {
  const operations = body !== undefined && isJsonObject(body) ? body['operations'] : undefined
  if (!Array.isArray(operations) || operations.length === 0)
    throw illegalArgument('A batch is {"operations": [...]}, with one operation at least', 'operations')
  if (operations.length > batchOperations)
    throw illegalArgument(`A batch has at most ${batchOperations} operations`, 'operations')
  const ids = new Set<string>()
  const read = operations.map((operation, index) => readOperation(operation, `operations[${index}]`, ids))
  const elements = read.reduce((sum, { body: one }) => sum + (Array.isArray(one) ? one.length : 1), 0)
  if (elements > batchEntities)
    throw illegalArgument(
      `The operations of a batch are about at most ${batchEntities} entities`,
      'operations',
    )
  return read
}

const ID = /^[A-Za-z]\w{0,63}$/

const readOperation = (operation: Json, place: string, ids: Set<string>): BatchOperation => {
  if (!isJsonObject(operation)) throw illegalArgument('An operation is a JSON object', place)
  const { id, method, path, body, ifMatch, ifNoneMatch } = operation
  const wanted = METHODS.find((name) => name === method)
  if (wanted === undefined) throw illegalArgument(`method is one of ${METHODS.join(', ')}`, `${place}.method`)
  if (typeof path !== 'string') throw illegalArgument('path is a string', `${place}.path`)
  const read: BatchOperation = { method: wanted, path }
  if (id !== undefined) {
    if (typeof id !== 'string' || !ID.test(id) || ids.has(id))
      throw illegalArgument('id is a word of at most 64 letters and digits, used once', `${place}.id`)
    ids.add(id)
    read.id = id
  }
  if (body !== undefined) read.body = body
  if (ifMatch !== undefined) read.ifMatch = textIn(ifMatch, `${place}.ifMatch`)
  if (ifNoneMatch !== undefined) read.ifNoneMatch = textIn(ifNoneMatch, `${place}.ifNoneMatch`)
  return read
}

const textIn = (value: Json, field: string): string => {
  if (typeof value === 'string') return value
  throw illegalArgument('Conditions are strings, as in the headers', field)
}
